"""What a probability is made of: how far each predictor moves the log odds from those of a typical training patient.

The typical patient has the training patients' median of every number and their most frequent category: the values
that stand in for missing ones. Her log odds and the contributions add up to the patient's log odds exactly.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from her2study.models.encoding import design_matrix
from her2study.models.frozen import contributions, frozen_terms

DRIVER_COLUMNS = ("patient_id", "model", "variable", "label", "value", "imputed", "contribution")


def drivers(model: str, frozen: Mapping[str, Any], patients: pd.DataFrame) -> pd.DataFrame:
    """Contributions of each predictor of a frozen model, one row a patient and predictor.

    Parameters
    ----------
    patients : DataFrame
        ``patient_id`` and the model's predictors; missing ones are imputed as the model says.

    Returns
    -------
    DataFrame
        :data:`DRIVER_COLUMNS`: ``value`` as text, the one that was taken; ``contribution`` in log odds, above 0 where
        the value speaks for the outcome more than a typical patient's does.
    """
    parts = contributions(frozen, patients) - contributions(frozen, _typical(frozen))
    variables = np.array([term["variable"] for term in frozen["terms"]])
    frames = []
    for name, known in frozen["variables"].items():
        gone = patients[name].isna().to_numpy()
        values = [_text(known["imputation"] if missing else value) for value, missing in zip(patients[name], gone)]  # noqa: B905
        frames.append(
            pd.DataFrame(
                {
                    "patient_id": patients["patient_id"].to_numpy(),
                    "model": model,
                    "variable": name,
                    "label": known["label"],
                    "value": values,
                    "imputed": gone,
                    "contribution": parts[:, variables == name].sum(axis=1),
                }
            )
        )
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=list(DRIVER_COLUMNS))


def typical_probability(frozen: Mapping[str, Any]) -> float:
    """Probability of the typical training patient, from whom contributions are counted."""
    return float(expit(frozen["intercept"] + contributions(frozen, _typical(frozen)).sum()))


def wald_interval(
    frozen: Mapping[str, Any], patients: pd.DataFrame, z: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Low and high end of each probability, ``(n,)`` each: Wald's interval of the log odds, turned into probabilities.

    It holds the uncertainty of the coefficients, whose covariance travels with the model, and nothing else: a D-score
    is taken as it is.
    """
    imputation = {name: known["imputation"] for name, known in frozen["variables"].items()}
    matrix = design_matrix(patients.set_index("patient_id"), frozen_terms(frozen), imputation)
    design = np.column_stack([np.ones(len(patients)), matrix])
    log_odds = frozen["intercept"] + contributions(frozen, patients).sum(axis=1)
    variance = np.einsum("ni,ij,nj->n", design, np.array(frozen["covariance"]), design)
    reach = z * np.sqrt(np.maximum(variance, 0))
    return expit(log_odds - reach), expit(log_odds + reach)


def _typical(frozen: Mapping[str, Any]) -> pd.DataFrame:
    """One row: the training patients' medians and most frequent categories."""
    values = {name: [known["imputation"]] for name, known in frozen["variables"].items()}
    return pd.DataFrame({"patient_id": ["typical"], **values})


def _text(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
