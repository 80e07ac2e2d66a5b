"""One row a patient: everything known of her, each model's probability and each model's error."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import pandas as pd

from her2study.reporting.style import model_label, model_order
from her2study.study import Variable, nearest
from her2study.types import StudyError

ALL = "all"
FIRST = ("patient_id", "centre", "split", "label")


def patient_table(
    cohort: pd.DataFrame,
    splits: pd.DataFrame,
    predictions: pd.DataFrame,
    variables: Mapping[str, Variable],
    mapped: Collection[str] = (),
) -> pd.DataFrame:
    """The cohort with ``split``, ``probability_<model>`` and ``error_<model>``, a row a patient.

    Categories are in the order of their levels. The error, ``|label - probability|``, is 0 for certain and right,
    1 for certain and wrong. Development patients have out-of-fold probabilities. ``saliency_map`` says who is among
    the ``mapped``.
    """
    own = cohort.loc[:, [name for name in cohort if not name.endswith("__reader2") and name not in ("split", "fold")]]
    table = own.merge(splits[["patient_id", "split"]], on="patient_id", validate="1:1")
    for name, variable in variables.items():
        if variable.levels and name in table:
            table[name] = pd.Categorical(table[name], categories=list(map(str, variable.levels)), ordered=True)
    wide = predictions.pivot_table(index="patient_id", columns="model", values="probability")
    for model in model_order(wide.columns):
        table[f"probability_{model}"] = table["patient_id"].map(wide[model])
        table[f"error_{model}"] = (table["label"] - table[f"probability_{model}"]).abs()
    if mapped:
        table["saliency_map"] = table["patient_id"].isin(mapped).map({True: "yes", False: "no"})
    others = [name for name in table if name not in FIRST]
    return table[[*FIRST, *others]].sort_values("patient_id", ignore_index=True)


def column_words(table: pd.DataFrame, variables: Mapping[str, Variable]) -> dict[str, str]:
    """What each column that patients can be sorted by is called: errors first, then variables."""
    named = {name: model_label(name.partition("_")[2]) for name in table if name.startswith(("error_", "probability_"))}
    errors = {name: f"Error: {label}" for name, label in named.items() if name.startswith("error_")}
    scores = {name: f"Probability: {label}" for name, label in named.items() if name.startswith("probability_")}
    own = {name: variable.printed for name, variable in variables.items() if name in table}
    more = {"patient_id": "Name", "centre": "Centre", "saliency_map": "Saliency map stored"}
    return errors | scores | {name: label for name, label in more.items() if name in table} | own


def choose(
    table: pd.DataFrame,
    by: str,
    largest_first: bool = True,
    split: str = ALL,
    label: str | int = ALL,
    only: Any = None,
) -> pd.DataFrame:
    """Patients in order of a column; those who lack the value come last.

    Parameters
    ----------
    only : value or (low, high), optional
        Keep patients with this value of ``by``, or between two values, both included.

    Raises
    ------
    StudyError
        ``by`` is no column of the table.
    """
    if by not in table:
        raise StudyError(f"patients have no column {by!r}{nearest(by, table.columns)}")
    kept = pd.Series(True, index=table.index)
    if split != ALL:
        kept &= table["split"] == split
    if label != ALL:
        kept &= table["label"] == label
    if isinstance(only, tuple):
        kept &= table[by].between(*only)
    elif only is not None:
        kept &= table[by] == only
    columns, ascending = _order(by, largest_first)
    return table[kept].sort_values(columns, ascending=ascending, ignore_index=True)


def choose_line(by: str, largest_first: bool, split: str = ALL, label: str | int = ALL, only: Any = None) -> str:
    """The line of pandas that finds the same patients in the table ``patients``."""
    asked = [f"split == {split!r}"] if split != ALL else []
    asked += [f"label == {label}"] if label != ALL else []
    if isinstance(only, tuple):
        asked.append(f"{only[0]!r} <= {by} <= {only[1]!r}")
    elif only is not None:
        asked.append(f"{by} == {only!r}")
    chosen = f'patients.query("{" and ".join(asked)}")' if asked else "patients"
    columns, ascending = _order(by, largest_first)
    return f"{chosen}.sort_values({columns}, ascending={ascending})"


def _order(by: str, largest_first: bool) -> tuple[list[str], list[bool]]:
    """By the column, and by name where that leaves a tie."""
    alone = by == "patient_id"
    return [by] if alone else [by, "patient_id"], [not largest_first] if alone else [not largest_first, True]
