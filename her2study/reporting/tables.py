"""Tables for people: a tidy frame in, printed text out, by the names of its columns.

``<x>, <x>_low, <x>_high`` become one column ``0.81 (0.73 to 0.89)``, ``p`` and ``p_<kind>`` become p values,
counts lose their decimals, known fractions become percentages, models and splits get their printed names.
"""

from __future__ import annotations

import math
import zlib

import pandas as pd
from pandas.api.types import is_bool_dtype, is_float_dtype, is_integer_dtype
from pandas.io.formats.style import Styler

from her2study import words
from her2study.reporting.style import SIMULATED, model_label, split_label

COUNTS = {
    "n", "positives", "negatives", "count", "events", "tp", "fp", "fn", "tn", "rank", "fold", "order", "missing",
    "models", "resamples", "selected", "required", "available", "degrees_of_freedom",
}  # fmt: skip
"""Columns whose whole numbers are printed without decimals, whatever their type; so are ``n_<x>`` and ``<x>_n``."""

FRACTIONS = {
    "sensitivity", "specificity", "ppv", "npv", "accuracy", "balanced_accuracy", "prevalence", "fraction", "share",
    "frequency", "i_squared",
}  # fmt: skip
"""Columns between 0 and 1 that are printed as percentages."""

DECIMALS = {
    "auc": 2, "auc_a": 2, "auc_b": 2, "average_precision": 2, "apparent": 2, "corrected": 2, "optimism": 3,
    "difference": 3, "odds_ratio": 2, "odds_ratio_profile": 2, "f1": 2, "mcc": 2, "kappa": 2, "icc": 2, "vif": 2,
    "agreement": 2, "intercept": 2, "slope": 2, "threshold": 3, "target": 2, "net_benefit": 3,
    "standardised_net_benefit": 2, "interventions_avoided": 1, "z": 2, "t": 2, "spiegelhalter_z": 2,
    "statistic": 2, "chi_squared": 2, "brier": 3, "scaled_brier": 2, "ici": 3, "e50": 3, "e90": 3, "emax": 3,
    "tau_squared": 3, "nri_events": 2, "nri_non_events": 2, "idi": 3, "mean_abs_shap": 3, "smd": 2,
}  # fmt: skip
"""Decimals of columns whose size varies too much from study to study to be guessed."""

COLUMN_LABELS = {
    "n": "n",
    "auc_a": "AUC of first",
    "auc_b": "AUC of second",
    "model_a": "Model",
    "model_b": "Compared with",
    "model_new": "New model",
    "model_old": "Old model",
    "only_a": "Right by the first only",
    "only_b": "Right by the second only",
    "p": "p",
    "z": "z",
    "t": "t",
    "p_lrt": "p (likelihood ratio)",
    "p_hosmer_lemeshow": "p (Hosmer-Lemeshow)",
    "p_interaction": "p for interaction",
    "p_heterogeneity": "p for heterogeneity",
    "f1": "F1 score",
    "tp": "True positives",
    "fp": "False positives",
    "fn": "False negatives",
    "tn": "True negatives",
    "brier": "Brier score",
    "scaled_brier": "Scaled Brier score",
    "spiegelhalter_z": "Spiegelhalter's z",
    "nri_events": "NRI, events",
    "nri_non_events": "NRI, non-events",
    "odds_ratio_profile": "Odds ratio, profile",
    "agreement_limit": "95% limits of agreement",
    "identical_percent": "Identical readings (%)",
    "interventions_avoided": "Interventions avoided per 100 patients",
    "optimism": "Optimism",
    "corrected": "Corrected for optimism",
    "group_n": "n in group",
    "centre_n": "n in centre",
    "mean_abs_shap": "Mean |SHAP|",
    "positives": "Positive",
    "how": "Update",
    "r_squared_cs": "R² (Cox-Snell)",
    "patient_id": "Patient",
    "n_with_findings": "Scans with findings",
    "signal_to_noise": "Signal-to-noise ratio",
    "lesion_voxels": "Voxels of the lesion",
    "mask_components": "Pieces of the mask",
    "early": "Early phase",
    "late": "Late phase",
    "early_seconds": "Early phase at (s)",
    "late_seconds": "Late phase at (s)",
}
"""Print text of columns; others are spelt out from their names."""

