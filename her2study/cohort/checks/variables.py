"""Whether each cell of a variable can be read as what the settings say it is, and is to be believed."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from her2study.cohort.checks.cells import Patients, about, cell_findings, suggest
from her2study.cohort.findings import join, none
from her2study.study import Variable

AREA = "variables"

NUMBER = re.compile(r"([-+]?\d+(?:[.,]\d+)?)\s*([A-Za-zµμ%°/²³]+)?")
BEYOND = re.compile(r"[<>≤≥~≈]\s*\d")
SENTINELS = ("-99", "-9", "-1", "99", "999", "9999", "99999")
"""Numbers that tables write for 'missing'."""

FAR = 4.0
"""Interquartile ranges beyond the quartiles from which on a value is said to be far from all others."""

FACTOR = 5.0
"""A value so many times below or above the middle half may be in another unit (mm and cm differ by 10)."""

UNSCALED = (None, "", "%", "years", "year")
"""Units of which nobody takes one for another; all others have larger and smaller ones."""

POSSIBLE = {"%": (0.0, 100.0), "years": (0.0, 115.0)}
"""What a value can be at all, where the settings do not say what is plausible."""

GAP = 1.4
"""Values in another unit are not the end of a tail: nothing lies within this factor between them and the others."""

LEAST = 20
"""Numbers that a distribution needs before one of them is called strange."""


def value_problems(patients: Patients, name: str, variable: Variable, column: str) -> pd.DataFrame:
    """Errors: cells that are no number, no level, or have no logarithm; or no cell at all.

    These stop a run (:func:`her2study.cohort.schema.typed_cohort`).
    """
    raw = patients.of(column)
    if raw[patients.included].isna().all():
        return about(
            patients, AREA, "error", "empty for every included patient", "a variable needs values",
            f"fill it or remove variables.{name} from study.yml", column=column,
        )  # fmt: skip
    if variable.type != "continuous":
        levels = ", ".join(variable.levels)

        def mend(value: str) -> str:
            return suggest(value, variable.levels) + f"map it in mending.yml, or add it to levels of variables.{name}"

        strange = raw.notna() & ~raw.isin(variable.levels)
        return cell_findings(patients, strange, column, AREA, f"must be one of the levels {levels}", mend)
    number = as_numbers(raw)
    found = [
        cell_findings(
            patients, raw.notna() & ~np.isfinite(number), column, AREA,
            "must be a number (decimal point, no unit)", lambda value: _mend_number(value, column, variable),
        )
    ]  # fmt: skip
    if variable.log:
        rule = "must be above 0, for it enters models as its logarithm"
        mend_log = f"correct it, or set log: false for variables.{name}"
        found.append(cell_findings(patients, number <= 0, column, AREA, rule, mend_log))
    return join(found)


def doubtful_values(patients: Patients, name: str, variable: Variable, column: str) -> pd.DataFrame:
    """Warnings: numbers outside the plausible range, that may stand for 'missing', or be in another unit."""
    if variable.type != "continuous" or column not in patients.cells:
        return none()
    raw = patients.of(column)
    number = as_numbers(raw).where(lambda values: np.isfinite(values))
    unit = f" {variable.unit}" if variable.unit else ""
    code = raw.isin(SENTINELS) & _far(number)
    mend = f"if it means missing, add it to missing: {{{column}: [...]}} in mending.yml; else correct the table"
    found = [
        cell_findings(patients, code, column, AREA, "looks like a code for missing among measured values", mend,
                      "warning")
    ]  # fmt: skip
    outside = pd.Series(False, number.index)
    limits = variable.plausible or POSSIBLE.get(variable.unit or "")
    if limits:
        low, high = limits
        outside = ((number < low) | (number > high)) & ~code
        rule = f"is plausible from {low:g} to {high:g}{unit} (variables.{name})"
        mend = f"see the patient's record; correct the table, or change plausible{_other_unit(variable)}"
        found.append(cell_findings(patients, outside, column, AREA, rule, mend, "warning"))
    if variable.unit in UNSCALED:
        return join(found)
    strange = _unit_suspects(number) & ~code & ~outside
    middle = number.median()
    rule = f"is far from the other values, whose middle is {middle:g}{unit}: it may be in another unit"
    mend = "see the patient's record; correct the table, or convert it by numbers: in mending.yml"
    found.append(cell_findings(patients, strange, column, AREA, rule, mend, "warning"))
    return join(found)


def as_numbers(raw: pd.Series) -> pd.Series:
    """float64; NaN where the cell is missing or no number."""
    return pd.to_numeric(raw, errors="coerce").astype("float64")


def _far(number: pd.Series) -> pd.Series:
    """Numbers far from the middle half of all, on the scale of the values."""
    known = number.dropna()
    if len(known) < LEAST:
        return pd.Series(False, number.index)
    low, high = np.percentile(known, (25, 75))
    width = max(high - low, 1e-12)
    negative = (number < 0) & (np.percentile(known, 5) >= 0)
    return (number < low - FAR * width) | (number > high + FAR * width) | negative


def _unit_suspects(number: pd.Series) -> pd.Series:
    """Positive numbers a factor of 5 beyond the middle half, with a gap between them and the rest."""
    known = number[number > 0]
    if len(known) < LEAST or len(known) < 0.9 * number.notna().sum():
        return pd.Series(False, number.index)
    logs = np.sort(np.log(known.to_numpy()))
    low, high = np.percentile(logs, (25, 75))
    reach = max(np.log(FACTOR), 2.5 * (high - low))
    place = np.log(number.where(number > 0))
    below, above = _last_before_gap(logs[logs < low]), -_last_before_gap(-logs[logs > high][::-1])
    return ((place < low - reach) & (place <= below)) | ((place > high + reach) & (place >= above))


def _last_before_gap(rising: NDArray[np.float64]) -> float:
    """The highest value that a gap parts from those above it; minus infinity if there is no gap."""
    gaps = np.flatnonzero(np.diff(rising) >= np.log(GAP))
    return float(rising[gaps[-1]]) if gaps.size else -np.inf


def _mend_number(value: str, column: str, variable: Variable) -> str:
    """What mends a cell that is nearly a number."""
    if BEYOND.match(value):
        return "a limit is no number: write the value, or map it to null in mending.yml"
    found = NUMBER.fullmatch(value)
    if not found:
        return "correct it, or map it to null in mending.yml"
    parts = []
    if "," in found[1]:
        parts.append('decimal: ","')
    if found[2]:
        unit = variable.unit or found[2]
        factor = _factor(found[2], unit)
        parts.append(f"unit: {unit}, units: {{{found[2]}: {factor or '<factor>'}}}")
    return f"write numbers: {{{column}: {{{', '.join(parts)}}}}} in mending.yml"


def _factor(unit: str, wanted: str) -> str:
    sizes = {"mm": 1, "cm": 10, "m": 1000}
    if unit == wanted:
        return "1"
    return f"{sizes[unit] / sizes[wanted]:g}" if unit in sizes and wanted in sizes else ""


def _other_unit(variable: Variable) -> str:
    return "; is it in cm?" if variable.unit == "mm" else "; is it in mm?" if variable.unit == "cm" else ""
