"""``her2study new``: a study from a table."""

from __future__ import annotations

import argparse

from her2study.cli.done import Done
from her2study.cli.parsers import FILE, FOLDER, Commands, command, path
from her2study.pipeline.new import Request, new_study

MANUAL = """\
examples:
  her2study new my-study --table patients.xlsx
  her2study new my-study --table patients.xlsx --sheet MRI --join tumour_sizes.csv --data /data/breast_mri
  her2study new my-study --table patients.csv --outcome "HER2 (IHC)" --centre Hospital

what is read:
  .xlsx, .csv (UTF-8, GBK, Latin-1; commas, semicolons, tabs) or .parquet; one or two header rows; units and codes
  in headers, such as  Size (cm)  and  HER2 {0 = neg, 1 = pos, 2 = borderline};  a legend on another sheet; decimal
  commas; dates as text or as Excel numbers; missing written as NA, NC, NP, 999, -1 or left blank; several rows of
  one patient. The table is never changed, and nothing is sent anywhere.

what is written, to papers/NAME/ (never over an existing study):
  study.yml        every decision a line with its reason; lines that begin with '# ?' are questions for you
  mending.yml      how cells are read: codes, units, missing values, spellings
  codebook.md      every column: what it holds, what was decided, what is doubtful
  claims.yml, assumptions.yml, README.md

what no model gets:
  names and record numbers; what was written after HER2 was known or because of it (subtype, treatment, response,
  survival, genomic tests); free text; columns that are nearly empty or the same for everybody; columns that are not
  recognised, until you say candidate: true

next:  her2study validate NAME --data FOLDER"""


def add(commands: Commands) -> None:
    """Declare the command."""
    line = "start a study from a table of patients: propose every setting, as a form to be read and changed"
    parser = command(
        commands,
        "new",
        line,
        MANUAL,
        findings="",
    )
    parser.set_defaults(call=_new)
    add = parser.add_argument
    add("name", metavar="NAME", help="of the new study: small letters, digits, - and _; a new folder of papers/")
    add("--table", type=path, required=True, metavar=FILE, help="the table: one row a patient, or a lesion")
    add("--sheet", metavar="SHEET", help="of a workbook (the one that looks most like a table of patients)")
    add("--join", action="append", default=[], metavar=FILE, help="a further table with the patient column, in the "
        "same folder: more columns, own features (many numbers) or scores (probability, fold)")  # fmt: skip
    add("--outcome", metavar="COLUMN", help="the column with the outcome (the one that looks like HER2)")
    add("--centre", metavar="COLUMN", help="the column with the centre (the one that looks like it)")
    add("--data", type=path, metavar=FOLDER, help="folder of the patients, with the tables and, if there are any, "
        "images/ and segmentations/ (the folder of the table)")  # fmt: skip


def _new(options: argparse.Namespace) -> Done:
    places = (options.sheet, tuple(options.join), options.outcome, options.centre, options.data)
    facts = new_study(Request(options.name, options.table, *places, options.command))
    return Done(facts=facts)
