"""The manuscript of a finished study: gather what it may use, build it, write it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from her2study.pipeline.console import say
from her2study.pipeline.finished import check_finished
from her2study.pipeline.graph import Chain
from her2study.store import write_atomically

SECTIONS = (
    "paper", "outcome", "centres", "split", "imaging", "radiomics", "network", "baselines", "clinical", "statistics",
    "simulation",
)  # fmt: skip
"""Sections of ``study.yml`` that a text may quote."""


class Frames(Mapping):
    """Frames by name, each read when it is first asked for."""

    def __init__(self, names: list[str], load: Callable[[str], Any]) -> None:
        self._names, self._load, self._read = names, load, dict[str, Any]()

    def __getitem__(self, name: str) -> Any:
        if name not in self._names:
            raise KeyError(name)
        if name not in self._read:
            self._read[name] = self._load(name)
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def manuscript(chain: Chain) -> list[Path]:
    """Write ``results/<study>/manuscript/manuscript.md``, ``.docx`` and ``.pdf``.

    Raises
    ------
    StudyError
        The results are not finished, or the template is wrong (with file and line); nothing is written.
    """
    check_finished(chain)
    return write_manuscript(chain)


def write_manuscript(chain: Chain) -> list[Path]:
    """Build all files in memory, then put each in its place."""
    from her2study.reporting.manuscript import build_manuscript

    study, run = chain.study, chain.run
    folder = run.folder / "manuscript"
    template = study.folder / "manuscript.md"
    made = build_manuscript(template, study.folder / "references.bib", gather_material(chain), folder)
    for name, content in made.items():
        write_atomically(folder / name, _writer(content))
    paths = [folder / name for name in made]
    say(f"manuscript: {', '.join(path.name for path in paths)} in {folder}")
    return paths


def _writer(content: bytes) -> Callable[[Path], Any]:
    return lambda path: path.write_bytes(content)


def gather_material(chain: Chain) -> Any:
    """Everything that the text of a study may use."""
    from her2study.reporting.manuscript import Material

    study, run = chain.study, chain.run
    tables = sorted(path.stem for path in (run.folder / "tables").glob("*.csv"))
    return Material(
        values=run.load_json("values"),
        tables=Frames(tables, run.load_table),
        figure_data=Frames(run.figure_names(), run.load_figure_data),
        figures=run.folder / "figures",
        settings={name: section for name in SECTIONS if (section := getattr(study, name)) is not None}
        | {"seed": study.seed},
        simulated=run.simulated,
        confidence=study.statistics.confidence,
    )
