"""Conventional machine learning on radiomics and readings, on the folds of the network.

Everything that learns (stability, harmonisation, imputation, scaling, feature selection, hyper-parameters,
calibration) stands inside the pipeline that a fold's training patients fit. No resampling and no class weights:
probabilities keep the prevalence they were trained on.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import ParameterGrid, RandomizedSearchCV, StratifiedKFold
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from her2study.models.crossfit import CrossFit, Part, centre_parts, fold_parts, gather, labels_of, score_rows, seen_rows
from her2study.models.harmonise import CentreHarmoniser, StableFeatures
from her2study.models.pipelines import SPACES, build_pipeline, search_space, selected_terms
from her2study.progress import progress
from her2study.study import Baselines, Variable
from her2study.types import StudyError

Preparation: TypeAlias = Sequence[tuple[str, BaseEstimator]]
"""Named steps, from DataFrame to DataFrame, that a pipeline begins with."""


def feature_frame(cohort: pd.DataFrame, variables: dict[str, Variable], radiomics: pd.DataFrame | None) -> pd.DataFrame:
    """One row a patient (index ``patient_id``): candidate variables, then radiomics if there are any."""
    features = cohort.set_index("patient_id")[list(variables)]
    return features if radiomics is None else features.join(radiomics.set_index("patient_id"), validate="1:1")


def fit(
    model: str,
    parameters: dict[str, Any],
    features: pd.DataFrame,
    labels: NDArray[np.int64],
    variables: dict[str, Variable],
    seed: int,
    preparation: Preparation = (),
) -> Pipeline:
    """Fit one pipeline with given hyper-parameters; the same arguments give the same pipeline."""
    smallest = int(np.bincount(labels, minlength=2).min())
    pipeline = build_pipeline(model, variables, seed, smallest, preparation).set_params(**parameters)
    with threadpool_limits(1), warnings.catch_warnings():
        # the iteration limits of the solvers are part of the models, chosen with their penalties
        warnings.simplefilter("ignore", ConvergenceWarning)
        return pipeline.fit(features, labels)


def search(
    model: str,
    features: pd.DataFrame,
    labels: NDArray[np.int64],
    variables: dict[str, Variable],
    settings: Baselines,
    seed: int,
    preparation: Preparation = (),
) -> tuple[dict[str, Any], float, int]:
    """Random search by inner cross-validated AUC.

    Returns
    -------
    chosen parameters, their inner AUC (optimistic: it is the best of all), number of models tried
    """
    smallest = int(np.bincount(labels, minlength=2).min())
    if smallest < 2 * settings.inner_folds:
        raise StudyError(
            f"baselines: {smallest} training patients in the smaller class, {settings.inner_folds} inner folds need "
            f"at least {2 * settings.inner_folds}; lower baselines.inner_folds or split.folds in study.yml"
        )
    space = search_space(model, settings, *features.shape)
    inner = StratifiedKFold(settings.inner_folds, shuffle=True, random_state=seed)
    inner_smallest = smallest - -(-smallest // settings.inner_folds)
    pipeline = build_pipeline(model, variables, seed, inner_smallest, preparation)
    tried = min(settings.search_iterations, len(ParameterGrid(space)))
    searcher = RandomizedSearchCV(
        pipeline, space, n_iter=tried, scoring="roc_auc", cv=inner, refit=False, random_state=seed, error_score="raise"
    )
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # as in fit
        searcher.fit(features, labels)
    return searcher.best_params_, float(searcher.best_score_), tried


def prepare(
    features: pd.DataFrame,
    splits: pd.DataFrame,
    variables: dict[str, Variable],
    settings: Baselines,
    perturbed: pd.DataFrame | None = None,
) -> Preparation:
    """What the settings do to radiomics before a model sees them, as unfitted steps; none without radiomics."""
    if set(features) <= set(variables):
        return []
    steps: list[tuple[str, BaseEstimator]] = []
    if perturbed is not None and settings.minimum_icc:
        steps.append(("stable", StableFeatures(perturbed, settings.minimum_icc)))
    if settings.harmonise:
        steps.append(("harmonise", _harmoniser(splits, variables, settings.unseen_centres)))
    return steps


def cross_fit(
    features: pd.DataFrame,
    splits: pd.DataFrame,
    variables: dict[str, Variable],
    settings: Baselines,
    seed: int,
    perturbed: pd.DataFrame | None = None,
) -> CrossFit:
    """Every model on every fold, and on all development for internal and external patients.

    Parameters
    ----------
    features : DataFrame
        From :func:`feature_frame`.
    splits : DataFrame
        ``patient_id, centre, label, split, fold``.
    perturbed : DataFrame, optional
        Radiomics of some development patients under other masks: each fit leaves out what its own training
        patients among them show to be unstable.

    Returns
    -------
    CrossFit
        ``log``: model, fold, parameters (JSON), inner_auc, models_tried, unstable (JSON), harmonise,
        unseen_centres. ``selected``: model, fold, feature (a column of ``features``), term.
    """
    preparation = prepare(features, splits, variables, settings, perturbed)
    return _run(features, splits, variables, settings, seed, fold_parts(splits), preparation, searched=True)


def leave_one_centre_out(
    features: pd.DataFrame,
    splits: pd.DataFrame,
    variables: dict[str, Variable],
    settings: Baselines,
    seed: int,
    perturbed: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Predictions for each centre by models of all other centres, at default hyper-parameters.

    Nothing is searched, so that no choice has seen the centre that is left out.
    """
    preparation = prepare(features, splits, variables, settings, perturbed)
    parts = centre_parts(splits)
    return _run(features, splits, variables, settings, seed, parts, preparation, searched=False).predictions


