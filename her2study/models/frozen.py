"""A frozen logistic model: plain numbers that travel as JSON and need no library to apply.

Layout: ``model``; ``intercept``; ``terms`` (name, variable, kind, label, levels, level,
coefficient); ``covariance`` (intercept first); ``variables`` (label, unit, levels, imputation,
range of the training patients); ``missing_values`` (the policy in words); ``null_model`` (nothing
entered: everyone gets the prevalence); ``training`` (patients, positives, fingerprint). Notebooks
add ``thresholds``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import norm

from her2study.models.encoding import MISSING_POLICY, Term, design_matrix
from her2study.models.provenance import fingerprint
from her2study.types import Scores, StudyError


def freeze(
    model: str,
    intercept: float,
    coefficients: NDArray[np.float64],
    covariance: NDArray[np.float64],
    terms: Sequence[Term],
    imputation: Mapping[str, Any],
    labels: Mapping[str, str],
    training: pd.DataFrame,
) -> dict[str, Any]:
    """Everything that applying the model needs.

    Parameters
    ----------
    labels : dict of str
        Print label of each variable.
    training : DataFrame
        The patients it was fitted on: ``patient_id``, ``label`` and the variables.
    """
    variables = {}
    for term in terms:
        column = training[term.variable].dropna()
        limits = None if term.levels or column.empty else [float(column.min()), float(column.max())]
        variables[term.variable] = {
            "label": labels[term.variable],
            "levels": list(term.levels),
            "imputation": imputation[term.variable],
            "range": limits,
        }
    return {
        "model": model,
        "intercept": float(intercept),
        "terms": [asdict(t) | {"coefficient": float(b)} for t, b in zip(terms, coefficients, strict=True)],
        "covariance": np.asarray(covariance).tolist(),
        "variables": variables,
        "missing_values": MISSING_POLICY,
        "null_model": not terms,
        "training": {
            "patients": len(training),
            "positives": int(training["label"].sum()),
            "fingerprint": fingerprint(training["patient_id"], training["label"]),
        },
    }


def predict_frozen(frozen: Mapping[str, Any], patients: pd.DataFrame) -> Scores:
    """Probability of each patient, ``(n,)``: the model applied, nothing fitted.

    Raises
    ------
    StudyError
        A column that the model needs is absent, or a value breaks its rule (:func:`~her2study.models.encoding.encode`).
    """
    return expit(linear_predictor(frozen, patients))


def linear_predictor(frozen: Mapping[str, Any], patients: pd.DataFrame) -> NDArray[np.float64]:
    """Log odds of each patient, ``(n,)``."""
    return frozen["intercept"] + contributions(frozen, patients).sum(axis=1)


def contributions(frozen: Mapping[str, Any], patients: pd.DataFrame) -> NDArray[np.float64]:
    """Coefficient times encoded value, ``(n, terms)``."""
    absent = [name for name in frozen["variables"] if name not in patients]
    if absent:
        raise StudyError(
            f"the frozen model {frozen['model']!r} needs the column {absent[0]!r}, which the patients' table lacks; "
            f"it has {', '.join(map(str, patients.columns[:8]))}...; add the column (empty cells are imputed)"
        )
    terms = frozen_terms(frozen)
    rows = patients.set_index("patient_id") if "patient_id" in patients else patients
    imputation = {name: variable["imputation"] for name, variable in frozen["variables"].items()}
    coefficients = np.array([term["coefficient"] for term in frozen["terms"]])
    return design_matrix(rows, terms, imputation) * coefficients


def frozen_terms(frozen: Mapping[str, Any]) -> list[Term]:
    """The terms of a frozen model, as they were when it was fitted."""
    stored = ({key: value for key, value in term.items() if key != "coefficient"} for term in frozen["terms"])
    return [Term(**(term | {"levels": tuple(term["levels"])})) for term in stored]


def equation(frozen: Mapping[str, Any], decimals: int = 3) -> str:
    """The model in print, with rounded coefficients and the terms' labels."""
    text = f"logit(P) = {frozen['intercept']:.{decimals}f}"
    for term in frozen["terms"]:
        label = f"[{term['label']}]"
        text += f" {'-' if term['coefficient'] < 0 else '+'} {abs(term['coefficient']):.{decimals}f} × {label}"
    return text.replace("= -", "= −").replace(" - ", " − ")


def in_words(frozen: Mapping[str, Any]) -> str:
    """Which predictors the model has, and on whom it was fitted, as a sentence."""
    training = frozen["training"]
    who = f"{training['patients']} patients, {training['positives']} of them positive"
    labels = [variable["label"] for variable in frozen["variables"].values()]
    if not labels:
        null = f"the model {frozen['model']!r} gives everyone the prevalence and cannot tell patients apart"
        return f"No candidate entered ({who}): {null}."
    return f"The model {frozen['model']!r} ({who}) uses {', '.join(labels)}."


def frozen_values(frozen: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers a sentence may use, by name: predictors, equation, sizes, odds ratios with 95% Wald intervals."""
    name, training, errors = frozen["model"], frozen["training"], np.sqrt(np.diag(frozen["covariance"]))[1:]
    values: dict[str, Any] = {
        f"{name}_predictors": ", ".join(variable["label"] for variable in frozen["variables"].values()) or "none",
        f"{name}_equation": equation(frozen),
        f"{name}_null_model": frozen["null_model"],
        f"{name}_training_patients": training["patients"],
        f"{name}_training_positives": training["positives"],
        f"{name}_terms": len(frozen["terms"]),
    }
    for term, error in zip(frozen["terms"], errors, strict=True):
        low, middle, high = np.exp(term["coefficient"] + np.array([-1, 0, 1]) * norm.ppf(0.975) * error)
        odds = {"value": float(middle), "low": float(low), "high": float(high), "unit": "", "format": ".2f"}
        values[f"odds_ratio_{name}_{term['name']}"] = odds
    return values
