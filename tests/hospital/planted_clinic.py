"""Defects of the clinic's export: those of cells and of the second file together, those of the whole file alone."""

from __future__ import annotations

from collections.abc import Callable

from tests.hospital.clinic import Clinic, replaced
from tests.hospital.judge import Planted


def _pathology(old: str, new: str) -> Callable[[Clinic], None]:
    """Plant by changing one place of the second file."""

    def plant(clinic: Clinic) -> None:
        assert clinic.pathology.count(old) == 1
        clinic.pathology = clinic.pathology.replace(old, new)

    return plant


def _one_woman_twice(clinic: Clinic) -> None:
    clinic.replace("001023;Je", "001037;Estèle Vidal;29/07/2020;G;59;27,0;13,1;7,23;non;masse;0;;\n001023;Je")
    clinic.pathology += next(line for line in clinic.pathology.splitlines() if line.startswith("001022")).replace(
        "001022", "001037"
    )


TOGETHER = [
    Planted("a month after December", "error", "dates|splits", "001006", "Date IRM", ("28/13/2020",),
            replaced("Cécile Guérin;28/05/2019", "Cécile Guérin;28/13/2020")),
    Planted("no date where dates decide", "error", "dates|splits", "001009", "Date IRM", (),
            replaced("Maëlle Côté;18/08/2019", "Maëlle Côté;")),
    Planted("a comma lost", "warning", "variables", "001012", "IMC", ("287",),
            replaced("001012;Édith Gaël;08/11/2019;G;61;28,7", "001012;Édith Gaël;08/11/2019;G;61;287")),
    Planted("a point where commas are usual", "warning|note|error", "variables|table", "001018", "Volume (ml)",
            ("1.234",),
            replaced("31,0;2,07", "31,0;1.234")),
    Planted("two commas in a number", "error", "variables|table", "001014", "Volume (ml)", ("1,6,5",),
            replaced("34,0;1,65", "34,0;1,6,5")),
    Planted("a visit without the size that decides", "error|warning", "identifiers|table|variables", "001027", "", (),
            replaced("21,8;26,0;3,02", "21,8;26,0;")),
    Planted("two visits of one woman a name apart", "warning", "identifiers", "", "", ("001022", "001037"),
            _one_woman_twice),
    Planted("a number that lost its zeros", "warning|note", "identifiers", "1015", "", ("1015",),
            replaced("001015;Bérénice", "1015;Bérénice")),
    Planted("3+ and a ratio below two", "warning", "outcome", "001001", "", ("3+", "1"),
            replaced("1,37;non;masse;3+;;", "1,37;non;masse;3+;1,2;2,1")),
    Planted("the other file knows a woman more", "warning|note", "identifiers|table", "009999", "", ("anapath.csv",),
            _pathology("001036;", "009999;I;10\n001036;")),
    Planted("the other file does not know a woman", "warning|note", "identifiers|table", "", "",
            ("001030", "anapath.csv"),
            _pathology("001030;III;25\n", "")),
    Planted("the other file has a woman twice", "error", "identifiers", "001020", "", ("anapath.csv",),
            _pathology("001021;", "001020;I;80\n001021;")),
]  # fmt: skip


def _encoding(clinic: Clinic) -> None:
    clinic.study["source"]["reading"]["encoding"] = "utf-8"


def _mojibake(clinic: Clinic) -> None:
    clinic.encoding = "utf-8"  # and study.yml still says cp1252


def _too_many_folds(clinic: Clinic) -> None:
    clinic.study["split"]["folds"] = 20


def _delimiter(clinic: Clinic) -> None:
    clinic.study["source"]["reading"]["delimiter"] = ","


def _too_late(clinic: Clinic) -> None:
    clinic.study["centres"]["external_from"] = "2031-01-01"


def _order(clinic: Clinic) -> None:
    clinic.mending["dates"]["Date IRM"]["order"] = "mdy"


def _same_column(clinic: Clinic) -> None:
    clinic.pathology = clinic.pathology.replace("Grade SBR;", "Âge (ans);")


def _decimal(clinic: Clinic) -> None:
    clinic.study["source"]["reading"]["decimal"] = "."


ALONE = [
    Planted("a row with a cell too many", "error", "file|table", "", "", ("irm.csv",),
            replaced("001003;Zoë", "001003;;Zoë"), row=4),
    Planted("not the encoding that is named", "error", "file", "", "", ("irm.csv", "utf-8", "1252"), _encoding),
    Planted("another encoding than is named", "error|warning", "file|table|settings", "", "", ("utf-8",), _mojibake),
    Planted("not the delimiter that is named", "error", "file|table|settings", "", "", (";",), _delimiter),
    Planted("nobody comes after the day", "error", "splits|settings|dates|centres", "", "", ("2031-01-01",), _too_late),
    Planted("a cohort without events", "error", "outcome|centres|splits", "", "", ("HER2-positive",),
            Clinic.without_events),
    Planted("more folds than events", "error", "splits|settings|outcome", "", "", ("20", "11"), _too_many_folds),
    Planted("days and months exchanged", "error", "dates", "", "Date IRM", ("30/03/2019",), _order),
    Planted("one name in both files", "error", "table|file", "", "Âge (ans)", ("anapath.csv",), _same_column),
    Planted("points for commas", "error", "variables|table|settings", "", "Volume (ml)", ("1,37",), _decimal),
]  # fmt: skip
"""Each spoils the reading of everything, so each is tried by itself."""
