"""Identifiers that mean one patient twice, that no file can have, or that say who somebody is."""

import numpy as np
import pandas as pd
import pytest

from her2study.cohort.checks.cells import patients_of
from her2study.cohort.checks.identifiers import check_identifiers, identical_patients, personal_columns
from her2study.study import Source

SOURCE = Source(kind="folder", table="clinical.csv")


def patients(names, **columns):
    return patients_of(pd.DataFrame({"patient_id": names, **columns}, dtype="str"), SOURCE)


def test_plain_numbers_are_fine():
    assert check_identifiers(patients([f"XH-{i:03d}" for i in range(40)]), images=True).empty


@pytest.mark.parametrize(
    ("name", "severity", "words"),
    [
        ("../P1", "error", "names files"),
        ("P:1", "error", "names files"),
        (".P1", "error", "names files"),
        ("1.2E+05", "warning", "turned the identifier into a number"),
        ("2-Mar", "warning", "turned the identifier into a number"),
        ("Müller, Anna", "warning", "person's name"),
        ("王小明", "warning", "person's name"),
        ("xh-003", "warning", "several spellings"),
        ("ＸＨ－003", "warning", "several spellings"),
        ("XH 3", "warning", "several spellings"),
        ("XH03x7", "warning", "unlike the others"),
    ],
)
def test_a_bad_identifier_is_told_with_its_row(name, severity, words):
    names = [f"XH-{i:03d}" for i in range(40)]
    found = check_identifiers(patients([*names, name]), images=True)
    own = found[(found["row"] == 42) & found["rule"].str.contains(words)]
    assert own["severity"].tolist() == [severity]
    if "spellings" in words:
        assert "XH-003" in own["value"].iloc[0]


def test_columns_that_identify_are_named_and_their_values_are_not_repeated():
    card = "110101199003071234"
    found = personal_columns(patients(["p1", "p2"], Nom=["A B", "C D"], remark=[card, "x"], margin=["a", "b"]))
    assert set(found["column"]) == {"Nom", "remark"}
    assert not found.astype("str").apply(lambda column: column.str.contains(card)).any().any()


@pytest.mark.parametrize("column", ["姓名", "Date of birth", "birth_date", "MRN", "Patient name", "电话"])
def test_such_a_column_is_known_by_its_name(column):
    assert personal_columns(patients(["p1"], **{column: ["x"]}))["column"].tolist() == [column]


@pytest.mark.parametrize(
    "column", ["filename_prefix_mm", "scanner_name", "denominator", "renal_mobility", "nomogram", "prognosis"]
)
def test_a_word_inside_another_word_identifies_nobody(column):
    assert personal_columns(patients(["p1"], **{column: ["x"]})).empty


def table(n, coarse):
    rng = np.random.default_rng(4)
    numbers = {f"n{i}": rng.integers(0, 3 if coarse else 10_000, n) for i in range(4)}
    return pd.DataFrame({"patient_id": [f"p{i}" for i in range(n)], **numbers, "level": "a"}).astype("str")


def test_one_woman_under_two_numbers_is_found_among_measured_values():
    cells = table(200, coarse=False)
    cells.loc[150, "n0":] = cells.loc[20, "n0":]
    found = identical_patients(patients_of(cells, SOURCE), ["n0", "n1", "n2", "n3", "level"], ["n0", "n1", "n2", "n3"])
    assert found["value"].tolist() == ["p20, p150"] * 2


def test_women_who_are_alike_by_chance_are_left_alone():
    cells = table(200, coarse=True)
    assert cells.drop(columns="patient_id").duplicated().any()
    assert identical_patients(patients_of(cells, SOURCE), list(cells)[1:], ["n0", "n1", "n2", "n3"]).empty
