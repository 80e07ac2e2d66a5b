"""``her2study validate``: what is wrong with a study's table, scans and settings, before anything is run."""

from __future__ import annotations

import argparse
from pathlib import Path

from her2study.cli.arguments import count
from her2study.cli.done import FINDINGS, FINE, Done
from her2study.cli.parsers import Commands, command, study_options

MANUAL = """\
examples:
  her2study validate my-study --data /data/patients
  her2study validate my-study --data /data/patients --no-images     # the table alone: seconds
  her2study validate my-study --data /data/patients --json          # for machines

what is checked, without stopping at the first problem:
  settings      study.yml and its profiles load; names in it exist
  table         columns, encodings, headers, formulas, rows; identifiers; outcome; centres; dates
  variables     units, decimals, codes for missing, levels, plausible values, columns that give the
                outcome away
  scans         every file of every included patient: phases, geometry, masks (mirrored, empty, on
                another grid), scans of nobody, patients without scans
  design        development, internal and external patients, folds, and whether events suffice

severities:
  error         a run would stop, or mean something wrong: `reproduce` refuses for errors of the table
  warning       a run goes on; somebody must look
  note          a decision that was taken and can be changed

what is written to results/<study>/validation/ (or --out):
  index.html    start here: what a run would include and exclude, and all findings, to sort and print
  findings.csv  severity, area, patient, file, row, column, value, rule, mend; opens in a spreadsheet
  summary.json  counts, flow and sample size

Nothing of the table or the scans is changed, and nothing leaves this machine."""


def add(commands: Commands) -> None:
    """Declare the command."""
    words = "check a study's table, scans and settings, and say everything that is wrong in one go"
    parser = command(
        commands, "validate", words, MANUAL, findings="errors were found (with --strict: or warnings)",
        stopped="nothing was written", parents=(study_options(),),
    )  # fmt: skip
    parser.add_argument("name", nargs="?", metavar="STUDY", help="a folder of papers/; the same as --study")
    parser.add_argument("--no-images", action="store_true", help="leave the scans aside")
    parser.add_argument("--strict", action="store_true", help="exit with 1 for warnings too")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="another folder for the report")
    parser.add_argument(
        "--workers",
        type=count,
        default=None,
        metavar="N",
        help="processes that read scans; no result depends on it (2)",
    )
    parser.set_defaults(call=_validate)


def _validate(options: argparse.Namespace) -> Done:
    from her2study.pipeline.console import say
    from her2study.pipeline.validate import first_errors, report_folder, summary, validate, write_validation
    from her2study.reporting.validation.words import summary_lines

    name = options.name or options.study
    checked = validate(name, options.profile, options.data, not options.no_images, options.workers)
    page = write_validation(checked, options.out or report_folder(name, options.profile))
    for line in summary_lines(checked):
        say(line)
    say(f"\nAll findings: {page}")
    bad = checked.count("error") + (checked.count("warning") if options.strict else 0)
    told = {"folder": str(page.parent), "errors": first_errors(checked)}
    return Done(FINDINGS if bad else FINE, {**summary(checked), **told})
