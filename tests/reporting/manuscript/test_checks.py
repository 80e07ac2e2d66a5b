"""Numbers that contradict each other are found before they are printed."""

from __future__ import annotations

import pandas as pd
import pytest

from her2study.reporting.manuscript.checks import check_numbers, flow_findings, table_findings, value_findings
from her2study.reporting.values import gather_values
from her2study.types import StudyError
from tests.reporting.manuscript.maker import FLOW, PERFORMANCE, VALUES


def test_a_sound_study_passes():
    check_numbers(gather_values(VALUES), {"cohort_flow": FLOW, "performance": PERFORMANCE})


def test_a_value_outside_its_interval():
    values = gather_values({"auc": {"value": 0.9, "low": 0.7, "high": 0.8}, "fine": 3})
    assert list(value_findings(values)) == ["value auc: 0.9 lies outside its interval 0.7 to 0.8"]


def changed(**columns) -> pd.DataFrame:
    return PERFORMANCE.assign(**columns)


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        (changed(auc=[0.95, 0.8149]), "row 1 (development, combined): auc 0.95 lies outside 0.6 to 0.9"),
        (changed(auc_low=[0.6, 0.6], auc_high=[0.9, 0.9]), "auc has the same interval in both"),
        (changed(n=[7, 4]), "tp, fp, fn and tn add up to 6, n is 7"),
        (changed(positives=[3, 2]), "tp and fn add up to 2, not 3"),
        (changed(sensitivity=[0.6, 1.0]), "sensitivity is 0.6, its counts say 0.5"),
    ],
)
def test_a_table_that_contradicts_itself(frame, told):
    assert told in "\n".join(table_findings(frame))


def test_percentages_follow_their_counts():
    frame = pd.DataFrame({"label": ["a", "b"], "count": [3, 4], "n": [8, 8], "percent": [37.5, 40.0]})
    assert list(table_findings(frame)) == ["row 2 (b): 40% is not 4 of 8"]


def test_equal_estimates_and_ranks_may_share_intervals():
    equal = pd.DataFrame({"model": ["a", "b"], "auc": [0.7, 0.7], "auc_low": [0.6, 0.6], "auc_high": [0.8, 0.8]})
    ranks = pd.DataFrame({"rank": [5, 6], "rank_low": [5, 5], "rank_high": [6, 6]})
    assert [*table_findings(equal), *table_findings(ranks)] == []


@pytest.mark.parametrize(
    ("row", "n", "told"),
    [
        (0, 13, "13 screened less 2 excluded are not the 10 included"),
        (3, 7, "splits add up to 11 and not to the 10 included"),
        (5, 5, "centres add up to 9 and not to the 10 included"),
    ],
)
def test_patients_who_get_lost_on_the_way(row, n, told):
    flow = FLOW.copy()
    flow.loc[row, "n"] = n
    assert told in "\n".join(flow_findings(flow, {}))


def test_the_values_say_what_the_flow_says():
    told = list(flow_findings(FLOW, gather_values({"patients_included": 11})))
    assert told == ["value patients_included is 11 and the flow says 10"]


def test_the_message_names_table_and_row():
    with pytest.raises(StudyError, match=r"table performance, row 1 \(development, combined\): auc"):
        check_numbers({}, {"performance": changed(auc=[0.95, 0.8149])})
