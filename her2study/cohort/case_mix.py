"""Who the new patients are beside those a model was trained on, of whom only Table 1 is known."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from her2study.cohort.comparison import numbers_apart, shares_apart
from her2study.cohort.describe import describe_groups
from her2study.study import Variable
from her2study.words import number

TRAINING, NEW = "training", "new"

LARGE = 0.2
"""Standardised differences above this are large enough to say so (Debray et al. 2015 call for a look at them all)."""


def case_mix_table(training: pd.DataFrame, patients: pd.DataFrame, variables: Mapping[str, Variable]) -> pd.DataFrame:
    """Each variable in the training patients, as their Table 1 tells, beside the new patients.

    Parameters
    ----------
    training : DataFrame
        Rows of :func:`~her2study.cohort.describe.baseline_table` about the training patients: ``variable, level, n,
        missing, count, mean, sd, text``; ``level`` is empty for numbers.
    patients : DataFrame
        The new patients; a variable that their table lacks counts as missing in all of them.
    variables : mapping
        The study's; those that neither group has are left out.

    Returns
    -------
    DataFrame
        A row a variable and level: ``variable, label, unit, level``, ``training, new`` (as printed: median or mean and
        spread, or counts and percentages), ``training_missing_percent, new_missing_percent`` and ``smd``, the absolute
        standardised mean difference (:func:`~her2study.cohort.comparison.standardised_difference`; missing where a
        group has fewer than two values).
    """
    parts = []
    for name, variable in variables.items():
        own = training[training["variable"] == name].assign(level=lambda rows: rows["level"].fillna("").astype("str"))
        if own.empty:
            continue
        values = patients[name] if name in patients else pd.Series(np.nan, patients.index)
        parts.append(_compared(own, name, values, variable))
    return pd.concat(parts, ignore_index=True)


def notable(table: pd.DataFrame) -> list[str]:
    """Labels of the variables that differ most, those above :data:`LARGE` from the largest down."""
    first = table.drop_duplicates("variable")
    large = first[first["smd"] > LARGE].sort_values("smd", ascending=False)
    return [f"{row.label} ({apart(row.smd)})" for row in large.itertuples()]


def apart(difference: float) -> str:
    """A standardised difference in print: an infinite one has no common value."""
    return "no value in common" if np.isinf(difference) else number(difference)


def _compared(own: pd.DataFrame, name: str, values: pd.Series, variable: Variable) -> pd.DataFrame:
    """The rows of one variable."""
    levels = tuple(own["level"])
    if variable.type == "continuous" and levels != ("",):  # Table 1 counts numbers of which there are few
        values = values.map(lambda number: f"{number:g}", na_action="ignore").astype("str")
        levels += tuple(sorted(set(values.dropna()) - set(levels)))
    if levels != ("",):
        shape = variable.model_copy(update={"type": "categorical", "levels": levels})
    else:
        shape, values = variable, values.astype("float64")
    new = _described(name, values, shape, own)
    known = own.set_index("level").reindex(levels)
    rows = pd.DataFrame({"variable": name, "label": variable.label, "unit": variable.unit, "level": levels})
    rows["training"] = known["text"].fillna("").to_numpy()
    rows["new"] = new
    rows["training_missing_percent"] = _percent(float(own["missing"].iloc[0]), float(own["n"].iloc[0]))
    rows["new_missing_percent"] = _percent(float(values.isna().sum()), float(values.notna().sum()))
    rows["smd"] = _difference(known, values.dropna(), shape)
    return rows.astype({"unit": "str"})


def _described(name: str, values: pd.Series, variable: Variable, own: pd.DataFrame) -> list[str]:
    """The new patients as Table 1 prints the training patients: their summary decides between mean and median."""
    if values.notna().sum() == 0:
        return [""] * max(1, len(variable.levels))
    ranked = "median" in str(own["summary"].iloc[0])
    asked = variable.model_copy(update={"log": ranked}) if variable.type == "continuous" else variable
    group = pd.Series(NEW, index=values.index)
    told = describe_groups(values.to_frame(name), group, [NEW], {name: asked}, compare=False)
    if variable.type == "continuous" and len(told) > 1:  # few numbers here, many in training
        return ["; ".join(f"{row.level}: {row.text}" for row in told.itertuples())]
    return told["text"].tolist()


def _difference(known: pd.DataFrame, values: pd.Series, variable: Variable) -> float:
    """As ``standardised_difference``, one group known by its mean and spread or its counts."""
    n = known["n"].max()
    if not (n >= 2 and len(values) >= 2):
        return np.nan
    if variable.type == "continuous":
        return numbers_apart(known["mean"].iloc[0], known["sd"].iloc[0] ** 2, values.mean(), values.var())
    shares = (known["count"].fillna(0) / n, values.value_counts(normalize=True).reindex(known.index).fillna(0))
    return shares_apart(*(share.to_numpy(dtype=np.float64) for share in shares))


def _percent(missing: float, known: float) -> float:
    return 100 * missing / (missing + known) if missing + known else np.nan
