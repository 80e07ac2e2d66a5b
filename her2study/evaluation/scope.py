"""What an evaluation of any predictions will compare, at which thresholds, and which of it was decided for the user."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import combinations

import pandas as pd

from her2study.evaluation.compare import auc_table
from her2study.evaluation.nested import NESTED
from her2study.evaluation.thresholds import choose_thresholds
from her2study.study import nearest
from her2study.types import StudyError

Pair = tuple[str, str]

ALL_PAIRS = 6
"""Up to this many models, every pair is compared; with more, each model with one."""


@dataclass(frozen=True)
class Settings:
    """How an evaluation is done. What is None is decided by :func:`make_plan`.

    Parameters
    ----------
    confidence, resamples, seed
        Of every interval and every bootstrap.
    pairs : tuple of (a, b), optional
        Models to compare; differences are a minus b.
    nested : tuple of (larger, smaller)
        Models of which one contains the other: in development they get the likelihood-ratio test, never DeLong's.
    thresholds : mapping
        ``{model: threshold}``, frozen elsewhere; the others are chosen on development rows.
    rule : str, optional
        ``youden``, ``sensitivity`` or ``specificity``: how thresholds are chosen on development rows.
    target : float, optional
        The sensitivity or specificity to reach, for that rule.
    targets : mapping
        Those of the table of operating points.
    frozen : mapping
        ``{model: {rule: threshold}}`` that travel with frozen models: the only operating points then; none is chosen.
    prevalences : tuple of float
        At which PPV and NPV are restated.
    decision_range : (low, high)
        Threshold probabilities of the decision curve.
    centres : tuple of str
        Whose AUCs are compared and pooled; empty: all.
    models : tuple of str
        All models, in the order in which the user gave them.
    """

    confidence: float = 0.95
    resamples: int = 2000
    seed: int = 0
    pairs: tuple[Pair, ...] | None = None
    nested: tuple[Pair, ...] = ()
    thresholds: Mapping[str, float] = field(default_factory=dict)
    rule: str | None = None
    target: float | None = None
    targets: Mapping[str, float] = field(default_factory=lambda: {"sensitivity": 0.9, "specificity": 0.9})
    frozen: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    prevalences: tuple[float, ...] = ()
    decision_range: tuple[float, float] = (0.05, 0.80)
    centres: tuple[str, ...] = ()
    models: tuple[str, ...] = ()


def make_plan(predictions: pd.DataFrame, settings: Settings) -> tuple[Settings, list[str]]:
    """The settings with nothing left open, and a sentence for everything that was decided here.

    Parameters
    ----------
    predictions : DataFrame
        Checked predictions of the contract.
    settings : Settings
        As the user gave them.

    Raises
    ------
    StudyError
        A model that the predictions do not have; a rule for thresholds without development rows to apply it to.
    """
    present = sorted(predictions["model"].unique())
    models = tuple(model for model in settings.models if model in present) or tuple(present)
    for what, named in (
        ("--pairs", [model for pair in settings.pairs or () for model in pair]),
        ("--nested", [model for pair in settings.nested for model in pair]),
        ("--threshold", settings.thresholds),
    ):
        _check_models(named, models, what)
    development = bool((predictions["split"] == "development").any())
    nested, told_nested = _nested(settings.nested, models, development)
    pairs, told_pairs = _pairs(predictions, settings.pairs, nested, models, development)
    thresholds, told_thresholds = _thresholds(predictions, settings, models, development)
    planned = replace(settings, models=models, nested=nested, pairs=pairs, thresholds=thresholds)
    return planned, [*told_pairs, *told_nested, *told_thresholds]


def _check_models(named: Iterable[str], models: tuple[str, ...], what: str) -> None:
    for model in named:
        if model not in models:
            raise StudyError(f"{what}: unknown model {model!r}{nearest(model, models)} Models: {', '.join(models)}.")


def _nested(given: tuple[Pair, ...], models: tuple[str, ...], development: bool) -> tuple[tuple[Pair, ...], list[str]]:
    """The pairs that the user calls nested, and those of this package's own studies."""
    own = tuple(pair for pair, added in NESTED.items() if {*pair, added} <= set(models) and pair not in given)
    notes = []
    if own:
        notes.append(
            "The model combined is taken to contain dscore and clinical, as in the studies of this package: these are "
            "nested pairs."
        )
    if development and len(models) > 1:
        named = "; ".join(f"{larger} contains {smaller}" for larger, smaller in (*given, *own))
        notes.append(
            f"Nested models: {named}. In development they get the likelihood-ratio test and no DeLong test."
            if named
            else "No model was said to contain another (--nested); in development a pair of nested models must not be "
            "tested by DeLong."
        )
    return (*given, *own), notes


