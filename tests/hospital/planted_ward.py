"""Defects of the ward's workbook, all planted at once: the cell, row or column, and the facts a finding must hold."""

from __future__ import annotations

import openpyxl

from tests.hospital.judge import Planted
from tests.hospital.sheets import Sheet
from tests.hospital.ward import NAMES


def cell(what: str, patient: str, key: str, raw: str, severity: str, area: str, *words: str) -> Planted:
    """One cell of one patient."""

    def plant(sheet: Sheet) -> None:
        sheet.of_patient(patient)[key] = raw

    return Planted(what, severity, area, patient, NAMES[key], words or (raw.lstrip("'"),), plant)


def row(what: str, copied: str, cells: dict[str, str], severity: str, area: str, patient: str, *words: str) -> Planted:
    """One more row, like a patient's but for some cells."""

    def plant(sheet: Sheet) -> None:
        place = sheet.rows.index(sheet.of_patient(copied))
        sheet.rows.insert(place + 1, sheet.rows[place] | cells)

    return Planted(what, severity, area, patient, "", words, plant)


CELLS = [
    cell("a letter in a number", "XH-004", "age", "5O", "error", "variables|table"),
    cell("an age of centuries", "XH-007", "age", "520", "warning", "variables"),
    cell("more than all", "XH-010", "er", "120", "warning", "variables"),
    cell("a code for missing that nobody declared", "XH-011", "er", "999", "warning", "variables"),
    cell("a censored number", "XH-013", "ki67", ">50", "error", "variables|table"),
    cell("a reference that is gone", "XH-014", "ki67", "#REF!", "error|warning", "table|variables"),
    cell("a division by zero", "XH-015", "ratio", "#DIV/0!", "error|warning", "table|outcome|variables"),
    cell("two diameters in one cell", "XH-016", "diam1", "3.1x2.2", "error", "variables|table"),
    cell("centimetres without a unit", "XH-017", "diam1", "2.4", "warning", "variables"),
    cell("a unit nobody declared", "XH-018", "diam1", "23 in", "error", "variables|table"),
    cell("zero, in a column of logarithms", "XH-019", "diam1", "0", "error", "variables", "logarithm"),
    cell("a misspelt yes", "XH-021", "rim1", "yse", "error", "variables"),
    cell("a code beyond the header's", "XH-022", "meno", "2", "error", "variables"),
    cell("a misspelt level", "XH-023", "bpe", "midl", "error", "variables"),
    cell("a level that does not exist", "PD-001", "tic", "IV", "error", "variables"),
    cell("a score that does not exist", "XH-006", "ihc", "4+", "error", "outcome"),
    cell("a score between two", "PD-005", "ihc", "0-1+", "error", "outcome"),
    cell("a question mark for a result", "XH-010", "fish", "?", "error", "outcome"),
    cell("a word for a ratio", "XH-009", "ratio", "amp", "error", "outcome|table|variables"),
    cell("a ratio that lost its point", "XH-012", "ratio", "420", "warning", "outcome|variables"),
    cell("a ratio against the result", "XH-002", "ratio", "3.6", "warning", "outcome", "3.6"),
    cell("hybridisation against the score", "PD-013", "fish", "阴性", "warning", "outcome", "3+"),
    cell("a recorded status against the score", "PD-014", "status", "阳性", "warning", "outcome", "positive"),
    cell("a site nobody knows", "PD-016", "site", "崇明", "error", "centres"),
    cell("no site", "PD-017", "site", "", "error", "centres", "empty"),
    cell("a day that never was", "PD-018", "date", "2019-02-30", "error|warning", "dates"),
    cell("a day to come", "PD-019", "date", "2091-03-27", "warning|error", "dates"),
    cell("a season for a day", "PD-020", "date", "春天", "error|warning", "dates"),
    cell("a day before there was MRI", "XH-024", "date", "5", "warning|error", "dates"),
    cell("two readers a factor of ten apart", "PD-012", "diam2", "140", "warning", "variables", "140", "21"),
    cell("a second reader's slip", "NT-001", "diam2", "270", "warning", "variables"),
]  # fmt: skip


def _no_hybridisation(sheet: Sheet) -> None:
    sheet.of_patient("PD-011").update(fish="", ratio="", status="")


def _no_outcome(sheet: Sheet) -> None:
    sheet.of_patient("PD-015").update(ihc="", status="")


def _sum(sheet: Sheet) -> None:
    sheet.rows.append({"id": "合计", "age": "3417", "er": "2905"})


def _header_again(sheet: Sheet) -> None:
    sheet.rows.insert(24, {key: lower or upper for key, upper, lower in sheet.headers if lower or upper})


def _empty_row(sheet: Sheet) -> None:
    sheet.rows.insert(45, {})


def _lost_letter(sheet: Sheet) -> None:
    sheet.of_patient("NT-018")["name"] = "廖\ufffd梅"


def _nameless(sheet: Sheet) -> None:
    place = sheet.rows.index(sheet.of_patient("NT-014"))
    sheet.rows.insert(place, sheet.rows[place] | {"id": "", "name": "汪静", "age": "63"})


