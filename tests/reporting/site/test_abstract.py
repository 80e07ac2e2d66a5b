"""Sentences of the abstract follow the intervals."""

from __future__ import annotations

import pandas as pd
import pytest

from her2study.reporting.site import Content
from her2study.reporting.site.abstract import abstract, headline, judged_split, once, tiles
from tests.reporting.site.contents import AUDIT, CLAIMS, PERFORMANCE, SETTINGS


def content(settings=SETTINGS, **known):
    return Content(settings, "full", **{"simulated": True, **known})


def told(known, heading):
    return " ".join(next((part.sentences for part in abstract(known) if part.heading == heading), []))


def test_a_null_result_reads_as_null_and_a_found_one_as_found():
    results = told(content(tables={"performance": PERFORMANCE}), "Results")
    assert "no evidence that the clinical model" in results
    assert "combined model tells HER2-positive from other tumours better than chance" in results.lower().replace(
        "her2", "HER2"
    )
    nothing = PERFORMANCE.assign(auc_low=0.3)
    results = told(content(tables={"performance": nothing}), "Results")
    assert results.count("no evidence") == 2
    assert "No model tells" in told(content(tables={"performance": nothing}), "Conclusion")


def test_external_patients_judge_and_without_them_the_next_best():
    assert judged_split(content(tables={"performance": PERFORMANCE})) == "external"
    inside = PERFORMANCE[PERFORMANCE["split"] == "development"]
    known = content(tables={"performance": inside})
    assert judged_split(known) == "development"
    assert "development patients (out-of-fold)" in told(known, "Results")
    assert "Nobody is set aside" in told(known, "Conclusion")
    halfway = inside.assign(split="internal")
    assert "There are no external patients" in told(content(tables={"performance": halfway}), "Conclusion")


@pytest.mark.parametrize(
    ("centres", "words"),
    [
        ({"external": ["C"]}, "the external patients are from a centre of their own"),
        ({"external_by": "date", "external_from": "2022-01-01"}, "the external patients came from 2022-01-01 on"),
        (
            {"external_by": "column", "external_column": "scanner", "external_values": ["3T", "7T"]},
            "the external patients are those with scanner 3T or 7T",
        ),
    ],
)
def test_the_abstract_says_what_makes_patients_external(centres, words):
    numbers = {"patients_development": 30, "patients_external": 12}
    assert words in told(content(settings={"centres": centres}, numbers=numbers), "Patients")


def test_one_centre_gets_its_bootstrap_in_the_results_and_a_study_without_a_paper_its_own_purpose():
    inside = PERFORMANCE[PERFORMANCE["split"] == "development"]
    optimism = pd.DataFrame(
        [("clinical", "auc", 50, 25, 100, 0.8, 0.05, 0.75, 0.66, 0.84)],
        columns="model measure n positives resamples apparent optimism corrected corrected_low corrected_high".split(),
    )
    known = content(tables={"performance": inside, "optimism_clinical": optimism}, settings={"title": "Our women"})
    assert "corrected for optimism by 100 repeated developments it is 0.75 (0.66 to 0.84)" in told(known, "Results")
    assert told(known, "Purpose").startswith("Our women: to develop and validate models in")


def test_simulated_patients_are_no_evidence_about_patients():
    known = {"tables": {"performance": PERFORMANCE, "claims": CLAIMS}}
    assert "none about patients" in told(content(**known), "Conclusion")
    assert "simulated" not in told(content(**known, simulated=False), "Conclusion")
    assert "Of 2 claims 1 holds and 1 does not hold" in told(content(**known), "Conclusion")


def test_without_results_there_is_only_a_purpose():
    assert [part.heading for part in abstract(content())] == ["Purpose"]
    assert tiles(content()) == []
    assert headline(content()) is None


def test_counts_come_from_the_numbers():
    numbers = {"patients_screened": 50, "patients_included": 40, "patients_excluded": 10, "patients_external": 12}
    patients = told(content(numbers=numbers), "Patients")
    assert "Of 50 patients screened 40 were included and 10 left by the rules." in patients
    assert "12 external patients" in patients


def test_tiles_count_what_holds_and_what_needs_attention():
    found = {tile.label: tile.value for tile in tiles(content(tables={"claims": CLAIMS, "audit": AUDIT}))}
    assert found == {"claims hold": "1 of 2", "audit findings to look at": "1"}


def test_claims_that_cannot_be_tested_are_not_counted_as_failed_in_silence():
    untested = CLAIMS.assign(verdict=["cannot be tested here", "holds"])
    [tile] = tiles(content(tables={"claims": untested}))
    assert (tile.value, tile.label) == ("1 of 2", "claims hold, 1 cannot be tested here")


def test_an_old_table_of_other_columns_is_no_result():
    assert headline(content(tables={"performance": pd.DataFrame({"n": [1]})})) is None


def test_what_all_sentences_open_with_is_said_once():
    assert once(["In x, a.", "In x, the b.", "Other."], "In x, ") == ["In x, a.", "The b.", "Other."]
