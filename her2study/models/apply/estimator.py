"""A bundle as an object in the manner of scikit-learn: it predicts, and it has no ``fit``."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from her2study.cohort.findings import none
from her2study.models.apply.patients import typed
from her2study.models.apply.scores import DSCORE, Applied, models_of, score_patients
from her2study.models.apply.tables import PATIENT, Named, needed_variables
from her2study.models.bundle import Bundle, read_bundle
from her2study.study import nearest
from her2study.types import StudyError


class FlaggedWarning(UserWarning):
    """Some patients are unlike those of training, or could not be scored."""


class FrozenModel:
    """The models of a bundle, applied to a DataFrame and, where there are scans, a folder.

    Parameters
    ----------
    bundle : Bundle

    Attributes
    ----------
    classes_ : ndarray
        0 and 1; 1 is the outcome that ``bundle.outcome.label`` names.
    feature_names_in_ : ndarray
        Columns that a table must have, empty cells included. Further columns are passed over.
    """

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self.classes_ = np.array([0, 1])
        self.feature_names_in_ = np.array(needed_variables(bundle), dtype=object)
        self.n_features_in_ = len(self.feature_names_in_)

    def predict_proba(self, table: pd.DataFrame, images: Path | str | None = None) -> NDArray[np.float64]:
        """Probabilities ``(n, 2)`` of the two classes, in the order of the rows.

        One model answers for all: with ``images`` the combined model (or, in a bundle of the network alone, the
        D-score), without them the clinical model. Rows that it cannot score are NaN, and a :class:`FlaggedWarning`
        says why; so it does of patients unlike those of training. :meth:`score` gives everything in full.

        Parameters
        ----------
        table : DataFrame
            Columns :attr:`feature_names_in_`, and ``patient_id`` (else the index names the patients).
        images : path, optional
            Folder with ``images/`` and ``segmentations/`` in MAMA-MIA's layout.

        Raises
        ------
        StudyError
            A column is absent, a patient has two rows, or the bundle's models all need scans and none are given.
        """
        model = self.answering(images)
        applied = self.score(table, images)
        self._warn(applied, model)
        positive = applied.scores[model].to_numpy()
        return np.column_stack([1 - positive, positive])

    def predict(self, table: pd.DataFrame, images: Path | str | None = None, rule: str = "youden") -> NDArray[np.int64]:
        """Class of each row, ``(n,)``, by a threshold that was frozen with the model.

        Raises
        ------
        StudyError
            As :meth:`predict_proba`; the bundle has no threshold of that rule; or a row cannot be scored.
        """
        model = self.answering(images)
        known = self.bundle.thresholds.get(model, {})
        if rule not in known:
            raise StudyError(
                f"no frozen threshold {rule!r} of the model {model!r}{nearest(rule, known)} Known rules: "
                f"{', '.join(known) or 'none'}."
            )
        positive = self.predict_proba(table, images)[:, 1]
        if np.isnan(positive).any():
            patient = _patients(table).iloc[int(np.isnan(positive).argmax())]
            raise StudyError(
                f"patient {patient!r} cannot be scored by the model {model!r} ({int(np.isnan(positive).sum())} such "
                "patients), and no class is right for somebody without a score: leave such rows out, or see score()"
            )
        return (positive >= known[rule]).astype(np.int64)

    def score(self, table: pd.DataFrame, images: Path | str | None = None, workers: int = 1) -> Applied:
        """Everything about each row: all models, intervals, verdicts, flags and reasons, in the order of the rows."""
        patients = _patients(table)
        absent = [name for name in self.feature_names_in_ if name not in table]
        if absent:
            raise StudyError(
                f"the table lacks the column {absent[0]!r}{nearest(absent[0], list(table))} The bundle needs "
                f"{', '.join(self.feature_names_in_)}; add the column (empty cells are imputed, and flagged)"
            )
        if patients.duplicated().any():
            twice = patients[patients.duplicated()].iloc[0]
            raise StudyError(f"patient {twice!r} has two rows; one row a patient: remove or merge the others")
        cells = pd.DataFrame({name: _as_text(table[name]) for name in table if name != PATIENT})
        cells = cells.assign(**{PATIENT: patients.to_numpy()}).reset_index(drop=True)
        columns = {name: name for name in self.feature_names_in_}
        centre = "centre" if "centre" in cells else None
        named = Named(cells, columns, PATIENT, centre, None, "table", none())
        new = typed(self.bundle, named, None if images is None else Path(images))
        applied = score_patients(self.bundle, new, workers)
        order = applied.scores.set_index("patient_id", drop=False).loc[patients].reset_index(drop=True)
        return applied._replace(scores=order)

    def answering(self, images: Path | str | None) -> str:
        """The model that answers: the first of combined, clinical, dscore that needs no more than is given."""
        for model in models_of(self.bundle):
            needs_scans = self.bundle.network is not None and (
                model == DSCORE or DSCORE in self.bundle.logistic[model]["variables"]
            )
            if images is not None or not needs_scans:
                return model
        raise StudyError(f"every model of the bundle {self.bundle.name!r} needs scans; give images=FOLDER")

    def _warn(self, applied: Applied, model: str) -> None:
        scores = applied.scores
        unscored, flagged = scores[model].isna(), scores["flags"] != ""
        words = []
        if unscored.any():
            first = scores[unscored].iloc[0]
            words.append(
                f"{int(unscored.sum())} of {len(scores)} patients could not be scored by the model {model!r}, for "
                f"example {first['patient_id']}: {first['reason_unscored']}"
            )
        if flagged.any():
            first = scores[flagged].iloc[0]
            words.append(
                f"{int(flagged.sum())} of {len(scores)} patients are flagged, for example {first['patient_id']}: "
                f"{first['flags']}"
            )
        if words:
            warnings.warn(". ".join(words), FlaggedWarning, stacklevel=3)


def load_bundle(path: Path | str) -> FrozenModel:
    """A bundle, folder or zip, its signature checked, as an object with ``predict_proba``; no code of it is run.

    Raises
    ------
    StudyError
        It is no bundle, was changed in one byte or more, or is of a newer format.
    """
    return FrozenModel(read_bundle(Path(path)))


def _patients(table: pd.DataFrame) -> pd.Series:
    names = table[PATIENT] if PATIENT in table else table.index.to_series()
    return names.astype("str").reset_index(drop=True)


def _as_text(values: pd.Series) -> pd.Series:
    """Cells as a table file would hold them: whole numbers without decimals, nothing where nothing is known."""
    texts = [None if pd.isna(value) else _cell(value) for value in values]
    return pd.Series(texts, index=values.index, dtype="str")


def _cell(value: object) -> str:
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    return repr(float(value)).removesuffix(".0") if isinstance(value, float | np.floating) else str(value)
