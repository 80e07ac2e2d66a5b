"""Table 1, MRI protocols and missing values, as tidy tables with a print column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from her2study import words
from her2study.cohort.comparison import by_ranks, compare_groups, standardised_difference
from her2study.cohort.schema import TIMES
from her2study.cohort.sources import parse_times
from her2study.study import Centres, Outcome, Variable
from her2study.types import SPLITS

SUMMARY_COLUMNS = (
    *("group", "group_n", "variable", "label", "unit", "level", "n", "missing", "count", "percent"),
    *("mean", "sd", "median", "q1", "q3", "minimum", "maximum", "text", "summary", "test", "p", "smd"),
)

FEW_VALUES = 2
"""A continuous variable with at most so many distinct numbers (field strength) is counted, not averaged."""


def baseline_table(
    cohort: pd.DataFrame,
    splits: pd.DataFrame,
    variables: Mapping[str, Variable],
    outcome: Outcome,
    centres: Centres,
) -> pd.DataFrame:
    """Table 1: every variable for all patients, by split, by centre and by outcome.

    Returns
    -------
    DataFrame
        One row per grouping, variable, level and group: ``by`` (all, split, centre or label), ``group,
        group_n, variable, label, unit, level`` (empty for continuous), ``n`` (recorded), ``missing, count,
        percent`` (of the recorded), ``mean, sd, median, q1, q3, text, summary`` (what text shows),
        ``test, p, smd`` (largest pairwise standardised mean difference), repeated within a variable.

    See :func:`compare_groups` for which test is used where.
    """
    patients = cohort.merge(splits[["patient_id", "split"]], on="patient_id", validate="one_to_one")
    where = patients["centre"].map(lambda centre: centres.names.get(centre, centre))
    sites = [centres.names.get(centre, centre) for centre in (*centres.development, *centres.external)]
    sign = patients["label"].map({1: f"{outcome.label}: yes", 0: f"{outcome.label}: no"})
    status = Variable(type="binary", label=outcome.label, role="pathology", levels=("no", "yes"))
    patients["_outcome"] = patients["label"].map({1: "yes", 0: "no"})
    everything = {"_outcome": status, **variables}
    present = [name for name in SPLITS if (patients["split"] == name).any()]
    parts = [
        ("all", pd.Series("all", index=patients.index), ["all"], everything),
        ("split", patients["split"], present, everything),
        ("centre", where, sites, everything),
        ("label", sign, [f"{outcome.label}: yes", f"{outcome.label}: no"], variables),
    ]
    tables = [describe_groups(patients, group, order, chosen).assign(by=by) for by, group, order, chosen in parts]
    table = pd.concat(tables, ignore_index=True).drop(columns=["minimum", "maximum"])
    table["variable"] = table["variable"].replace("_outcome", "label")
    return table[["by", *(c for c in table.columns if c != "by")]]


def mri_protocol(cohort: pd.DataFrame, variables: Mapping[str, Variable], centres: Centres) -> pd.DataFrame:
    """How each centre scanned: every acquisition variable and, where recorded, when phases were taken.

    Returns
    -------
    DataFrame
        ``centre, centre_n, variable, label, unit, level, n, missing, count, percent, median, minimum,
        maximum, text``; settings with few distinct values are counted, others are medians with range.
    """
    patients, chosen = cohort.copy(), {}
    for name, variable in variables.items():
        if variable.role == "acquisition":
            chosen[name] = variable
    if TIMES in patients and patients[TIMES].notna().any():
        times = [parse_times(t) if isinstance(t, str) else [np.nan, np.nan] for t in patients[TIMES]]
        patients["first_post_contrast_seconds"] = [t[1] for t in times]
        patients["last_post_contrast_seconds"] = [t[-1] for t in times]
        for name in ("first", "last"):
            chosen[f"{name}_post_contrast_seconds"] = Variable(
                type="continuous", unit="s", label=f"{name.capitalize()} post-contrast phase", role="acquisition"
            )
    order = [*centres.development, *centres.external]
    table = describe_groups(patients, patients["centre"], order, chosen, compare=False)
    measured = table["level"] == ""
    spans = [_span(r.median, r.minimum, r.maximum) for r in table[measured].itertuples()]
    table.loc[measured, "text"] = spans
    table = table.rename(columns={"group": "centre", "group_n": "centre_n"})
    table["centre"] = table["centre"].map(lambda centre: centres.names.get(centre, centre))
    return table.drop(columns=["mean", "sd", "q1", "q3", "summary", "test", "p", "smd"])


def missingness(cohort: pd.DataFrame, variables: Mapping[str, Variable]) -> pd.DataFrame:
    """Missing values of each variable in each centre: ``variable, label, centre, n, missing, percent``."""
    rows = [
        (name, variable.label, centre, len(here), int(here.isna().sum()), 100 * float(here.isna().mean()))
        for name, variable in variables.items()
        for centre, here in cohort.groupby("centre")[name]
    ]
    return pd.DataFrame(rows, columns=["variable", "label", "centre", "n", "missing", "percent"])


def print_wide(table: pd.DataFrame, group: str) -> pd.DataFrame:
    """Any of the tables above as a paper prints it: a row per variable and level, a column per group.

    What belongs to the variable (its name, test, p) is printed once, on its first row.
    """
    rows = table.assign(row=table.groupby(group).cumcount())
    first = rows.drop_duplicates("row").set_index("row")
    repeated = first["variable"].eq(first["variable"].shift())
    name = first["label"].where(first["unit"].isna(), first["label"] + ", " + first["unit"].astype("str").fillna(""))
    wide = {"characteristic": name.mask(repeated, ""), "level": first["level"]}
    for value, n in table[[group, f"{group}_n"]].drop_duplicates().itertuples(index=False):
        wide[f"{value} (n = {n})"] = rows[rows[group] == value].set_index("row")["text"].replace("", "–")
    for column in ("summary", "test", "p", "smd"):
        if column in table and table[column].notna().any():
            wide[column] = first[column].mask(repeated, np.nan if column in ("p", "smd") else "")
    return pd.DataFrame(wide).reset_index(drop=True)


def describe_groups(
    patients: pd.DataFrame,
    group: pd.Series,
    order: Sequence[str],
    variables: Mapping[str, Variable],
    compare: bool = True,
) -> pd.DataFrame:
    """Tidy summary of each variable in each group, with the comparison between groups."""
    rows = []
    for name, variable in variables.items():
        values, variable = _counted(patients[name], variable)
        ranked = variable.type == "continuous" and by_ranks(values, variable)
        samples = [values[group == g] for g in order]
        tested = compare_groups(samples, variable, ranked) if compare and len(order) > 1 else (None, np.nan)
        decimals = 1 if variable.type == "continuous" and values.abs().max() >= 10 else 2
        smd = standardised_difference(samples, variable) if compare and len(order) > 1 else np.nan
        for level in ("",) if variable.type == "continuous" else variable.levels:
            for g, sample in zip(order, samples, strict=True):
                head = {"group": g, "group_n": len(sample), "variable": name, "label": variable.label}
                known = sample.dropna()
                tail = {"n": len(known), "missing": len(sample) - len(known)}
                body = _numbers(known, ranked, decimals) if variable.type == "continuous" else _share(known, level)
                rows.append(head | {"unit": variable.unit, "level": level} | tail | body
                            | {"test": tested[0], "p": tested[1], "smd": smd})  # fmt: skip
    table = pd.DataFrame(rows).reindex(columns=list(SUMMARY_COLUMNS))
    text = dict.fromkeys(("group", "variable", "label", "unit", "level", "text", "summary", "test"), "str")
    return table.astype(text | {"count": "Int64"})


def _counted(values: pd.Series, variable: Variable) -> tuple[pd.Series, Variable]:
    """A continuous variable with few distinct numbers as categories, any other as it is."""
    numbers = np.sort(values.dropna().unique()) if variable.type == "continuous" else np.array([])
    if not 1 <= len(numbers) <= FEW_VALUES:
        return values, variable
    levels = tuple(f"{number:g}" for number in numbers)
    counted = variable.model_copy(update={"type": "categorical", "levels": levels})
    return values.map(lambda number: f"{number:g}", na_action="ignore").astype("str"), counted


def _numbers(known: pd.Series, ranked: bool, d: int) -> dict:
    if known.empty:
        return {"text": "", "summary": "median (IQR)" if ranked else "mean (SD)"}
    q1, median, q3 = known.quantile([0.25, 0.5, 0.75])
    mean, sd = known.mean(), known.std() if len(known) > 1 else np.nan
    text = f"{median:.{d}f} ({q1:.{d}f}–{q3:.{d}f})" if ranked else f"{mean:.{d}f} ({sd:.{d}f})"
    measures = {"mean": mean, "sd": sd, "median": median, "q1": q1, "q3": q3}
    measures |= {"minimum": known.min(), "maximum": known.max()}
    return measures | {"text": text, "summary": "median (IQR)" if ranked else "mean (SD)"}


def _share(known: pd.Series, level: str) -> dict:
    count = int((known == level).sum())
    percent = 100 * count / len(known) if len(known) else np.nan
    return {"count": count, "percent": percent, "summary": "n (%)",
            "text": f"{count} ({words.number(percent, 1)}%)" if len(known) else ""}  # fmt: skip


def _span(median: float, low: float, high: float) -> str:
    if pd.isna(median):
        return ""
    shown = [f"{x:.0f}" if abs(x) >= 100 else f"{x:.3g}" for x in (median, low, high)]
    return shown[0] if low == high else f"{shown[0]} ({shown[1]}–{shown[2]})"
