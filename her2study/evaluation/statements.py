"""What tests and corrections mean, in sentences computed from their tables, after the rules of :mod:`.verdicts`.

A difference is claimed where its interval excludes zero, and with what else is known against it; otherwise the
sentence says that there is no evidence, which is not the same as no difference.
"""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from her2study.evaluation.intervals import Interval
from her2study.evaluation.verdicts import NO_FAULT, calibration_numbers, calibration_words, discrimination_words
from her2study.evaluation.wording import estimate, model_words, p_words, split_words, updated
from her2study.words import number, percent_of

FEW_CENTRES = 10
"""With fewer, the test for heterogeneity finds only gross differences."""

BETTER_CALLS = {
    "sensitivity": ("recognises more positive patients than", "recognises fewer positive patients than"),
    "specificity": ("recognises more negative patients than", "recognises fewer negative patients than"),
    "accuracy": ("calls more patients rightly than", "calls fewer patients rightly than"),
}
"""What it means that the first of two models has the higher, and the lower, share of right calls."""


def global_sentences(table: pd.DataFrame, confidence: float = 0.95) -> list[str]:
    """One sentence for each row of :func:`~her2study.evaluation.compare.global_table`."""
    sentences = []
    for row in table.itertuples():
        where, all_models = split_words(row.split), f"the AUCs of the {row.models} models"
        if not math.isfinite(row.p):
            why = row.note.removeprefix("not tested: ") or "a model ranks without variance, or a class has one patient"
            sentences.append(f"In {where}, it was not tested whether {all_models} differ: {why}.")
            continue
        test = f"χ² {number(row.chi_squared)}, degrees of freedom {row.degrees_of_freedom:.0f}, p {p_words(row.p)}"
        if row.p < 1 - confidence:
            words = f"{all_models} are not all equal ({test}); which differ, the comparisons of two models say"
        else:
            words = f"there is no evidence that {all_models} differ ({test}), which does not prove them equal"
        sentences.append(f"In {where}, {words}{f' ({row.note})' if row.note else ''}.")
    return sentences


def recalibration_sentences(calibration: pd.DataFrame) -> list[str]:
    """Each recalibrated model of :func:`~her2study.evaluation.calibration.calibration_table` beside its original."""
    rows = {(row.split, row.model): row for row in calibration.itertuples()}
    sentences = []
    for (split, model), after in rows.items():
        base = updated(model)
        before = rows.get((split, base[0])) if base else None
        if before is None:
            continue
        first, then, update = calibration_words(before), calibration_words(after), f"the update of its {base[1]}"
        if first == then == NO_FAULT:
            words = f"{first}, before and after {update}"
        elif first == then:
            words = f"{first}, and still does so after {update}"
        else:
            words = f"{first}{';' if then == NO_FAULT else ', but'} after {update} it {then}"
        numbers = f"before: {calibration_numbers(before)}; after: {calibration_numbers(after)}"
        sentences.append(f"In {split_words(split)}, {model_words(base[0])} {words} ({numbers}).")
    return sentences


def net_benefit_sentences(differences: pd.DataFrame) -> list[str]:
    """One sentence for each pair and split of :func:`~her2study.evaluation.decision.decision_differences`."""
    sentences = []
    for (split, a, b), rows in differences.groupby(["split", "model_a", "model_b"], sort=False):
        first, second, known = model_words(a), model_words(b), _known(rows)
        start = f"In {split_words(split)}, "
        if known.empty:
            sentences.append(f"{start}no band of the difference in net benefit of {first} and {second} is estimable.")
            continue
        above, below = known[known["low"] > 0], known[known["high"] < 0]
        proved = [
            f"has {side} net benefit {_thresholds(part, known)}"
            for side, part in (("the higher", above), ("the lower", below))
            if len(part)
        ]
        if proved:
            caution = "the bands are pointwise: of many thresholds a few exclude zero by chance"
            sentences.append(f"{start}{first}, compared with {second}, {' and '.join(proved)}; {caution}.")
            continue
        allowed = f"{number(known['low'].min(), 3)} to {number(known['high'].max(), 3)}"
        sentences.append(
            f"{start}there is no evidence that {first} and {second} differ in net benefit at any of {len(known)} "
            f"thresholds ({_range(known)}); differences from {allowed} remain possible."
        )
    return sentences


def centre_sentences(table: pd.DataFrame, outcome: str, confidence: float = 0.95) -> list[str]:
    """Two sentences for each model of :func:`~her2study.evaluation.pooling.centre_table`: pooled, and expected."""
    sentences = []
    for model, rows in table.groupby("model", sort=False):
        kinds = {kind: part.iloc[0] for kind, part in rows.groupby("kind")}
        pooled, expected = kinds["pooled"], kinds["prediction"]
        if not math.isfinite(pooled["auc"]):
            sentences.append(f"The centres of {model_words(model)} are not pooled: {pooled['note']}.")
            continue
        interval = Interval(pooled["auc"], pooled["auc_low"], pooled["auc_high"])
        count = int(((rows["kind"] == "centre") & (rows["note"] == "")).sum())
        spread = f"I² {number(pooled['i_squared'], 0, percent=True)}%, p {p_words(pooled['p_heterogeneity'])}"
        if pooled["p_heterogeneity"] < 1 - confidence:
            words = f"they differ by more than chance explains ({spread})"
        else:
            words = f"there is no evidence that they differ by more than chance ({spread})"
            words += ", though so few could hardly show it" if count < FEW_CENTRES else ""
        found = discrimination_words(model_words(model), outcome, interval)
        sentences.append(f"Pooled over {count} centres, {found} (AUC {estimate(*interval)}); {words}.")
        sentences.append(_expectation(model, expected, confidence))
    return sentences


