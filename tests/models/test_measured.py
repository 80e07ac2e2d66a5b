"""The measured branch: two logistic regressions that are scikit-learn's, and what counts in masses only."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from her2study.models.measured import OF_ALL, OF_MASSES, MeasuredBranch, mass_readings
from her2study.models.measurement import MEASUREMENTS
from her2study.study import Variable
from her2study.types import StudyError

CHANNELS = ("pre", "wash_in", "wash_out", "mask")
TYPE = Variable(type="binary", label="Lesion type", role="mri_reading", levels=("mass", "non-mass"))


@pytest.fixture
def patients():
    rng = np.random.default_rng(0)
    measurements = rng.normal(3, 2, (400, len(MEASUREMENTS)))
    non_mass = measurements[:, list(MEASUREMENTS).index("elongation")] < 1.5
    logit = measurements[:, 0] - 3 + np.where(non_mass, 0, 1.5) * (measurements[:, 3] - 3)
    labels = (rng.random(400) < 1 / (1 + np.exp(-logit))).astype(int)
    return torch.from_numpy(measurements).float(), labels, 1.0 - non_mass


def fitted(patients, mass, strength=1.0):
    branch = MeasuredBranch(CHANNELS)
    branch.fit(patients[0], patients[1], mass, strength)
    return branch


def test_the_last_layer_is_scikit_learns_ridge_regression(patients):
    branch = fitted(patients, patients[2])
    evidence = branch.evidence(patients[0]).double().numpy()
    standard = (evidence - evidence.mean(0)) / evidence.std(0)
    expected = (
        LogisticRegression(C=1.0, tol=1e-10, max_iter=1000).fit(standard, patients[1]).decision_function(standard)
    )
    np.testing.assert_allclose(branch.head(branch.evidence(patients[0]))[:, 0], expected, atol=1e-3)


def test_what_describes_masses_counts_in_masses_only(patients):
    branch = fitted(patients, patients[2])
    rows = torch.from_numpy(patients[2] == 0)
    evidence = branch.evidence(patients[0])[:, len(OF_ALL) :]
    assert evidence[rows].std() < 0.5 * evidence[~rows].std()
    assert evidence.shape[1] == len(OF_MASSES)


@pytest.mark.parametrize("mass", [None, "nan", "all"])
def test_where_nobody_told_masses_apart_all_are(patients, mass):
    given = {None: None, "nan": np.full(400, np.nan), "all": np.ones(400)}[mass]
    branch = fitted(patients, given)
    standard = (patients[0] - patients[0].mean(0)) / patients[0].std(0)
    columns = [list(MEASUREMENTS).index(name) for name in OF_MASSES]
    torch.testing.assert_close(branch.evidence(patients[0])[:, len(OF_ALL) :], standard[:, columns], atol=1e-4, rtol=0)


def test_missing_readings_and_disagreeing_readers(patients):
    mass = patients[2].copy()
    mass[:50], mass[50:60] = np.nan, 0.5
    without = fitted((patients[0], patients[1]), mass)
    assert torch.isfinite(without.evidence(patients[0])).all()
    assert np.corrcoef(without.mass(without.standardised(patients[0]))[:, 0], patients[2])[0, 1] > 0.7


def test_the_same_patients_give_the_same_weights(patients):
    one, other = fitted(patients, patients[2]).state_dict(), fitted(patients, patients[2]).state_dict()
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_readings_are_the_share_of_readers_who_see_a_mass():
    cohort = pd.DataFrame(
        {
            "lesion_type": ["mass", "non-mass", "mass", None],
            "lesion_type__reader2": ["mass", "mass", None, None],
        }
    )
    np.testing.assert_array_equal(mass_readings(cohort, {"lesion_type": TYPE}, "lesion_type"), [1, 0.5, 1, np.nan])
    assert np.isnan(mass_readings(cohort, {}, None)).all()
    with pytest.raises(StudyError, match=r"network\.mass_reading is 'typ'"):
        mass_readings(cohort, {"lesion_type": TYPE}, "typ")
