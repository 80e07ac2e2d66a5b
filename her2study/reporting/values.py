"""Numbers that sentences may use (``values.json``), and the lines that end a run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from her2study.evaluation.judges import judging_split
from her2study.reporting.judgement import FAILS, HOLDS, UNTESTED, VERDICTS
from her2study.reporting.sentences import verdict_line
from her2study.reporting.style import MODEL_LABELS, model_label, model_order, split_label
from her2study.words import interval, valued

OWN_MODELS = ("combined", "dscore", "clinical")


def gather_values(values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Every stored value in one shape: ``name -> {value, low, high, unit, format, text}``.

    ``text`` is how a sentence prints it; a number that could not be estimated is None and prints as a dash.
    """
    gathered = {}
    for name, value in sorted(values.items()):
        parts = dict(value) if isinstance(value, Mapping) else {"value": value}
        full = {key: _finite(parts.get(key)) for key in ("value", "low", "high", "unit", "format")}
        full["unit"], full["format"] = full["unit"] or "", full["format"] or ""
        gathered[name] = full | {"text": valued(full)}
    return gathered


def claim_values(table: pd.DataFrame) -> dict[str, Any]:
    """Verdicts of the ``claims`` table by claim, and how many there are of each."""
    values: dict[str, Any] = {f"verdict_{row.id}": row.verdict for row in table.itertuples()}
    values["claims"] = len(table)
    counts = table["verdict"].value_counts()
    names = {HOLDS: "claims_hold", FAILS: "claims_do_not_hold", UNTESTED: "claims_not_testable"}
    return values | {names[verdict]: int(counts.get(verdict, 0)) for verdict in VERDICTS}


def headlines(
    performance: pd.DataFrame,
    delong: pd.DataFrame,
    audit: pd.DataFrame,
    claims: pd.DataFrame,
    summary: Sequence[str],
    best_baseline: str | None,
    optimism: pd.DataFrame | None = None,
) -> list[str]:
    """The few lines that a finished run prints.

    Parameters
    ----------
    performance, delong, audit, claims : DataFrame
        Tables of the study by these names.
    summary : sequence of str
        The sentences of :func:`her2study.evaluation.conclusion.conclusion`, of which the general ones lead.
    best_baseline : str or None
        The baseline that did best out of fold in development.
    optimism : DataFrame, optional
        Apparent performance corrected for optimism, told where development patients are the only judges.
    """
    last = judging_split(performance["split"])
    where = split_label(last)
    here = performance[performance["split"] == last]
    own = [model for model in OWN_MODELS if model in set(here["model"])]
    absent = not {"combined", "dscore"} <= set(own)
    lines = list(summary[: 1 + absent + (last != "external")])
    for model in [*own, *([best_baseline] if best_baseline in set(here["model"]) else [])]:
        row = here[here["model"] == model].iloc[0]
        name = model_label(model) + (", best baseline" if model == best_baseline else "")
        lines.append(f"{where}, AUC of {name}: {interval(row['auc'], row['auc_low'], row['auc_high'])}")
    for row in delong[(delong["split"] == last) & (delong["model_a"] == "combined")].itertuples():
        difference = interval(row.difference, row.difference_low, row.difference_high)
        lines.append(f"{where}, AUC of Combined minus {model_label(row.model_b)}: {difference}")
    if optimism is not None and last == "development":
        for row in optimism[optimism["measure"] == "auc"].itertuples():
            corrected = interval(row.corrected, row.corrected_low, row.corrected_high)
            lines.append(f"Corrected for optimism, AUC of {model_label(row.model)}: {corrected}")
    lines += gap_lines(audit, last)
    return [*lines, verdict_line(claims)] if len(claims) else lines


def gap_lines(audit: pd.DataFrame, split: str) -> list[str]:
    """How far each model stays below the best possible AUC, where the truth is known (simulated patients)."""
    lines = []
    for model in model_order(MODEL_LABELS):
        found = audit[audit["check"] == f"distance to the best possible AUC, {model}, {split}"]
        for row in found.itertuples():
            gap = interval(row.value, row.low, row.high)
            lines.append(f"{split_label(split)}, {model_label(model)} below the best possible AUC by {gap}")
    return lines


def _finite(value: Any) -> Any:
    """JSON has no NaN: a number that is not finite becomes None."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