NO_CONFIDENCE = {"agreement_limit"}
"""Ends that are no confidence interval."""

SQUARES = {"chi": "χ²", "tau": "τ²", "i": "I²", "r": "R²"}
"""``<x>_squared`` as statisticians write it."""

UNITS = {"percent": "%", "mm": "mm", "ml": "ml", "seconds": "s", "years": "years", "minutes": "min"}
"""Units that end a column's name."""

SPELT_OUT = ("analysis", "criterion", "how", "kind", "measure", "rule", "statistic")
"""Columns of names, printed as column heads are: ``auc`` as ``AUC``."""

ROW_STYLE = [
    {"selector": "", "props": "border-collapse: collapse; font-size: 90%; font-variant-numeric: tabular-nums;"},
    {"selector": "caption", "props": "caption-side: top; text-align: left; font-weight: 600; padding-bottom: 0.4em;"},
    {"selector": "th", "props": "text-align: left; border-bottom: 1px solid currentColor; padding: 0.25em 0.8em;"},
    {"selector": "td", "props": "text-align: left; padding: 0.2em 0.8em; vertical-align: top;"},
]


def show_table(frame: pd.DataFrame, caption: str, simulated: bool, confidence: float = 0.95) -> Styler:
    """A table for a notebook page: printed text, a caption, no index.

    Parameters
    ----------
    frame : DataFrame
        Tidy table as stored; it is not changed.
    caption : str
        One line above the table.
    simulated : bool
        Marks the caption, so that nobody takes the rows for patients.
    confidence : float
        Of the intervals in ``frame``, for the heads that name them.
    """
    printed = print_table(frame, confidence)
    mark = f" [{SIMULATED}]" if simulated else ""
    uuid = f"{zlib.crc32((caption + '|'.join(printed.columns)).encode()):08x}"
    styler = Styler(printed, uuid=uuid, cell_ids=False, caption=caption + mark)
    return styler.hide(axis="index").format(escape="html").set_table_styles(ROW_STYLE)


def print_table(frame: pd.DataFrame, confidence: float = 0.95) -> pd.DataFrame:
    """The same rows with every cell as text and every column with its print name, in the same order."""
    printed: dict[str, list[str]] = {}
    for name, head in printed_heads(frame, confidence).items():
        while head in printed:
            head += " "  # two columns may share a print name but not a key
        printed[head] = print_column(frame, name)
    return pd.DataFrame(printed, columns=list(printed), dtype="str")


def printed_heads(frame: pd.DataFrame, confidence: float = 0.95) -> dict[str, str]:
    """Print names by what is printed: columns, and intervals whose estimate is no column."""
    heads: dict[str, str] = {}
    intervals = _intervals(frame)
    told = {bound: name for name, bounds in intervals.items() for bound in bounds}
    for column in frame.columns:
        name = told.get(column, column)
        if column in told and (name in frame.columns or column == intervals[name][1]):
            continue  # told by the column it bounds, or by the lower bound
        head = column_label(name)
        if name in intervals and name not in NO_CONFIDENCE:
            if head.endswith(")"):  # the unit behind a comma: one pair of brackets is enough
                head = head.removesuffix(")").replace(" (", ", ")
            head += f" ({words.percent_of(confidence)} CI)"
        heads[name] = head
    return heads


def column_label(name: str) -> str:
    """Print text of a column, its unit in brackets."""
    if name in FRACTIONS:
        return f"{_plain_label(name)} (%)"
    stem, _, end = name.rpartition("_")
    if name not in COLUMN_LABELS and name.startswith("p_"):
        text = words.spell(name[2:])
        return f"p ({text if text.split()[0] in words.PROPER.values() else text[0].lower() + text[1:]})"
    if name not in COLUMN_LABELS and stem and end in UNITS:
        return f"{_plain_label(stem)} ({UNITS[end]})"
    return _plain_label(name)


