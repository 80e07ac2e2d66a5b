"""Variables as numbers: the design matrix of the clinical model and of the baselines.

Policy for missing values, the same everywhere and fitted on training patients only: a number is
replaced by their median, a category by their most frequent one (the earlier level on ties). It is
single imputation: it keeps every patient and makes intervals slightly too narrow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

from her2study.study import Variable
from her2study.types import StudyError

MISSING_POLICY = "median of the training patients (numbers), their most frequent category (categories)"
PROBABILITY_FLOOR = 1e-6
"""Probabilities are kept this far from 0 and 1 before their logit is taken."""


@dataclass(frozen=True)
class Term:
    """One column of a design matrix.

    ``kind`` says how it is made: the ``value``, its natural ``log``, its ``logit`` (of a
    probability), an ordinal's ``score`` 0, 1, 2... or the indicator of a ``level``.
    """

    name: str
    variable: str
    kind: Literal["value", "log", "logit", "score", "level"]
    label: str
    levels: tuple[str, ...] = ()
    level: str | None = None


def variable_terms(name: str, variable: Variable) -> list[Term]:
    """The columns that one variable becomes; the first level is the reference and has none."""
    if variable.type == "continuous":
        unit = f" ({'log ' if variable.log else ''}{variable.unit or ''})".replace(" ()", "").replace("log )", "log)")
        kind: Literal["log", "value"] = "log" if variable.log else "value"
        return [Term(f"log({name})" if variable.log else name, name, kind, variable.label + unit)]
    levels = tuple(map(str, variable.levels))
    if variable.type == "ordinal":
        return [Term(name, name, "score", f"{variable.label} (per level)", levels)]
    reference = f" (v. {levels[0]})"
    return [
        Term(f"{name}={level}", name, "level", f"{variable.label}: {level}{reference}", levels, level)
        for level in levels[1:]
    ]


def feature_term(name: str) -> Term:
    """A measured feature that no setting describes (radiomics): it enters as it is."""
    return Term(name, name, "value", name.replace("_", " "))


def encode(term: Term, values: pd.Series) -> NDArray[np.float64]:
    """One column ``(n,)`` of the design matrix, NaN where the value is missing.

    Raises
    ------
    StudyError
        A category that the settings do not know, or a value without a logarithm; names the patient
        (the index of ``values``).
    """
    if term.levels:
        codes = pd.Index(term.levels).get_indexer(values)  # -1: missing or unknown
        unknown = (codes < 0) & values.notna().to_numpy()
        if unknown.any():
            at = int(np.argmax(unknown))
            raise StudyError(
                f"cohort, column {term.variable!r}, patient {values.index[at]}: value {values.iloc[at]!r} is none of "
                f"the levels {', '.join(term.levels)}; add the level to study.yml or mend the value"
            )
        encoded = codes if term.kind == "score" else codes == term.levels.index(term.level or "")
        return np.where(codes < 0, np.nan, encoded)
    numbers = values.to_numpy(dtype=float, na_value=np.nan)
    if term.kind == "logit":
        clipped = np.clip(numbers, PROBABILITY_FLOOR, 1 - PROBABILITY_FLOOR)
        return np.log(clipped) - np.log1p(-clipped)
    if term.kind == "log":
        bad = numbers <= 0
        if bad.any():
            at = int(np.argmax(bad))
            raise StudyError(
                f"cohort, column {term.variable!r}, patient {values.index[at]}: value {numbers[at]:g} has no "
                "logarithm; mend the value or set log: false for this variable in study.yml"
            )
        return np.log(numbers)
    return numbers


def imputation_values(frame: pd.DataFrame, terms: Sequence[Term]) -> dict[str, Any]:
    """What replaces a missing value of each variable: see :data:`MISSING_POLICY`.

    A variable without a single value gets the reference level, or zero (one, if logged).
    """
    values: dict[str, Any] = {}
    for term in terms:
        if term.levels:
            counts = np.bincount(pd.Index(term.levels).get_indexer(frame[term.variable]) + 1, minlength=2)[1:]
            values[term.variable] = term.levels[int(np.argmax(counts))]
        else:
            known = frame[term.variable].to_numpy(dtype=float, na_value=np.nan)
            known = known[~np.isnan(known)]
            empty = {"log": 1.0, "logit": 0.5}.get(term.kind, 0.0)
            values[term.variable] = float(np.median(known)) if len(known) else empty
    return values


def design_matrix(frame: pd.DataFrame, terms: Sequence[Term], imputation: Mapping[str, Any]) -> NDArray[np.float64]:
    """``(n, terms)``, encoded and imputed; a complete column per term, in their order."""
    matrix = np.empty((len(frame), len(terms)))
    for i, term in enumerate(terms):
        column = encode(term, frame[term.variable])
        gone = np.isnan(column)
        matrix[:, i] = (
            np.where(gone, encode(term, pd.Series([imputation[term.variable]])), column) if gone.any() else column
        )
    return matrix


class Encoder(TransformerMixin, BaseEstimator):
    """A DataFrame of variables and features to a complete numeric matrix, inside a pipeline.

    Parameters
    ----------
    variables : dict of Variable
        Columns to encode by their type; every other column is a number that enters as it is.

    Notes
    -----
    Columns that do not vary among the training patients are left out, so that what follows need
    not guard against them. After ``fit``: ``terms_`` (a :class:`Term` per output column) and
    ``imputation_``.
    """

    def __init__(self, variables: dict[str, Variable]) -> None:
        self.variables = variables

    def fit(self, X: pd.DataFrame, y: Any = None) -> Encoder:
        """Learn imputation values and which columns vary."""
        self.fit_transform(X)
        return self

    def fit_transform(self, X: pd.DataFrame, y: Any = None) -> NDArray[np.float64]:
        """Fit and encode the same patients in one pass."""
        terms = [t for name, v in self.variables.items() if name in X for t in variable_terms(name, v)]
        self.plain_ = [name for name in X if name not in self.variables]
        self.imputation_ = imputation_values(X, terms)
        self._encoded = tuple(terms)
        plain = X[self.plain_].to_numpy(dtype=float)
        seen = ~np.isnan(plain).all(axis=0)
        self.medians_ = np.zeros(plain.shape[1])
        self.medians_[seen] = np.nanmedian(plain[:, seen], axis=0)
        matrix = self._all(X)
        # relative: some features live around 1e-9, others carry rounding noise around a large constant
        self._kept = np.ptp(matrix, axis=0) > 1e-9 * np.abs(matrix).max(axis=0)
        every = [*terms, *map(feature_term, self.plain_)]
        self.terms_ = [term for term, kept in zip(every, self._kept, strict=True) if kept]
        return matrix[:, self._kept]

    def transform(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """``(n, len(terms_))``."""
        return self._all(X)[:, self._kept]

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Names of the output columns."""
        return np.array([term.name for term in self.terms_], dtype=object)

    def _all(self, X: pd.DataFrame) -> NDArray[np.float64]:
        plain = X[self.plain_].to_numpy(dtype=float)
        filled = np.where(np.isnan(plain), self.medians_, plain)
        return np.hstack([design_matrix(X, self._encoded, self.imputation_), filled])
