"""Checklists, model card and data sheet as files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from her2study.reporting.checklists.evidence import Evidence
from her2study.reporting.checklists.filled import CHECKLISTS
from her2study.reporting.checklists.pages import checklist_frame, checklist_markdown
from her2study.reporting.data_sheet import data_sheet
from her2study.reporting.model_card import model_card
from her2study.reporting.sheets import sheet_markdown
from her2study.store import write_atomically


def write_checklists(
    out: Path,
    evidence: Evidence,
    tables: Mapping[str, pd.DataFrame],
    values: Mapping[str, Any],
    frozen: Mapping[str, Mapping[str, Any]],
) -> list[Path]:
    """Write every checklist as ``.md`` and ``.csv``, ``data_sheet.md``, and ``model_card.md`` if a model is frozen.

    Parameters
    ----------
    out : Path
        The folder to write to: ``results/<study>/checklists``.
    evidence : Evidence
        Where the study's artefacts, settings and files are.
    tables, values, frozen
        As for :func:`~her2study.reporting.model_card.model_card`.

    Returns
    -------
    list of Path
        The files; the same content gives the same bytes.
    """
    texts = {"data_sheet.md": sheet_markdown(data_sheet(evidence.settings, tables, evidence.conditions["images"]))}
    if frozen:
        texts["model_card.md"] = sheet_markdown(model_card(evidence.settings, tables, values, frozen))
    whose = "SIMULATED" if evidence.simulated else "real"
    for name in CHECKLISTS:
        texts[f"{name}.md"] = checklist_markdown(name, evidence)
        frame = checklist_frame(name, evidence).assign(patients=whose)
        texts[f"{name}.csv"] = frame.to_csv(index=False, lineterminator="\n")
    return [_write(out / name, text) for name, text in sorted(texts.items())]


def _write(path: Path, text: str) -> Path:
    write_atomically(path, lambda part: part.write_text(text, encoding="utf-8", newline="\n"))
    return path
