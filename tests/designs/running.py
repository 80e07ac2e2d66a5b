"""The whole chain of a study in this process: what kernels and Snakemake do, without their starts."""

from __future__ import annotations

import contextlib
import html
import io
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

from her2study.pipeline import open_chain, steps
from her2study.pipeline.graph import Chain, Node
from her2study.pipeline.notebook import read_code
from her2study.pipeline.records import describe_files


class Ran:
    """A finished study: its chain, what its notebooks said, by step."""

    def __init__(self, chain: Chain, said: dict[str, str]) -> None:
        self.chain, self.said = chain, said
        self.results = chain.run.folder

    def page(self, name: str = "index.html") -> str:
        """Text of a page of the report, without its tags."""
        text = (self.results / "report" / name).read_text(encoding="utf-8")
        return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())

    def headlines(self) -> str:
        """The lines that end a run."""
        return "\n".join(self.chain.run.load_json("headlines"))


def run_study(
    name: str, data: Path | str, papers: Path, results: Path, profile: str = "full", printed: bool = True
) -> Ran:
    """Every notebook of a study in order, then the report; with ``printed`` every figure drawn once and every table."""
    with surroundings(HER2STUDY_PAPERS=str(papers), HER2STUDY_RESULTS=str(results), HER2STUDY_WORKERS="1",
                      HER2STUDY_NOTEBOOKS=str(Path(__file__).resolve().parents[2] / "notebooks")):  # fmt: skip
        chain = open_chain(name, profile, str(data))
        if "simulate" in chain.nodes:
            steps.simulate(chain)
        said = {node.name: _execute(chain, node) for node in chain.nodes.values() if node.notebook}
        _publish(chain, printed)
    return Ran(chain, said)


def _execute(chain: Chain, node: Node) -> str:
    """Run the code of a notebook; tables and figures are made, as by a kernel, but not shown."""
    heard = io.StringIO()
    code = read_code(chain.notebook(node))
    values = "\n".join(f"{key} = {value!r}" for key, value in node.parameters.items())
    lines = code.split("\nfrom ", 1) if "\nfrom " in code else [code]
    whole = lines[0] + "\n" + values + ("\nfrom " + lines[1] if len(lines) > 1 else "")
    journal = chain.run.folder / "journal"
    chain.run.folder.mkdir(parents=True, exist_ok=True)
    with contextlib.redirect_stdout(heard), surroundings(HER2STUDY_JOURNAL=str(journal)):
        exec(compile(whole, node.name, "exec"), {"display": lambda shown: print(_plain(shown))})
    describe_files(chain.run.folder, [json.loads(line) for line in journal.read_text().splitlines()])  # all are there
    journal.unlink()
    return heard.getvalue()


def _plain(shown: object) -> str:
    return shown.to_html() if hasattr(shown, "to_html") else str(shown)


def _publish(chain: Chain, printed: bool) -> None:
    """Draw, print and report what the notebooks stored."""
    from her2study.pipeline.report import write_report
    from her2study.reporting import draw

    for name in chain.run.figure_names() if printed else ():
        draw(name, chain.run.load_figure_data(name), simulated=chain.run.simulated)
    if printed:
        steps.tables(chain)
    write_report(chain)


@contextlib.contextmanager
def surroundings(**values: str) -> Iterator[None]:
    """Environment variables for a while."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
