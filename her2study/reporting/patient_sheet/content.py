"""What the sheet of one patient says, taken from scores, flags and contributions; nothing is computed from scans."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from her2study.evaluation.wording import MODEL_LABELS, estimate, split_words
from her2study.explain.saliency.planes import Plane
from her2study.models.apply.drivers import typical_probability
from her2study.models.apply.flags import KINDS
from her2study.models.apply.scores import DSCORE, models_of
from her2study.models.bundle import Bundle
from her2study.words import ABSENT, listing, number, percent_of, reach


@dataclass(frozen=True)
class Estimate:
    """One model's probability with its interval; ``note`` says what the interval is of."""

    model: str
    label: str
    probability: float
    low: float
    high: float
    note: str

    @property
    def remark(self) -> str:
        """What the interval is of, or that there is no answer."""
        return self.note if number(self.probability) != ABSENT else "no answer: see the flags"

    @property
    def words(self) -> str:
        """``17% (11% to 26%)``."""
        if number(self.probability) == ABSENT:
            return ABSENT
        bounds = reach(self.low, self.high, 0, percent=True)
        text = f"{number(self.probability, 0, percent=True)}%"
        return text if bounds == ABSENT else f"{text} ({bounds.replace(' to ', '% to ')}%)"


@dataclass(frozen=True)
class Verdict:
    """Side of one frozen threshold on which the patient lies."""

    rule: str
    threshold: float
    positive: bool


@dataclass(frozen=True)
class Content:
    """Everything that stands on one patient's sheet."""

    patient: str
    centre: str
    title: str
    outcome: str
    simulated: bool
    fingerprint: str
    answer: Estimate | None
    others: tuple[Estimate, ...]
    verdicts: tuple[Verdict, ...]
    drivers: pd.DataFrame
    typical: float
    reference: pd.DataFrame
    accuracy: str
    flags: tuple[tuple[str, str], ...]
    reason: str
    planes: tuple[Plane, ...] = ()

    @property
    def predicted(self) -> str:
        """The answer in words."""
        if self.answer is None:
            return "No model could answer"
        return f"{self.answer.label}: probability of {self.outcome} {self.answer.words}"


def content_of(
    bundle: Bundle,
    row: Mapping[str, Any],
    contributions: pd.DataFrame,
    flags: pd.DataFrame,
    planes: tuple[Plane, ...] = (),
) -> Content:
    """The sheet's content.

    Parameters
    ----------
    row : mapping
        The patient's row of ``Applied.scores``.
    contributions, flags : DataFrame
        Of ``Applied``; those of other patients are passed over.
    """
    patient, confidence = row["patient_id"], bundle.statistics.confidence
    estimates = [_estimate(model, row, confidence) for model in models_of(bundle)]
    answer = next((estimate for estimate in estimates if estimate.model == row["model"]), None)
    own = flags[flags["patient_id"] == patient]
    driven = contributions[(contributions["patient_id"] == patient) & (contributions["model"] == row["model"])]
    order = driven["contribution"].abs().sort_values(ascending=False, kind="stable").index
    reference = bundle.reference_scores
    return Content(
        patient=str(patient),
        centre=str(row["centre"]),
        title=bundle.title,
        outcome=bundle.outcome.label,
        simulated=bundle.simulated,
        fingerprint=bundle.fingerprint,
        answer=answer,
        others=tuple(estimate for estimate in estimates if estimate is not answer),
        verdicts=_verdicts(bundle, row),
        drivers=driven.loc[order],
        typical=typical_probability(bundle.logistic[row["model"]]) if row["model"] in bundle.logistic else np.nan,
        reference=reference[reference["model"] == row["model"]],
        accuracy=_accuracy(bundle, row["model"]),
        flags=tuple(zip(own["kind"].map(KINDS), own["text"], strict=True)),
        reason=str(row["reason_unscored"]),
        planes=planes,
    )


def _estimate(model: str, row: Mapping[str, Any], confidence: float) -> Estimate:
    note = "lowest and highest of the fold networks" if model == DSCORE else f"{percent_of(confidence)} interval"
    ends = (row.get(f"{model}_low", np.nan), row.get(f"{model}_high", np.nan))
    return Estimate(model, _label(model), row[model], *ends, note)


def _label(model: str) -> str:
    label = MODEL_LABELS.get(model, model)
    return label if model == DSCORE else f"{label} model"


def _verdicts(bundle: Bundle, row: Mapping[str, Any]) -> tuple[Verdict, ...]:
    statistics = bundle.statistics
    words = {
        "sensitivity": f"to miss few: {percent_of(statistics.target_sensitivity)} sensitivity in development",
        "youden": "balanced: largest Youden index",
        "specificity": f"to alarm few: {percent_of(statistics.target_specificity)} specificity in development",
    }
    chosen = bundle.thresholds.get(row["model"], {})
    ordered = sorted(chosen.items(), key=lambda item: item[1])
    return tuple(Verdict(words.get(rule, rule), value, row[f"verdict_{rule}"] == "positive") for rule, value in ordered)


def _accuracy(bundle: Bundle, model: str) -> str:
    """How well the model did where it was judged, in one sentence: on external patients if there were any."""
    table = bundle.performance
    if "auc" not in table or not model:
        return ""
    for split in ("external", "internal", "development"):
        found = table[(table["split"] == split) & (table["model"] == model)]
        if len(found):
            one = found.iloc[0]
            who = f"on {int(one['n'])} {split_words(split)}" if "n" in one else f"on {split_words(split)}"
            told = [f"AUC {estimate(one['auc'], one.get('auc_low', np.nan), one.get('auc_high', np.nan))}"]
            if np.isfinite(one.get("sensitivity", np.nan)):
                told.append(f"sensitivity {number(one['sensitivity'], 0, percent=True)}%")
                told.append(f"specificity {number(one['specificity'], 0, percent=True)}% at the balanced threshold")
            doubt = " It was not shown to tell patients apart." if not one.get("auc_low", 1) > 0.5 else ""
            return f"In the study, {who}: {listing(told)}.{doubt}"
    return ""
