"""Gather what a study left behind and let the site write its report."""

from __future__ import annotations

import contextlib
import errno
import sys
from pathlib import Path
from typing import Any

import her2study
from her2study.pipeline.folder import replaced_folder
from her2study.pipeline.graph import Chain
from her2study.pipeline.records import load_record, record_path
from her2study.reporting.checklists import Evidence, write_checklists
from her2study.reporting.site import Content, Step, build_site
from her2study.types import StudyError

NAME, LISTS = "report", "checklists"

FROZEN = ("combined", "clinical")
"""Frozen models that a page can compute."""


def write_report(chain: Chain) -> Path:
    """Write ``report/`` and return it: whole, or as it was before. The filled checklists are also files of their own.

    Raises
    ------
    StudyError
        The disk is full, or the folder may not be written.
    """
    out = chain.run.folder / NAME
    try:
        content = gather(chain)
        with replaced_folder(out) as folder:
            build_site(content, folder)
        evidence = Evidence(chain.run.folder, content.settings, chain.study.folder)
        write_checklists(chain.run.folder / LISTS, evidence, content.tables, content.numbers, content.frozen)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StudyError(f"{out}: no space left on the disk; free some and run the same command again") from None
        raise
    return out


def gather(chain: Chain) -> Content:
    """Everything the pages show, as far as it exists; each file that is read is noted."""
    study, run = chain.study, chain.run
    steps = [_step(chain, name) for name in chain.nodes if name != NAME]
    figures = {name: run.load_figure_data(name) for name in run.figure_names()}
    drawn = run.folder / "figures"
    run.note_source(path for name in figures for path in sorted(drawn.glob(f"{name}.*")) if path.suffix != ".tiff")
    printed = run.folder / "tables"
    run.note_source(path for path in sorted(printed.glob("*")) if path.suffix in (".docx", ".tex"))
    run.note_source(step.notebook for step in steps if step.notebook)
    run.note_source(path for step in steps if (path := record_path(chain, step.name)).is_file())
    return Content(
        settings=study.model_dump(mode="json"),
        profile=study.profile,
        simulated=run.simulated,
        tables={name: run.load_table(name) for name in run.table_names()},
        figures=figures,
        figures_folder=drawn,
        tables_folder=printed,
        steps=steps,
        numbers=run.load_values(),
        headlines=run.load_json("headlines") if run.has("headlines.json") else (),
        frozen={name: run.load_json(f"frozen/{name}") for name in FROZEN if run.has(f"frozen/{name}.json")},
        results=run.folder,
        study_folder=study.folder,
        versions={"her2study": her2study.__version__, "Python": sys.version.split()[0]},
    )


def _step(chain: Chain, name: str) -> Step:
    """A step with what its record says, or only its name if it left none."""
    node, record = chain.nodes[name], load_record(chain, name) or {}
    executed = chain.run.folder / "notebooks" / f"{name}.ipynb"
    told: dict[str, Any] = {}
    with contextlib.suppress(KeyError):
        told = {
            "started": record["started"],
            "seconds": record["duration_seconds"],
            "memory_mb": record["peak_memory_mb"],
            "packages": record["packages"],
            "code": record["code"],
            "written": tuple(record["written"]),
            "source_files": len(record["source"]),
        }
    return Step(name, node.label, executed if node.notebook and executed.is_file() else None, **told)
