"""A bundle written by hand, of one logistic model and no network, and patients of another hospital for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from her2study.cohort.describe import describe_groups
from her2study.models.bundle import Bundle, seal, write_bundle
from her2study.models.frozen import predict_frozen
from her2study.study import Centres, Exclusion, Outcome, Source, Statistics, Variable

VARIABLES = {
    "age_years": Variable(type="continuous", label="Age", unit="years", role="clinical"),
    "rim": Variable(type="binary", label="Rim enhancement", role="mri_reading", levels=("no", "yes")),
}

FROZEN = {
    "model": "clinical",
    "intercept": -3.0,
    "terms": [
        {"name": "age_years", "variable": "age_years", "kind": "value", "label": "Age (years)", "levels": [],
         "level": None, "coefficient": 0.03},
        {"name": "rim=yes", "variable": "rim", "kind": "level", "label": "Rim: yes (v. no)", "levels": ["no", "yes"],
         "level": "yes", "coefficient": 1.5},
    ],
    "covariance": [[0.3, -0.005, -0.02], [-0.005, 0.0001, 0.0], [-0.02, 0.0, 0.05]],
    "variables": {
        "age_years": {"label": "Age", "levels": [], "imputation": 50.0, "range": [20.0, 90.0]},
        "rim": {"label": "Rim enhancement", "levels": ["no", "yes"], "imputation": "no", "range": None},
    },
    "missing_values": "median of the training patients (numbers), their most frequent category (categories)",
    "null_model": False,
    "training": {"patients": 200, "positives": 60, "fingerprint": "none"},
}  # fmt: skip

THRESHOLDS = {"clinical": {"youden": 0.25, "sensitivity": 0.16, "specificity": 0.5}}


def women(n: int, seed: int, shift: float = 0.0) -> pd.DataFrame:
    """``patient_id, age_years, rim, label``; log odds are the model's plus ``shift``."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "patient_id": [f"W{i:03d}" for i in range(n)],
            "age_years": np.round(rng.normal(52, 10, n).clip(25, 85)),
            "rim": pd.Series(rng.choice(["no", "yes"], n), dtype="str"),
        }
    )
    p = predict_frozen(FROZEN, frame)
    odds = p / (1 - p) * np.exp(shift)
    return frame.assign(label=(rng.random(n) < odds / (1 + odds)).astype(int))


def small_bundle(folder: Path, **changes) -> Path:
    """The zip of the bundle."""
    trained = women(200, 1)
    reference = pd.DataFrame(
        {"patient": range(1, 201), "model": "clinical", "label": trained["label"],
         "probability": predict_frozen(FROZEN, trained), "fold": np.arange(200) % 5}
    )  # fmt: skip
    status = {"label": Variable(type="binary", label="HER2-positive", role="pathology", levels=("no", "yes"))}
    told = trained.assign(label=trained["label"].map({0: "no", 1: "yes"}).astype("str"))
    group = pd.Series("development", told.index)
    table_one = describe_groups(told, group, ["development"], status | VARIABLES).assign(by="split")
    bundle = Bundle(
        **{
            "name": "small", "title": "A small study", "simulated": False,
            "outcome": Outcome(column="her2", positive=("yes",), negative=("no",), label="HER2-positive"),
            "variables": VARIABLES, "source": Source(kind="folder", table="clinical.csv"),
            "centres": Centres(development=("A",), external=("B",)), "logistic": {"clinical": FROZEN},
            "thresholds": THRESHOLDS, "reference_scores": reference, "case_mix": table_one,
            "performance": pd.DataFrame({"model": ["clinical"], "split": ["development"], "auc": [0.7]}),
            "statistics": Statistics(bootstrap=50, decision_thresholds=(0.1, 0.4)), "seed": 3,
            "exclusions": (Exclusion(reason="Treated before", column="treated", values=("yes",)),),
        } | changes
    )  # fmt: skip
    return write_bundle(seal(bundle), "small", folder)[1]


def hospital(folder: Path, n: int = 120, shift: float = 0.8, **columns) -> Path:
    """A folder with ``patients.csv`` of a hospital where positives are more frequent than the model says."""
    folder.mkdir()
    frame = women(n, 2, shift)
    frame = frame.assign(her2=frame.pop("label").map({0: "no", 1: "yes"}), centre="Here").assign(**columns)
    frame.dropna(axis="columns", how="all").to_csv(folder / "patients.csv", index=False)
    return folder