def refit(
    features: pd.DataFrame,
    splits: pd.DataFrame,
    variables: dict[str, Variable],
    log: pd.DataFrame,
    model: str,
    seed: int,
    fold: int = -1,
) -> Pipeline:
    """The fitted pipeline behind stored predictions, rebuilt from the log of :func:`cross_fit`."""
    row = log[(log["model"] == model) & (log["fold"] == fold)].iloc[0]
    part = next(part for part in fold_parts(splits) if part.fold == fold)
    labels = labels_of(splits, part.train)
    steps: Preparation = [("stable", StableFeatures(unstable=json.loads(row["unstable"])))]
    if row["harmonise"]:
        steps = [*steps, ("harmonise", _harmoniser(splits, variables, row["unseen_centres"]))]
    return fit(model, _read_parameters(row["parameters"]), features.loc[part.train], labels, variables,
               fit_seed(seed, model, fold), steps)  # fmt: skip


def fit_seed(seed: int, model: str, fold: int) -> int:
    """Seed of one fit, independent of the order in which fits run."""
    return int(np.random.default_rng([seed, list(SPACES).index(model), fold + 1]).integers(2**31))


def _run(
    features: pd.DataFrame,
    splits: pd.DataFrame,
    variables: dict[str, Variable],
    settings: Baselines,
    seed: int,
    parts: list[Part],
    preparation: Preparation,
    searched: bool,
) -> CrossFit:
    scored, seen, log, selected = [], [], [], []
    for model, part in progress([(m, p) for p in parts for m in settings.models], "baselines"):
        build_pipeline(model, variables, seed)  # an unknown model is told before anything is fitted
        x, y = features.loc[part.train], labels_of(splits, part.train)
        own_seed = fit_seed(seed, model, part.fold)
        space = search_space(model, settings, *x.shape)
        parameters, inner_auc, tried = {name: values[0] for name, values in space.items()}, np.nan, 1
        if searched:
            parameters, inner_auc, tried = search(model, x, y, variables, settings, own_seed, preparation)
        pipeline = fit(model, parameters, x, y, variables, own_seed, preparation)
        seen.append(seen_rows(part, model))
        unstable = pipeline["stable"].unstable_ if "stable" in pipeline.named_steps else []
        log.append({"model": model, "fold": part.fold, "parameters": json.dumps(parameters, sort_keys=True),
                    "inner_auc": inner_auc, "models_tried": tried, "unstable": json.dumps(unstable),
                    "harmonise": settings.harmonise or "", "unseen_centres": settings.unseen_centres})  # fmt: skip
        selected += [(model, part.fold, term.variable, term.name) for term in selected_terms(pipeline)]
        if part.score:
            probability = pipeline.predict_proba(features.loc[part.score])[:, 1]
            scored.append(score_rows(splits, part, model, probability))
    return CrossFit(
        gather(scored, ["model", "patient_id"]),
        gather(seen, ["model", "fold", "patient_id"]),
        pd.DataFrame(log).sort_values(["model", "fold"], ignore_index=True),
        pd.DataFrame(selected, columns=["model", "fold", "feature", "term"]).sort_values(
            ["model", "fold", "term"], ignore_index=True
        ),
    )


def _harmoniser(splits: pd.DataFrame, variables: dict[str, Variable], unseen_centres: str) -> CentreHarmoniser:
    return CentreHarmoniser(splits.set_index("patient_id")["centre"], tuple(variables), unseen_centres)


def _read_parameters(text: str) -> dict[str, Any]:
    """Hyper-parameters from the log; JSON has lists where scikit-learn wants tuples."""
    return {name: tuple(v) if isinstance(v, list) else v for name, v in json.loads(text).items()}
