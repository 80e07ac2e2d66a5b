"""``her2study validate-external``: a frozen model judged at another hospital."""

from __future__ import annotations

import argparse
from math import isfinite
from pathlib import Path

from her2study.cli.arguments import count, seed
from her2study.cli.done import FINDINGS, FINE, Done
from her2study.cli.parsers import FILE, FOLDER, Commands, command, path
from her2study.parallel import worker_count
from her2study.pipeline.validate_external import Request, validate_external

MANUAL = """\
examples:
  her2study validate-external hong2025.her2study.zip /data/our-patients
  her2study validate-external hong2025.her2study.zip /data/our-patients --out validation --table patients.xlsx
  her2study validate-external mamamia.her2study /data/mamamia --centres ISPY1 NACT

what is needed:
  BUNDLE   what `her2study freeze` wrote, the folder or the zip; every byte is checked, nothing in it is run
  DATA     a folder with a table of patients and, where the bundle has a network, images/ and segmentations/
           in MAMA-MIA's layout; or the table alone. template.csv and codebook.md of the bundle say what the
           table must hold; here it needs the outcome too.

what is written:
  summary.html       start here: who judges, how good the frozen models are, the training patients beside
                     them (summary.md says the same)
  patients.csv       every patient's scores, verdicts, flags and reasons
  tables/            flow, case mix, training and new, flags, local updates
  evaluation/        every table, figure and sentence of `her2study evaluate`
  recalibrated/      models with locally updated intercept or slope: separate, named, cross-fitted
  recalibration.json the updates for use on patients who come later

The frozen models are never fitted here: coefficients, weights, imputation and thresholds are the bundle's.
Patients whose outcome is not known are left out, never counted as negative."""


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = command(
        commands,
        "validate-external",
        "judge a frozen model by patients of another hospital whose outcomes are known",
        MANUAL,
        findings="written; some patients are flagged, hold unusable values or were not scored by all models",
    )
    parser.set_defaults(call=_validate_external)
    add = parser.add_argument
    add("bundle", type=path, metavar="BUNDLE", help="the frozen model, folder or zip")
    add("data", type=path, metavar=FOLDER, help="the new patients")
    add("--out", type=path, default=None, metavar=FOLDER, help="new folder for the results; one that this command "
        "wrote is replaced (results/BUNDLE-external)")  # fmt: skip
    add("--table", default=None, metavar=FILE, help="the table of the patients, if the folder has several")
    add("--centres", nargs="+", default=(), metavar="CENTRE", help="only patients of these centres (all)")
    add("--resamples", type=count, default=None, metavar="N", help="of every bootstrap (as in the study)")
    add("--seed", type=seed, default=None, metavar="N", help="of bootstraps and of the parts of cross-fitting (as in "
        "the study)")  # fmt: skip
    add("--fingerprint", metavar="HEX", help="that the bundle must have, as its makers published it (at least 8 "
        "digits)")  # fmt: skip
    add("--workers", type=count, default=None, metavar="N", help="processes; no result depends on it (2)")


def _validate_external(options: argparse.Namespace) -> Done:
    out = options.out or Path("results") / f"{options.bundle.name.split('.her2study')[0]}-external"
    done = validate_external(
        Request(
            options.bundle, options.data, out, options.table, tuple(options.centres),
            options.workers or worker_count(), options.command, options.resamples, options.seed,
            options.fingerprint,
        )
    )  # fmt: skip
    performance = done.evaluation.table("performance")
    here = performance[performance["split"] == "external"]
    facts = {
        "folder": str(out),
        "bundle": done.bundle.name,
        "fingerprint": done.bundle.fingerprint,
        "patients": int(here["n"].iloc[0]),
        "positives": int(here["positives"].iloc[0]),
        "models": {row.model: _interval(row.auc, row.auc_low, row.auc_high) for row in here.itertuples()},
        "flagged": int(done.applied.flags["patient_id"].nunique()),
        "not_scored_by_all": sum(done.judged.left.values()),
        "unusable_cells": len(done.findings),
        "updates": done.equations,
    }
    return Done(FINE if done.clean else FINDINGS, facts)


def _interval(auc: float, low: float, high: float) -> dict[str, float | None]:
    """An AUC with its ends; JSON has no word for what cannot be estimated but null."""
    return {name: value if isfinite(value) else None for name, value in (("auc", auc), ("low", low), ("high", high))}
