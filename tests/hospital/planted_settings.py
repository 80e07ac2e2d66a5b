"""Mistakes in the ward's study.yml and mending.yml, each alone, against its clean table."""

from __future__ import annotations

from typing import Any

from tests.hospital.judge import Planted
from tests.hospital.ward import NAMES

ERROR, WARNING, NOTE = "error", "warning", "note"


def setting(what: str, severity: str, area: str, path: str, value: Any, *words: str) -> Planted:
    """Set one key of study.yml, ``a.b.c``."""

    def plant(files: dict[str, Any]) -> None:
        *parents, last = path.split(".")
        place = files["study"]
        for key in parents:
            place = place[key]
        place[last] = value

    return Planted(what, severity, area, "", "", words, plant)


def _without(key: str) -> Any:
    def plant(files: dict[str, Any]) -> None:
        del files["study"][key]

    return plant


def _no_mending(files: dict[str, Any]) -> None:
    files["mending"] = None


def _candidate_of_outcome(files: dict[str, Any]) -> None:
    files["study"]["variables"]["her2_score"] = {
        "type": "ordinal", "levels": ["0", "1+", "2+", "3+"], "label": "HER2 score", "role": "clinical",
        "column": NAMES["ihc"],
    }  # fmt: skip


def _status_as_predictor(files: dict[str, Any]) -> None:
    files["study"]["variables"]["recorded_status"] = {
        "type": "binary", "levels": ["negative", "positive"], "label": "Anti-HER2 therapy given", "role": "clinical",
        "column": NAMES["status"],
    }  # fmt: skip


def _one_column_twice(files: dict[str, Any]) -> None:
    files["study"]["variables"]["diameter_again_mm"] = files["study"]["variables"]["largest_diameter_mm"]


def _codes_exchanged(files: dict[str, Any]) -> None:
    files["mending"]["columns"][NAMES["rim1"]] |= {"0": "yes", "1": "no"}


def _nobody_of_a_site(files: dict[str, Any]) -> None:
    files["study"]["centres"]["development"].append("Chongming")


def _correction_of_nobody(files: dict[str, Any]) -> None:
    files["mending"]["corrections"] = {"XH-999": {NAMES["age"]: "50"}}


def _mended_nothing(files: dict[str, Any]) -> None:
    files["mending"]["columns"]["Rim of reader 3"] = {"0": "no"}


def _unknown_order(files: dict[str, Any]) -> None:
    files["mending"]["dates"][NAMES["date"]]["order"] = "ydm"


def _rule_without_column(files: dict[str, Any]) -> None:
    files["study"]["exclusions"] = [{"reason": "Neoadjuvant", "column": "Neoadjuvant", "values": ["yes"]}]


def _rule_for_nobody(files: dict[str, Any]) -> None:
    files["study"]["exclusions"] = [{"reason": "Curve type V", "column": NAMES["tic"], "values": ["V"]}]


ALONE = [
    setting("a key misspelt", ERROR, "settings", "source.patient_colum", "ID", "patient_colum", "patient_column"),
    setting("a kind of variable that is none", ERROR, "settings", "variables.adc.type", "numeric", "adc", "numeric"),
    Planted("a section forgotten", ERROR, "settings", "", "", ("radiomics",), _without("radiomics")),
    setting("a range the wrong way round", ERROR, "settings", "variables.age_years.plausible", [100, 18], "age_years"),
    setting("a table that is not there", ERROR, "file|settings", "source.table", "patient.xlsx", "patient.xlsx",
            "patients.xlsx"),
    setting("a sheet that is not there", ERROR, "file|settings", "source.sheet", "患者表", "患者表", "患者"),
    setting("the header a row too low", ERROR, "file|table|settings", "source.reading.header_row", 3),
    setting("a column misspelt", ERROR, "settings|table|variables", "variables.adc.column", "MRI reader 1 / ADC",
            "MRI reader 1 / ADC", "adc"),
    setting("a second reader who is not there", ERROR, "settings|table|variables", "variables.adc.second_reader",
            "ADC of reader 2", "ADC of reader 2"),
    setting("a score column that is not there", ERROR, "settings|table|outcome", "outcome.her2.ihc", "HER2", "HER2"),
    setting("a level that nobody has", "note|warning", "settings|variables", "variables.curve_type.levels",
            ["I", "II", "III", "IV"], "IV", "curve_type"),
    setting("a model that nobody fits", "error|warning", "settings", "statistics.comparisons",
            [["combined", "clinicall"]], "clinicall"),
    setting("a mending file that is not there", ERROR, "file|settings", "source.mending", "mended.yml", "mended.yml"),
    Planted("a mended column that is not there", ERROR, "settings|table", "", "", ("Rim of reader 3",),
            _mended_nothing),
    Planted("an unknown order of a date", ERROR, "settings|file", "", "", ("ydm",), _unknown_order),
    setting("a guideline that does not exist", ERROR, "settings", "outcome.her2.guideline", "ASCO/CAP 2007",
            "ASCO/CAP 2007"),
    setting("a task that does not exist", ERROR, "settings", "outcome.task", "positive-vs-none", "positive-vs-none"),
    setting("a subgroup that does not exist", ERROR, "settings", "statistics.subgroups", ["age_yers"], "age_yers",
            "age_years"),
    Planted("a site that nobody is of", ERROR, "centres|settings", "", "", ("Chongming",), _nobody_of_a_site),
    Planted("a correction of nobody", ERROR, "settings|identifiers|table", "", "", ("XH-999",), _correction_of_nobody),
    Planted("an exclusion without its column", ERROR, "settings|table", "", "", ("Neoadjuvant",), _rule_without_column),
    Planted("an exclusion that excludes nobody", "note|warning", "settings|outcome|table", "", "", ("Curve type V",),
            _rule_for_nobody),
    Planted("the outcome among its predictors", "warning|error", "outcome|variables|settings", "", "",
            ("her2_score",), _candidate_of_outcome),
    Planted("a predictor that knows the outcome", "warning|error", "outcome|variables|settings", "", "",
            ("recorded_status",), _status_as_predictor),
    Planted("one column under two names", "warning|note", "settings|variables", "", "", ("diameter_again_mm",),
            _one_column_twice),
    Planted("codes against the header's", "warning", "settings|variables|table", "", NAMES["rim1"], (),
            _codes_exchanged),
    Planted("no mending at all", ERROR, "file|settings", "", "", ("mending.yml",), _no_mending),
]  # fmt: skip
