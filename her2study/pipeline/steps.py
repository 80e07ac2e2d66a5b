"""The steps of the chain that are not notebooks; each returns the files it made, for its record."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from her2study.pipeline.graph import Chain
from her2study.pipeline.records import describe_folder
from her2study.store import Run


def simulate(chain: Chain) -> dict[str, Any]:
    """Make the patients of a study that has none."""
    from her2study.cohort.simulate import simulate_cohort
    from her2study.parallel import worker_count

    study, run = chain.study, chain.run
    if study.simulation is None:  # ruled out by the settings' own check
        raise ValueError("the study has no section 'simulation'")
    planted = study.folder / "assumptions.yml"
    simulate_cohort(study.simulation, study.seed, planted, run.source, run.truth, worker_count())
    return describe_folder(run.folder, [run.source, run.truth])


def figures(chain: Chain) -> dict[str, Any]:
    """Draw every stored figure data to ``figures/<name>.pdf``, ``.svg``, ``.png`` and ``.tiff``."""
    from her2study.parallel import map_patients, worker_count

    folder = chain.run.folder / "figures"
    folder.mkdir(parents=True, exist_ok=True)
    draw_one = partial(_draw, chain.run, chain.study.statistics.confidence)
    written = map_patients(draw_one, chain.run.figure_names(), "figures", worker_count())
    names = {str(path.relative_to(chain.run.folder)) for paths in written for path in paths}
    files = describe_folder(chain.run.folder, [folder])
    return {name: known for name, known in files.items() if name in names}  # not those drawn for a journal


def tables(chain: Chain) -> dict[str, Any]:
    """Print every stored table to ``tables/<name>.docx`` and ``.tex``, with title and footnotes."""
    from her2study.progress import progress

    stored = chain.run.table_names()
    printed = progress(stored, "tables", len(stored))  # here: starting another process would take as long as the work
    written = [_print(chain.run, chain.study.statistics.confidence, name) for name in printed]
    names = {str(path.relative_to(chain.run.folder)) for paths in written for path in paths}
    files = describe_folder(chain.run.folder, [chain.run.folder / "tables"])
    return {name: known for name, known in files.items() if name in names}  # the CSV belongs to its notebook


def report(chain: Chain) -> dict[str, Any]:
    """Make a static site of all results in ``report/``, which appears when it is whole."""
    from her2study.pipeline.finished import check_finished
    from her2study.pipeline.report import LISTS, write_report

    check_finished(chain)
    return describe_folder(chain.run.folder, [write_report(chain), chain.run.folder / LISTS])


def _print(run: Run, confidence: float, name: str) -> list[Path]:
    """Write the printed files of one table."""
    from her2study.reporting.printed import write_table

    frame = run.load_table(name)
    return write_table(name, frame, run.folder / "tables", run.simulated, confidence, ("docx", "tex"))


def _draw(run: Run, confidence: float, name: str) -> list[Path]:
    """Write the files of one figure."""
    from her2study.reporting.figures import write_figure

    return write_figure(name, run.load_figure_data(name), run.folder / "figures", run.simulated, confidence)
