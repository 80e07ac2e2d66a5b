import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from her2study.evaluation.thresholds import threshold_metrics
from her2study.evaluation.usefulness import net_benefit
from her2study.reporting.explorer.threshold_part import at_threshold, gather_curves, threshold_views
from tests.reporting.explorer.explored import explored

THRESHOLDS = {"combined": 0.31, "dscore": 0.00023}


@pytest.fixture(scope="module")
def study():
    return explored()


@pytest.fixture
def part(study):
    return threshold_views(study.predictions, THRESHOLDS, 0.95, True)


@pytest.mark.parametrize("threshold", [0.001, 0.1, 0.31, 0.5, 0.77, 0.999])
def test_counts_and_net_benefit_are_those_of_the_library(study, threshold):
    curves = gather_curves(study.predictions, "dscore", "external")
    now = at_threshold(curves, threshold)
    tn, fp, fn, tp = confusion_matrix(curves.labels, curves.scores >= threshold).ravel()
    assert (now["tn"], now["fp"], now["fn"], now["tp"]) == (tn, fp, fn, tp)
    assert now["net_benefit"] == pytest.approx(net_benefit(curves.labels, curves.scores, threshold)[0, 0])


def test_the_ends_of_the_slider_have_an_answer(part):
    part.slider.value = 1.0
    assert "not defined at 1" in part.plots.value
    part.slider.value = 0.0
    assert part.said == ""
    assert "Net benefit" in part.plots.value


def test_one_slider_moves_all_three_views(part, study):
    for threshold in (0.2, 0.6):
        part.slider.value = threshold
        row = eval(part.code, {"threshold_metrics": threshold_metrics, "predictions": study.predictions}).iloc[0]
        labels = [piece.partition('"')[0] for piece in part.plots.value.split('aria-label="')[1:]]
        assert f"sensitivity {row.sensitivity:.2f}, specificity {row.specificity:.2f}" in labels[0]
        assert labels[1] == f"{row.tp} TP, {row.fp} FP, {row.fn} FN, {row.tn} TN"
        assert f"at threshold {threshold:.3f}" in labels[2]


def test_it_starts_at_the_frozen_threshold_and_goes_back_to_it(part):
    assert part.slider.value == 0.31
    part.slider.value = 0.6
    part.frozen.click()
    assert part.slider.value == 0.31


def test_a_browsers_rounding_keeps_a_tiny_threshold(part):
    part.model.value = "dscore"
    assert part.slider.value == 0.00023
    part.slider.value = 0.0  # what a slider with steps of 0.001 sends back
    assert "0.00023" in part.code
    part.slider.value = 0.001
    assert "0.001}" in part.code


def test_another_split_has_other_patients(part):
    external = part.plots.value
    part.split.value = "internal"
    assert part.plots.value != external
    assert "split == 'internal'" in part.code


def test_net_benefit_of_the_curve_is_the_librarys(study):
    curves = gather_curves(study.predictions, "combined", "internal")
    everyone = net_benefit(curves.labels, np.ones(len(curves.labels)), 0.25)[0, 0]
    assert curves.benefit[24, 1] == pytest.approx(everyone)
