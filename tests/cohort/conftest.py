"""A tiny two-plus-one-centre study and its tables, by hand."""

from types import SimpleNamespace

import pandas as pd
import pytest

from her2study.study import Centres, Exclusion, Outcome, Source, Split, Variable


@pytest.fixture
def settings() -> SimpleNamespace:
    """Sections of a study with one variable of each type."""
    return SimpleNamespace(
        source=Source(kind="folder", table="clinical.csv"),
        outcome=Outcome(column="her2", positive=("positive",), negative=("negative",), label="HER2-positive"),
        centres=Centres(development=("A", "B"), external=("C",), names={"A": "Centre A", "B": "Centre B"}),
        exclusions=(
            Exclusion(reason="Treated before", column="treated", values=("yes",)),
            Exclusion(reason="HER2 equivocal", column="her2", values=("equivocal",)),
        ),
        variables={
            "age_years": Variable(type="continuous", label="Age", role="clinical", unit="years", column="age"),
            "shape": Variable(
                type="categorical", label="Shape", role="mri_reading", levels=("oval", "round"), second_reader="shape2"
            ),
            "node_mm": Variable(type="continuous", label="Node", role="mri_reading", unit="mm", log=True),
        },
        split=Split(internal_fraction=0.2, folds=2),
    )


@pytest.fixture
def raw() -> pd.DataFrame:
    """Eight included patients as ``read_table`` returns them: all text."""
    return pd.DataFrame(
        {
            "patient_id": ["p8", "p1", "p2", "p3", "p4", "p5", "p6", "p7"],
            "centre": ["C", "A", "A", "A", "A", "B", "B", "C"],
            "her2": ["positive", "positive", "negative", "negative", "positive", "positive", "negative", "negative"],
            "age": ["60", "41.5", None, "50", "47", "66", "39", "58"],
            "shape": ["oval", "round", "oval", "oval", None, "round", "oval", "round"],
            "shape2": ["oval", "oval", "oval", "oval", None, "round", "oval", "round"],
            "node_mm": ["5", "9", "7.5", "31", "6", "8", "12", "4"],
            "treated": ["no"] * 8,
        },
        dtype="str",
    )