def _expectation(model: str, row: pd.Series, confidence: float) -> str:
    """What the prediction interval says of a centre that was not seen."""
    if not math.isfinite(row["auc_low"]):
        return f"What to expect of {model_words(model)} in a new centre cannot be said: {row['note']}."
    ends = f"{number(row['auc_low'])} and {number(row['auc_high'])}"
    if row["auc_low"] > 0.5:
        words = "better than chance throughout"
    elif row["auc_high"] < 0.5:
        words = "worse than chance throughout"
    else:
        words = "so that a centre where it does not work cannot be ruled out"
    return (
        f"In a new centre like these, the AUC of {model_words(model)} is expected between {ends} "
        f"({percent_of(confidence)} prediction interval), {words}."
    )


def mcnemar_sentences(table: pd.DataFrame, confidence: float = 0.95) -> list[str]:
    """One sentence for each tested row of :func:`~her2study.evaluation.paired.mcnemar_table`."""
    sentences = []
    for row in table[table["p"].notna()].itertuples():
        a, b, doubtful = model_words(row.model_a), model_words(row.model_b), row.p >= 1 - confidence
        if row.difference_low <= 0 <= row.difference_high:
            words = f"there is no evidence that {a} and {b} differ in {row.measure}"
            words += "" if doubtful else ", although McNemar's test alone would say so"
        else:
            words = f"{a} {BETTER_CALLS[row.measure][row.difference < 0]} {b}"
            if doubtful:
                words += ", though McNemar's test does not confirm it"
            elif row.p_holm >= 1 - confidence:
                words += ", though not after adjustment for the number of comparisons"
        difference = estimate(row.difference, row.difference_low, row.difference_high)
        numbers = f"difference in {row.measure} {difference}; right by one only: {row.only_a} and {row.only_b} patients"
        tests = f"McNemar p {p_words(row.p)}, Holm-adjusted {p_words(row.p_holm)}"
        sentences.append(f"In {split_words(row.split)}, at the frozen thresholds {words} ({numbers}; {tests}).")
    return sentences


def optimism_sentences(table: pd.DataFrame) -> list[str]:
    """What is left of each model's apparent performance, from :func:`~her2study.evaluation.optimism.optimism_table`."""
    sentences = []
    for model, rows in table.groupby("model", sort=False):
        measures = {row.measure: row for row in rows.itertuples()}
        sentences += [_corrected_auc(model, measures["auc"])] if "auc" in measures else []
        sentences += [_corrected_slope(model, measures["slope"])] if "slope" in measures else []
    return sentences


def _corrected_auc(model: str, row: Any) -> str:
    if not math.isfinite(row.corrected):
        return f"The optimism of {model_words(model)} cannot be estimated."
    words = "which is better than chance" if row.corrected_low > 0.5 else "which does not exclude chance"
    return (
        f"In its own development patients, {model_words(model)} has an apparent AUC of {number(row.apparent)}; "
        f"corrected for optimism by {row.resamples} repeated developments it is "
        f"{estimate(row.corrected, row.corrected_low, row.corrected_high)}, {words}."
    )


def _corrected_slope(model: str, row: Any) -> str:
    if not math.isfinite(row.corrected):
        return f"The shrinkage that {model_words(model)} needs cannot be estimated."
    if row.corrected_high < 1:
        words = "will predict too extremely for new patients"
    elif row.corrected_low > 1:
        words = "will predict too timidly for new patients"
    else:
        words = "may predict too extremely or too timidly for new patients: these cannot tell"
    numbers = estimate(row.corrected, row.corrected_low, row.corrected_high)
    return f"As developed, {model_words(model)} {words} (slope corrected for optimism {numbers})."


def _thresholds(part: pd.DataFrame, known: pd.DataFrame) -> str:
    """``at 12 of 76 thresholds (20% to 30%, 45%)``, and where the difference is largest."""
    top = part.loc[part["difference"].abs().idxmax()]
    most = estimate(top["difference"], top["low"], top["high"], decimals=3)
    runs = (~known.index.isin(part.index)).cumsum()[known.index.isin(part.index)]  # the same between two gaps
    where = ", ".join(_range(run) for _, run in part.groupby(runs))
    return f"at {len(part)} of {len(known)} thresholds ({where}), with a largest difference of {most}"


def _known(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows["low"].notna() & rows["high"].notna()].sort_values("threshold")


def _range(rows: pd.DataFrame) -> str:
    ends = [_percent(rows["threshold"].min()), _percent(rows["threshold"].max())]
    return " to ".join(dict.fromkeys(ends))


def _percent(threshold: float) -> str:
    return f"{number(threshold, 0, percent=True)}%"
