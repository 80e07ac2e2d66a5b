"""Parquet as a grid of text: numbers in their shortest form, dates as ISO, lists as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from her2study.types import StudyError


def read_columns(path: Path) -> tuple[list[str], pd.DataFrame]:
    """Names of the columns as they stand and their cells as text, columns counted from 0.

    An index that pandas wrote is a column like any other if it has a name.

    Raises
    ------
    StudyError
        Not a Parquet file, or a damaged one.
    """
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise StudyError(
            f"{path}: cannot be read: it is no Parquet file, or a damaged one ({str(error).splitlines()[0][:120]})"
        ) from None
    names = [name for name in table.column_names if not name.startswith("__index_level_")]
    columns = {i: pd.Series(_text(table.column(name)), dtype="str") for i, name in enumerate(names)}
    return names, pd.DataFrame(columns, index=np.arange(table.num_rows))


def _text(column: pa.ChunkedArray) -> pa.ChunkedArray | pa.Array:
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _text(column.cast(kind.value_type))
    if pa.types.is_boolean(kind):
        return pc.if_else(column, "True", "False")
    if pa.types.is_floating(kind):
        finite = pc.if_else(pc.is_nan(column), pa.scalar(None, kind), column)
        return finite.cast(pa.large_string())
    if pa.types.is_timestamp(kind):
        text = pc.strftime(column, format="%Y-%m-%d %H:%M:%S")
        text = pc.replace_substring_regex(text, pattern=r"\.\d+$", replacement="")
        return pc.replace_substring_regex(text, pattern=" 00:00:00$", replacement="").cast(pa.large_string())
    if pa.types.is_nested(kind):
        values = [None if v is None else json.dumps(v, default=str, ensure_ascii=False) for v in column.to_pylist()]
        return pa.array(values, pa.large_string())
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return pa.array([None if v is None else v.decode("utf-8", "replace") for v in column.to_pylist()])
    return column.cast(pa.large_string())
