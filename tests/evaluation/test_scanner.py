"""A cohort whose only signal is the scanner is flagged; an honest one is not."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from her2study.cohort.simulate import load_assumptions, simulate_tables
from her2study.evaluation.findings import ATTENTION, INFORMATION, NOT_TESTED, PASSED
from her2study.evaluation.roc import auc, auc_interval
from her2study.evaluation.scanner import (
    CHECK,
    acquisition_only_finding,
    acquisition_scores,
    scanner_findings,
    scanner_names,
    scanner_sentences,
    within_auc,
)
from her2study.study import load_study
from her2study.types import StudyError

SIZES = {"A": 200, "B": 110, "C": 80, "D": 60}
MAKERS = {"A": "Siemens", "B": "GE", "C": "Philips", "D": "GE"}
ALIKE = {"A": 0.30, "B": 0.33, "C": 0.34, "D": 0.32}
APART = {"A": 0.15, "B": 0.60, "C": 0.30, "D": 0.30}


def cohort_of(seed, prevalence, patient, scanner):
    """Scores that rise by ``patient`` with the label and by ``scanner`` with the centre, and what is known of scans."""
    rng = np.random.default_rng([392501, seed])
    centre = np.repeat(list(SIZES), list(SIZES.values()))
    label = (rng.random(len(centre)) < [prevalence[name] for name in centre]).astype(int)
    logit = patient * label + np.array([scanner[name] for name in centre]) + rng.normal(size=len(centre)) - 1
    split = np.where(rng.random(len(centre)) < 0.2, "internal", "development")
    split = np.where(np.isin(centre, ["C", "D"]), "external", split)
    patients = [f"{name}{i:04d}" for i, name in enumerate(centre)]
    scored = {"patient_id": patients, "centre": centre, "split": split, "model": "dscore", "label": label}
    made_by = [MAKERS[name] for name in centre]
    known = pd.DataFrame({"patient_id": patients, "centre": centre, "manufacturer": made_by, "field_strength_t": 3.0})
    return pd.DataFrame(scored | {"probability": expit(logit), "fold": 0}), known


def flagged(*arguments):
    return any(finding.verdict == ATTENTION for finding in scanner_findings(*cohort_of(*arguments), ["dscore"]))


NOWHERE = dict.fromkeys(SIZES, 0.0)


@pytest.mark.parametrize(
    ("prevalence", "patient", "scanner"),
    [
        (ALIKE, 1.0, NOWHERE),
        (ALIKE, 0.4, NOWHERE),
        (ALIKE, 0.0, NOWHERE),
        (ALIKE, 1.0, {"A": 0, "B": 0.5, "C": -0.3, "D": 0.3}),
        (APART, 1.0, NOWHERE),
    ],
    ids=["honest", "weak", "no signal", "scanners shift the score", "prevalences differ"],
)
def test_an_honest_cohort_is_not_flagged(prevalence, patient, scanner):
    assert sum(flagged(seed, prevalence, patient, scanner) for seed in range(40)) <= 4


@pytest.mark.parametrize("offset", [1.0, 3.0])
def test_a_cohort_whose_only_signal_is_the_scanner_is_flagged(offset):
    scanner = {"A": 0.0, "B": offset, "C": 0.0, "D": offset}
    assert sum(flagged(seed, APART, 0.0, scanner) for seed in range(40)) >= 39


def test_the_warning_says_what_is_wrong():
    findings = scanner_findings(*cohort_of(0, APART, 0.0, {"A": 0, "B": 3, "C": 0, "D": 3}), ["dscore"])
    within, trace = findings[:2]
    assert within.check == f"{CHECK}: AUC within scanners, dscore, development"
    assert within.verdict == ATTENTION
    assert within.low < 0.5 < within.high
    assert trace.value > 0.9
    sentences = scanner_sentences(findings)
    assert sentences[0].startswith("The D-score in development patients (out-of-fold) separates scanners, not patients")
    honest = scanner_findings(*cohort_of(0, ALIKE, 1.0, NOWHERE), ["dscore"])
    assert {finding.verdict for finding in honest} == {PASSED}
    assert scanner_sentences(honest) == ["No sign that a model knows the scanner and not the patient."]


def test_what_is_left_within_scanners_is_information_not_a_warning():
    findings = scanner_findings(*cohort_of(1, APART, 1.2, {"A": -0.5, "B": 0.5, "C": 0, "D": 0}), ["dscore"])
    assert findings[0].verdict == INFORMATION
    assert "report that within scanners" in findings[0].detail
    assert findings[1].verdict == PASSED


def test_scanners_that_cannot_be_compared_are_not_tested():
    predictions, cohort = cohort_of(0, ALIKE, 1.0, NOWHERE)
    alone = predictions[predictions["centre"] == "A"]
    assert {finding.verdict for finding in scanner_findings(alone, cohort, ["dscore"])} == {NOT_TESTED}
    few = predictions.groupby(["split", "centre"]).head(6)
    findings = scanner_findings(few, cohort, ["dscore"])
    assert {finding.verdict for finding in findings} == {NOT_TESTED}
    assert scanner_sentences(findings)[0].startswith("Whether a model knows the scanner and not the patient cannot be")
    assert scanner_findings(predictions, cohort, ["another"]) == []


def test_the_auc_within_groups_is_that_of_their_pairs():
    rng = np.random.default_rng(3)
    labels, groups = rng.integers(0, 2, 120), rng.choice(list("abc"), 120)
    scores = labels + (groups == "b") + rng.normal(size=120).round(1)  # with ties
    found = within_auc(labels, scores, groups)
    assert found.pooled == pytest.approx(auc_interval(labels, scores))
    pairs, areas = [], []
    for name in "abc":
        own = groups == name
        pairs.append(labels[own].sum() * (1 - labels[own]).sum())
        areas.append(auc(labels[own], scores[own]))
    assert found.within.estimate == pytest.approx(np.average(areas, weights=pairs))
    assert found.drop.estimate == pytest.approx(found.pooled.estimate - found.within.estimate)
    one = within_auc(labels, scores, np.zeros(120))
    assert one.within == one.pooled
    assert one.drop == (0, 0, 0)
    with pytest.raises(StudyError, match="no positive shares a group"):
        within_auc([0, 1, 0, 1], [1, 2, 3, 4], ["a", "b", "a", "b"])


def test_its_intervals_have_the_width_that_resampling_gives():
    rng = np.random.default_rng(4)
    labels, groups = rng.integers(0, 2, 300), rng.choice(list("ab"), 300)
    scores = 0.7 * labels + 1.5 * (groups == "b") + rng.normal(size=300)
    found = within_auc(labels, scores, groups)
    drawn = [rng.integers(300, size=300) for _ in range(600)]
    resampled = [within_auc(labels[rows], scores[rows], groups[rows]) for rows in drawn]
    for place in ("within", "drop"):
        spread = np.std([getattr(one, place).estimate for one in resampled])
        width = (getattr(found, place).high - getattr(found, place).low) / 2 / 1.96
        assert width == pytest.approx(spread, rel=0.12)


def test_a_scanner_is_what_is_recorded_of_it():
    cohort = pd.DataFrame(
        {"patient_id": ["P1", "P2"], "centre": "A", "manufacturer": ["GE", None], "field_strength_t": [1.5, np.nan]}
    )
    assert scanner_names(cohort).tolist() == ["A, GE, 1.5", "A, not recorded, not recorded"]
    assert scanner_names(cohort[["patient_id", "centre"]]).tolist() == ["A", "A"]


def simulated_cohort(prevalence, zero):
    """Tables of the simulator with planted prevalences and, if asked, no effect of any patient's trait."""
    study = load_study("hong2025")
    a = load_assumptions(study.folder / "assumptions.yml")
    planted = a.cohort.model_copy(update={"prevalence": a.cohort.prevalence | prevalence})
    effects = dict.fromkeys(("image_latent", "rim", "log_node", "log_diameter", "non_mass", "oedema"), 0.0)
    outcome = a.outcome.model_copy(update=effects) if zero else a.outcome
    clinical, truth, _ = simulate_tables(
        study.simulation, 7, a.model_copy(update={"cohort": planted, "outcome": outcome})
    )
    cohort = clinical[clinical["patient_id"].isin(truth["patient_id"])].reset_index(drop=True)
    label = (cohort["her2_status"] == "positive").astype(int)
    development = cohort["centre"].isin(study.centres.development)
    fold = np.where(development, np.arange(len(cohort)) % 5, -1)
    splits = cohort[["patient_id", "centre"]].assign(
        label=label, fold=fold, split=np.where(development, "development", "external")
    )
    return study, cohort, splits, truth


