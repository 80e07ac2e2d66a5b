"""Which predictors stay, and how often they would stay in another sample of patients.

A variable enters or leaves with all its terms, by the likelihood-ratio test or by AIC. The whole
selection is repeated on bootstrap resamples: frequencies of inclusion, and the models from which
Harrell's optimism is computed (Harrell 2015; Heinze, Wallisch and Dunkler, Biometrical Journal 2018).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import binomtest

from her2study.models.frozen import linear_predictor
from her2study.models.logistic import FIRTH, LikelihoodRatio, drop_test, fit_estimable, imputed_design
from her2study.models.odds import screening_p
from her2study.parallel import map_patients
from her2study.study import Clinical, Variable
from her2study.types import StudyError

Frozen = dict[str, Any]


class Selection(NamedTuple):
    """Variables kept, in the order of the settings, and what became of each candidate in words."""

    kept: list[str]
    notes: dict[str, str]


class Resampled(NamedTuple):
    """Models developed anew in bootstrap resamples.

    ``draws (B, n)``: which rows of the patients each of them saw; ``frozen``: the B models; ``failed``:
    how many further resamples had no model (one class only, or a D-score that separates the classes).
    """

    draws: NDArray[np.int64]
    frozen: list[Frozen]
    failed: int


def select_predictors(
    patients: pd.DataFrame, variables: dict[str, Variable], settings: Clinical, screened: pd.DataFrame | None = None
) -> Selection:
    """Backward selection among variables that pass the screen.

    ``backward``: while the weakest variable's likelihood-ratio p is not below ``keep_p`` it leaves.
    ``aic``: while AIC falls, the variable without which it is lowest leaves (R's ``step``). Under separation
    the likelihoods are Firth's, with the penalty of the larger model on both sides. If a set cannot be
    estimated together, the variable with the largest screening p leaves.

    Parameters
    ----------
    screened : DataFrame, optional
        From :func:`~her2study.models.odds.screen` of the same patients, if at hand.
    """
    if screened is None:
        alone: Mapping[str, float] = screening_p(patients, variables)
    else:
        alone = dict(zip(screened["variable"], screened["p_lrt"], strict=True))
    kept = [name for name in variables if alone[name] < settings.screen_p]
    notes = {name: "" if name in kept else "did not pass the screen" for name in variables}
    labels = patients["label"].to_numpy(dtype=np.int64)
    matrix, terms, _ = imputed_design(patients, variables, kept)
    owners = np.array([term.variable for term in terms])
    while kept:
        columns = np.isin(owners, kept)
        design, owner = matrix[:, columns], owners[columns]
        fit = fit_estimable(design, labels)
        if fit is None:
            weakest, why = max(kept, key=lambda name: alone[name]), "left: not estimable together with the others"
        else:
            tests = {name: drop_test(fit, design, labels, np.flatnonzero(owner == name)) for name in kept}
            leaving = _leaving({name: test for name, test in tests.items() if test}, settings)
            if leaving is None:
                break
            weakest, why = leaving
        kept = [name for name in kept if name != weakest]
        notes[weakest] = why
    return Selection(kept, notes)


def resampled_models(
    patients: pd.DataFrame, develop: Callable[[pd.DataFrame], Frozen], resamples: int, seed: int, workers: int
) -> Resampled:
    """``develop`` repeated on patients drawn with replacement, as often as there are patients.

    Parameters
    ----------
    develop : callable
        Everything that led to the model, from patients to frozen model; a module-level function or a
        partial of one, since it is sent to worker processes.
    seed, workers : int
        Same seed, same result, whatever the number of workers.

    Raises
    ------
    StudyError
        No resample gave a model.
    """
    n = len(patients)
    draws = np.random.default_rng([seed, n]).integers(0, n, size=(resamples, n))
    work = partial(_develop_again, patients.reset_index(drop=True), develop)
    found = map_patients(work, list(draws), "bootstrap of the selection", workers)
    done = [i for i, frozen in enumerate(found) if frozen is not None]
    if not done:
        raise StudyError(
            f"none of {resamples} bootstrap resamples of {n} patients ({int(patients['label'].sum())} positive) gave "
            "a model; use more patients"
        )
    return Resampled(draws[done], [frozen for frozen in found if frozen is not None], resamples - len(done))


def inclusion_table(resampled: Resampled, variables: dict[str, Variable], confidence: float = 0.95) -> pd.DataFrame:
    """How often each candidate was selected, most often first.

    Returns columns ``model, variable, label, resamples, selected, frequency`` (+ ``_low, _high``: Wilson's
    interval, the noise of finitely many resamples).
    """
    rows = []
    for name, variable in variables.items():
        selected = sum(name in frozen["variables"] for frozen in resampled.frozen)
        share = binomtest(selected, len(resampled.frozen)).proportion_ci(confidence, method="wilson")
        rows.append(
            {"model": resampled.frozen[0]["model"], "variable": name, "label": variable.label}
            | {"resamples": len(resampled.frozen), "selected": selected}
            | {"frequency": selected / len(resampled.frozen)}
            | {"frequency_low": float(share.low), "frequency_high": float(share.high)}
        )
    return pd.DataFrame(rows).sort_values("selected", ascending=False, kind="stable", ignore_index=True)


def refitted_logits(resampled: Resampled, patients: pd.DataFrame) -> NDArray[np.float64]:
    """Log odds ``(B, n)`` that each resample's model gives to the original patients."""
    return np.array([linear_predictor(frozen, patients) for frozen in resampled.frozen])


def in_words(resampled: Resampled) -> str:
    """How many resamples gave a model, and how many different selections there were, as a sentence."""
    sets = [tuple(frozen["variables"]) for frozen in resampled.frozen]
    penalised = sum(frozen["method"] == FIRTH for frozen in resampled.frozen)
    text = f"{len(sets)} of {len(sets) + resampled.failed} resamples gave a model"
    if penalised:
        text += f" ({penalised} by Firth's estimate, because of separation)"
    return f"{text}; they chose {len(set(sets))} different sets of predictors."


def _leaving(tests: Mapping[str, LikelihoodRatio], settings: Clinical) -> tuple[str, str] | None:
    """Who leaves next and why; None if all stay."""
    if not tests:
        return None
    if settings.selection == "aic":
        change = {name: test.chi_squared - 2 * test.degrees_of_freedom for name, test in tests.items()}
        weakest = min(change, key=lambda name: change[name])
        return (weakest, f"left: AIC {-change[weakest]:.2f} lower without") if change[weakest] < 0 else None
    weakest = max(tests, key=lambda name: tests[name].p)
    p = tests[weakest].p
    return (weakest, f"left in backward selection (p = {p:.3f})") if p >= settings.keep_p else None


def _develop_again(
    patients: pd.DataFrame, develop: Callable[[pd.DataFrame], Frozen], draw: NDArray[np.int64]
) -> Frozen | None:
    """The model of one resample, None where there is none."""
    try:
        return develop(patients.iloc[draw].reset_index(drop=True))
    except StudyError:
        return None
