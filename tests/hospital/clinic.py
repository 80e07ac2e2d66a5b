"""The clinic's study: one centre, later patients judge, the larger lesion stands for a woman who has two."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.hospital.clinic_cells import HEADER, PATHOLOGY, ROWS
from tests.hospital.ward import COMMON

MENDING: dict[str, Any] = {
    "columns": {
        "Rehaussement annulaire": {"oui": "yes", "non": "no"},
        "Type": {"masse": "mass", "non-masse": "non-mass"},
    },
    "dates": {"Date IRM": {"order": "dmy"}},
}

SETTINGS: dict[str, Any] = {
    "name": "clinic",
    "title": "HER2 from MRI at one clinic",
    **COMMON,
    "source": {
        "kind": "folder",
        "table": "irm.csv",
        "joins": ["anapath.csv"],
        "reading": {"encoding": "cp1252", "delimiter": ";", "decimal": ","},
        "rows": {"keep": "largest", "by": "Volume (ml)"},
        "patient_column": "IPP",
        "only_centre": "Clinique",
        "date_column": "Date IRM",
        "mending": "mending.yml",
    },
    "outcome": {
        "label": "HER2-positive",
        "her2": {"ihc": "HER2 IHC", "ratio": "Ratio HER2/CEP17", "copies": "Copies HER2"},
        "task": "positive-vs-rest",
    },
    "centres": {"development": ["Clinique"], "external_by": "date", "external_from": "2020-11-01"},
    "variables": {
        "age_years": {
            "type": "continuous", "unit": "years", "label": "Age", "role": "clinical", "column": "Âge (ans)",
            "plausible": [18, 100],
        },
        "bmi": {
            "type": "continuous", "unit": "kg/m²", "label": "Body mass index", "role": "clinical",
            "column": "IMC (kg/m²)", "plausible": [12, 60],
        },
        "volume_ml": {
            "type": "continuous", "unit": "ml", "label": "Tumour volume", "role": "mri_reading",
            "column": "Volume (ml)", "log": True, "plausible": [0.05, 1000],
        },
        "rim_enhancement": {
            "type": "binary", "levels": ["no", "yes"], "label": "Rim enhancement", "role": "mri_reading",
            "column": "Rehaussement annulaire",
        },
        "lesion_type": {
            "type": "binary", "levels": ["mass", "non-mass"], "label": "Lesion type", "role": "mri_reading",
            "column": "Type",
        },
        "grade": {
            "type": "ordinal", "levels": ["I", "II", "III"], "label": "Grade", "role": "pathology",
            "column": "Grade SBR", "candidate": False,
        },
        "ki67_percent": {
            "type": "continuous", "unit": "%", "label": "Ki-67", "role": "pathology", "column": "Ki67 (%)",
            "candidate": False,
        },
    },
}  # fmt: skip


class Clinic:
    """The clinic's files and settings before they are written, to be spoilt."""

    def __init__(self) -> None:
        self.table = f"{HEADER}\n{ROWS.lstrip()}"
        self.pathology = PATHOLOGY.lstrip()
        self.encoding = "cp1252"
        self.study = copy.deepcopy(SETTINGS)
        self.mending = copy.deepcopy(MENDING)

    def replace(self, old: str, new: str) -> None:
        """Change one place of the table; it must be there once."""
        assert self.table.count(old) == 1, f"{old!r} stands {self.table.count(old)} times in the table"
        self.table = self.table.replace(old, new)

    def without_events(self) -> None:
        """Nobody is HER2-positive."""
        for old, new in {";3+;": ";1+;", ";2+;": ";0;", "0;2,6;10,3": "0;;", "0;4,7;6,6": "0;;"}.items():
            self.table = self.table.replace(old, new)

    def write(self, data: Path) -> None:
        """The two files, as the information systems export them."""
        data.mkdir(parents=True, exist_ok=True)
        for name, text in (("irm.csv", self.table), ("anapath.csv", self.pathology)):
            (data / name).write_bytes(text.replace("\n", "\r\n").encode(self.encoding))


def replaced(old: str, new: str) -> Callable[[Clinic], None]:
    """Plant by changing one place of the table."""
    return lambda clinic: clinic.replace(old, new)
