"""Invented results of a study, as the explorer reads them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from her2study.evaluation.predictions import gather_predictions
from her2study.models.combined import fit_combined
from her2study.models.frozen import predict_frozen
from her2study.reporting.explorer.chooser import Chooser, choose_patient
from her2study.reporting.explorer.patients import patient_table
from her2study.study import Clinical
from tests.models.invented import VARIABLES, development, invent, invent_dscore

OUTCOME = "HER2-positive"


class Explored(NamedTuple):
    """What the notebook's first cells read."""

    inputs: pd.DataFrame
    splits: pd.DataFrame
    predictions: pd.DataFrame
    frozen: dict[str, Any]
    patients: pd.DataFrame

    def chooser(self, simulated: bool = True) -> Chooser:
        return choose_patient(self.patients, VARIABLES, OUTCOME, simulated)


def explored() -> Explored:
    """Two models of 120 invented patients; the combined one is frozen."""
    cohort, splits = invent()
    dscore, _ = invent_dscore(splits)
    inputs = cohort.assign(dscore=dscore["probability"].to_numpy())
    model = fit_combined(development(inputs, splits), VARIABLES, Clinical()) | {"thresholds": {"youden": 0.31}}
    combined = dscore.assign(model="combined", probability=predict_frozen(model, inputs))
    predictions = gather_predictions([dscore, combined])
    patients = patient_table(cohort, splits, predictions, VARIABLES, mapped={"P001"})
    return Explored(inputs, splits, predictions, {"combined": model}, patients)


def numbers(text: str) -> list[float]:
    """Every number in a text, a true minus sign included."""
    words = text.replace("−", "-").replace("(", " ").replace(")", " ").replace(";", " ").replace(",", " ").split()
    found = pd.to_numeric(pd.Series(words), errors="coerce").dropna()
    return [float(number) for number in found if np.isfinite(number)]
