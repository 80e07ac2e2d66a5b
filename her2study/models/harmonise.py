"""Steps that radiomics go through before any model: unstable ones leave, scanners are made alike. Both learn in-fold.

Neither sees an outcome, and neither sees a patient outside the part that its pipeline is fitted on.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from her2study.imaging.stability import feature_icc
from her2study.models.combat import apply_combat, fit_combat, varying
from her2study.types import StudyError

MINIMUM_PATIENTS = 5
"""A centre with fewer training patients is treated as one that was not seen: its scale cannot be told from noise."""

NOT_OF_THE_SCANNER = "shape_"
"""Begins the names of features that are never harmonised: where lesions differ in size, patients differ."""


class StableFeatures(TransformerMixin, BaseEstimator):
    """Leaves out features that another outline of the same lesion would change.

    Parameters
    ----------
    perturbed : DataFrame, optional
        Measurements under other masks (:func:`~her2study.imaging.stability.measure_again`). Only rows of the
        patients that the step is fitted on are looked at.
    minimum_icc : float
        Features with a smaller ICC go; those that could not be judged stay.
    unstable : sequence of str, optional
        Features to leave out, where an earlier fit has found them already.
    """

    def __init__(
        self, perturbed: pd.DataFrame | None = None, minimum_icc: float = 0.75, unstable: Sequence[str] | None = None
    ) -> None:
        self.perturbed = perturbed
        self.minimum_icc = minimum_icc
        self.unstable = unstable

    def fit(self, X: pd.DataFrame, y: Any = None) -> StableFeatures:
        """Judge every feature by the training patients with other masks; ``X`` has the index ``patient_id``."""
        if self.unstable is None and self.perturbed is not None:
            icc = feature_icc(X, self.perturbed)
            self.unstable_ = icc.loc[icc["icc"] < self.minimum_icc, "feature"].tolist()
        else:
            self.unstable_ = list(self.unstable or [])
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """All other columns."""
        check_is_fitted(self)
        return X.drop(columns=self.unstable_)


class CentreHarmoniser(TransformerMixin, BaseEstimator):
    """ComBat (Johnson, Li and Rabinovic 2007) between the centres of the training patients.

    Every centre's shift and scale of every feature are shrunk towards those of its other features and taken out. No
    covariate is protected, least of all the outcome, which held-out patients do not have: differences that come from
    the patients are therefore taken out as well.

    Parameters
    ----------
    centre : Series
        Centre by ``patient_id``, of everyone who may ever pass.
    untouched : sequence of str
        Columns that are no radiomics. Shape is left alone too.
    unseen_centres : str
        ``leave``: patients of a centre that was not in the fit keep their values, which is ComBat with no shift and
        the pooled scale; nothing is ever fitted on them. ``refuse``: an error.

    Notes
    -----
    Missing values stay missing. A feature that does not vary within one of the
    centres is left as it is. With fewer than two centres there is nothing to do.
    """

    def __init__(self, centre: pd.Series, untouched: Sequence[str] = (), unseen_centres: str = "leave") -> None:
        self.centre = centre
        self.untouched = untouched
        self.unseen_centres = unseen_centres

    def fit(self, X: pd.DataFrame, y: Any = None) -> CentreHarmoniser:
        """Estimate shifts and scales; ``X`` has the index ``patient_id``."""
        centre = self.centre.loc[X.index]
        counts = centre.value_counts()
        self.centres_ = sorted(counts.index[counts >= MINIMUM_PATIENTS])
        self.columns_: list[str] = []
        if len(self.centres_) < 2:
            return self
        kept = [name for name in X if name not in self.untouched and not name.startswith(NOT_OF_THE_SCANNER)]
        number = self._number(centre)
        values = X[kept].to_numpy(dtype=float)[number >= 0]
        varies = varying(values, number[number >= 0])
        self.columns_ = [name for name, own in zip(kept, varies, strict=True) if own]
        self.combat_ = fit_combat(values[:, varies], number[number >= 0])
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """The same columns, harmonised ones last, with the centres of the fit made alike.

        Raises
        ------
        StudyError
            A patient's centre was not in the fit and the policy is to refuse.
        """
        check_is_fitted(self)
        centre = self.centre.loc[X.index]
        seen = centre.isin(self.centres_)
        if self.unseen_centres == "refuse" and not seen.all():
            patient = seen.index[~seen][0]
            raise StudyError(
                f"baselines.unseen_centres is 'refuse': patient {patient} is from centre {centre[patient]!r}, which "
                f"had fewer than {MINIMUM_PATIENTS} patients when ComBat was fitted; write 'leave', or harmonise: false"
            )
        if not self.columns_ or not seen.any():
            return X
        values, number = X[self.columns_].to_numpy(dtype=float, copy=True), self._number(centre)
        values[number >= 0] = apply_combat(self.combat_, values[number >= 0], number[number >= 0])
        changed = pd.DataFrame(values, index=X.index, columns=self.columns_)
        return pd.concat([X.drop(columns=self.columns_), changed], axis=1)

    def _number(self, centre: pd.Series) -> NDArray[np.int64]:
        """Each patient's centre as its position in ``centres_``, -1 if it was not in the fit."""
        return pd.Index(self.centres_).get_indexer(centre)


def preparation_table(log: pd.DataFrame) -> pd.DataFrame:
    """What the first steps did in each fold, from the log of the baselines: features left out as unstable.

    All models of a fold begin alike, so there is one row a fold; fold -1 is the fit on all development patients.
    """
    table = log.drop_duplicates("fold")[["fold", "unstable", "harmonise"]].sort_values("fold", ignore_index=True)
    table["unstable"] = [len(json.loads(names)) for names in table["unstable"]]
    return table.assign(harmonise=table["harmonise"].replace("", "no"))
