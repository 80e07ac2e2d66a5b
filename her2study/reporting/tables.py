"""Tables for people: a tidy frame in, printed text out, by the names of its columns.

``<x>, <x>_low, <x>_high`` become one column ``0.81 (0.73 to 0.89)``, ``p`` and ``p_<kind>`` become p values,
counts lose their decimals, known fractions become percentages, models and splits get their printed names.
"""

from __future__ import annotations

import zlib

import pandas as pd
from pandas.api.types import is_bool_dtype, is_float_dtype, is_integer_dtype
from pandas.io.formats.style import Styler

from her2study.reporting import words
from her2study.reporting.style import MODEL_LABELS, SIMULATED, SPLIT_LABELS, model_label, split_label

COUNTS = {"n", "positives", "negatives", "count", "events", "tp", "fp", "fn", "tn", "rank", "fold", "order", "missing"}
"""Columns printed without decimals, whatever their type; so are names that start with ``n_``."""

FRACTIONS = {"sensitivity", "specificity", "ppv", "npv", "accuracy", "prevalence", "fraction", "share"}
"""Columns between 0 and 1 that are printed as percentages."""

DECIMALS = {
    "auc": 2, "auc_a": 2, "auc_b": 2, "difference": 3, "odds_ratio": 2, "brier": 3, "f1": 2, "mcc": 2, "kappa": 2,
    "icc": 2, "vif": 2, "intercept": 2, "slope": 2, "threshold": 3, "net_benefit": 3, "z": 2, "mean_abs_shap": 3,
}  # fmt: skip
"""Decimals of columns whose size varies too much from study to study to be guessed."""

COLUMN_LABELS = {
    "n": "n",
    "auc": "AUC",
    "auc_a": "AUC of first",
    "auc_b": "AUC of second",
    "model_a": "Model",
    "model_b": "compared with",
    "p": "p",
    "z": "z",
    "p_lrt": "p (likelihood ratio)",
    "p_likelihood_ratio": "p (likelihood ratio)",
    "p_hosmer_lemeshow": "p (Hosmer-Lemeshow)",
    "p_interaction": "p for interaction",
    "ppv": "PPV",
    "npv": "NPV",
    "f1": "F1 score",
    "tp": "True positives",
    "fp": "False positives",
    "fn": "False negatives",
    "tn": "True negatives",
    "odds_ratio": "Odds ratio",
    "vif": "VIF",
    "icc": "ICC",
    "brier": "Brier score",
    "scaled_brier": "Scaled Brier score",
    "ici": "ICI",
    "mcc": "MCC",
    "nri_events": "NRI, events",
    "nri_non_events": "NRI, non-events",
    "idi": "IDI",
    "sd": "SD",
    "smd": "SMD",
    "group_n": "n in group",
    "centre_n": "n in centre",
    "difference": "Difference in AUC",
    "mean_abs_shap": "Mean |SHAP|",
    "her2_status": "HER2 status",
    "positives": "HER2-positive",
}
"""Print text of columns; others are spelt out from their names."""

UNITS = {"percent": "%", "mm": "mm", "ml": "ml", "seconds": "s", "years": "years", "minutes": "min"}
"""Units that end a column's name."""

ROW_STYLE = [
    {"selector": "", "props": "border-collapse: collapse; font-size: 90%; font-variant-numeric: tabular-nums;"},
    {"selector": "caption", "props": "caption-side: top; text-align: left; font-weight: 600; padding-bottom: 0.4em;"},
    {"selector": "th", "props": "text-align: left; border-bottom: 1px solid currentColor; padding: 0.25em 0.8em;"},
    {"selector": "td", "props": "text-align: left; padding: 0.2em 0.8em; vertical-align: top;"},
]