def test_a_simulated_cohort_without_planted_effects_shows_its_scanner():
    study, cohort, splits, _ = simulated_cohort({"A": 0.15, "B": 0.6}, zero=True)
    alone = acquisition_only_finding(cohort, splits, study.variables)
    assert alone.verdict == ATTENTION
    assert "centre, manufacturer, field strength" in alone.detail
    # a model of all that is known of a patient and her scan learns the scan
    own = splits["split"].eq("development").to_numpy()
    known = cohort.loc[own, ["age_years", "largest_diameter_mm", "kinetic_curve", "field_strength_t"]]
    scores = acquisition_scores(known, splits["label"].to_numpy()[own], splits["fold"].to_numpy()[own])
    predictions = splits[own].assign(model="clinical", probability=expit(scores))
    assert predictions["label"].corr(predictions["probability"]) > 0.2
    findings = scanner_findings(predictions, cohort, ["clinical"])
    assert [finding.verdict for finding in findings] == [ATTENTION, ATTENTION]


def test_the_simulated_cohort_as_planted_passes():
    study, cohort, splits, truth = simulated_cohort({}, zero=False)
    assert acquisition_only_finding(cohort, splits, study.variables).verdict == PASSED
    probability = splits["patient_id"].map(truth.set_index("patient_id")["oracle_image"])
    findings = scanner_findings(splits.assign(model="dscore", probability=probability), cohort, ["dscore"])
    assert {finding.verdict for finding in findings} == {PASSED}
