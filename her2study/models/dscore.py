"""The D-score: from fold networks to one calibrated probability for each patient.

Development patients get the logit of the one network that never saw them; internal and external
patients the mean logit of all fold networks. A logistic recalibration (Platt 1999) then makes
probabilities of logits, which class weights or ridge penalties had distorted. It is learned from development
out-of-fold logits only; for a development patient, from the folds other than her own, so that
nobody's label calibrates her own score.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.special import expit

from her2study.models.inference import predict_logits
from her2study.models.network import CHANNELS, DScoreNetwork, network_from_arrays
from her2study.models.pretrained import Pretrained
from her2study.models.provenance import TRAINED_ON_COLUMNS, fingerprint
from her2study.study import Network
from her2study.types import NO_FOLD, PREDICTION_COLUMNS, StudyError

MODEL = "dscore"
"""Name of this model in every table."""

MINIMUM_SLOPE = 0.1
"""Log-odds per standard deviation of the logit: a recalibration may stretch scores, never reverse or erase
their order (nor let the small differences between the folds' intercepts decide it)."""


class Calibration(NamedTuple):
    """``probability = expit(intercept + slope * logit)``."""

    intercept: float
    slope: float

    def __call__(self, logits: np.ndarray) -> np.ndarray:
        """Probabilities of logits."""
        return expit(self.intercept + self.slope * np.asarray(logits, float))


def score_fold(
    network: DScoreNetwork, channels: np.ndarray, splits: pd.DataFrame, fold: int, settings: Network
) -> pd.DataFrame:
    """Scores of everyone the network of ``fold`` never saw.

    Returns
    -------
    DataFrame
        ``patient_id, split, fold, logit, probability`` (not calibrated): held-out development patients
        and all internal and external patients, sorted by patient; ``fold`` names the network.
    """
    unseen = ((splits["split"] != "development") | (splits["fold"] == fold)).to_numpy()
    logits = predict_logits(network, channels[unseen], settings.average_flips)
    scores = splits.loc[unseen, ["patient_id", "split"]].assign(fold=fold, logit=logits, probability=expit(logits))
    return scores.sort_values("patient_id", ignore_index=True)


def gather_logits(scores: Sequence[pd.DataFrame], splits: pd.DataFrame) -> pd.DataFrame:
    """One logit for each patient: out of fold in development, else the mean over the fold networks.

    Parameters
    ----------
    scores : sequence of DataFrame
        What :func:`score_fold` gave for each fold.
    splits : DataFrame
        ``patient_id, centre, label, split, fold``.

    Returns
    -------
    DataFrame
        ``splits`` with a column ``logit``, sorted by patient.

    Raises
    ------
    StudyError
        A development patient without a score of her own fold, or another patient without all.
    """
    stacked = pd.concat(scores).rename(columns={"fold": "network"})
    own = stacked.drop(columns="split").merge(splits, on="patient_id", how="inner")
    own = own[(own["split"] != "development") | (own["network"] == own["fold"])]
    per_patient = own.groupby("patient_id")["logit"].agg(["mean", "size"])
    expected = np.where(splits["split"] == "development", 1, len(scores))
    found = splits["patient_id"].map(per_patient["size"]).fillna(0).to_numpy()
    if (found != expected).any():
        row = np.flatnonzero(found != expected)[0]
        patient, fold = splits["patient_id"].iloc[row], splits["fold"].iloc[row]
        raise StudyError(
            f"patient {patient!r} ({splits['split'].iloc[row]}, fold {fold}) has {int(found[row])} D-scores where "
            f"{int(expected[row])} belong; run notebook 04 for every fold"
        )
    gathered = splits.assign(logit=splits["patient_id"].map(per_patient["mean"]))
    return gathered.sort_values("patient_id", ignore_index=True)


def fit_calibration(logits: np.ndarray, labels: np.ndarray) -> Calibration:
    """Platt's logistic recalibration of out-of-fold ``logits`` ``(n,)`` on ``labels`` ``(n,)``.

    Targets are pulled towards the middle as in Platt 1999, so that scores which separate the labels
    keep a finite slope; the slope has a floor, :data:`MINIMUM_SLOPE`.
    """
    logits, labels = np.asarray(logits, float), np.asarray(labels)
    positives, negatives = int((labels == 1).sum()), int((labels == 0).sum())
    targets = np.where(labels == 1, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    scale = max(float(logits.std()), 1e-6)  # the optimiser works on logits of unit spread

    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        linear = parameters[0] + parameters[1] * logits / scale
        excess = expit(linear) - targets
        value = np.mean(np.logaddexp(0, linear) - targets * linear)
        return value, np.array([excess.mean(), (excess * logits / scale).mean()])

    bounds = [(None, None), (MINIMUM_SLOPE, None)]
    found = minimize(loss, x0=[0.0, 1.0], jac=True, bounds=bounds, method="L-BFGS-B", options={"gtol": 1e-10})
    return Calibration(float(found.x[0]), float(found.x[1] / scale))


def calibrated_predictions(gathered: pd.DataFrame) -> tuple[pd.DataFrame, Calibration]:
    """The D-score as a usable probability, and the recalibration applied to new patients.

    Parameters
    ----------
    gathered : DataFrame
        What :func:`gather_logits` gave.

    Returns
    -------
    predictions : DataFrame
        The predictions contract of model ``dscore``.
    calibration : Calibration
        Fitted on all development out-of-fold logits; applied to internal and external patients.
        The mean of several logits is steadier than a single one, so it tends to be a little timid
        there (calibration slope above 1).
    """
    development = gathered[gathered["split"] == "development"]
    calibration = fit_calibration(development["logit"], development["label"])
    probability = pd.Series(calibration(gathered["logit"]), index=gathered.index)
    for fold in sorted(development["fold"].unique()):
        inside, others = development["fold"] == fold, development["fold"] != fold
        without = fit_calibration(development.loc[others, "logit"], development.loc[others, "label"])
        probability[development.index[inside]] = without(development.loc[inside, "logit"])
    predictions = gathered.assign(model=MODEL, probability=probability)[list(PREDICTION_COLUMNS)]
    return predictions.sort_values(["model", "patient_id"], ignore_index=True), calibration


def gather_trained_on(trained_on: Mapping[int, pd.DataFrame]) -> pd.DataFrame:
    """Provenance of the D-score from each fold's ``patient_id, use``.

    Fold -1, the ensemble applied to internal and external patients, saw whomever any fold saw.
    """
    parts = [frame[["patient_id"]].assign(fold=fold) for fold, frame in trained_on.items()]
    parts.append(pd.concat(parts)[["patient_id"]].drop_duplicates().assign(fold=NO_FOLD))
    rows = pd.concat(parts).assign(model=MODEL)
    return rows[list(TRAINED_ON_COLUMNS)].sort_values(["fold", "patient_id"], ignore_index=True)


def frozen_description(
    trained_on: pd.DataFrame,
    splits: pd.DataFrame,
    fold: int,
    settings: Network,
    preprocessing: Mapping[str, Any],
    pretrained: Pretrained | None = None,
    channels_named: Sequence[str] = CHANNELS,
) -> dict[str, Any]:
    """What stands beside the weights of a fold so that they can be used, or refused, years later."""
    labels = splits.set_index("patient_id")["label"].loc[trained_on["patient_id"]]
    return {
        "model": MODEL,
        "fold": fold,
        "channels": list(channels_named),
        "network": settings.model_dump(),
        "preprocessing": dict(preprocessing),
        "pretrained": {"file": pretrained.file, "sha256": pretrained.sha256} if pretrained else None,
        "training_patients": len(labels),
        "training_fingerprint": fingerprint(labels.index, labels),
    }


def thaw(description: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> DScoreNetwork:
    """The network of :func:`frozen_description` and its weights, ready for inference."""
    return network_from_arrays(Network(**description["network"]), arrays, tuple(description["channels"]))
