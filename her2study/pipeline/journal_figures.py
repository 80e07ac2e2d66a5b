"""The figures of a finished study as one journal asks for them, beside those of the default look."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from her2study.pipeline.console import clock, say
from her2study.pipeline.finished import check_finished
from her2study.pipeline.graph import Chain
from her2study.store import Run

if TYPE_CHECKING:
    from her2study.reporting.journals import Journal


def journal_figures(chain: Chain, name: str) -> Path:
    """Draw every figure to ``figures/<journal>/`` at the journal's widths, fonts and resolution.

    Raises
    ------
    StudyError
        The journal is unknown or its file is wrong; the results of the study are not finished.
    """
    from her2study.parallel import map_patients, worker_count
    from her2study.reporting.journals import font_notice, load_journal

    journal = load_journal(name)
    check_finished(chain)
    started = time.monotonic()
    if notice := font_notice(journal):
        say(notice)
    folder = chain.run.folder / "figures" / Path(name).stem
    draw_one = partial(_draw, chain.run, chain.study.statistics.confidence, journal, folder)
    written = map_patients(draw_one, chain.run.figure_names(), "figures", worker_count())
    _forget_others(folder, {path for paths in written for path in paths})
    words = "figure" if len(written) == 1 else "figures"
    kinds = ", ".join([*journal.vector, *(f"{kind} {dpi} dpi" for kind, dpi in journal.raster_dpi.items())])
    say(f"{len(written)} {words} for {journal.name} in {folder} ({kinds})  {clock(time.monotonic() - started)}")
    return folder


def _draw(run: Run, confidence: float, journal: Journal, folder: Path, name: str) -> list[Path]:
    """Write the files of one figure."""
    from her2study.reporting.figures import write_figure

    return write_figure(name, run.load_figure_data(name), folder, run.simulated, confidence, journal)


def _forget_others(folder: Path, written: set[Path]) -> None:
    """Remove files of figures that the study no longer has, or of kinds that the journal no longer wants."""
    for path in folder.iterdir():
        if path.is_file() and path not in written and path.suffix in {".pdf", ".svg", ".png", ".tiff"}:
            path.unlink()
