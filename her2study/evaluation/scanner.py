"""Does a score know the patient or the scanner? AUC among patients of one scanner, and the scanner's trace in a score.

Where the outcome is commoner at one scanner, a score that only recognises the scanner separates positives from
negatives (Zech 2018: AUC 0.861 from the hospital alone). It gives itself away: among patients of one scanner it is a
coin, and it tells scanners better than outcomes. A score that knows the patients keeps its AUC within a scanner.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from her2study.evaluation.checks import check_scores
from her2study.evaluation.findings import ATTENTION, INFORMATION, NOT_TESTED, PASSED, Finding
from her2study.evaluation.intervals import Interval, z_value
from her2study.evaluation.roc import auc_interval
from her2study.evaluation.wording import model_words, split_words
from her2study.study import Variable
from her2study.types import SPLITS, Scores, StudyError
from her2study.words import interval, listing

SCANNER = ("centre", "manufacturer", "field_strength_t")
"""Columns of the cohort, those that there are, which together name a scanner."""

MINIMUM_PER_CLASS = 8
"""Positives and negatives, with a partner on the same scanner, below which nothing is tested."""

TOO_FEW = f"under {MINIMUM_PER_CLASS} patients to compare"

CHECK = "scanner or patient"
"""First words of the checks that a score which only knows the scanner does not pass."""


class WithinAuc(NamedTuple):
    """AUC over all pairs, over the pairs of one group, and how much the first exceeds the second."""

    pooled: Interval
    within: Interval
    drop: Interval


def within_auc(labels: ArrayLike, scores: ArrayLike, groups: ArrayLike, confidence: float = 0.95) -> WithinAuc:
    """AUC among patients of the same group: ``Σ K_ij [g_i = g_j] / Σ [g_i = g_j]`` over positives i, negatives j.

    ``K`` is 1 where the positive scores higher, ½ at ties. It is the mean of the groups' AUCs weighted by
    their pairs (the covariate-adjusted AUC of Janes and Pepe, Biometrika 2009, for a grouping). Intervals are
    normal, from the patients' shares in each ratio of U-statistics, as in DeLong's method, to which ``pooled``
    is equal; the same shares give the interval of the difference.

    Parameters
    ----------
    labels, scores : array (n,)
    groups : array (n,)
        Scanner, centre or another grouping.

    Raises
    ------
    StudyError
        As :func:`~her2study.evaluation.roc.auc`, or no positive shares a group with a negative.
    """
    labels, matrix = check_scores(labels, scores)
    positive, groups = labels == 1, pd.factorize(np.asarray(groups, dtype=object), use_na_sentinel=False)[0]
    above, below = matrix[positive, 0][:, None], matrix[~positive, 0]
    wins = (above > below) + 0.5 * (above == below)
    same = groups[positive][:, None] == groups[~positive]
    if not same.any():
        raise StudyError("no positive shares a group with a negative: nothing can be compared within groups")
    estimates = np.array([wins.mean(), wins[same].mean()])
    excess = np.stack([wins - estimates[0], np.where(same, wins - estimates[1], 0) / same.mean()])
    covariance = sum(_covariance_of_mean(excess.mean(axis=axis)) for axis in (1, 2))
    reach = z_value(confidence) * np.sqrt(
        [*np.diag(covariance), covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]]
    )
    drop = estimates[0] - estimates[1]
    areas = [
        Interval(e, max(0.0, e - r), min(1.0, e + r)) for e, r in zip(estimates.tolist(), reach.tolist(), strict=False)
    ]
    return WithinAuc(*areas, Interval(float(drop), float(drop - reach[2]), float(drop + reach[2])))


def scanner_names(cohort: pd.DataFrame) -> pd.Series:
    """Scanner of each patient (index ``patient_id``): centre, manufacturer and field strength, as far as recorded."""
    columns = [name for name in SCANNER if name in cohort]
    text = cohort.set_index("patient_id")[columns].astype("str").fillna("not recorded")
    return text.agg(", ".join, axis=1)


def scanner_findings(
    predictions: pd.DataFrame, cohort: pd.DataFrame, models: Sequence[str], confidence: float = 0.95
) -> list[Finding]:
    """For each model and split: the AUC within scanners, and how well the score tells the scanners apart.

    The first draws attention where the pooled AUC is above 0.5, exceeds that within scanners, and nothing is left
    within; if something is left it informs. The second draws attention where the score tells some scanner from the
    others (patients with the same outcome; interval widened for the number of scanners) better than it could tell
    the outcome within scanners.
    """
    scanner = scanner_names(cohort)
    found = []
    for split in (name for name in SPLITS if name in set(predictions["split"])):
        for model in models:
            own = predictions[(predictions["split"] == split) & (predictions["model"] == model)]
            if len(own):
                found += _model_findings(model, split, own, own["patient_id"].map(scanner), confidence)
    return found


def acquisition_only_finding(
    cohort: pd.DataFrame, splits: pd.DataFrame, variables: Mapping[str, Variable], confidence: float = 0.95
) -> Finding:
    """Out-of-fold AUC in development of a logistic regression that knows centre and acquisition, no patient."""
    development = splits[splits["split"] == "development"].sort_values("patient_id")
    names = [name for name, v in variables.items() if v.role == "acquisition" and name in cohort]
    known = cohort.set_index("patient_id").loc[development["patient_id"], ["centre", *names]]
    if known.nunique(dropna=False).max() < 2:
        detail = "centre and acquisition are the same for all development patients, as far as recorded"
        return Finding("acquisition-only baseline AUC", np.nan, np.nan, np.nan, NOT_TESTED, detail)
    scores = acquisition_scores(known, development["label"].to_numpy(np.int64), development["fold"].to_numpy())
    area = auc_interval(development["label"], scores, confidence)
    verdict = ATTENTION if area.low > 0.5 else PASSED
    words = listing(["centre", *[variables[name].label.lower() for name in names]])
    detail = f"out-of-fold AUC of a model that knows {words} and no patient; compare every model with it"
    return Finding("acquisition-only baseline AUC", *area, verdict, detail)


def acquisition_scores(known: pd.DataFrame, labels: np.ndarray, folds: np.ndarray) -> Scores:
    """Out-of-fold log odds ``(n,)`` from a ridge logistic regression on the columns of ``known``."""
    numeric = [name for name in known if pd.api.types.is_numeric_dtype(known[name]) and known[name].notna().any()]
    words = [name for name in known if not pd.api.types.is_numeric_dtype(known[name])]
    text = known[words].astype("str").fillna("not recorded")
    known = pd.concat([text, known[numeric].astype("float64")], axis=1)
    model = make_pipeline(
        make_column_transformer(
            (OneHotEncoder(handle_unknown="ignore"), words),
            (make_pipeline(SimpleImputer(keep_empty_features=True), StandardScaler()), numeric),
        ),
        LogisticRegression(max_iter=1000),
    )
    scores = np.empty(len(labels))
    for fold in np.unique(folds):
        held_out = folds == fold
        scores[held_out] = model.fit(known[~held_out], labels[~held_out]).decision_function(known[held_out])
    return scores


def scanner_sentences(findings: Sequence[Finding]) -> list[str]:
    """What the scanner's checks among the findings amount to: a warning for each, or that there is none."""
    own = [finding for finding in findings if finding.check.startswith(CHECK)]
    warned = [f"{_capital(finding.detail)}." for finding in own if finding.verdict == ATTENTION]
    if warned:
        return warned
    if any(finding.verdict != NOT_TESTED for finding in own):
        return ["No sign that a model knows the scanner and not the patient."]
    return ["Whether a model knows the scanner and not the patient cannot be tested here: " + _why_not(own)]