ROWS = [
    row("a row copied", "NT-002", {}, "error", "identifiers", "NT-002"),
    row("two lesions of one woman", "NT-003", {"diam1": "11", "diam2": "12"}, "error", "identifiers", "NT-003"),
    row("one woman in capitals and without", "NT-004", {"id": "nt-004", "age": "57"}, "warning|error", "identifiers",
        "", "nt-004", "NT-004"),
    row("a number that a spreadsheet shortened", "NT-008", {"id": "3.20106E+17", "age": "51", "name": "卢英"},
        "warning|error", "identifiers", "3.20106E+17"),
    row("one woman under two numbers", "NT-005", {"id": "NT-021"}, "warning", "identifiers", "", "NT-005", "NT-021"),
    row("a number unlike the others", "NT-010", {"id": "NT22", "age": "69", "name": "崔敏"}, "warning|note",
        "identifiers", "NT22"),
    Planted("a row without a number", "error", "identifiers", "", "", (), _nameless, row=69),
    Planted("the header pasted between two sites", "error|warning", "table", "", "", (), _header_again, row=28),
    Planted("an empty row between two sites", "note|warning", "table", "", "", (), _empty_row, row=49),
    Planted("a letter lost in an earlier conversion", "warning|note", "table", "", NAMES["name"], ("\ufffd",),
            _lost_letter),
    Planted("a sum below the patients", "error|warning", "table|identifiers", "", "", ("合计",), _sum),
    Planted("2+ without hybridisation", "warning|note", "outcome", "PD-011", "", ("equivocal",), _no_hybridisation),
    Planted("neither score nor status", "warning|note", "outcome", "PD-015", "", (), _no_outcome),
]  # fmt: skip


def _constant(sheet: Sheet) -> None:
    for line in sheet.rows:
        line["oedema"] = "0" if line["oedema"] else ""


def _nearly_empty(sheet: Sheet) -> None:
    for line in sheet.rows[5:]:
        line["skin"] = ""


def _missing_at_one_site(sheet: Sheet) -> None:
    for line in sheet.rows:
        line["tic"] = "" if line["site"] in ("南通", "Nantong") else line["tic"]


def _other_unit_at_one_site(sheet: Sheet) -> None:
    for line in sheet.rows:
        if line["site"] in ("南通", "Nantong") and line["adc"] != "NP":
            line["adc"] = f"{1000 * float(line['adc']):.0f}"


def _twice(sheet: Sheet) -> None:
    sheet.headers.append(("rim3", "", "Rim {0 = no, 1 = yes}"))
    for line in sheet.rows:
        line["rim3"] = line.get("rim2", "")


def _empty(sheet: Sheet) -> None:
    sheet.headers.append(("remarks", "其他 Other", "备注 Remarks"))


def _identity(sheet: Sheet) -> None:
    sheet.headers.append(("identity", "" if sheet.headers[-1][0] == "remarks" else "其他 Other", "身份证号"))
    for number, line in enumerate(sheet.rows):
        line["identity"] = f"'3201061970010{number:02d}02X" if line.get("site") else ""


def _hide_a_sheet(sheet: Sheet) -> None:
    def change(book: openpyxl.Workbook) -> None:
        old = book.create_sheet("旧版 2019")
        old.append(["编号 ID", "年龄"])
        old.append(["XH-001", 59])
        old.sheet_state = "hidden"

    sheet.after.append(change)


def _hide_a_row(sheet: Sheet) -> None:
    def change(book: openpyxl.Workbook) -> None:
        book.active.row_dimensions[_line(sheet, "NT-013")].hidden = True

    sheet.after.append(change)


def _merge_two_women(sheet: Sheet) -> None:
    def change(book: openpyxl.Workbook) -> None:
        line = _line(sheet, "NT-016")
        book.active.merge_cells(f"D{line}:D{line + 1}")  # the lower age is gone

    sheet.after.append(change)


def _never_computed(sheet: Sheet) -> None:
    def change(book: openpyxl.Workbook) -> None:
        book.active.cell(_line(sheet, "NT-011"), 7, "=2*30")

    sheet.after.append(change)


def _line(sheet: Sheet, patient: str) -> int:
    """The row of the file: a title and two header rows stand above."""
    return sheet.rows.index(sheet.of_patient(patient)) + 4


COLUMNS = [
    Planted("a finding that nobody has", "warning", "variables", "", NAMES["oedema"], (), _constant),
    Planted("a column hardly filled", "warning", "variables", "", NAMES["skin"], (), _nearly_empty),
    Planted("a reading that one centre never made", "warning", "variables|centres", "", NAMES["tic"], ("Nantong",),
            _missing_at_one_site),
    Planted("one centre in another unit", "warning", "variables|centres", "", NAMES["adc"], ("Nantong",),
            _other_unit_at_one_site),
    Planted("a column name twice", "warning", "table", "", NAMES["rim2"], (), _twice),
    Planted("a column without a cell", "note|warning", "table|file", "", "备注 Remarks", (), _empty),
    Planted("numbers of identity cards", "warning|error", "identifiers", "", "身份证号", (), _identity),
    Planted("a hidden sheet", "note|warning", "file|table", "", "", ("旧版 2019",), _hide_a_sheet),
    Planted("a row filtered away and read", "warning|note", "file|table", "", "", ("hidden",), _hide_a_row, row=68),
    Planted("two women's cells merged", "warning|error", "file|table", "", "", ("D72:D73",), _merge_two_women),
    Planted("a formula never computed", "error|warning", "file|table|variables", "NT-011", NAMES["er"], ("formula",),
            _never_computed),
]  # fmt: skip

PLANTED = [*CELLS, *ROWS, *COLUMNS]


def dirty(sheet: Sheet, spared: str = "") -> Sheet:
    """All defects in one table, but for one that is spared; columns first, for they go over every row."""
    for planted in (*COLUMNS, *CELLS, *ROWS):
        if planted.what != spared:
            planted.plant(sheet)
    return sheet
