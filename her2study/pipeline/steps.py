"""The two steps of the chain that are not notebooks; each returns the files it made, for its record."""

from __future__ import annotations

from functools import partial
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
    map_patients(draw_one, chain.run.figure_names(), "figures", worker_count())
    return describe_folder(chain.run.folder, [folder])


def _draw(run: Run, confidence: float, name: str) -> None:
    """Write the files of one figure."""
    from her2study.reporting.figures import write_figure

    write_figure(name, run.load_figure_data(name), run.folder / "figures", run.simulated, confidence)