def _model_findings(model: str, split: str, own: pd.DataFrame, scanner: pd.Series, confidence: float) -> list[Finding]:
    """Both checks of one model in one split."""
    where, checks = (
        f"{model}, {split}",
        [f"{CHECK}: {what}" for what in ("AUC within scanners", "scanner in the score")],
    )
    labels, scores = own["label"].to_numpy(np.int64), own["probability"].to_numpy(np.float64)
    if len(np.unique(scanner)) < 2 or _too_few(labels, scanner):
        why = f"scanners have {TOO_FEW}" if len(np.unique(scanner)) > 1 else "all patients are of one scanner"
        return [Finding(f"{check}, {where}", np.nan, np.nan, np.nan, NOT_TESTED, why) for check in checks]
    area = within_auc(labels, scores, scanner, confidence)
    who, pooled, left = f"{model_words(model)} in {split_words(split)}", interval(*area.pooled), interval(*area.within)
    verdict, detail = PASSED, f"AUC among patients of the same scanner; of all patients {pooled}"
    if area.pooled.low > 0.5 and area.drop.low > 0:
        verdict = INFORMATION
        detail = f"part of the AUC of {who}, {pooled}, is a difference between scanners: report that within scanners"
        if area.within.low <= 0.5:
            verdict = ATTENTION
            detail = f"{who} separates scanners, not patients: AUC {pooled} of all patients, {left} within scanners"
    found = [Finding(f"{checks[0]}, {where}", *area.within, verdict, detail)]

    return [*found, _trace_finding(f"{checks[1]}, {where}", who, own, scanner, area.within, confidence)]


def _trace_finding(
    check: str, who: str, own: pd.DataFrame, scanner: pd.Series, within: Interval, confidence: float
) -> Finding:
    """The scanner that the score tells best from the others."""
    labels, scores = own["label"].to_numpy(np.int64), own["probability"].to_numpy(np.float64)
    names = [name for name in np.unique(scanner) if not _too_few(scanner == name, labels)]
    if not names:
        return Finding(check, np.nan, np.nan, np.nan, NOT_TESTED, f"every scanner has {TOO_FEW} of an outcome")
    if len(np.unique(scanner)) == 2:
        names = names[:1]  # one against the other says it all
    widened = 1 - (1 - confidence) / len(names)
    traces = {name: _above_half(within_auc(scanner == name, scores, labels, widened).within) for name in names}
    name, trace = max(traces.items(), key=lambda pair: pair[1].low)
    if trace.low > within.high:
        told = f"tells the scanner ({name}: AUC {interval(*trace)}) better than the outcome"
        detail = f"{who} {told} (within scanners {interval(*within)})"
        return Finding(check, *trace, ATTENTION, detail)
    detail = f"AUC with which the score tells {name} from other scanners among patients of one outcome"
    return Finding(check, *trace, PASSED, detail)


def _too_few(classes: ArrayLike, groups: ArrayLike) -> bool:
    """Whether a class has too few members who share a group with the other class."""
    positive, groups = np.asarray(classes, bool), np.asarray(groups)
    one, other = groups[positive], groups[~positive]
    return min(np.isin(one, other).sum(), np.isin(other, one).sum()) < MINIMUM_PER_CLASS


def _above_half(area: Interval) -> Interval:
    """An AUC read in the direction in which it exceeds 0.5."""
    return area if area.estimate >= 0.5 else Interval(1 - area.estimate, 1 - area.high, 1 - area.low)


def _covariance_of_mean(shares: np.ndarray) -> np.ndarray:
    """Covariance ``(2, 2)`` of the means of shares ``(2, patients)``."""
    return np.atleast_2d(np.cov(shares)) / shares.shape[1]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _why_not(findings: Sequence[Finding]) -> str:
    return f"{findings[0].detail}." if findings else "no model was given."
