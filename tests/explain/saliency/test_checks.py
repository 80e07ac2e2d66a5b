"""Checks that notice when a network forgets, and maps that are not about the patient."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from her2study.explain.saliency.checks import agreement, sanity, spearman
from her2study.explain.saliency.gradcam import gradcam
from her2study.explain.saliency.networks import randomised_networks
from her2study.explain.saliency.rows import COLUMNS, gather_checks
from her2study.types import StudyError
from tests.explain.saliency.lookers import Looker, blank, lesions


@pytest.fixture(scope="module")
def maps():
    return gradcam([Looker(0), Looker(2)], lesions()[0])


def test_checks_tell_networks_that_learned_from_those_that_did_not(maps):
    channels, mask = lesions()
    networks = [Looker(0), Looker(2)]
    randomised = {label: gradcam(blanks, channels) for label, blanks in randomised_networks(networks, 1)}
    assert next(iter(randomised)) == "random head"
    assert list(randomised)[-1] == "random head to stem"
    learned = sanity("gradcam", maps, randomised, mask, seed=1)
    assert learned.columns.tolist() == COLUMNS
    assert (learned["low"] <= learned["value"]).all()
    assert (learned["value"] <= learned["high"]).all()
    row = learned.set_index("check").loc
    assert row["repeatability"]["value"] == pytest.approx(1)
    assert row["repeatability"]["reference"] < 0.5
    assert row["lesion_overlap"]["value"] > 4 * row["lesion_overlap"]["reference"]
    assert abs(learned["value"][len(randomised) - 1]) < 0.6
    assert learned["label"][0] == "Grad-CAM: random head"

    unlearned = sanity("occlusion", gradcam([blank(0), blank(1)], channels), {}, mask, seed=1).set_index("check").loc
    assert unlearned["repeatability"]["value"] < 0.5
    assert unlearned["lesion_overlap"]["value"] < 0.7 * row["lesion_overlap"]["value"]


def test_randomising_leaves_the_networks_alone_and_repeats_with_the_seed():
    network = Looker()
    first = [blanks[0] for _, blanks in randomised_networks([network], 7)]
    again = [blanks[0] for _, blanks in randomised_networks([network], 7)]
    for a, b in zip(first, again, strict=True):
        assert all((x == y).all() for x, y in zip(a.parameters(), b.parameters(), strict=True))
    assert (first[0].backbone.layer4[0].weight == network.backbone.layer4[0].weight).all()
    assert not (first[1].backbone.layer4[0].weight == network.backbone.layer4[0].weight).all()
    assert all((x == y).all() for x, y in zip(network.parameters(), Looker().parameters(), strict=True))


def test_random_layers_may_be_tried_on_the_first_few_patients(maps):
    channels, mask = lesions()
    label, blanks = next(iter(randomised_networks([Looker(0), Looker(2)], 1)))
    few, all_of_them = (sanity("gradcam", maps, {label: gradcam(blanks, channels[:n])}, mask, seed=1) for n in (2, 4))
    expected = spearman_of_first(maps, gradcam(blanks, channels), 2)
    assert few["value"][0] == pytest.approx(expected)
    pd.testing.assert_frame_equal(few[1:], all_of_them[1:])


def spearman_of_first(maps, others, n):
    coarse = [heat[:, :n, ::2, ::2, ::2] for heat in (maps, others)]
    return np.mean([spearman(a, b) for a, b in zip(*coarse, strict=True)])


def test_checks_repeat_with_the_seed(maps):
    mask = lesions()[1]
    pd.testing.assert_frame_equal(
        sanity("gradcam", maps, {}, mask, seed=3), sanity("gradcam", maps, {}, mask, seed=3), check_exact=True
    )


def test_checks_refuse_a_single_network_or_patient(maps):
    mask = lesions()[1]
    with pytest.raises(StudyError, match="1 networks and 4 patients"):
        sanity("gradcam", maps[:1], {}, mask, seed=1)
    with pytest.raises(StudyError, match="2 networks and 1 patients"):
        sanity("gradcam", maps[:, :1], {}, mask[:1], seed=1)


def test_two_methods_agree_about_a_patient_or_do_not(maps):
    rng = np.random.default_rng(0)
    (same,) = agreement({"gradcam": maps[0], "occlusion": maps[0] ** 3}, seed=1).itertuples()
    assert same.value == pytest.approx(1)
    assert same.reference < 0.5
    (other,) = agreement({"gradcam": maps[0], "occlusion": rng.normal(size=maps[0].shape)}, seed=1).itertuples()
    assert other.low < 0.05
    assert other.high > -0.05


def test_rows_of_both_methods_stand_together_by_check(maps):
    mask = lesions()[1]
    parts = [sanity(method, maps, {}, mask, seed=1) for method in ("gradcam", "occlusion")]
    table = gather_checks([*parts, agreement({"gradcam": maps[0], "occlusion": maps[1]}, seed=1)])
    assert table["check"].tolist() == ["repeatability"] * 2 + ["agreement"] + ["lesion_overlap"] * 2
    assert table["method"].tolist() == ["gradcam", "occlusion", "gradcam", "gradcam", "occlusion"]


def test_spearman_agrees_with_scipy_and_knows_constants():
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 5, (2, 3, 4, 5, 6)).astype(float)  # with ties
    expected = [spearmanr(x.ravel(), y.ravel()).statistic for x, y in zip(a, b, strict=True)]
    np.testing.assert_allclose(spearman(a, b), expected)
    assert spearman(np.zeros((1, 2, 2, 2)), a[:1, :2, :2, :2])[0] == 0
