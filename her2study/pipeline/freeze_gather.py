"""What a bundle holds, gathered from the stored results of a finished study. Nothing is computed from patients but
thresholds of the D-score, in development, and what its training scans look like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from her2study.store import Run
from her2study.study import Study

if TYPE_CHECKING:  # torch and scipy take seconds, and a command must start at once
    import numpy as np
    import pandas as pd

    from her2study.models.bundle import Bundle

MODELS = ("dscore", "clinical", "combined")
"""Models that a bundle can hold, as named in the predictions."""


def gather_bundle(study: Study, run: Run) -> tuple[Bundle, list[dict[str, np.ndarray]]]:
    """The bundle of a study's stored results, not sealed yet, and the weights of its fold networks."""
    from her2study.models.bundle import Bundle
    from her2study.models.bundle.reference import reference_scores

    predictions = run.load_frame("predictions")
    logistic = {name: run.load_json(f"frozen/{name}") for name in MODELS[1:] if run.has(f"frozen/{name}.json")}
    network, weights = _networks(run)
    thresholds = _thresholds(study, predictions, logistic)
    return Bundle(
        name=run.folder.name,
        title=study.title,
        profile=study.profile,
        simulated=study.simulated,
        seed=study.seed,
        citation=study.paper.citation if study.paper else "",
        outcome=study.outcome,
        variables=dict(study.variables),
        source=study.source,
        mending=_mending(study),
        centres=study.centres,
        exclusions=study.exclusions,
        statistics=study.statistics,
        logistic=logistic,
        thresholds=thresholds,
        reference_scores=reference_scores(predictions, MODELS),
        case_mix=run.load_table("baseline"),
        performance=_performance(run, list(thresholds)),
        likeness=_likeness(study, run) if weights else None,
        **network,
    ), weights


def _networks(run: Run) -> tuple[dict[str, Any], list[dict[str, np.ndarray]]]:
    """What a bundle says of the networks, and their weights; nothing in a study that has none."""
    from her2study.study import Imaging, Network

    if not run.has("frozen/dscore.json"):
        return {}, []
    ensemble = run.load_json("frozen/dscore")
    folds = range(ensemble.get("folds", 0))
    if not folds:  # D-scores that were made elsewhere
        return {}, []
    described = run.load_json("frozen/dscore_fold_0")
    told = {
        "imaging": Imaging(**described["preprocessing"]),
        "network": Network(**described["network"]),
        "channels": tuple(described["channels"]),
        "folds": len(folds),
        "calibration": ensemble["calibration"],
    }
    return told, [run.load_arrays(f"frozen/dscore_fold_{fold}") for fold in folds]


def _mending(study: Study) -> dict[str, Any] | None:
    """The mending file as plain values; corrections name patients, and stay at home."""
    from her2study.cohort.mending import load_mending

    if not study.source.mending:
        return None
    return load_mending(study.folder / study.source.mending).model_dump(mode="json", exclude={"corrections"})


def _thresholds(study: Study, predictions: pd.DataFrame, logistic: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Those that travel with the logistic models; the D-score's are chosen here, in development as well."""
    from her2study.evaluation.thresholds import choose_thresholds

    thresholds = {name: dict(model["thresholds"]) for name, model in logistic.items()}
    own = predictions[(predictions["model"] == "dscore") & (predictions["split"] == "development")]
    if len(own):
        targets = {
            "sensitivity": study.statistics.target_sensitivity,
            "specificity": study.statistics.target_specificity,
            "youden": None,
        }
        chosen = {rule: choose_thresholds(own, rule, target)["dscore"] for rule, target in targets.items()}
        thresholds = {"dscore": chosen, **thresholds}
    return thresholds


def _performance(run: Run, models: list[str]) -> pd.DataFrame:
    """Discrimination, frozen threshold and calibration of the models that the bundle holds."""
    performance, calibration = run.load_table("performance"), run.load_table("calibration")
    keys = ["split", "model"]
    more = [name for name in calibration.columns if name not in performance]
    both = performance.merge(calibration[[*keys, *more]], on=keys, how="left")
    return both[both["model"].isin(models)].reset_index(drop=True)


def _likeness(study: Study, run: Run) -> dict[str, Any] | None:
    """What the training scans look like; nothing where they are too few to say."""
    from her2study.models.likeness import FEWEST, describe_training

    splits, index = run.load_frame("splits"), run.load_frame("volume_index")
    quality = run.load_frame("qc").set_index("patient_id").loc[index["patient_id"]].reset_index()
    training = set(splits.loc[splits["split"] == "development", "patient_id"])
    rows = index["patient_id"].isin(training).to_numpy()
    if rows.sum() < FEWEST:
        return None
    volumes = run.map_arrays("volumes")
    arrays = (volumes["channels"][rows], volumes["mask"][rows])
    return describe_training(*arrays, index[rows], quality[rows], study.imaging.channels)
