"""What a table beside the main one is: further columns, measured features, or scores that were made elsewhere."""

from __future__ import annotations

import pandas as pd

from her2study.cohort.own_tables import SCORE_COLUMNS
from her2study.cohort.proposals.content import content_of, numbers_of
from her2study.cohort.proposals.headers import read_header
from her2study.cohort.proposals.lexicon import find_concept

LEAST_FEATURES = 20


def kind_of(cells: pd.DataFrame, patient: str) -> str:
    """``join``, ``features`` (many numbers that the lexicon does not know) or ``scores``."""
    others = [column for column in cells if column not in (patient, "patient_id")]
    if "probability" in others and set(others) <= set(SCORE_COLUMNS):
        return "scores"
    numbers = [c for c in others if numbers_of(content_of(cells[c]), 1.0) and not find_concept(read_header(c))]
    return "features" if len(others) >= LEAST_FEATURES and len(numbers) >= 0.8 * len(others) else "join"
