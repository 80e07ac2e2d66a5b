"""Tests of HER2 by the ASCO/CAP guidelines, cell by cell of their published tables."""

import pandas as pd
import pytest

from her2study.cohort.her2 import her2_category, her2_findings, with_category
from her2study.study import Her2
from her2study.types import StudyError

COLUMNS = ["ihc", "ish", "ratio", "copies", "status"]


def judged(*rows: tuple, guideline: str = "ASCO/CAP 2023") -> list[str | None]:
    """Categories of rows of IHC, ISH, ratio, copies and status."""
    table = pd.DataFrame([(*row, *[None] * (5 - len(row))) for row in rows], columns=COLUMNS, dtype="str")
    settings = Her2(**{c: c for c in COLUMNS}, guideline=guideline)
    return [None if pd.isna(c) else c for c in her2_category(table, settings)["her2_category"]]


# Wolff et al. 2013 (figures 1 and 3) and 2018 (figures 1, 3 and 4 to 6); the update of 2023 affirms those of 2018.
# Columns: IHC 0, 1+, 2+, 3+, missing.
OLD = ["ASCO/CAP 2013"]
NEW = ["ASCO/CAP 2018", "ASCO/CAP 2023"]
GROUPS = [
    (1, "2.0", "4.0", OLD + NEW, "positive positive positive positive positive"),
    (2, "2.0", "3.9", OLD, "positive positive positive positive positive"),
    (2, "2.0", "3.9", NEW, "zero low low positive equivocal"),
    (3, "1.9", "6.0", OLD, "positive positive positive positive positive"),
    (3, "1.9", "6.0", NEW, "zero low positive positive equivocal"),
    (4, "1.9", "5.9", OLD, "zero low equivocal positive equivocal"),
    (4, "1.9", "5.9", NEW, "zero low low positive equivocal"),
    (4, "1.9", "4.0", NEW, "zero low low positive equivocal"),
    (5, "1.9", "3.9", OLD + NEW, "zero low low positive negative"),
]


@pytest.mark.parametrize(
    ("group", "ratio", "copies", "guideline", "expected"),
    [(group, ratio, copies, g, expected) for group, ratio, copies, editions, expected in GROUPS for g in editions],
)
def test_dual_probe_groups(group, ratio, copies, guideline, expected):
    rows = [(ihc, None, ratio, copies) for ihc in ("0", "1+", "2+", "3+", None)]
    assert judged(*rows, guideline=guideline) == expected.split()
    table = pd.DataFrame([rows[0]], columns=COLUMNS[:4], dtype="str")
    settings = Her2(ihc="ihc", ratio="ratio", copies="copies", guideline=guideline)
    assert f"ISH group {group} (" in her2_category(table, settings)["her2_reason"][0]


@pytest.mark.parametrize("guideline", OLD + NEW)
def test_score_alone_and_with_recorded_hybridisation(guideline):
    rows = [(ihc, ish) for ish in (None, "positive", "negative", "equivocal") for ihc in ("0", "1+", "2+", "3+", None)]
    assert judged(*rows, guideline=guideline) == [
        *["zero", "low", "equivocal", "positive", None],
        *["positive"] * 5,
        *["zero", "low", "low", "positive", "negative"],
        *["zero", "low", "equivocal", "positive", "equivocal"],
    ]


@pytest.mark.parametrize("guideline", OLD + NEW)
def test_copies_without_a_ratio_are_a_single_probe(guideline):
    rows = [(ihc, None, None, copies) for copies in ("6.0", "5.9", "3.9") for ihc in ("0", "1+", "2+", "3+")]
    assert judged(*rows, guideline=guideline) == [
        *["positive"] * 4,
        *["zero", "low", "equivocal", "positive"],
        *["zero", "low", "low", "positive"],
    ]


def test_a_ratio_without_copies_decides_only_where_its_groups_agree():
    rows = [(ihc, None, ratio) for ratio in ("2.0", "1.9") for ihc in ("0", "1+", "2+", "3+")]
    assert judged(*rows, guideline="ASCO/CAP 2013")[:4] == ["positive"] * 4
    assert judged(*rows) == [
        *["equivocal", "equivocal", "equivocal", "positive"],  # groups 1 and 2
        *["zero", "low", "equivocal", "positive"],  # groups 3 to 5
    ]
    assert judged(("2+", "negative", "1.2")) == ["low"]  # the pathologist had the copies


def test_counts_go_before_words_and_the_reason_says_so():
    table = pd.DataFrame([("2+", "positive", "2.1", "3.0")], columns=COLUMNS[:4], dtype="str")
    made = her2_category(table, Her2(ihc="ihc", ish="ish", ratio="ratio", copies="copies"))
    assert made["her2_category"][0] == "low"
    assert (
        made["her2_reason"][0] == "IHC 2+, ISH group 2 (ratio 2.1, 3 copies), recorded as ISH positive (ASCO/CAP 2023)"
    )


def test_a_recorded_status_counts_only_where_the_score_is_missing():
    rows = [
        (ihc, None, None, None, status) for ihc in (None, "2+") for status in ("positive", "negative", "HER2-low", "0")
    ]
    assert judged(*rows) == ["positive", "negative", "low", "zero", *["equivocal"] * 4]
    assert judged((None, "negative", None, None, "low")) == ["negative"]


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("HER2 (3＋)", "positive"), ("+++", "positive"), ("IHC 1+", "low"), ("score: 0", "zero"), ("(-)", "negative"),
        ("阴性", "negative"), ("2", "equivocal"), ("(++)", "equivocal"), ("Positive", "positive"),
    ],
)  # fmt: skip
def test_scores_as_people_write_them(text, category):
    assert judged((text,)) == [category]


@pytest.mark.parametrize("text", ["4+", "2~3+", "1+/2+", "see report", "2.5", "未做"])
def test_other_scores_are_missing_and_told_never_negative(text):
    table = pd.DataFrame({"id": ["p1", "p2", "p3"], "ihc": ["0", text, text]}, index=[3, 4, 5], dtype="str")
    assert her2_category(table, Her2(ihc="ihc"))["her2_category"].isna().tolist() == [False, True, True]
    told = her2_findings(table, Her2(ihc="ihc"), "id", "t.csv")
    assert told[["severity", "patient", "row", "value"]].to_numpy().tolist() == [["error", "p2", 6, text]]
    with pytest.raises(StudyError, match=r"row 6: ihc is .* \(and 1 more rows\), which is none of 0, 1\+, 2\+, 3\+"):
        with_category(table, Her2(ihc="ihc"))


def test_absent_columns_and_a_category_that_is_there_already_are_named():
    table = pd.DataFrame({"id": ["p"], "ihc_score": ["0"], "her2_category": ["x"]}, dtype="str")
    told = her2_findings(table, Her2(ihc="ihc"), "id")
    assert told["rule"].str.contains("did you mean 'ihc_score'").sum() == 1
    assert told["rule"].str.contains("a column 'her2_category' already").sum() == 1
    assert with_category(table, None) is table