def show_table(frame: pd.DataFrame, caption: str, simulated: bool) -> Styler:
    """A table for a notebook page: printed text, a caption, no index.

    Parameters
    ----------
    frame : DataFrame
        Tidy table as stored; it is not changed.
    caption : str
        One line above the table.
    simulated : bool
        Marks the caption, so that nobody takes the rows for patients.
    """
    printed = print_table(frame)
    mark = f" [{SIMULATED}]" if simulated else ""
    uuid = f"{zlib.crc32((caption + '|'.join(printed.columns)).encode()):08x}"
    styler = Styler(printed, uuid=uuid, cell_ids=False, caption=caption + mark)
    return styler.hide(axis="index").format(escape="html").set_table_styles(ROW_STYLE)


def print_table(frame: pd.DataFrame, confidence: float = 0.95) -> pd.DataFrame:
    """The same rows with every cell as text and every column with its print name, in the same order."""
    printed: dict[str, list[str]] = {}
    bounds = {bound for name in frame.columns for bound in _bounds(frame, name)}
    for name in frame.columns:
        if name in bounds:
            continue  # told by the column it bounds
        head = column_label(name)
        if _bounds(frame, name):
            head += f" ({confidence:.0%} CI)"
        while head in printed:
            head += " "  # two columns may share a print name but not a key
        printed[head] = print_column(frame, name)
    return pd.DataFrame(printed, columns=list(printed), dtype="str")


def column_label(name: str) -> str:
    """Print text of a column, its unit in brackets."""
    label = COLUMN_LABELS.get(name, words.spell(name))
    if name in FRACTIONS:
        return f"{label} (%)"
    stem, _, end = name.rpartition("_")
    if name not in COLUMN_LABELS and name.startswith("p_"):
        return f"p ({words.spell(name[2:])})"
    if name not in COLUMN_LABELS and stem and end in UNITS:
        return f"{column_label(stem)} ({UNITS[end]})"
    return label


def print_column(frame: pd.DataFrame, name: str) -> list[str]:
    """One column as text, merged with its interval if the frame has one."""
    column = frame[name]
    if name == "p" or name.startswith("p_"):
        return [words.p_value(p) for p in pd.to_numeric(column, errors="coerce")]
    if is_bool_dtype(column):
        return ["yes" if value else "no" for value in column]
    whole = is_integer_dtype(column) or (is_float_dtype(column) and _counts(name))
    if not whole and not is_float_dtype(column):
        return [_text(name, value) for value in column]
    percent = name in FRACTIONS
    numbers = column.astype("float64")  # a missing integer becomes NaN
    bounds = _bounds(frame, name)
    estimates = numbers[frame[list(bounds)].notna().any(axis=1)] if bounds else numbers
    guess = 1 if percent or name.endswith("_percent") else words.decimals_for(list(estimates))
    decimals = 0 if whole else DECIMALS.get(name, guess)
    if not bounds:
        return [words.number(value, decimals, percent) for value in numbers]
    rows = zip(numbers, *(frame[bound].astype("float64") for bound in bounds), strict=True)
    if name == "value":  # a column of different things, some of them exact
        return [_measured(*row, decimals) for row in rows]
    return [words.interval(value, low, high, decimals, percent) for value, low, high in rows]


def _measured(value: float, low: float, high: float, decimals: int) -> str:
    """An estimate with its interval, or an exact number without one."""
    if pd.notna(low) or pd.notna(high):
        return words.interval(value, low, high, decimals)
    return words.number(value, 0 if pd.notna(value) and float(value).is_integer() else decimals)


def _bounds(frame: pd.DataFrame, name: str) -> tuple[str, ...]:
    """Columns with the interval of another: ``<x>_low, <x>_high``, or ``low, high`` beside ``value``."""
    ends = ("low", "high") if name == "value" else (f"{name}_low", f"{name}_high")
    return ends if {name, *ends} <= set(frame.columns) else ()


def _counts(name: str) -> bool:
    return name in COUNTS or name.startswith("n_") or name.endswith("_n")


def _text(name: str, value: object) -> str:
    """A cell that is not a column of numbers: names are spelt out, stray numbers rounded."""
    if value is None or (not isinstance(value, list | tuple) and pd.isna(value)):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return words.number(value, words.decimals_for([value]))
    if value in MODEL_LABELS and name.startswith("model"):
        return model_label(value)
    if value in SPLIT_LABELS and name == "split":
        return split_label(value)
    return str(value)
