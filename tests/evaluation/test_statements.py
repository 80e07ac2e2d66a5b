"""Sentences on tests and corrections: each must follow from its interval, and a null result is said as null."""

import numpy as np
import pandas as pd
import pytest

from her2study.evaluation import statements
from her2study.evaluation.calibration import calibration_table
from her2study.evaluation.compare import global_table
from her2study.evaluation.decision import decision_differences
from her2study.evaluation.paired import mcnemar_table
from her2study.evaluation.pooling import centre_table
from her2study.evaluation.recalibration import recalibrated
from her2study.evaluation.thresholds import choose_thresholds
from tests.evaluation.golden import make_predictions

NAN = float("nan")


def frame(**columns):
    return pd.DataFrame([{"split": "external", "model_a": "combined", "model_b": "resnet_v2"} | columns])


@pytest.mark.parametrize(
    ("p", "note", "words"),
    [
        (0.0004, "", "the AUCs of the 3 models are not all equal (χ² 9.10, degrees of freedom 2, p < 0.001)"),
        (
            0.2,
            "",
            "there is no evidence that the AUCs of the 3 models differ (χ² 9.10, degrees of freedom 2, p = 0.200)",
        ),
        (NAN, "not tested: nested", "it was not tested whether the AUCs of the 3 models differ: nested."),
        (NAN, "", "differ: a model ranks without variance"),
    ],
)
def test_global_test(p, note, words):
    table = frame(models=3, chi_squared=9.1, degrees_of_freedom=2, p=p, note=note)
    (sentence,) = statements.global_sentences(table)
    assert words in sentence
    assert sentence.startswith("In external patients, ")


def test_a_null_global_test_claims_no_equality():
    table = frame(models=3, chi_squared=1, degrees_of_freedom=2, p=0.6, note="")
    assert "does not prove them equal" in statements.global_sentences(table)[0]
    assert "not all equal" in statements.global_sentences(table, confidence=0.3)[0]
    assert "(too few)" in statements.global_sentences(table.assign(note="too few"))[0]


def line(model, intercept, slope):
    ends = {
        "intercept_low": intercept[0],
        "intercept_high": intercept[1],
        "slope_low": slope[0],
        "slope_high": slope[1],
    }
    middle = {"intercept": sum(intercept) / 2, "slope": sum(slope) / 2}
    return {"split": "external", "model": model} | middle | ends


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (((-1, -0.2), (0.8, 1.2)), ((-0.3, 0.3), (0.8, 1.2)), "predicts too high on average; after the update of its "
         "intercept it shows no miscalibration that these patients could reveal (before: intercept −0.60"),
        (((-1, -0.2), (0.8, 1.2)), ((-1, -0.1), (0.8, 1.2)), "too high on average, and still does so after the update"),
        (((-1, -0.2), (0.8, 1.2)), ((0.1, 0.5), (0.8, 1.2)), "too high on average, but after the update of its "
         "intercept it predicts too low on average"),
        (((-1, 0.2), (0.8, 1.2)), ((-1, 0.1), (0.8, 1.2)), "could reveal, before and after the update of its"),
        (((-1, 0.2), (0.8, 1.2)), ((0.1, 1), (0.8, 1.2)), "could reveal, but after the update of its intercept it "
         "predicts too low on average"),
    ],
)  # fmt: skip
def test_recalibration_compares_a_model_with_itself(before, after, words):
    table = pd.DataFrame([line("clinical", *before), line("clinical_intercept_updated", *after)])
    (sentence,) = statements.recalibration_sentences(table)
    assert sentence.startswith("In external patients, the clinical model ")
    assert words in sentence


def test_recalibration_without_the_original_or_without_an_update_says_nothing():
    row = line("clinical_slope_updated", (0, 1), (0, 1))
    assert statements.recalibration_sentences(pd.DataFrame([row])) == []
    assert statements.recalibration_sentences(pd.DataFrame([row | {"model": "clinical"}])) == []