def _pairs(
    predictions: pd.DataFrame,
    given: tuple[Pair, ...] | None,
    nested: tuple[Pair, ...],
    models: tuple[str, ...],
    development: bool,
) -> tuple[tuple[Pair, ...], list[str]]:
    """Which models are compared; of a nested pair the larger model comes first."""
    notes = []
    if given is not None:
        pairs = list(given)
    elif len(models) <= ALL_PAIRS:
        pairs = list(combinations(models, 2))
        if len(pairs) > 1:
            notes.append(f"All {len(pairs)} pairs of models are compared; p values are adjusted for it (Holm).")
    else:
        reference, why = _reference(predictions, models, development)
        pairs = [(model, reference) for model in models if model != reference]
        notes.append(
            f"With {len(models)} models not every pair is compared but each with {reference}, {why}; name others with "
            "--pairs."
        )
    found = {frozenset(pair) for pair in pairs}
    pairs += [pair for pair in nested if given is None and frozenset(pair) not in found]
    larger_first = {frozenset(pair): pair for pair in nested}
    return tuple(dict.fromkeys(larger_first.get(frozenset(pair), pair) for pair in pairs)), notes


def _reference(predictions: pd.DataFrame, models: tuple[str, ...], development: bool) -> tuple[str, str]:
    """The model that many others are compared with; never chosen by its result in patients that judge it."""
    if not development:
        return models[0], "the first of the table (choosing the best here would flatter it)"
    aucs = auc_table(predictions[predictions["split"] == "development"])
    best = str(aucs.sort_values(["auc", "model"], ascending=[False, True])["model"].iloc[0])
    return best, "the one with the highest AUC in development (being the best of several flatters it there)"


def _thresholds(
    predictions: pd.DataFrame, settings: Settings, models: tuple[str, ...], development: bool
) -> tuple[dict[str, float], list[str]]:
    """Given thresholds, and for other models those of the rule on development rows."""
    given, notes = dict(settings.thresholds), []
    if not development and settings.rule:
        raise StudyError(
            f"--rule {settings.rule}: there are no development rows, and a threshold is never chosen on internal or "
            "external patients; leave the option out, or give thresholds that were frozen elsewhere with --threshold"
        )
    if given:
        notes.append(f"Thresholds given: {', '.join(f'{model} {t:g}' for model, t in given.items())}.")
    others = [model for model in models if model not in given]
    if not others:
        return given, notes
    if not development:
        notes.append(
            f"No threshold for {', '.join(others)}: there are no development rows to choose one on, and a threshold is "
            "never chosen on internal or external patients (--threshold MODEL=VALUE gives one)."
        )
        return given, notes
    rule = settings.rule or "youden"
    chosen = choose_thresholds(predictions[predictions["model"].isin(others)], rule, settings.target)
    words = "Youden's index" if rule == "youden" else f"a {rule} of at least {settings.target:g}"
    notes.append(f"Thresholds of {', '.join(others)}: chosen by {words} on development out-of-fold scores, then kept.")
    return {model: (given | chosen)[model] for model in models}, notes
