"""Restricted cubic splines against rms (tests/oracles/regression.R)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from her2study.models.logistic import fit_logit
from her2study.models.splines import linearity_table, place_knots, spline_basis
from her2study.study import Variable
from her2study.types import StudyError
from tests.models.invented import VARIABLES, oracle_patients
from tests.models.regression_golden import data, golden

X4 = data("ordinary")[0][:, 3]


@pytest.mark.oracle("spline_basis", by="Hmisc::rcspline.eval, rms::lrm with rcs()")
@pytest.mark.parametrize("count", [3, 4, 5])
def test_knots_basis_and_coefficients_are_those_of_rms(count):
    """Knots and basis to 1e-10; coefficients to 1e-6 (lrm stops at a change of the deviance of 1e-10)."""
    values, knots = golden("ordinary", f"rcs{count}"), place_knots(X4, count)
    assert knots == pytest.approx([values[f"knot{i}", "value"] for i in range(1, count + 1)], rel=1e-12)
    basis = spline_basis(X4, knots)
    theirs = [[values[f"row{i}", f"column{j}"] for j in range(1, count)] for i in range(1, 13)]
    assert basis[:12] == pytest.approx(np.array(theirs), rel=1e-10, abs=1e-12)
    fit, curve = fit_logit(basis, data("ordinary")[1]), golden("ordinary", f"lrm{count}")
    assert fit.coefficients == pytest.approx([curve[f"b{i}", "coefficient"] for i in range(count)], rel=1e-6)


@pytest.mark.parametrize(("n", "count"), [(180, 4)])
def test_linearity_agrees_with_rms(n, count):
    design, labels = data("ordinary")
    patients = pd.DataFrame({"patient_id": np.arange(n).astype(str), "label": labels, "x4": design[:, 3]})
    variables = {"x4": Variable(type="continuous", unit="mm", label="Size", role="clinical")}
    row, curve = linearity_table(patients, variables).iloc[0], golden("ordinary", f"lrm{count}")
    assert (row["n"], row["knots"], row["label"]) == (n, count, "Size (mm)")
    assert row["degrees_of_freedom"] == curve["linearity", "degrees_of_freedom"]
    assert row["chi_squared"] == pytest.approx(curve["linearity", "chi_squared"], abs=1e-8)
    assert row["p"] == pytest.approx(curve["linearity", "p"], abs=1e-8)


def test_linearity_says_why_there_is_no_test():
    few = oracle_patients().assign(age_years=lambda rows: rows["label"] * 0.0 + (np.arange(len(rows)) % 2))
    rows = linearity_table(few.assign(node_mm=np.nan), VARIABLES).set_index("variable")
    assert rows.index.tolist() == ["age_years", "node_mm"]
    assert rows.loc["age_years", "note"] == "no test: too few distinct values"
    assert rows.loc["node_mm", "note"] == "not estimable: no value recorded"
    assert rows["p"].isna().all()


@settings(max_examples=30, deadline=None)
@given(values=st.lists(st.floats(-50, 50), min_size=3, max_size=12), count=st.sampled_from([3, 4, 5]))
def test_tails_are_straight_and_ends_meet(values, count):
    knots = np.linspace(-10, 10, count)
    far = np.array([20.0, 30, 40])
    assert np.diff(spline_basis(far, knots), 2, axis=0) == pytest.approx(0, abs=1e-9)
    assert spline_basis(-far, knots)[:, 1:] == pytest.approx(0)
    basis = spline_basis(np.array(values), knots)
    assert basis.shape == (len(values), count - 1)
    assert basis[:, 0] == pytest.approx(values)


def test_fewer_than_three_knots_are_a_line_and_bad_knots_are_refused():
    assert spline_basis(X4, [0.0, 1.0]).shape == (180, 1)
    with pytest.raises(StudyError, match="knots increase"):
        spline_basis(X4, [0.0, 1.0, 1.0, 2.0])
    with pytest.raises(StudyError, match="must be finite"):
        spline_basis([1.0, np.nan], [0.0, 1.0, 2.0])
