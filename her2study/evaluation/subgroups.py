"""Discrimination by subgroup, with a test whether the score works differently there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from her2study.evaluation.checks import check_probabilities, safe_logit
from her2study.evaluation.intervals import Interval, columns
from her2study.evaluation.nested import likelihood_ratio_test
from her2study.evaluation.roc import auc_interval
from her2study.study import Variable
from her2study.types import SPLITS, StudyError

MINIMUM_PER_CLASS = 8
"""Positives and negatives a subgroup needs: below, DeLong's normal approximation says nothing."""

FEW_VALUES = 3
"""A continuous variable with at most this many values (field strength) is grouped by value, not cut."""

TOO_FEW = f"too few: under {MINIMUM_PER_CLASS} positives or negatives"
NOT_RECORDED = "not recorded"


def subgroup_table(
    predictions: pd.DataFrame,
    cohort: pd.DataFrame,
    variables: Mapping[str, Variable],
    subgroups: Iterable[str],
    centre_names: Mapping[str, str],
    confidence: float = 0.95,
) -> pd.DataFrame:
    """AUC of each model in each level of each subgroup and split.

    Continuous variables are cut at the development median. Levels with too few patients, and
    patients without a value, keep their row with a note instead of an AUC: nothing is dropped
    silently. ``p_interaction`` is the likelihood-ratio test of logit(score) x subgroup
    (:func:`interaction_p`), one value a subgroup, model and split, over the levels with an AUC.

    Returns columns ``variable, subgroup`` (its print text), ``level, label`` (its print text), ``model, split,
    n, positives, auc, auc_low, auc_high, p_interaction, note``.
    """
    rows = []
    for name in subgroups:
        level_of, labels = subgroup_levels(name, predictions, cohort, variables, centre_names)
        heading = "Centre" if name == "centre" else variables[name].label
        level = predictions["patient_id"].map(level_of)
        for split in (s for s in SPLITS if s in set(predictions["split"])):
            for model, scored in predictions[predictions["split"] == split].groupby("model", sort=True):
                own = level.loc[scored.index]
                found = [
                    {"level": value, "label": text} | _level_row(scored[own == value], confidence)
                    for value, text in labels.items()
                ]
                usable = own.isin([value for value, row in zip(labels, found, strict=True) if not row["note"]])
                tested = scored.loc[usable, "label"], scored.loc[usable, "probability"], own[usable]
                p = interaction_p(*tested) if usable.any() else np.nan
                where = {"variable": name, "subgroup": heading, "model": model, "split": split, "p_interaction": p}
                rows += [where | row for row in found if row["n"] > 0]
    names = ["variable", "subgroup", "level", "label", "model", "split", "n", "positives", "auc", "auc_low", "auc_high"]
    return pd.DataFrame(rows, columns=[*names, "p_interaction", "note"])


def subgroup_levels(
    name: str,
    predictions: pd.DataFrame,
    cohort: pd.DataFrame,
    variables: Mapping[str, Variable],
    centre_names: Mapping[str, str],
) -> tuple[pd.Series, dict[str, str]]:
    """Level of each patient (index patient_id) and the print text of each level, in order.

    Raises
    ------
    StudyError
        The cohort has no such column.
    """
    if name not in cohort:
        raise StudyError(
            f"subgroup {name!r} is not a column of the cohort; name one of {', '.join(cohort.columns[:12])}"
        )
    values = cohort.set_index("patient_id")[name]
    if name == "centre":
        texts = {str(centre): centre_names.get(str(centre), str(centre)) for centre in sorted(values.unique())}
        return values.astype(str), texts
    variable, present = variables[name], sorted(values.dropna().unique())
    unit = f" {variable.unit}" if variable.unit else ""
    if variable.type != "continuous":
        level, texts = values, {value: value for value in variable.levels}
    elif len(present) <= FEW_VALUES:
        level, texts = values.map(lambda v: f"{v:g}", na_action="ignore"), {f"{v:g}": f"{v:g}{unit}" for v in present}
    else:
        development = predictions.loc[predictions["split"] == "development", "patient_id"]
        cut = float(values.reindex(development.unique()).median())
        texts = {"below": f"below {cut:.3g}{unit}", "at_least": f"{cut:.3g}{unit} or more"}
        level = pd.Series(np.where(values < cut, "below", "at_least"), index=values.index).where(values.notna())
    return level.astype(object).where(level.notna(), NOT_RECORDED), texts | {NOT_RECORDED: NOT_RECORDED}


def interaction_p(labels: ArrayLike, probabilities: ArrayLike, levels: ArrayLike) -> float:
    r"""Does a score work differently in the levels of a subgroup? P value of the interaction.

    Likelihood-ratio test of the logistic models

    .. math::

        \mathrm{logit}\,P(y = 1) = \alpha_g + \beta\,\mathrm{logit}\,p
        \quad\text{and}\quad
        \mathrm{logit}\,P(y = 1) = \alpha_g + \beta_g\,\mathrm{logit}\,p

    for levels g: whether the slope differs between levels, given that prevalence may. A level with one value
    of the score adds no slope; one with a single class costs a degree of freedom and can gain nothing, so
    leave it out.

    Parameters
    ----------
    labels : array_like, (n,)
        1 positive, 0 negative.
    probabilities : array_like, (n,)
        From a model that did not see these patients; kept 1e-4 from 0 and 1.
    levels : array_like, (n,)
        Level of each patient, of any type, none missing.

    Returns
    -------
    float
        Two-sided p value; missing with fewer than two levels or a constant score. It asks about the slope, not
        the AUC, and has little power in small levels: a large p value does not show that the levels are alike.

    Raises
    ------
    StudyError
        Labels are not 0/1 of both classes, a value is no probability, a level is missing, or lengths differ.

    References
    ----------
    Pocock et al., Statistics in Medicine 2002 (interaction instead of tests within subgroups). R:
    ``anova(glm(y ~ x + g, binomial), glm(y ~ x * g, binomial), test = "LRT")``.
    """
    labels, matrix = check_probabilities(labels, probabilities)
    level = pd.Series(np.asarray(levels, object))
    if len(level) != len(labels) or level.isna().any():
        raise StudyError(
            f"levels: {len(level)} for {len(labels)} patients, {int(level.isna().sum())} of them missing; give each "
            "patient a level and leave out those without"
        )
    logits = safe_logit(matrix)
    dummies = pd.get_dummies(level, drop_first=True, dtype=float).to_numpy()
    if dummies.shape[1] == 0 or np.ptp(logits) == 0:
        return np.nan
    without = np.hstack([logits, dummies])
    return likelihood_ratio_test(labels, without, np.hstack([without, dummies * logits])).p


def _level_row(scored: pd.DataFrame, confidence: float) -> dict:
    """Size of one level, and the AUC or the reason why there is none."""
    n, positives = len(scored), int(scored["label"].sum())
    note = TOO_FEW if min(positives, n - positives) < MINIMUM_PER_CLASS else ""
    interval = (
        Interval(np.nan, np.nan, np.nan) if note else auc_interval(scored["label"], scored["probability"], confidence)
    )
    return {"n": n, "positives": positives, "note": note} | columns("auc", interval)
