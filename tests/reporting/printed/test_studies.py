"""Every table of the two studies in print: explained, in words, with nothing lost, on a page that holds it."""

import re
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest

from her2study.reporting.printed import compose, table_title
from her2study.reporting.printed.explained import ABBREVIATIONS, KNOWN, is_explained
from her2study.reporting.printed.layouts import layout_of
from her2study.reporting.printed.sheet import Sheet
from her2study.reporting.printed.titles import TITLES
from her2study.reporting.printed.views import VIEWS, views
from her2study.reporting.printed.widths import LANDSCAPE_MM, fit
from her2study.reporting.tables import print_column, printed_heads

IDENTIFIER = re.compile(r"[a-z0-9]_[a-z0-9]")
RAW_NUMBER = re.compile(r"\d\.\d{4,}(?!\d*/)")
CAPITALS = re.compile(r"\b[A-Z][A-Z0-9]+(?:-[A-Z]\w*)?\b|\b[A-Z]+[a-z]+[A-Z]\w*\b")
CODES = re.compile(r"\b10\.\d{4,}/\S+|[A-Z]+[-_]?[A-Z]*_?\d{3,}\w*")
"""Digital object identifiers, and patients."""
KNOWN_NAMES = re.compile("|".join([CODES.pattern, *(short for short in ABBREVIATIONS if "-" in short)]))


class Printed(NamedTuple):
    """All tables of a study and the sheets that they print as."""

    tables: dict[str, pd.DataFrame]
    sheets: dict[str, list[Sheet]]


@pytest.fixture(scope="module", params=["simulated", "public"])
def study(request, finished) -> Printed:
    if request.param == "simulated":
        folder: Path = finished / "hong2025-smoke"
    else:
        folder = request.getfixturevalue("finished_public") / "mamamia-smoke"
    tables = {
        path.stem: pd.read_csv(path).drop(columns="patients") for path in sorted((folder / "tables").glob("*.csv"))
    }
    return Printed(tables, {name: compose(name, frame, simulated=True) for name, frame in tables.items()})


def text_of(sheet) -> list[str]:
    cells = [cell.text for row in sheet.rows for cell in row.cells]
    return [sheet.title, *(head.text for head in sheet.heads), *cells, *(note.text for note in sheet.notes)]


def test_every_table_has_a_title_in_words(study):
    assert not set(study.tables) - set(TITLES)
    for name in study.tables:
        assert not IDENTIFIER.search(table_title(name))


def test_every_column_is_plain_or_explained(study):
    for name, frame in study.tables.items():
        groups = {text for view in views(name, frame) for text in view.frame if "(n = " in text}  # of patients
        for view in views(name, frame):
            shown = set(printed_heads(view.frame)) - set(layout_of(name).hidden) - groups
            unexplained = [column for column in shown if not is_explained(name, column)]
            assert not unexplained, (name, unexplained)


def test_every_abbreviation_is_spelt_out(study):
    for name, sheets in study.sheets.items():
        for sheet in sheets:
            spelt = sheet.notes[-1].text if sheet.notes else ""
            used = {word for text in text_of(sheet) for word in CAPITALS.findall(KNOWN_NAMES.sub("", text))}
            for word in {part for joined in used for part in joined.split("-")} - KNOWN:
                short = word.removesuffix("s")
                assert short in ABBREVIATIONS, (name, word)
                assert re.search(rf"\b{short}\S*, ", spelt), (name, word)


def test_no_raw_number_and_no_name_of_a_program(study):
    for name, sheets in study.sheets.items():
        for sheet in sheets:
            for text in text_of(sheet):
                typed = name == "assumptions"  # as a person wrote it
                assert typed or not RAW_NUMBER.search(CODES.sub("", text)), (name, text)
                assert typed or not IDENTIFIER.search(CODES.sub("", text)), (name, text)


def test_nothing_that_is_stored_is_lost_in_print(study):
    for name in set(study.tables) - set(VIEWS):
        frame, layout = study.tables[name], layout_of(name)
        said = "\n".join(text for sheet in study.sheets[name] for text in text_of(sheet)).lower()
        for column in set(printed_heads(frame)) - set(layout.hidden):
            for text in set(print_column(frame, column)) - {"", "–"}:
                assert text.lower() in said, (name, column, text)


def test_every_sheet_fits_its_page_and_says_whose_patients(study):
    for sheets in study.sheets.values():
        for sheet in sheets:
            assert sum(fit(sheet)[0]) <= LANDSCAPE_MM + 1e-6
            assert min(fit(sheet)[0]) > 5
            assert sheet.caption.endswith("[SIMULATED PATIENTS]")
