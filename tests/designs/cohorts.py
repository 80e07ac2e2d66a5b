"""Small invented cohorts, written as a hospital's folder, and the settings of studies of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

SETTINGS: dict[str, Any] = {
    "title": "An invented cohort",
    "seed": 7,
    "source": {"kind": "folder", "table": "patients.csv"},
    "outcome": {"column": "her2", "positive": ["positive"], "negative": ["negative"], "label": "HER2-positive"},
    "centres": {"development": ["A"]},
    "variables": {
        "age_years": {"type": "continuous", "unit": "years", "label": "Age", "role": "clinical"},
        "node_mm": {"type": "continuous", "unit": "mm", "label": "Node diameter", "role": "mri_reading"},
        "rim": {"type": "binary", "levels": ["no", "yes"], "label": "Rim enhancement", "role": "mri_reading"},
    },
    "split": {"internal_fraction": 0.2, "folds": 2},
    "imaging": {},
    "radiomics": {"families": ["statistics"], "perturbed_patients": 0},
    "network": {"epochs": 1},
    "baselines": {
        "models": ["logistic_elastic_net"], "search_iterations": 1, "inner_folds": 2, "selected_features": [3],
    },
    "clinical": {"resamples": 10},
    "statistics": {"bootstrap": 20, "shap_samples": 8, "gradcam_patients": 2, "subgroups": ["rim"]},
}  # fmt: skip
"""A study of one centre, everything at its smallest; every design changes a few of these."""


def people(centres: Mapping[str, int], seed: int = 1) -> pd.DataFrame:
    """Patients of each centre with their day, two variables that tell the outcome and one that does not."""
    rng = np.random.default_rng(seed)
    where = np.repeat(list(centres), list(centres.values()))
    n = len(where)
    latent = rng.normal(size=n)
    positive = latent + rng.normal(size=n) > 0.6
    days = pd.Timestamp("2018-01-01") + pd.to_timedelta(np.sort(rng.integers(0, 1800, n)), unit="D")
    days = days[rng.permutation(n)]
    return pd.DataFrame(
        {
            "patient_id": [f"p{i:03d}" for i in range(n)],
            "centre": where,
            "examined": days.strftime("%Y-%m-%d"),
            "her2": np.where(positive, "positive", "negative"),
            "age_years": rng.normal(52, 10, n).round(),
            "node_mm": (8 + 3 * latent + rng.normal(size=n)).round(1),
            "rim": np.where(latent + rng.normal(size=n) > 0, "yes", "no"),
        }
    )


def own_scores(patients: pd.DataFrame, folds: int | None, seed: int = 2) -> pd.DataFrame:
    """Scores that know the node a little; dealt into ``folds``, or made elsewhere (-1)."""
    rng = np.random.default_rng(seed)
    logit = 0.3 * (patients["node_mm"] - 8) + rng.normal(size=len(patients)) - 0.8
    fold = np.arange(len(patients)) % folds if folds else -1
    return pd.DataFrame({"patient_id": patients["patient_id"], "probability": 1 / (1 + np.exp(-logit)), "fold": fold})


def own_features(patients: pd.DataFrame, many: int = 6, seed: int = 3) -> pd.DataFrame:
    """Measured features, the first of which knows the node."""
    values = np.random.default_rng(seed).normal(size=(len(patients), many))
    values[:, 0] += patients["node_mm"]
    return pd.DataFrame(values, columns=[f"deep_{i}" for i in range(many)]).assign(patient_id=patients["patient_id"])


def write_study(papers: Path, name: str, changes: Mapping[str, Any]) -> None:
    """``papers/<name>/study.yml``: the settings above with sections changed key by key; None removes a section."""
    merged: dict[str, Any] = {"name": name, **SETTINGS}
    for section, change in changes.items():
        whole = section == "variables" or not isinstance(change, Mapping) or section not in merged
        merged[section] = change if whole else {**merged[section], **change}
    folder = papers / name
    folder.mkdir(parents=True)
    (folder / "study.yml").write_text(yaml.safe_dump(merged, sort_keys=False), encoding="utf-8")
