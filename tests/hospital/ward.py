"""The ward's study: what its data manager decided, with the table of :mod:`tests.hospital.ward_cells`."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import yaml

from tests.hospital import ward_cells
from tests.hospital.sheets import Sheet, column_names

NAMES = column_names(Sheet.of(ward_cells.HEADERS, "").headers)

YES_NO = {"0": "no", "1": "yes", "无": "no", "有": "yes", "N": "no", "Y": "yes"}

MENDING: dict[str, Any] = {
    "columns": {
        NAMES["site"]: {"徐汇": "Xuhui", "徐汇院区": "Xuhui", "浦东": "Pudong", "南通": "Nantong"},
        NAMES["meno"]: {
            "0": "premenopausal", "N": "premenopausal", "未绝经": "premenopausal",
            "1": "postmenopausal", "Y": "postmenopausal", "绝经后": "postmenopausal",
        },
        NAMES["ihc"]: {
            "+++": "3+", "3": "3+", "3 +": "3+", "HER2 (3+)": "3+", "３＋": "3+", "(2+)": "2+", "1 +": "1+",
        },
        NAMES["fish"]: {
            "阳性": "positive", "扩增": "positive", "amplified": "positive", "POS": "positive",
            "阴性": "negative", "无扩增": "negative", "neg": "negative",
        },
        NAMES["status"]: {"阳性": "positive", "阴性": "negative"},
        NAMES["rim1"]: YES_NO,
        NAMES["rim2"]: YES_NO,
        NAMES["oedema"]: YES_NO,
        NAMES["skin"]: YES_NO,
        NAMES["tic"]: {"3": "III", "Ⅲ": "III", "type III": "III"},
        NAMES["bpe"]: {"轻微": "minimal", "Minimal": "minimal"},
    },
    "numbers": {
        NAMES["age"]: {"unit": "岁", "units": {"岁": 1}},
        NAMES["ki67"]: {"unit": "%", "units": {"%": 1}},
        NAMES["ratio"]: {"decimal": ","},
        NAMES["diam1"]: {"unit": "mm", "units": {"mm": 1, "cm": 10, "厘米": 10}, "decimal": ","},
        NAMES["diam2"]: {"unit": "mm", "units": {"mm": 1, "cm": 10}},
    },
    "dates": {NAMES["date"]: {"order": "ymd", "excel_days": True}},
    "missing": {NAMES["age"]: ["999"], NAMES["ki67"]: ["-1"], NAMES["node1"]: ["未见"]},
}  # fmt: skip

VARIABLES: dict[str, dict[str, Any]] = {
    "age_years": {
        "type": "continuous", "unit": "years", "label": "Age", "role": "clinical", "column": NAMES["age"],
        "plausible": [18, 100],
    },
    "menopausal_status": {
        "type": "binary", "levels": ["premenopausal", "postmenopausal"], "label": "Menopausal status",
        "role": "clinical", "column": NAMES["meno"],
    },
    "er_percent": {
        "type": "continuous", "unit": "%", "label": "Oestrogen receptor", "role": "pathology", "column": NAMES["er"],
        "plausible": [0, 100], "candidate": False,
    },
    "ki67_percent": {
        "type": "continuous", "unit": "%", "label": "Ki-67", "role": "pathology", "column": NAMES["ki67"],
        "plausible": [0, 100], "candidate": False,
    },
    "largest_diameter_mm": {
        "type": "continuous", "unit": "mm", "label": "Largest diameter", "role": "mri_reading",
        "column": NAMES["diam1"], "second_reader": NAMES["diam2"], "log": True, "plausible": [3, 150],
    },
    "rim_enhancement": {
        "type": "binary", "levels": ["no", "yes"], "label": "Rim enhancement", "role": "mri_reading",
        "column": NAMES["rim1"], "second_reader": NAMES["rim2"],
    },
    "node_short_axis_mm": {
        "type": "continuous", "unit": "mm", "label": "Largest axillary node, short axis", "role": "mri_reading",
        "column": NAMES["node1"], "plausible": [1, 60],
    },
    "curve_type": {
        "type": "ordinal", "levels": ["I", "II", "III"], "label": "Time-intensity curve", "role": "mri_reading",
        "column": NAMES["tic"],
    },
    "adc": {
        "type": "continuous", "unit": "10-3 mm2/s", "label": "ADC", "role": "mri_reading", "column": NAMES["adc"],
    },
    "oedema": {
        "type": "binary", "levels": ["no", "yes"], "label": "Peritumoural oedema", "role": "mri_reading",
        "column": NAMES["oedema"],
    },
    "background_enhancement": {
        "type": "ordinal", "levels": ["minimal", "mild", "moderate", "marked"],
        "label": "Background parenchymal enhancement", "role": "mri_reading", "column": NAMES["bpe"],
    },
    "skin_thickening": {
        "type": "binary", "levels": ["no", "yes"], "label": "Skin thickening", "role": "mri_reading",
        "column": NAMES["skin"],
    },
}  # fmt: skip

COMMON: dict[str, Any] = {
    "paper": {"citation": "none", "doi": "none", "public": "nothing"},
    "seed": 7,
    "split": {"internal_fraction": 0, "folds": 3},
    "imaging": {},
    "radiomics": {"families": ["statistics"], "perturbed_patients": 0},
    "network": {"epochs": 1, "widths": [8, 8, 8, 16], "layers": [1, 1, 1, 1]},
    "baselines": {"models": ["logistic_elastic_net"], "search_iterations": 2, "inner_folds": 2},
    "clinical": {"resamples": 10},
    "statistics": {"bootstrap": 20, "comparisons": [["logistic_elastic_net", "clinical"]]},
}
"""Sections that have nothing to do with the table."""

SETTINGS: dict[str, Any] = {
    "name": "ward",
    "title": "HER2 from MRI at three sites of one hospital",
    **COMMON,
    "source": {
        "kind": "folder",
        "table": "patients.xlsx",
        "sheet": "患者",
        "reading": {"header_row": 2, "header_rows": 2, "missing": ["NP", "NC"]},
        "patient_column": NAMES["id"],
        "centre_column": NAMES["site"],
        "date_column": NAMES["date"],
        "mending": "mending.yml",
    },
    "outcome": {
        "label": "HER2-positive",
        "her2": {
            "ihc": NAMES["ihc"], "ish": NAMES["fish"], "ratio": NAMES["ratio"], "status": NAMES["status"],
            "guideline": "ASCO/CAP 2023",
        },
        "task": "positive-vs-rest",
    },
    "centres": {"development": ["Xuhui", "Pudong"], "external": ["Nantong"]},
    "variables": VARIABLES,
}  # fmt: skip


def sheet() -> Sheet:
    """The clean table."""
    return Sheet.of(ward_cells.HEADERS, ward_cells.ROWS, ward_cells.TITLE)


def settings() -> dict[str, Any]:
    """A copy of the settings, to be changed."""
    return copy.deepcopy(SETTINGS)


def mending() -> dict[str, Any]:
    """A copy of the mending, to be changed."""
    return json.loads(json.dumps(MENDING))


def write_study(papers: Path, study: dict[str, Any], mended: dict[str, Any] | None) -> None:
    """``papers/<name>/`` as a person would leave it."""
    folder = papers / study["name"]
    folder.mkdir(parents=True, exist_ok=True)
    _dump(folder / "study.yml", study)
    _dump(folder / "claims.yml", [])
    _dump(folder / "assumptions.yml", {})
    if mended is not None:
        _dump(folder / "mending.yml", mended)


def _dump(path: Path, content: object) -> None:
    path.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")
