"""The page on type I errors and coverage: its numbers are simulated again, and what it promises holds."""

import importlib
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from her2study.evaluation.calibration import calibration_intercept, calibration_slope
from her2study.evaluation.roc import auc, delong_test
from tests.tiny import ROOT

DOCS = ROOT / "docs"
FEW_POSITIVES = {
    (60, 6): "too often",
    (60, 12): "too often",
    (150, 15): "too often",
    (150, 30): "slightly too often",
}
"""``(patients, positives)`` where DeLong's test does not hold its 5%: a limit of the method, which the page states."""


def script(name: str) -> ModuleType:
    """A script of docs/, which is no package."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(DOCS))
        return importlib.import_module(name)


simulations, page = script("simulations"), script("operating_characteristics")
STORED = pd.read_csv(page.PATH)
PAGE = page.PATH.with_suffix(".md").read_text(encoding="utf-8")
CRITERIA = STORED[STORED["criterion"]]


@pytest.mark.slow
def test_simulating_again_gives_the_stored_numbers(tmp_path):
    simulations.compute().to_csv(tmp_path / "again.csv", index=False)
    again = pd.read_csv(tmp_path / "again.csv")
    measured = ["truth", "width"]  # real numbers, whose last digits belong to the machine; all others are counts
    pd.testing.assert_frame_equal(again.drop(columns=measured), STORED.drop(columns=measured), check_exact=True)
    pd.testing.assert_frame_equal(again[measured], STORED[measured], rtol=1e-6)


def test_the_page_shows_the_stored_numbers():
    assert PAGE.startswith(page.page(STORED))


def test_type_one_error_is_five_per_cent_unless_positives_are_few():
    rows = CRITERIA[CRITERIA["part"] == simulations.TYPE_ONE]
    assert {(n, round(m / n, 1)) for n, m in zip(rows["n"], rows["positives"], strict=True)} == {
        (n, prevalence) for n in (60, 150, 450) for prevalence in (0.1, 0.2, 0.3, 0.5)
    }
    inside = (rows["rate_low"] <= 0.05) & (rows["rate_high"] >= 0.05)
    off = rows[~inside].set_index(["n", "positives"])
    assert off["verdict"].to_dict() == FEW_POSITIVES
    assert (rows.loc[inside, "verdict"] == simulations.KEPT).all()
    assert rows["rate"].between(0.025, 0.075).all()  # Bradley's liberal criterion
    for (n, positives), rate in off["rate"].items():
        assert f"n = {n} with {positives:.0f} positives ({100 * rate:.1f}%)" in PAGE


def test_intervals_cover_93_to_97_per_cent_in_regular_settings():
    rows = CRITERIA[CRITERIA["part"] == simulations.COVERAGE]
    assert rows["rate"].between(0.93, 0.97).all()
    assert (rows["undefined"] == 0).all()
    needed = {"AUC", "AUC difference (0.05)", "calibration slope", "calibration intercept", "net benefit at 0.3"}
    for n in (150, 450):
        assert needed <= set(rows.loc[rows["n"] == n, "statistic"])


def test_what_the_library_refuses_would_go_wrong_and_what_it_offers_does_not():
    rate = STORED[STORED["part"] == simulations.MISUSE].groupby(["experiment", "method"])["rate"].mean()
    assert rate["nested", "delong_test"] < 0.01
    assert abs(rate["nested", "likelihood_ratio_test"] - 0.05) < 0.015
    stacked, once, fixed = (rate["repeated", method] for method in simulations.REPEATED)
    assert stacked > 0.3
    assert stacked > once > fixed


@pytest.mark.parametrize(("n", "positives", "areas"), [(60, 6, 0.9), (60, 30, 0.75), (150, 15, (0.8, 0.7))])
@pytest.mark.parametrize("decimals", [16, 0])  # 0: few distinct values, so ties and studies without variance
def test_fast_p_values_are_those_of_the_library(n, positives, areas, decimals):
    scores = simulations.binormal(np.random.default_rng(1), 100, n, positives, areas).round(decimals)
    scores[0] = 2.0  # constant
    scores[1, :, 1] = scores[1, :, 0]  # twice the same
    scores[2, :, 0], scores[2, :, 1] = 0, np.arange(n) < positives  # nothing v. everything: no variance, so no p
    labels = simulations.first(positives, n)
    for found, reference in zip(simulations.paired_p(scores, positives), ("normal", "t"), strict=True):
        theirs = [delong_test(labels, *study.T, reference=reference).p for study in scores]
        np.testing.assert_allclose(found, theirs, rtol=1e-9)


def test_true_values_are_those_of_a_huge_sample():
    rng, n = np.random.default_rng(2), 400_000
    scores = simulations.binormal(rng, 1, n, n // 4, (0.8, 0.75))[0]
    labels = simulations.first(n // 4, n)
    assert auc(labels, scores[:, 0]) == pytest.approx(0.8, abs=0.004)
    assert auc(labels, scores[:, 1]) == pytest.approx(0.75, abs=0.004)
    assert np.corrcoef(scores[labels == 0].T)[0, 1] == pytest.approx(0.5, abs=0.01)
    for slope in (1.0, 0.7):
        labels, probabilities = simulations.outcomes(rng, n, slope)
        rows = CRITERIA[CRITERIA["slope"] == slope].groupby("statistic")["truth"].first()
        assert calibration_slope(labels, probabilities)[0] == pytest.approx(rows["calibration slope"], abs=0.015)
        assert calibration_intercept(labels, probabilities)[0] == pytest.approx(
            rows["calibration intercept"], abs=0.015
        )
        if slope == 1:
            benefit = np.where(labels == 1, 1, -3 / 7)[probabilities >= 0.3].sum() / n
            assert benefit == pytest.approx(rows["net benefit at 0.3"], abs=0.003)


def test_integral_over_the_population():
    assert simulations.mean_over(lambda x: 1.0) == pytest.approx(1)
    assert simulations.mean_over(lambda x: x) == pytest.approx(-1.2)
    assert 0.3 < simulations.mean_over(lambda x: expit(0.3 + x)) < 0.36  # "about a third positive"


def test_verdicts_follow_the_counts():
    def of(count):
        return simulations.rejected("", "", "", np.arange(10_000) < count)["verdict"]

    assert of(500) == simulations.KEPT
    assert (of(400), of(700)) == ("too rarely", "too often")
    assert (of(452), of(548)) == ("slightly too rarely", "slightly too often")
    interval = [(0.5, 0.4, 0.6)] * 95 + [(0.5, 0.6, 0.7)] * 4 + [(0.5, np.nan, np.nan)]
    line = simulations.covered("", "", 0.5, interval)
    assert (line["rate"], line["verdict"], line["undefined"]) == (0.95, simulations.KEPT, 1)
    assert line["width"] == pytest.approx((95 * 0.2 + 4 * 0.1) / 99)


def test_the_words_follow_the_table():
    better = STORED.assign(verdict=simulations.KEPT, rate=0.05)
    text = page.page(better)
    assert "in 12 of 12 settings." in text
    assert "not kept" not in text.lower()
    assert "departure" not in text.split("### Other truths")[0].split("| verdict |")[1]