def differences(low, high):
    thresholds = np.arange(1, 1 + len(low)) / 10
    rows = {"threshold": thresholds, "difference": (np.array(low) + high) / 2, "low": low, "high": high}
    return pd.DataFrame(rows).assign(split="external", model_a="combined", model_b="treat_all")


def test_net_benefit_is_claimed_where_a_band_excludes_zero_and_gaps_are_told():
    (sentence,) = statements.net_benefit_sentences(
        differences([0.01, 0.02, -0.01, 0.03, -0.1], [0.1, 0.1, 0.1, 0.2, -0.01])
    )
    assert sentence == (
        "In external patients, the combined model, compared with treating everyone, has the higher net benefit at 3 of "
        "5 thresholds (10% to 20%, 40%), with a largest difference of 0.115 (0.030 to 0.200) and has the lower net "
        "benefit at 1 of 5 thresholds (50%), with a largest difference of −0.055 (−0.100 to −0.010); the bands are "
        "pointwise: of many thresholds a few exclude zero by chance."
    )


def test_no_band_that_excludes_zero_is_no_evidence():
    (sentence,) = statements.net_benefit_sentences(differences([-0.03, -0.02, NAN], [0.01, 0.0, NAN]))
    assert "no evidence that the combined model and treating everyone differ in net benefit at any of 2" in sentence
    assert "(10% to 20%); differences from −0.030 to 0.010 remain possible" in sentence
    assert "is estimable" in statements.net_benefit_sentences(differences([NAN], [NAN]))[0]


def centres(pooled, prediction, p=0.3, note=""):
    common = {"model": "clinical", "note": ""}
    rows = [common | {"kind": "centre", "auc": 0.7, "note": note} for note in ("", "", "", "not pooled")]
    tests = {"tau_squared": 0.1, "i_squared": 0.42, "p_heterogeneity": p}
    for kind, ends, more in (("pooled", pooled, tests), ("prediction", prediction, {})):
        rows.append(
            common | {"kind": kind, "note": note} | dict(zip(("auc", "auc_low", "auc_high"), ends, strict=True)) | more
        )
    return pd.DataFrame(rows)


def test_pooled_centres_and_a_new_one():
    first, second = statements.centre_sentences(centres((0.75, 0.7, 0.8), (0.75, 0.52, 0.9)), "HER2-positive")
    assert first == (
        "Pooled over 3 centres, the clinical model tells HER2-positive from other tumours better than chance (AUC 0.75 "
        "(0.70 to 0.80)); there is no evidence that they differ by more than chance (I² 42%, p = 0.300), though so few "
        "could hardly show it."
    )
    assert second == (
        "In a new centre like these, the AUC of the clinical model is expected between 0.52 and 0.90 (95% prediction "
        "interval), better than chance throughout."
    )


@pytest.mark.parametrize(
    ("pooled", "prediction", "p", "note", "words"),
    [
        ((0.75, 0.7, 0.8), (0.75, 0.45, 0.9), 0.3, "", "a centre where it does not work cannot be ruled out"),
        ((0.3, 0.2, 0.4), (0.3, 0.1, 0.45), 0.3, "", "worse than chance throughout"),
        ((0.55, 0.45, 0.6), (0.55, 0.4, 0.9), 0.3, "", "there is no evidence that the clinical model"),
        ((0.75, 0.7, 0.8), (0.75, 0.45, 0.9), 0.02, "", "they differ by more than chance explains (I² 42%, p = 0.020)"),
        ((0.75, 0.7, 0.8), (NAN, NAN, NAN), 0.3, "two centres", "in a new centre cannot be said: two centres."),
        ((NAN, NAN, NAN), (NAN, NAN, NAN), NAN, "one centre", "of the clinical model are not pooled: one centre."),
    ],
)
def test_centres_say_what_their_intervals_say(pooled, prediction, p, note, words):
    assert words in " ".join(statements.centre_sentences(centres(pooled, prediction, p, note), "HER2-positive"))


