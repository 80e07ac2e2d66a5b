"""The pipelines behind the baselines: prepare radiomics, encode, scale, select, classify, all fitted in-fold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from lightgbm import LGBMClassifier
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_selection import f_classif
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.utils.validation import check_is_fitted
from xgboost import XGBClassifier

from her2study.models.encoding import Encoder, Term
from her2study.study import Baselines, Variable, nearest
from her2study.types import StudyError

# The first value of every list is the default, used where nothing is searched.
SPACES: dict[str, dict[str, list[Any]]] = {
    "logistic_elastic_net": {"model__C": [0.1, 0.01, 0.03, 0.3, 1.0], "model__l1_ratio": [0.5, 0.1, 0.9]},
    "svm": {"model__estimator__C": [1.0, 0.1, 0.3, 3.0], "model__estimator__gamma": ["scale", 0.003, 0.01]},
    "random_forest": {"model__max_depth": [6, 3, None], "model__min_samples_leaf": [5, 2, 10]},
    "xgboost": {"model__max_depth": [2, 3, 4], "model__learning_rate": [0.05, 0.02, 0.1], "model__subsample": [0.7, 1]},
    "lightgbm": {"model__num_leaves": [4, 8, 15], "model__learning_rate": [0.05, 0.02, 0.1],
                 "model__min_child_samples": [15, 8, 30]},
    "knn": {"model__n_neighbors": [15, 9, 25, 41], "model__weights": ["uniform", "distance"]},
    "mlp": {"model__hidden_layer_sizes": [(16,), (8,), (32, 16)], "model__alpha": [1.0, 0.1, 10.0]},
}  # fmt: skip


class UncorrelatedBest(TransformerMixin, BaseEstimator):
    """The ``k`` features with the largest ANOVA F among those not copies of a better one.

    Walks down the F ranking and takes a feature unless its absolute Pearson correlation with one
    already taken exceeds ``max_correlation``: a greedy relevance-redundancy filter in the spirit
    of mRMR (Ding and Peng 2005).
    """

    def __init__(self, k: int = 20, max_correlation: float = 0.9) -> None:
        self.k = k
        self.max_correlation = max_correlation

    def fit(self, X: NDArray[np.float64], y: NDArray[np.int64]) -> UncorrelatedBest:
        """Rank and walk."""
        with np.errstate(divide="ignore", invalid="ignore"):  # a feature may separate few patients perfectly
            relevance = np.round(f_classif(X, y)[0], 9)  # so that copies tie and the first is taken
        ranking = np.argsort(-relevance, kind="stable")
        correlation = np.abs(np.atleast_2d(np.corrcoef(X, rowvar=False)))
        taken: list[int] = []
        for feature in ranking:
            if len(taken) < self.k and not (correlation[feature, taken] > self.max_correlation).any():
                taken.append(int(feature))
        self.taken_ = np.array(sorted(taken))
        return self

    def transform(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """``(n, <= k)``."""
        check_is_fitted(self)
        return X[:, self.taken_]


def build_pipeline(
    model: str,
    variables: dict[str, Variable],
    seed: int,
    smallest_class: int = 10,
    preparation: Sequence[tuple[str, BaseEstimator]] = (),
) -> Pipeline:
    """Unfitted pipeline: prepare, encode and impute, standardise, select, classify.

    Parameters
    ----------
    preparation : sequence
        Named steps from DataFrame to DataFrame, see :mod:`her2study.models.harmonise`; they are cloned.

    Raises
    ------
    StudyError
        A model that is not one of :data:`SPACES`.
    """
    if model not in SPACES:
        raise StudyError(
            f"study.yml: baselines.models names {model!r}, which does not exist{nearest(model, SPACES)} "
            f"Known models: {', '.join(SPACES)}."
        )
    classifiers = {
        "logistic_elastic_net": lambda: LogisticRegression(
            solver="saga", l1_ratio=0.5, tol=1e-3, max_iter=1000, random_state=seed
        ),
        # Platt's sigmoid on out-of-fold decision values; the ranking stays that of one SVM
        "svm": lambda: CalibratedClassifierCV(SVC(), method="sigmoid", cv=min(3, smallest_class), ensemble=False),
        "random_forest": lambda: RandomForestClassifier(100, n_jobs=1, random_state=seed),
        "xgboost": lambda: XGBClassifier(n_estimators=100, n_jobs=1, verbosity=0, random_state=seed),
        "lightgbm": lambda: LGBMClassifier(
            n_estimators=100, n_jobs=1, verbosity=-1, deterministic=True, force_row_wise=True, random_state=seed
        ),
        "knn": lambda: KNeighborsClassifier(n_jobs=1),
        "mlp": lambda: MLPClassifier(solver="lbfgs", max_iter=60, random_state=seed),
    }
    steps = [("encode", Encoder(variables)), ("scale", StandardScaler()), ("select", UncorrelatedBest())]
    before = [(name, clone(step)) for name, step in preparation]
    return Pipeline([*before, *steps, ("model", classifiers[model]())])


def search_space(model: str, settings: Baselines, patients: int, columns: int) -> dict[str, list[Any]]:
    """Values to draw from: no more neighbours than half the inner patients, no more features than columns."""
    sizes = {min(k, columns) for k in settings.selected_features}
    space = {**SPACES.get(model, {}), "select__k": sorted(sizes)}
    if model == "knn":
        most = patients * (settings.inner_folds - 1) // settings.inner_folds // 2
        space["model__n_neighbors"] = [n for n in space["model__n_neighbors"] if n <= most] or [max(1, most)]
    return space


def selected_terms(pipeline: Pipeline) -> list[Term]:
    """The terms of each column that reaches the classifier."""
    return [pipeline["encode"].terms_[i] for i in pipeline["select"].taken_]
