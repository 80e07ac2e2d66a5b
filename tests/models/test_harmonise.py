"""Preparing radiomics in-fold: unstable features leave, centres are made alike, nobody held out is looked at."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from her2study.imaging.stability import feature_icc
from her2study.models.harmonise import CentreHarmoniser, StableFeatures
from her2study.types import StudyError
from tests.models.invented import ORACLES

RNG = np.random.default_rng(0)
NAMES = [f"wash_in_f{i:02d}" for i in range(30)]
PATIENTS = [f"P{i:03d}" for i in range(240)]
CENTRE = pd.Series(np.array(["A", "B", "C"])[np.arange(240) % 3], index=PATIENTS)


def _features(shift: float = 2.0, scale: float = 2.0) -> pd.DataFrame:
    """The same biology everywhere; centre B's scanner adds and stretches, each feature in its own way."""
    values = pd.DataFrame(RNG.normal(10, 1, (240, 30)), index=PATIENTS, columns=NAMES)
    values["shape_volume_ml"] = RNG.lognormal(size=240)
    in_b = CENTRE == "B"
    values.loc[in_b, NAMES] = values.loc[in_b, NAMES] * scale + RNG.normal(shift, 0.5, 30)
    return values.assign(age_years=RNG.normal(50, 10, 240))


def _harmoniser(**changes: object) -> CentreHarmoniser:
    return CentreHarmoniser(CENTRE, untouched=("age_years",), **changes)


def test_combat_gives_the_numbers_of_sva():
    data = pd.read_csv(ORACLES / "combat_data.csv").set_index("patient_id")
    expected = pd.read_csv(ORACLES / "combat.csv").set_index("patient_id")
    step = CentreHarmoniser(data["centre"]).fit(data.drop(columns="centre"))
    found = step.transform(data.drop(columns="centre"))
    pd.testing.assert_frame_equal(found, expected, rtol=1e-4)  # sva stops at relative steps of 1e-4


def test_a_planted_scanner_is_gone_in_patients_who_were_not_in_the_fit():
    features = _features()
    held_out = np.arange(240) % 5 == 0
    step = _harmoniser().fit(features[~held_out])
    before, after = features[held_out], step.transform(features[held_out])
    centre = CENTRE[held_out]
    gap = {name: (x.loc[centre == "B", NAMES].mean() - x.loc[centre == "A", NAMES].mean()).abs().mean()
           for name, x in (("before", before), ("after", after))}  # fmt: skip
    ratio = after.loc[centre == "B", NAMES].std() / after.loc[centre == "A", NAMES].std()
    assert gap["before"] > 10
    assert gap["after"] < 0.6  # 16 patients a centre: the means themselves are known to 0.5
    assert ratio.median() == pytest.approx(1, abs=0.15)


def test_shape_and_clinical_variables_are_not_touched():
    features = _features()
    after = _harmoniser().fit(features).transform(features)
    untouched = ["shape_volume_ml", "age_years"]
    pd.testing.assert_frame_equal(after[untouched], features[untouched])


def test_patients_outside_the_fit_never_change_it():
    features = _features()
    inside, outside = features[CENTRE != "C"], features[CENTRE == "C"]
    step = _harmoniser().fit(inside)
    wild = pd.concat([inside, outside * 100])
    pd.testing.assert_frame_equal(step.transform(wild).loc[inside.index], step.transform(inside))
    left = step.transform(wild).loc[outside.index, list(outside)]
    pd.testing.assert_frame_equal(left, outside * 100)  # the policy: left as they are
    assert step.centres_ == ["A", "B"]


def test_an_unseen_centre_can_be_refused():
    features = _features()
    step = _harmoniser(unseen_centres="refuse").fit(features[CENTRE != "C"])
    step.transform(features[CENTRE != "C"])
    with pytest.raises(StudyError, match=r"patient P002 is from centre 'C', which had fewer than 5 patients"):
        step.transform(features)


def test_gaps_stay_gaps_and_features_without_spread_stay_as_they_are():
    features = _features()
    features.loc[PATIENTS[3], NAMES[0]] = np.nan
    features.loc[CENTRE == "A", NAMES[1]] = 7.0
    after = _harmoniser().fit(features).transform(features)
    assert after.isna().sum().sum() == 1
    assert after[NAMES[1]].equals(features[NAMES[1]])
    assert after.loc[PATIENTS[4], NAMES[0]] != features.loc[PATIENTS[4], NAMES[0]]


@pytest.mark.parametrize("kept", [("A",), ("A", "few of B")])
def test_one_centre_alone_is_left_as_it_is(kept):
    features = _features()
    part = features[CENTRE == "A"]
    if len(kept) > 1:
        part = pd.concat([part, features[CENTRE == "B"].head(4)])
    pd.testing.assert_frame_equal(_harmoniser().fit(part).transform(part), part)


def _measured_twice() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Feature 0 is the same under every mask; feature 1 is noise; the rest move a little."""
    features = _features()
    patients = PATIENTS[:24]
    rows = []
    for mask in ("smaller", "larger"):
        other = features.loc[patients, NAMES] + RNG.normal(0, 0.05, (24, 30))
        other[NAMES[0]], other[NAMES[1]] = features.loc[patients, NAMES[0]], RNG.normal(size=24)
        rows.append(other.reset_index(names="patient_id").assign(mask=mask))
    return features, pd.concat(rows, ignore_index=True)


def test_an_unstable_feature_leaves_and_others_stay():
    features, again = _measured_twice()
    step = StableFeatures(again, 0.75).fit(features)
    assert step.unstable_ == [NAMES[1]]
    assert list(step.transform(features)) == [name for name in features if name != NAMES[1]]
    assert StableFeatures(again, -1).fit(features).unstable_ == []


def test_stability_is_judged_by_training_patients_only():
    features, again = _measured_twice()
    train = features.loc[PATIENTS[6:]]
    spoilt = again.copy()
    spoilt.loc[spoilt["patient_id"].isin(PATIENTS[:6]), NAMES] = 1e6
    assert StableFeatures(spoilt, 0.75).fit(train).unstable_ == [NAMES[1]]
    assert len(StableFeatures(spoilt, 0.75).fit(features).unstable_) > 1  # the spoilt patients would have been seen
    assert feature_icc(train, spoilt)["lesions"].unique() == [18]


def test_too_few_lesions_judge_nothing():
    features, again = _measured_twice()
    assert StableFeatures(again, 0.99).fit(features.loc[PATIENTS[20:]]).unstable_ == []


def test_a_known_verdict_is_repeated_without_the_measurements():
    features, _ = _measured_twice()
    assert StableFeatures(unstable=[NAMES[2]]).fit(features).transform(features).columns.tolist() == [
        name for name in features if name != NAMES[2]
    ]