@pytest.mark.parametrize(
    ("measure", "low", "high", "p", "p_holm", "words"),
    [
        ("sensitivity", 0.01, 0.2, 0.01, 0.02, "the combined model recognises more positive patients than the model "
         "'resnet_v2' (difference in sensitivity 0.11 (0.01 to 0.20)"),
        ("specificity", -0.3, -0.1, 0.0001, 0.0002, "recognises fewer negative patients than the model 'resnet_v2' ("),
        ("accuracy", 0.01, 0.2, 0.03, 0.06, "calls more patients rightly than the model 'resnet_v2', though not after"),
        ("accuracy", 0.01, 0.2, 0.06, 0.06, "though McNemar's test does not confirm it"),
        ("accuracy", -0.01, 0.2, 0.06, 0.06, "no evidence that the combined model and the model 'resnet_v2' differ in "
         "accuracy ("),
        ("accuracy", -0.01, 0.2, 0.04, 0.08, "although McNemar's test alone would say so"),
    ],
)  # fmt: skip
def test_mcnemar(measure, low, high, p, p_holm, words):
    ends = {"difference": (low + high) / 2, "difference_low": low, "difference_high": high}
    table = frame(measure=measure, only_a=9, only_b=2, p=p, p_holm=p_holm, **ends)
    (sentence,) = statements.mcnemar_sentences(table)
    assert words in sentence
    assert "right by one only: 9 and 2 patients" in sentence
    assert statements.mcnemar_sentences(table.assign(p=NAN)) == []


@pytest.mark.parametrize(
    ("measure", "corrected", "words"),
    [
        ("auc", (0.7, 0.6, 0.8), "has an apparent AUC of 0.78; corrected for optimism by 200 repeated developments "
         "it is 0.70 (0.60 to 0.80), which is better than chance"),
        ("auc", (0.55, 0.45, 0.6), "0.55 (0.45 to 0.60), which does not exclude chance"),
        ("auc", (NAN, NAN, NAN), "The optimism of the clinical model cannot be estimated"),
        ("slope", (0.8, 0.7, 0.95), "will predict too extremely for new patients (slope corrected for optimism 0.80"),
        ("slope", (1.2, 1.1, 1.3), "will predict too timidly for new patients"),
        ("slope", (0.9, 0.7, 1.1), "may predict too extremely or too timidly for new patients: these cannot tell"),
        ("slope", (NAN, NAN, NAN), "The shrinkage that the clinical model needs cannot be estimated"),
    ],
)  # fmt: skip
def test_optimism(measure, corrected, words):
    ends = dict(zip(("corrected", "corrected_low", "corrected_high"), corrected, strict=True))
    row = {"model": "clinical", "measure": measure, "resamples": 200, "apparent": 0.78, "optimism": 0.08} | ends
    (sentence,) = statements.optimism_sentences(pd.DataFrame([row]))
    assert words in sentence


def test_the_tables_of_the_package_give_a_sentence_a_row():
    models = {"dscore": 1.0, "combined": 1.4, "resnet_v2": 0.2}
    predictions = make_predictions(models, n=60)
    pairs = [("combined", "resnet_v2"), ("dscore", "resnet_v2")]
    table = global_table(predictions)
    assert len(statements.global_sentences(table)) == len(table) == 3
    paired = mcnemar_table(predictions, choose_thresholds(predictions), pairs)
    assert len(statements.mcnemar_sentences(paired)) == len(paired) == 18
    found = decision_differences(predictions, pairs, [0.2, 0.3], resamples=20)
    assert len(statements.net_benefit_sentences(found)) == 6
    assert len(statements.centre_sentences(centre_table(predictions), "HER2-positive")) == 6
    both = pd.concat([predictions, recalibrated(predictions, ["dscore"], "intercept")])
    assert len(statements.recalibration_sentences(calibration_table(both, resamples=20))) == 3
