"""Tests of Parquet as text."""

import datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from her2study.cohort.tables import read_sheet, sniff
from her2study.types import StudyError


def test_every_type_becomes_the_text_of_a_csv(tmp_path):
    day = datetime.datetime(2020, 3, 1)
    frame = pd.DataFrame(
        {
            "whole": [1.0, np.nan],
            "half": [0.5, 1e-7],
            "count": [7, 8],
            "flag": [True, False],
            "group": pd.Categorical(["x", "y"]),
            "when": [day, day.replace(hour=10, minute=30)],
            "times": [[0, 97, 194], [0, 90]],
            "raw": [b"\xc3\xa9", None],
            "none": [None, None],
        },
        index=pd.Index(["p1", "p2"], name="patient_id"),
    )
    frame.to_parquet(tmp_path / "t.parquet")
    sheet = read_sheet(tmp_path / "t.parquet")
    cells = sheet.cells
    assert cells["patient_id"].tolist() == ["p1", "p2"]  # an index with a name is a column
    assert cells["whole"].isna().tolist() == [False, True]
    assert [float(v) for v in cells["half"]] == [0.5, 1e-7]
    assert cells.loc[0, ["whole", "count", "flag", "group", "when", "times", "raw"]].tolist() == [
        "1", "7", "True", "x", "2020-03-01", "[0, 97, 194]", "é",
    ]  # fmt: skip
    assert cells["when"][1] == "2020-03-01 10:30:00"
    assert sheet.rows.tolist() == [2, 3]
    assert sheet.findings["column"].tolist() == ["none"]
    assert sniff(tmp_path / "t.parquet")[0] is None


def test_an_index_without_a_name_is_left_out(tmp_path):
    pd.DataFrame({"id": ["a", "b", "c"]}).iloc[[0, 2]].to_parquet(tmp_path / "t.parquet")
    assert list(read_sheet(tmp_path / "t.parquet").cells) == ["id"]


def test_dates_and_decimals_of_other_programs(tmp_path):
    import decimal

    table = pa.table({"id": ["a"], "day": [datetime.date(2021, 2, 3)], "price": [decimal.Decimal("2.50")]})
    pq.write_table(table, tmp_path / "t.parquet")
    assert read_sheet(tmp_path / "t.parquet").cells.iloc[0].tolist() == ["a", "2021-02-03", "2.50"]


def test_a_damaged_file_is_refused(tmp_path):
    (tmp_path / "t.parquet").write_bytes(b"PAR1 and nothing")
    with pytest.raises(StudyError, match=r"t.parquet: cannot be read: it is no Parquet file"):
        read_sheet(tmp_path / "t.parquet")
