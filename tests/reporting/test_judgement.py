"""Verdicts on the edges: each rule from both sides, and what is said when numbers are absent."""

import numpy as np
import pandas as pd
import pytest

from her2study.reporting.claims import Auc, Count, Difference, Ranking
from her2study.reporting.judgement import FAILS, HOLDS, UNTESTED, evaluate_claims

COUNT = Count(id="n", claim="450 patients.", kind="count", counts="patients", published=450)
AUC = Auc(id="auc", claim="AUC 0.809.", kind="auc", model="combined", split="external", published=0.809)
DIFFERENCE = Difference(
    id="d", claim="Better.", kind="difference", better="combined", worse="clinical", split="external"
)
RANKING = Ranking(id="r", claim="First.", kind="ranking", model="combined", predictors=("dscore", "rim"))


def performance(low, high):
    row = {"split": "external", "model": "combined", "auc": (low + high) / 2, "auc_low": low, "auc_high": high}
    return pd.DataFrame([row, row | {"split": "internal", "auc_low": 0.1, "auc_high": 0.2}])


def delong(difference, low, high, swapped=False):
    a, b = ("clinical", "combined") if swapped else ("combined", "clinical")
    row = {"split": "external", "model_a": a, "model_b": b, "difference": difference}
    return pd.DataFrame([row | {"difference_low": low, "difference_high": high}])


def ranking(*rows):
    names = ["feature", "label", "rank", "rank_low", "rank_high"]
    return pd.DataFrame(rows, columns=names).assign(model="combined")


IN_LEAD = ranking(("dscore", "D-score", 1, 1, 1), ("rim", "Rim", 2, 2, 2), ("age", "Age", 3, 3, 3))


def judge(claim, aucs=None, differences=None, ranks=None, patients=450, simulated=False):
    table = evaluate_claims(
        [claim],
        {"patients": patients, "centres": 4},
        performance(0.7, 0.9) if aucs is None else aucs,
        delong(0.1, 0.01, 0.2) if differences is None else differences,
        IN_LEAD if ranks is None else ranks,
        simulated,
    )
    return table.iloc[0]


def test_counts():
    assert judge(COUNT)["verdict"] == HOLDS
    other = judge(COUNT, patients=1484)
    assert other["verdict"] == FAILS
    assert "1,484" in other["reason"]
    assert "By construction" in judge(COUNT, simulated=True)["reason"]


@pytest.mark.parametrize(
    ("low", "high", "verdict"), [(0.7, 0.9, HOLDS), (0.809, 0.9, HOLDS), (0.81, 0.9, FAILS), (0.6, 0.8, FAILS)]
)
def test_a_published_auc_must_lie_inside_the_interval(low, high, verdict):
    row = judge(AUC, aucs=performance(low, high))
    assert row["verdict"] == verdict
    assert (row["reproduced_low"], row["reproduced_high"], row["published"]) == (low, high, "0.809")


def test_an_interval_that_includes_chance_says_so():
    assert "no better than chance" in judge(AUC, aucs=performance(0.45, 0.86))["reason"]
    assert "chance" not in judge(AUC)["reason"]


def test_an_auc_without_interval_or_model_is_not_tested():
    assert judge(AUC, aucs=performance(0.7, np.nan))["verdict"] == UNTESTED
    absent = judge(AUC, aucs=performance(0.7, 0.9).assign(model="clinical"))
    assert absent["verdict"] == UNTESTED
    assert np.isnan(absent["reproduced"])


@pytest.mark.parametrize(
    ("numbers", "verdict", "word"),
    [
        ((0.1, 0.01, 0.2), HOLDS, "above 0"),
        ((0.1, 0.0, 0.2), FAILS, "Inconclusive"),
        ((0.1, -0.01, 0.2), FAILS, "Inconclusive"),
        ((-0.1, -0.2, -0.01), FAILS, "against the claim"),
        ((0.1, np.nan, np.nan), UNTESTED, "No comparison"),
    ],
)
def test_a_difference_must_exclude_zero(numbers, verdict, word):
    row = judge(DIFFERENCE, differences=delong(*numbers))
    assert row["verdict"] == verdict
    assert word in row["reason"]


def test_a_difference_stored_the_other_way_round_changes_sign():
    row = judge(DIFFERENCE, differences=delong(-0.1, -0.2, -0.01, swapped=True))
    assert row["verdict"] == HOLDS
    assert (row["reproduced"], row["reproduced_low"], row["reproduced_high"]) == (0.1, 0.01, 0.2)


def test_a_difference_in_another_split_is_not_taken():
    assert judge(DIFFERENCE, differences=delong(0.1, 0.01, 0.2).assign(split="internal"))["verdict"] == UNTESTED


def test_a_ranking_holds_if_the_named_lead_in_any_order():
    swapped = ranking(("rim", "Rim", 1, 1, 2), ("dscore", "D-score", 2, 1, 2), ("age", "Age", 3, 3, 3))
    assert judge(RANKING)["verdict"] == judge(RANKING, ranks=swapped)["verdict"] == HOLDS


def test_a_ranking_says_how_sure_it_is():
    unsure = ranking(("dscore", "D-score", 1, 1, 1), ("rim", "Rim", 2, 2, 3), ("age", "Age", 3, 2, 3))
    row = judge(RANKING, ranks=unsure)
    assert row["verdict"] == HOLDS
    assert "reaches beyond place 2 for Rim (2 to 3)" in row["reason"]


def test_a_ranking_fails_if_another_leads_and_says_if_it_was_close():
    close = ranking(("dscore", "D-score", 1, 1, 1), ("age", "Age", 2, 2, 3), ("rim", "Rim", 3, 2, 3))
    row = judge(RANKING, ranks=close)
    assert row["verdict"] == FAILS
    assert row["reproduced"] == 1
    assert "reaches into the first 2 for Rim (2 to 3)" in row["reason"]


def test_a_predictor_that_never_entered_is_named():
    row = judge(RANKING, ranks=ranking(("dscore", "D-score", 1, 1, 1), ("age", "Age", 2, 2, 2)))
    assert row["verdict"] == FAILS
    assert "Not a predictor of the model here: Rim." in row["reason"]


def test_a_model_with_no_other_predictors_proves_little():
    row = judge(RANKING, ranks=IN_LEAD.head(2))
    assert row["verdict"] == HOLDS
    assert "says little" in row["reason"]


def test_what_the_author_rules_out_is_not_tested():
    row = judge(COUNT.model_copy(update={"cannot_test": "Other patients."}))
    assert (row["verdict"], row["reason"]) == (UNTESTED, "Other patients.")


def test_no_ranking_of_the_model_is_not_tested():
    assert judge(RANKING, ranks=IN_LEAD.assign(model="clinical"))["verdict"] == UNTESTED
