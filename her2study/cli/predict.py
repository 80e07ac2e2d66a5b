"""``her2study predict``: the frozen model of another hospital, applied to one's own new patients."""

from __future__ import annotations

import argparse

from her2study.cli.arguments import count
from her2study.cli.done import FINDINGS, FINE, Done
from her2study.cli.parsers import FILE, FOLDER, Commands, command, path
from her2study.parallel import worker_count
from her2study.pipeline.predict import Request, predict

MANUAL = """\
examples:
  her2study predict hong2025.her2study.zip new_patients
  her2study predict hong2025.her2study new_patients --table ward3.xlsx --out ward3
  her2study predict hong2025.her2study.zip patients.csv       # a table alone: the clinical model answers

what DATA holds:
  a table                                       .xlsx, .csv or .parquet, one row a patient; columns as in the bundle's
                                                template.csv, or as in the study's own table. No outcome is needed
  images/P1/P1_0000.nii.gz, P1_0001.nii.gz ...  before contrast, then after it
  segmentations/expert/P1.nii.gz                the lesion
Scanner exports become this layout with  her2study import-dicom.  A table without scans, scans without a table, or
scans of some patients will do: the models that have all they need answer, each under its own name.

what is written to --out:
  index.html         start here: all patients, with links
  patients/P1.pdf    one page: probability with interval, sides of the frozen thresholds, what drove it, where the
                     network looked, flags
  overlays/P1.png    wash-in and Grad-CAM in three planes
  predictions.csv    one row a patient: D-score, clinical and combined probability with intervals, verdicts, flags,
                     and why a model did not answer
  contributions.csv, flags.csv, findings.csv

Nobody is scored silently: values out of the training range, unknown categories, imputed predictors and scans unlike
the training scans are flagged with the reason; scans that are unfit are not scored by the network. Nothing here can
fit a model. Research use only."""


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = command(
        commands, "predict", "apply a frozen model to new patients: a table and one page for each", MANUAL,
        findings="done, but some patients are flagged or were not scored by every model",
    )  # fmt: skip
    add = parser.add_argument
    add("bundle", type=path, metavar="BUNDLE", help="what `her2study freeze` wrote, folder or zip")
    add("data", type=path, metavar="DATA", help="folder with the patients' table and scans, or a table alone")
    add("--out", type=path, metavar=FOLDER, help="new folder for the results, or one that this command wrote "
        "(DATA-predictions, in the current folder)")  # fmt: skip
    add("--table", metavar=FILE, help="which table of DATA, if there are several")
    add("--fingerprint", metavar="HEX", help="that the bundle must have, as its makers published it (at least 8 "
        "digits)")  # fmt: skip
    add("--no-pages", action="store_true", help="tables and the list alone, no PDF, no overlay: much faster")
    add("--workers", type=count, metavar="N", help="processes that read scans; no result depends on it (2)")
    parser.set_defaults(call=_predict)


def _predict(options: argparse.Namespace) -> Done:
    out = options.out or path(f"{options.data.resolve().stem}-predictions")
    done = predict(
        Request(
            options.bundle, options.data, out, options.table, options.workers or worker_count(),
            not options.no_pages, options.command, options.fingerprint,
        )
    )  # fmt: skip
    status = FINDINGS if done.flagged or done.incomplete else FINE
    return Done(status, {**vars(done), "folder": str(done.folder)})
