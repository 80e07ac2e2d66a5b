"""What a new hospital fills in: the columns that the frozen models need, each explained."""

import dataclasses

from her2study.models.bundle.template import codebook, columns_of, predictors, template_csv
from tests.models.bundle.making import small_bundle


def test_the_template_has_what_the_models_need_and_no_more():
    assert template_csv(small_bundle()) == b"patient_id,centre,rim,acquisition_times,her2\n"
    assert predictors(small_bundle()) == ["rim"]  # the D-score is made from the scans


def test_a_d_score_that_was_made_elsewhere_is_a_column():
    assert template_csv(small_bundle(folds=0)) == b"patient_id,centre,rim,dscore,her2\n"


def test_the_codebook_explains_each_column():
    bundle = small_bundle()
    text = codebook(bundle).decode()
    for column in columns_of(bundle)["column"]:
        assert f"| `{column}` |" in text
    assert "`no` or `yes`" in text
    assert "imputed with `no`" in text
    assert "SIMULATED" in text
    assert "SIMULATED" not in codebook(dataclasses.replace(bundle, simulated=False)).decode()
