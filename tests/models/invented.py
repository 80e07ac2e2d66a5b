"""Invented patients with a known effect, for the tests of models and explanations."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from her2study.models.provenance import make_trained_on
from her2study.study import Baselines, Variable

ORACLES = Path(__file__).resolve().parent.parent / "oracles"

VARIABLES = {
    "age_years": Variable(type="continuous", unit="years", label="Age", role="clinical"),
    "node_mm": Variable(type="continuous", unit="mm", label="Node diameter", role="mri_reading", log=True),
    "rim": Variable(type="binary", levels=("no", "yes"), label="Rim enhancement", role="mri_reading"),
    "shape": Variable(type="categorical", levels=("oval", "round", "irregular"), label="Shape", role="mri_reading"),
    "curve": Variable(
        type="ordinal", levels=("persistent", "plateau", "washout"), label="Kinetic curve", role="mri_reading"
    ),
}

QUICK = Baselines(
    models=("logistic_elastic_net", "knn"), search_iterations=2, inner_folds=2, selected_features=(3, 5)
)  # fmt: skip


def oracle_patients() -> pd.DataFrame:
    """The patients of ``tests/oracles/logistic.R``."""
    return pd.read_csv(ORACLES / "logistic_data.csv")


def invent(n: int = 120, seed: int = 0, effect: float = 1.0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A cohort and its splits: three folds in centre A, internal patients in A, external ones in B."""
    rng = np.random.default_rng([seed, n])
    node, rim = np.exp(rng.normal(2, 0.5, n)), rng.random(n) < 0.4
    risk = effect * (1.5 * (np.log(node) - 2) + 1.2 * rim) - 1.2
    cohort = pd.DataFrame(
        {
            "patient_id": [f"P{i:03d}" for i in range(n)],
            "centre": np.where(np.arange(n) < 0.75 * n, "A", "B"),
            "label": (rng.random(n) < 1 / (1 + np.exp(-risk))).astype(np.int64),
            "age_years": rng.normal(52, 10, n).round(),
            "node_mm": node.round(1),
            "rim": np.where(rim, "yes", "no"),
            "shape": rng.choice(["oval", "round", "irregular"], n),
            "curve": rng.choice(["persistent", "plateau", "washout"], n),
        }
    )
    cohort.loc[rng.random(n) < 0.06, "age_years"] = np.nan
    cohort.loc[rng.random(n) < 0.06, "shape"] = None
    split = np.where(cohort["centre"] == "B", "external", np.where(np.arange(n) % 5 == 4, "internal", "development"))
    splits = cohort[["patient_id", "centre", "label"]].assign(split=split, fold=-1)
    development = splits["split"] == "development"
    for label in (0, 1):  # stratified, as the study's own folds are
        rows = splits.index[development & (splits["label"] == label)]
        splits.loc[rows, "fold"] = np.arange(len(rows)) % 3
    return cohort, splits


def invent_radiomics(cohort: pd.DataFrame, seed: int = 0, effect: float = 1.0) -> pd.DataFrame:
    """Twelve features; the first carries the label, the second is its copy, the third is constant."""
    rng = np.random.default_rng([seed, 5])
    values = rng.normal(size=(len(cohort), 12))
    values[:, 0] += effect * cohort["label"]
    values[:, 1], values[:, 2] = values[:, 0] * 3 + 1, 7.0
    names = [f"wash_in_f{i:02d}" for i in range(12)]
    return pd.DataFrame(values, columns=names).assign(patient_id=cohort["patient_id"].to_numpy())


def invent_dscore(splits: pd.DataFrame, seed: int = 0, effect: float = 1.5) -> tuple[pd.DataFrame, pd.DataFrame]:
    """D-scores of a network that saw nobody it scores, and their provenance."""
    rng = np.random.default_rng([seed, 6])
    logit = effect * (splits["label"] - 0.4) + rng.normal(size=len(splits)) - 0.5
    scores = splits.assign(model="dscore", probability=1 / (1 + np.exp(-logit)))
    return scores, make_trained_on("dscore", splits)


def development(cohort: pd.DataFrame, splits: pd.DataFrame) -> pd.DataFrame:
    """The development patients of a cohort."""
    ids = splits.loc[splits["split"] == "development", "patient_id"]
    return cohort[cohort["patient_id"].isin(ids)].reset_index(drop=True)
