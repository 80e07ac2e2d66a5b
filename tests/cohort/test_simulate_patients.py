"""Planted effects are of the intended size in a population too large for luck."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from scipy.stats import norm
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import cohen_kappa_score, roc_auc_score

from her2study.cohort.simulate import load_assumptions, simulate_tables
from her2study.cohort.simulated.patients import (
    SIGNATURES,
    centre_intercepts,
    draw_latents,
    draw_outcome,
    image_oracle,
    latent_given_signatures,
    latent_oracle,
    outcome_predictor,
    screened_patients,
)
from her2study.cohort.simulated.readings import leave_gaps, read_scans, report_pathology
from her2study.study import Simulation
from tests.tiny import ROOT

FULL = Simulation(screened=521, included={"A": 200, "B": 110, "C": 80, "D": 60})


@pytest.fixture(scope="module")
def planted():
    return load_assumptions(ROOT / "papers" / "hong2025" / "assumptions.yml")


@pytest.fixture(scope="module")
def population(planted):
    """60,000 patients: latents, centre, intercept, probability, label and two readers."""
    rng = np.random.default_rng([1, 2])
    latents = draw_latents(60_000, planted, rng)
    centre = np.repeat(np.array(["A", "B", "C", "D"]), [26_000, 14_000, 12_000, 8_000])
    predictor = outcome_predictor(latents, planted)
    intercepts = centre_intercepts(predictor, centre, planted.cohort.prevalence)
    intercept = np.array([intercepts[name] for name in centre])
    probability = expit(intercept + predictor)
    label = draw_outcome(probability, centre, rng)
    readers = [read_scans(latents, planted, rng) for _ in range(2)]
    return {
        "latents": latents,
        "centre": centre,
        "intercept": intercept,
        "probability": probability,
        "label": label,
        "readers": readers,
    }


def test_the_combined_oracle_is_where_it_was_planted(population):
    assert 0.80 < roc_auc_score(population["label"], population["probability"]) < 0.84


def test_the_image_oracle_is_where_it_was_planted(population, planted):
    image = image_oracle(population["latents"], population["intercept"], planted)
    assert 0.76 < roc_auc_score(population["label"], image) < 0.79
    assert image.mean() == pytest.approx(population["label"].mean(), abs=0.005)
    latent = latent_oracle(population["latents"], population["intercept"], planted)
    assert roc_auc_score(population["label"], latent) > roc_auc_score(population["label"], image) + 0.005


def test_a_clinical_model_of_readings_transports_at_a_plausible_auc(population):
    reader, label = population["readers"][0], population["label"]
    sizes = ["largest_diameter_mm", "largest_node_diameter_mm"]
    design = pd.get_dummies(reader.drop(columns=sizes), dtype=float).join(np.log(reader[sizes]))
    development = np.isin(population["centre"], ["A", "B"])
    model = LogisticRegression(max_iter=500).fit(design[development], label[development])
    external = model.predict_proba(design[~development])[:, 1]
    assert 0.62 < roc_auc_score(label[~development], external) < 0.72


def test_readers_agree_as_readers_do(population):
    first, second = (reader.iloc[:15_000] for reader in population["readers"])
    for reading in ("rim_enhancement", "lesion_type", "shape", "margin", "internal_enhancement", "kinetic_curve"):
        assert 0.6 < cohen_kappa_score(first[reading], second[reading]) < 0.8, reading
    for reading in ("multifocal", "peritumoural_oedema"):
        assert 0.6 < cohen_kappa_score(first[reading], second[reading]) < 0.8, reading
    for reading in ("largest_diameter_mm", "largest_node_diameter_mm"):
        assert 0.87 < np.corrcoef(np.log(first[reading]), np.log(second[reading]))[0, 1] < 0.95, reading


def test_the_latent_oracle_equals_sampling_the_rest(planted):
    """Patients with the same latent and lesion but other nodes and oedema have it as their mean probability."""
    rng = np.random.default_rng(3)
    one = draw_latents(1, planted, rng)
    many = draw_latents(400_000, planted, rng)
    alike = (np.log(many["diameter_mm"] / one["diameter_mm"].item())).abs() < 0.01
    rest = many.loc[alike, ["node_mm", "oedema", "diameter_mm"]]
    scan = {name: one[name].item() for name in ("image_latent", "rim", "non_mass")}
    sampled = expit(-1.5 + outcome_predictor(rest.assign(**scan), planted)).mean()
    assert latent_oracle(one, np.array([-1.5]), planted)[0] == pytest.approx(sampled, abs=0.01)


@pytest.mark.parametrize("non_mass", [0.0, 1.0])
def test_the_image_oracle_equals_weighing_everybody_by_how_well_the_scan_fits(planted, non_mass):
    """Importance sampling: latents, nodes and oedema from the population, weights from the signatures seen."""
    rng = np.random.default_rng(4)
    one = draw_latents(1, planted, rng).assign(non_mass=non_mass, rim=0.0)
    many = draw_latents(600_000, planted, rng)
    many = many[(np.log(many["diameter_mm"] / one["diameter_mm"].item())).abs() < 0.05]
    seen = [name for name in SIGNATURES if not (non_mass and name == "spiculation")]
    weight = np.ones(len(many))
    for name in seen:
        correlation = planted.signature.correlation[name]
        spread = np.sqrt(1 - correlation**2)
        weight *= norm.pdf(one[f"signature_{name}"].item(), correlation * many["image_latent"], spread)
    scan = {name: one[name].item() for name in ("rim", "non_mass", "diameter_mm")}
    chance = expit(-1.5 + outcome_predictor(many.assign(**scan), planted))
    assert image_oracle(one, np.array([-1.5]), planted)[0] == pytest.approx(
        np.average(chance, weights=weight), abs=0.01
    )


def test_the_latent_is_what_regression_on_the_signatures_says(planted, population):
    latents = population["latents"][population["latents"]["non_mass"] == 0]
    regression = LinearRegression().fit(latents[[f"signature_{name}" for name in SIGNATURES]], latents["image_latent"])
    expected = regression.predict(latents[[f"signature_{name}" for name in SIGNATURES]])
    mean, spread = latent_given_signatures(latents, planted)
    np.testing.assert_allclose(mean, expected, atol=0.05)
    np.testing.assert_allclose(spread, (latents["image_latent"] - expected).std(), rtol=0.02)


def test_no_better_use_of_the_scan_than_the_image_oracle(planted, population):
    """A flexible regression on all that the scan shows, taught by 30,000 patients, does not beat it on others."""
    latents = population["latents"]
    design = latents[[f"signature_{name}" for name in SIGNATURES] + ["rim", "non_mass"]].assign(
        size=np.log(latents["diameter_mm"])
    )
    design = np.column_stack([design, design.iloc[:, :4].mul(latents["non_mass"], axis=0)])
    half = np.random.default_rng(5).random(len(design)) < 0.5
    label = population["label"]
    taught = LogisticRegression(C=100, max_iter=1000).fit(design[half], label[half]).decision_function(design[~half])
    oracle = image_oracle(latents, population["intercept"], planted)[~half]
    assert roc_auc_score(label[~half], taught) == pytest.approx(roc_auc_score(label[~half], oracle), abs=0.002)


def test_the_sign_of_the_rim_effect_is_a_setting(planted):
    away = planted.model_copy(update={"outcome": planted.outcome.model_copy(update={"rim_sign": -1})})
    latents = draw_latents(2, planted, np.random.default_rng(1))
    with_rim, without = (latents.assign(rim=float(rim)) for rim in (1, 0))
    for assumed, sign in ((planted, 1), (away, -1)):
        difference = outcome_predictor(with_rim, assumed) - outcome_predictor(without, assumed)
        np.testing.assert_allclose(difference, sign * planted.outcome.rim)


def test_labels_have_their_probability_and_centres_their_case_mix():
    probability, centre = np.array([0.1, 0.5, 0.9, 0.5, 0.3, 0.7]), np.array(list("AAAABB"))
    draws = np.array([draw_outcome(probability, centre, np.random.default_rng(k)) for k in range(4000)])
    np.testing.assert_allclose(draws.mean(axis=0), probability, atol=0.03)
    assert set(draws[:, :4].sum(axis=1)) == {2}
    assert set(draws[:, 4:].sum(axis=1)) == {1}


def test_the_flow_adds_up():
    shares = {
        "prior_treatment": 0.5,
        "image_quality": 0.2,
        "mask_available": 0.1,
        "her2_equivocal": 0.1,
        "her2_missing": 0.1,
    }
    people = screened_patients(31, {"B": 7, "A": 14}, shares, np.random.default_rng(1))
    assert people["patient_id"].is_monotonic_increasing
    assert people["patient_id"].is_unique
    assert people.query("exclusion == ''")["centre"].value_counts().to_dict() == {"A": 14, "B": 7}
    counts = people["exclusion"].value_counts().to_dict()
    assert counts == {
        "": 21,
        "prior_treatment": 5,
        "image_quality": 2,
        "mask_available": 1,
        "her2_equivocal": 1,
        "her2_missing": 1,
    }


@pytest.mark.parametrize("seed", [2025, 1])
def test_the_study_has_its_patients_centres_and_prevalence(planted, seed):
    clinical, truth, _ = simulate_tables(FULL, seed, planted)
    assert len(clinical) == 521
    eligible = clinical.query(
        "prior_treatment == 'no' and image_quality == 'diagnostic' and mask_available == 'yes' "
        "and her2_status in ['positive', 'negative']"
    )
    assert eligible["patient_id"].tolist() == truth["patient_id"].tolist()
    assert eligible["centre"].value_counts().to_dict() == FULL.included
    by_centre = (eligible["her2_status"] == "positive").groupby(eligible["centre"]).mean()
    assert by_centre.between(0.25, 0.40).all()
    assert eligible["family_history"].isna().mean() == pytest.approx(0.06, abs=0.04)
    assert (eligible["largest_node_diameter_mm"].isna() == eligible["largest_node_diameter_mm_reader2"].isna()).all()


def test_gaps_follow_the_rates(planted):
    table = pd.DataFrame({"centre": ["A", "D"] * 5000, "largest_node_diameter_mm": 9.0, "ki67_percent": 20.0})
    columns = ["palpable_lump", "menopausal_status", "histological_grade", "family_history", "kinetic_curve"]
    table = table.assign(**dict.fromkeys(columns, "no"), peritumoural_oedema="no")
    gaps = leave_gaps(table, planted.missing, np.random.default_rng(1)).isna()
    nodes = gaps["largest_node_diameter_mm"].groupby(table["centre"]).mean()
    assert nodes["A"] == pytest.approx(planted.missing.largest_node_diameter_mm["A"], abs=0.01)
    assert nodes["D"] == pytest.approx(planted.missing.largest_node_diameter_mm["D"], abs=0.01)
    assert gaps["ki67_percent"].mean() == pytest.approx(planted.missing.ki67_percent, abs=0.01)


def test_pathology_goes_with_her2(planted):
    report = report_pathology(np.repeat([0, 1], 20_000), planted, np.random.default_rng(1))
    negative, positive = report.iloc[:20_000], report.iloc[20_000:]
    assert (negative["er_status"] == "positive").mean() == pytest.approx(
        planted.pathology.er_positive["negative"], abs=0.01
    )
    assert (positive["er_status"] == "positive").mean() == pytest.approx(
        planted.pathology.er_positive["positive"], abs=0.01
    )
    assert positive["ki67_percent"].median() == pytest.approx(planted.pathology.ki67_median_percent["positive"], abs=1)
    shares = positive["histological_grade"].value_counts(normalize=True).sort_index()
    np.testing.assert_allclose(shares, planted.pathology.grade_shares["positive"], atol=0.015)
