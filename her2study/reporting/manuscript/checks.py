"""Checks of the numbers before they are printed: what cannot be true is found here and not by a reviewer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from her2study.types import StudyError

CLOSE = 1e-6
"""Tables are stored with ten digits."""

RATIOS = {
    "sensitivity": ("tp", ("tp", "fn")),
    "specificity": ("tn", ("tn", "fp")),
    "ppv": ("tp", ("tp", "fp")),
    "npv": ("tn", ("tn", "fn")),
    "accuracy": ("tp tn", ("tp", "fp", "fn", "tn")),
}
"""What these columns are of the four counts beside them."""


def check_numbers(values: Mapping[str, Mapping[str, Any]], tables: Mapping[str, pd.DataFrame]) -> None:
    """Every check on everything a manuscript may print.

    Raises
    ------
    StudyError
        All findings, each naming the value, or the table and row.
    """
    findings = list(value_findings(values))
    for name in sorted(tables):
        frame = tables[name]
        findings += [f"table {name}, {words}" for words in table_findings(frame)]
    if "cohort_flow" in tables:
        findings += [f"table cohort_flow: {words}" for words in flow_findings(tables["cohort_flow"], values)]
    if findings:
        shown = "\n  ".join(findings[:12]) + ("" if len(findings) <= 12 else f"\n  and {len(findings) - 12} more")
        raise StudyError(f"numbers that contradict each other; run the chain again, or report it:\n  {shown}")


def value_findings(values: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Values outside their own interval."""
    for name, told in values.items():
        value, low, high = (told.get(key) for key in ("value", "low", "high"))
        if low is None or high is None or not isinstance(value, int | float):
            continue
        if not low - CLOSE <= value <= high + CLOSE:
            yield f"value {name}: {value:.6g} lies outside its interval {low:.6g} to {high:.6g}"


def table_findings(frame: pd.DataFrame) -> Iterator[str]:
    """Rows outside their intervals, intervals by copy, counts and percentages that disagree."""
    yield from _outside(frame)
    yield from _copied(frame)
    yield from _miscounted(frame)


def flow_findings(flow: pd.DataFrame, values: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Patients who got lost, or were counted twice, on the way from screening to splits and centres."""
    n = flow.set_index(["kind", "label"])["n"]
    screened, included = (int(n["included"][label]) for label in ("Screened", "Included"))
    excluded = int(n["excluded"].sum()) if "excluded" in n else 0
    if screened - excluded != included:
        yield f"{screened} screened less {excluded} excluded are not the {included} included"
    for kind in ("split", "centre"):
        rows = flow[flow["kind"] == kind]
        if len(rows) and int(rows["n"].sum()) != included:
            yield f"{kind}s add up to {int(rows['n'].sum())} and not to the {included} included"
        positives = flow.loc[flow["label"] == "Included", "positives"]
        if len(rows) and rows["positives"].notna().all() and int(rows["positives"].sum()) != int(positives.iloc[0]):
            yield f"positives of {kind}s add up to {int(rows['positives'].sum())} and not to {int(positives.iloc[0])}"
    told = {"patients_screened": screened, "patients_included": included, "patients_excluded": excluded}
    for name, expected in told.items():
        if name in values and values[name]["value"] != expected:
            yield f"value {name} is {values[name]['value']} and the flow says {expected}"


def _outside(frame: pd.DataFrame) -> Iterator[str]:
    for column, low, high in _bounded(frame):
        known = frame[[column, low, high]].notna().all(axis=1)
        out = known & ~frame[column].between(frame[low] - CLOSE, frame[high] + CLOSE)
        for place in np.flatnonzero(out):
            row = frame.iloc[place]
            yield f"{_row(frame, place)}: {column} {row[column]:.6g} lies outside {row[low]:.6g} to {row[high]:.6g}"


def _copied(frame: pd.DataFrame) -> Iterator[str]:
    """The same two bounds around different estimates, or from different numbers of patients."""
    for column, low, high in _bounded(frame):
        if (frame[[low, high]].dropna() % 1 == 0).all(axis=None):
            continue  # ranks and counts share their few possible intervals
        known = frame[(frame[low] < frame[high]) & frame[column].notna()]
        known = known[~((known[low] == 0) & (known[high] == 1))]  # all that is possible: no information to copy
        for _, same in known.groupby([low, high], sort=False):
            bases = [name for name in (column, "n", "positives") if name in same]
            if len(same.drop_duplicates(bases)) > 1 and len(same[column].round(9).unique()) > 1:
                rows = " and ".join(_row(frame, frame.index.get_loc(place)) for place in same.index[:2])
                yield f"{rows}: {column} has the same interval in both"


def _miscounted(frame: pd.DataFrame) -> Iterator[str]:
    if {"tp", "fp", "fn", "tn"} <= set(frame):
        cells = frame[["tp", "fp", "fn", "tn"]]
        for place in range(len(frame)):
            row = frame.iloc[place]
            if cells.iloc[place].isna().any():
                continue
            if "n" in frame and cells.iloc[place].sum() != row["n"]:
                total = cells.iloc[place].sum()
                yield f"{_row(frame, place)}: tp, fp, fn and tn add up to {total:g}, n is {row['n']:g}"
            if "positives" in frame and row["tp"] + row["fn"] != row["positives"]:
                yield f"{_row(frame, place)}: tp and fn add up to {row['tp'] + row['fn']:g}, not {row['positives']:g}"
            for measure, (hits, all_of) in RATIOS.items():
                total = row[list(all_of)].sum()
                expected = row[hits.split()].sum() / total if total else np.nan
                if measure in frame and pd.notna(row[measure]) and not abs(row[measure] - expected) < CLOSE:
                    yield f"{_row(frame, place)}: {measure} is {row[measure]:.6g}, its counts say {expected:.6g}"
    if {"count", "n", "percent"} <= set(frame):
        told = frame["percent"].notna() & (frame["n"] > 0)
        wrong = told & ~((100 * frame["count"] / frame["n"] - frame["percent"]).abs() < 0.051)
        for place in np.flatnonzero(wrong):
            row = frame.iloc[place]
            yield f"{_row(frame, place)}: {row['percent']:.4g}% is not {row['count']:g} of {row['n']:g}"


def _bounded(frame: pd.DataFrame) -> list[tuple[str, str, str]]:
    """``(x, x_low, x_high)`` of the columns that have numbers and bounds."""
    names = [c for c in frame.columns if {f"{c}_low", f"{c}_high"} <= set(frame.columns)]
    found = [(c, f"{c}_low", f"{c}_high") for c in names]
    if {"value", "low", "high"} <= set(frame.columns):
        found.append(("value", "low", "high"))
    return [parts for parts in found if all(pd.api.types.is_numeric_dtype(frame[part]) for part in parts)]


def _row(frame: pd.DataFrame, place: int) -> str:
    """A row by its number and the words it begins with."""
    row = frame.iloc[place]
    text = [str(row[c]) for c in frame.columns if not pd.api.types.is_numeric_dtype(frame[c]) and pd.notna(row[c])]
    return f"row {place + 1} ({', '.join(text[:3])})"
