"""SHAP values: how much each predictor moves a patient's prediction away from the average one.

Predictions are explained against a background of development patients (interventional SHAP,
Lundberg and Lee 2017). Correlated features share their influence in ways that no method can take
apart, so features that rise and fall together are added up and named together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import shap
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.pipeline import Pipeline

from her2study.explain.correlation import correlated_groups, numbers
from her2study.models.encoding import Term, encode, feature_term, variable_terms
from her2study.models.frozen import contributions, frozen_terms, linear_predictor
from her2study.models.pipelines import selected_terms
from her2study.study import Variable
from her2study.types import SPLITS, StudyError

TREES = ("random_forest", "xgboost", "lightgbm")
"""Models with an exact algorithm for trees; the others are explained by permutation."""

PERMUTATION_BACKGROUND = 32
"""Background patients of the permutation explainer, whose cost grows with their number."""


def patients_to_explain(splits: pd.DataFrame) -> list[str]:
    """External patients; internal ones where there are none, development ones where there are neither."""
    for split in reversed(SPLITS):
        ids = sorted(splits.loc[splits["split"] == split, "patient_id"])
        if ids:
            return ids
    raise StudyError("splits.parquet holds no patient; run 01_cohort again")


def background_patients(splits: pd.DataFrame, samples: int, seed: int) -> list[str]:
    """At most ``samples`` development patients, drawn without replacement."""
    development = sorted(splits.loc[splits["split"] == "development", "patient_id"])
    rng = np.random.default_rng([seed, 7])
    return sorted(rng.choice(development, size=min(samples, len(development)), replace=False).tolist())


def explain_linear(
    frozen: Mapping[str, Any], patients: pd.DataFrame, splits: pd.DataFrame, explained: list[str]
) -> pd.DataFrame:
    """SHAP values of a frozen logistic model, exact, in log odds, with all development as background.

    The value of a variable is the sum over its terms of coefficient times (encoded value minus its mean in
    development); the base value is the mean log odds of development.

    Returns
    -------
    DataFrame
        A row per patient and variable: ``model, unit, patient_id, feature, label, value, value_label, shap,
        base_value, probability``. ``value`` is the number, or the position of the level.
    """
    if frozen["null_model"]:
        raise StudyError(
            f"the model {frozen['model']!r} has no predictors: there is nothing to explain; explain another"
        )
    development = splits.loc[splits["split"] == "development", "patient_id"]
    background = patients[patients["patient_id"].isin(development)]
    shown = patients.set_index("patient_id").loc[explained]
    shifts = contributions(frozen, shown) - contributions(frozen, background).mean(axis=0)
    terms = frozen_terms(frozen)
    base = float(linear_predictor(frozen, background).mean())
    probability = expit(linear_predictor(frozen, shown))
    rows = []
    for name, variable in frozen["variables"].items():
        own = [i for i, term in enumerate(terms) if term.variable == name]
        raw = shown[name].where(shown[name].notna(), variable["imputation"])
        rows.append(_feature_rows(name, variable["label"], raw, terms[own[0]], shifts[:, own].sum(axis=1)))
    return _long(rows, frozen["model"], "log-odds", base, probability)


def explain_pipeline(
    pipeline: Pipeline,
    model: str,
    features: pd.DataFrame,
    variables: dict[str, Variable],
    explained: list[str],
    background: list[str],
    seed: int,
    labels: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """SHAP values of a baseline, in probability, against background patients.

    Trees are explained exactly (TreeExplainer), other classifiers by permutation with antithetic
    orders and the first :data:`PERMUTATION_BACKGROUND` background patients. Both work on the selected
    columns, whose values are then added up by variable, and by groups of correlated features
    (:func:`~her2study.explain.correlation.correlated_groups`, in the background).

    Parameters
    ----------
    pipeline, features, variables
        As fitted by :mod:`her2study.models.baselines`.
    explained, background : list of str
        Patients, see :func:`patients_to_explain` and :func:`background_patients`.
    labels : dict of str, optional
        Print labels of features that no setting describes.

    Returns
    -------
    DataFrame
        Columns as in :func:`explain_linear`.
    """
    before, classifier = pipeline[:-1], pipeline[-1]
    reference, inputs = before.transform(features.loc[background]), before.transform(features.loc[explained])
    if model in TREES:
        explainer = shap.TreeExplainer(classifier, reference, model_output="probability")
        explanation = explainer(inputs, check_additivity=False)  # its tolerance is absolute; tested here instead
    else:
        few = shap.maskers.Independent(reference[:PERMUTATION_BACKGROUND], PERMUTATION_BACKGROUND)
        explainer = shap.PermutationExplainer(lambda x: classifier.predict_proba(x)[:, 1], few, seed=seed)
        explanation = explainer(inputs, max_evals=4 * inputs.shape[1] + 2, silent=True)
    values, base = np.asarray(explanation.values), np.asarray(explanation.base_values)
    if values.ndim == 3:  # a column for each class
        values, base = values[:, :, 1], base[:, 1]
    terms = selected_terms(pipeline)
    names = list(dict.fromkeys(term.variable for term in terms))
    by_name = {name: sum(values[:, i] for i, t in enumerate(terms) if t.variable == name) for name in names}
    groups = correlated_groups(numbers(features.loc[background, names], variables))
    rows = []
    for leader in _leaders(groups, by_name):
        members = [name for name in names if groups[name] == groups[leader]]
        variable = variables.get(leader)
        label = variable.printed if variable else (labels or {}).get(leader, feature_term(leader).label)
        more = f" (+{len(members) - 1})" if len(members) > 1 else ""
        term = variable_terms(leader, variable)[0] if variable else feature_term(leader)
        total = np.sum([by_name[name] for name in members], axis=0)
        rows.append(_feature_rows(leader, label + more, features.loc[explained, leader], term, total))
    probability = pipeline.predict_proba(features.loc[explained])[:, 1]
    return _long(rows, model, "probability", float(np.mean(base)), probability)


def _leaders(groups: pd.Series, by_name: Mapping[str, NDArray[np.float64]]) -> list[str]:
    """The most influential feature of each group, which gives it its name, in the features' order."""
    size = {name: float(np.abs(values).mean()) for name, values in by_name.items()}
    best = {group: max(members.index, key=lambda name: size[name]) for group, members in groups.groupby(groups)}
    return [name for name in by_name if best[groups[name]] == name]


def _feature_rows(name: str, label: str, raw: pd.Series, term: Term, values: NDArray[np.float64]) -> pd.DataFrame:
    kind = "score" if term.levels else "value"
    numbers = encode(Term(name, name, kind, label, term.levels), raw)
    words = ["missing" if pd.isna(v) else v if term.levels else _rounded(v) for v in raw]
    return pd.DataFrame(
        {
            "patient_id": raw.index,
            "feature": name,
            "label": label,
            "value": numbers,
            "value_label": words,
            "shap": values,
        }
    )


def _rounded(value: float) -> str:
    """Three digits, never in powers of ten."""
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def _long(
    rows: list[pd.DataFrame], model: str, unit: str, base: float, probability: NDArray[np.float64]
) -> pd.DataFrame:
    together = pd.concat([part.assign(probability=probability) for part in rows], ignore_index=True)
    together = together.assign(model=model, unit=unit, base_value=base)
    return together[
        ["model", "unit", "patient_id", "feature", "label", "value", "value_label", "shap", "base_value", "probability"]
    ]
