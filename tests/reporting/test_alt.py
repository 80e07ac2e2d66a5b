import re

import numpy as np
import pandas as pd
import pytest

from her2study.reporting.alt import TEXTS, alt_text
from her2study.reporting.alt.phrases import ranges, told
from her2study.reporting.figures import FIGURES
from tests.reporting.figure_frames import BASELINES, figure_frames

FRAMES = figure_frames()


def test_every_figure_has_a_text():
    assert set(TEXTS) == set(FIGURES)


@pytest.mark.parametrize("name", FIGURES)
def test_texts_read_as_sentences_with_numbers(name):
    text = alt_text(name, FRAMES[name], simulated=True)
    assert text.endswith(". Simulated patients.")
    assert any(character.isdigit() for character in text)
    assert not re.search(r"\bnan\b|None|\{|_low|_high", text)
    assert 40 < len(text) < 2500
    assert "Simulated" not in alt_text(name, FRAMES[name], simulated=False).replace("SIM", "")


@pytest.mark.parametrize("models", [("clinical",), (*BASELINES, "dscore", "clinical", "combined")])
def test_few_and_many_models(models):
    frames = figure_frames(n=30, models=models, splits=("external",))
    for name in ("roc", "precision_recall", "calibration", "decision_curve", "confusion", "score_distribution"):
        assert "In external patients" in alt_text(name, frames[name], False)


def test_roc_tells_each_auc_as_the_figure_prints_it():
    rows = [("combined", 0.8149, 0.7251, 0.8949), ("clinical", 0.7, 0.6, 0.8)]
    frame = pd.DataFrame(rows, columns=["model", "auc", "auc_low", "auc_high"]).assign(split="external", fpr=0, tpr=0)
    assert alt_text("roc", frame, False) == (
        "ROC curves with AUC. In external patients: Clinical 0.70 (0.60 to 0.80), Combined 0.81 (0.73 to 0.89)."
    )


def test_of_many_curves_the_highest_and_the_lowest_are_told():
    texts = [f"m{i} 0.{i}" for i in range(1, 7)]
    assert told(texts, [0.1, 0.2, np.nan, 0.6, 0.5, 0.4]) == "of 6 the highest is m4 0.4 and the lowest m1 0.1"
    assert told(texts, [np.nan] * 6) == "none of 6 could be estimated"


def test_runs_of_thresholds():
    assert ranges([0.05, 0.06, 0.07, 0.5], [True, True, False, True]) == "5% to 6%, 50%"
    assert ranges([0.05], [False]) == "none"


def _difference(low, high):
    frame = pd.DataFrame({"threshold": [0.1, 0.2], "low": low, "high": high})
    return frame.assign(split="external", model_a="combined", model_b="clinical", difference=0.0)


def test_a_difference_is_claimed_only_where_its_band_excludes_zero():
    assert "includes zero at every threshold" in alt_text("decision_difference", _difference([-1, -1], [1, 1]), False)
    text = alt_text("decision_difference", _difference([0.1, -1], [1, 1]), False)
    assert "Combined minus Clinical lies above zero at 10%" in text
    assert "includes" not in text
    lost = alt_text("decision_difference", _difference([np.nan] * 2, [np.nan] * 2), False)
    assert "not estimable" in lost
    assert "includes" not in lost


def test_decision_curve_compares_with_both_strategies():
    lines = {"combined": [0.3, 0.1, 0.2], "treat_all": [0.2, 0.2, 0.1], "treat_none": [0.0, 0.0, 0.0]}
    frame = pd.DataFrame(
        [("external", m, t, v) for m, line in lines.items() for t, v in zip((0.1, 0.2, 0.3), line, strict=True)],
        columns=["split", "model", "threshold", "net_benefit"],
    )
    assert "Combined 10%, 30%." in alt_text("decision_curve", frame, False)


def test_forest_names_the_odds_ratios_whose_interval_excludes_one():
    text = alt_text("forest", FRAMES["forest"], False)
    frame = FRAMES["forest"]
    away = frame[(frame["odds_ratio_low"] > 1) | (frame["odds_ratio_high"] < 1)]
    single = away[away["analysis"] == "univariable"]
    assert f"Univariable: {len(single)} of {(frame['analysis'] == 'univariable').sum()} odds ratios" in text
    assert all(label in text for label in single["label"])


def test_direction_of_a_predictor_is_said_where_it_is_clear():
    value = np.linspace(0, 1, 40)
    own = pd.DataFrame({"patient_id": range(40), "value_scaled": value}).assign(
        model="combined", feature="f", label="F"
    )
    assert "higher values raise" in alt_text("shap_summary", own.assign(shap=value), False)
    assert "higher values lower" in alt_text("shap_summary", own.assign(shap=-value), False)
    assert "no clear direction" in alt_text("shap_summary", own.assign(shap=np.resize([1.0, -1.0], 40)), False)
    assert "no direction" in alt_text("shap_summary", own.assign(shap=0.5), False)


def test_share_of_the_evidence_in_the_lesion_is_measured():
    mask, heat = np.zeros(16), np.zeros(16)
    mask[:4], heat[:8] = 1, -1
    row = {"patient_id": "P", "label": 1, "probability": 0.3, "title": "Missed", "gradcam": heat, "mask": mask}
    text = alt_text("gradcam", pd.DataFrame([row]), False)
    assert "median: Grad-CAM 50%" in text
    assert "25% of the picture" in text
    assert "occlusion" not in text


def test_a_level_is_named_with_its_subgroup_and_levels_alike_are_said_once():
    head = {"split": "external", "model": "clinical", "subgroup": "Hormone receptor", "p_interaction": np.nan}
    rows = [head | {"label": "negative", "auc": 0.7}, head | {"label": "positive", "auc": 0.4}]
    frame = pd.DataFrame(rows)
    text = alt_text("subgroups", frame, False)
    assert "Clinical 0.40 (Hormone receptor positive) to 0.70 (Hormone receptor negative)." in text
    assert "Clinical 0.50 at every level." in alt_text("subgroups", frame.assign(auc=0.5), False)
    assert "Clinical 0.70 (Hormone receptor negative)." in alt_text("subgroups", frame.head(1), False)


def test_estimates_that_are_lacking_print_as_lacking():
    frame = FRAMES["roc"].assign(auc=np.nan, auc_low=np.nan, auc_high=np.nan)
    assert "Combined not estimable" in alt_text("roc", frame, False)
    subgroups = FRAMES["subgroups"].assign(auc=np.nan)
    assert "too few patients in 9 of 9 levels" in alt_text("subgroups", subgroups, False)
    assert "not pooled" in alt_text("centres", FRAMES["centres"].assign(auc=np.nan, auc_low=np.nan), False)


def test_other_figures_and_no_data():
    frame = pd.DataFrame({"a": [1, 2], "b": [3, 4]})
    assert alt_text("of_mine", frame, False) == "Of mine: 2 rows of a and b."
    assert alt_text("roc", FRAMES["roc"].iloc[:0], True) == "ROC: no data. Simulated patients."
    assert alt_text("montage_all_3", FRAMES["montage_all"], False).startswith("Small wash-in images of 60 patients")


def test_the_stored_frame_is_not_changed():
    before = FRAMES["calibration"].copy()
    alt_text("calibration", FRAMES["calibration"], False)
    pd.testing.assert_frame_equal(FRAMES["calibration"], before)