def _plain_label(name: str) -> str:
    stem, _, end = name.rpartition("_")
    square = SQUARES.get(stem) if end == "squared" else None
    return COLUMN_LABELS.get(name) or square or words.spell(name)


def print_column(frame: pd.DataFrame, name: str) -> list[str]:
    """One column as text, merged with its interval if the frame has one; an interval alone as ``0.73 to 0.89``."""
    bounds = _intervals(frame).get(name, ())
    if name not in frame.columns:
        ends = [frame[bound].astype("float64") for bound in bounds]
        decimals = _decimals(name, pd.concat(ends), whole=False)
        return [words.reach(*row, decimals, name in FRACTIONS) for row in zip(*ends, strict=True)]
    column = frame[name]
    if (name == "p" or name.startswith("p_")) and not isinstance(column.dtype, pd.StringDtype):
        return [words.p_value(p) for p in pd.to_numeric(column, errors="coerce")]
    if is_bool_dtype(column):
        return ["yes" if value else "no" for value in column]
    whole = is_integer_dtype(column)
    if not whole and not is_float_dtype(column):
        return [_text(name, value) for value in column]
    percent = name in FRACTIONS
    numbers = column.astype("float64")  # a missing integer becomes NaN
    decimals = _decimals(name, numbers[frame[list(bounds)].notna().any(axis=1)] if bounds else numbers, whole)
    if not bounds and (name in COUNTS or name.startswith("n_") or name.endswith("_n")):
        return [words.number(value, 0 if float(value).is_integer() else 1) for value in numbers]
    if not bounds:
        return [_at_least(value, decimals, percent) for value in numbers]
    rows = zip(numbers, *(frame[bound].astype("float64") for bound in bounds), strict=True)
    if name == "value":  # a column of different things, some of them exact
        return [_measured(*row, decimals) for row in rows]
    return [words.interval(value, low, high, decimals, percent) for value, low, high in rows]


def _at_least(value: float, decimals: int, percent: bool) -> str:
    """A number; one above 0 that would be printed as 0 is ``< 0.001`` instead."""
    text = words.number(value, decimals, percent)
    return (
        f"< {words.number(10.0**-decimals, decimals)}"
        if 0 < value < math.inf and not float(words.rounded(value, decimals, percent))
        else text
    )


def _measured(value: float, low: float, high: float, decimals: int) -> str:
    """An estimate with its interval, or an exact number without one."""
    if pd.notna(low) or pd.notna(high):
        return words.interval(value, low, high, decimals)
    return words.number(value, 0 if pd.notna(value) and float(value).is_integer() else decimals)


def _intervals(frame: pd.DataFrame) -> dict[str, tuple[str, str]]:
    """``{estimate: (lower bound, upper bound)}`` of a frame.

    ``<x>_low, <x>_high`` bound ``<x>``, which may itself be absent; ``low, high`` bound the column before them.
    """
    columns, found = list(frame.columns), {}
    for place, name in enumerate(columns):
        stem = name.removesuffix("_low")
        if stem != name and f"{stem}_high" in columns:
            found[stem] = (name, f"{stem}_high")
        elif name == "low" and "high" in columns and place and is_float_dtype(frame[columns[place - 1]]):
            found[columns[place - 1]] = ("low", "high")
    return found


def _decimals(name: str, numbers: pd.Series, whole: bool) -> int:
    """Decimals of a column: known by name, or guessed from the size of its numbers."""
    if whole:
        return 0
    guess = 1 if name in FRACTIONS or name.endswith("percent") else words.decimals_for(list(numbers))
    return DECIMALS.get(name, guess)


def _text(name: str, value: object) -> str:
    """A cell that is not a column of numbers: names are spelt out, stray numbers rounded."""
    if value is None or (not isinstance(value, list | tuple) and pd.isna(value)):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return words.number(value, words.decimals_for([value]))
    if name.startswith("model") or name.endswith("_model"):
        return model_label(value)
    if name == "split":
        return split_label(value)
    return words.spell(value) if name in SPELT_OUT and str(value).isidentifier() else str(value)
