"""A bundle on disk, and a hospital with new patients: a table and tiny scans."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd

from her2study.models.bundle import Bundle, read_bundle, seal, write_bundle
from her2study.models.network import weights_to_arrays
from her2study.study import Exclusion, Variable
from tests.imaging.patients import write_patient
from tests.models.bundle.making import FROZEN, networks, small_bundle

RIM, NODE = {"rim": "no"}, {"node_mm": 8.0}

CLINICAL = {
    **FROZEN,
    "model": "clinical",
    "intercept": -3.0,
    "terms": [
        {"name": "rim=yes", "variable": "rim", "kind": "level", "label": "Rim: yes (v. no)", "levels": ["no", "yes"],
         "level": "yes", "coefficient": 0.7},
        {"name": "log(node_mm)", "variable": "node_mm", "kind": "log", "label": "Node (log mm)", "levels": [],
         "level": None, "coefficient": 1.1},
    ],
    "covariance": [[0.5, -0.05, -0.2], [-0.05, 0.1, 0.01], [-0.2, 0.01, 0.1]],
    "variables": {
        "rim": {"label": "Rim", "levels": ["no", "yes"], "imputation": "no", "range": None},
        "node_mm": {"label": "Node (mm)", "levels": [], "imputation": 8.0, "range": [3.0, 40.0]},
    },
}  # fmt: skip

VARIABLES = {
    "rim": Variable(type="binary", label="Rim", role="mri_reading", levels=("no", "yes"), column="rim enhancement"),
    "node_mm": Variable(type="continuous", label="Node", unit="mm", role="mri_reading", log=True, column="node"),
    "age_years": Variable(type="continuous", label="Age", unit="years", role="clinical", column="age"),
}


def bundle_of(folds: int = 2, **changes) -> Bundle:
    """The small bundle with a clinical model beside the combined one; the study's own table has other column names."""
    small = small_bundle(folds)
    logistic = {"clinical": CLINICAL} | ({"combined": FROZEN} if folds else {})
    thresholds = {model: {"youden": 0.3, "sensitivity": 0.1} for model in ("dscore", *logistic)}
    settings = {
        "variables": VARIABLES,
        "logistic": logistic,
        "thresholds": thresholds,
        "mending": {"columns": {"rim enhancement": {"0": "no", "1": "yes"}}},
        "exclusions": (Exclusion(reason="Treated before MRI", column="treated", values=("yes",)),),
    }
    return replace(small, **(settings | changes))


def write(bundle: Bundle, folder: Path) -> Path:
    """Seal a bundle into a folder; returns the path of its zip."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = [weights_to_arrays(network) for network in networks(bundle.folds)]
    return write_bundle(seal(bundle, weights), bundle.name, folder)[1]


def stored(folder: Path, folds: int = 2, **changes) -> Bundle:
    """The bundle as another hospital reads it."""
    return read_bundle(write(bundle_of(folds, **changes), folder))


PATIENTS = pd.DataFrame(
    {
        "patient_id": ["P3", "P1", "P2"],
        "centre": ["Nord", "Nord", "Süd"],
        "rim": ["yes", "no", "yes"],
        "node_mm": ["12", "5.5", "9"],
        "acquisition_times": "[0, 90, 360]",
    }
)


def hospital(folder: Path, table: pd.DataFrame = PATIENTS, scans: tuple[str, ...] = ("P1", "P2", "P3")) -> Path:
    """A folder with a table and scans of some patients, each another."""
    folder.mkdir(parents=True, exist_ok=True)
    table.to_csv(folder / "patients.csv", index=False)
    for number, name in enumerate(scans):
        write_patient(folder, name, seed=number, levels=(100, 200 + 15 * number, 190))
    return folder
