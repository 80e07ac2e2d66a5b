"""``her2study freeze``: a finished study's models as one bundle."""

from __future__ import annotations

import argparse

from her2study.cli.done import Done
from her2study.cli.parsers import FOLDER, Commands, command, path, study_options
from her2study.pipeline import open_chain
from her2study.pipeline.freeze import freeze

MANUAL = """\
examples:
  her2study freeze                                        # the paper's study, once `reproduce` has finished it
  her2study freeze my-study --data /data/patients
  her2study freeze my-study --data /data/patients --out /media/stick/my-study

what is written to results/<study>/bundle/ (or --out), as a folder and as one zip:
  <study>.her2study/
    bundle.json          settings, coefficients with covariance, imputation, thresholds, calibration, training ranges
    weights/             the networks, safetensors
    reference/           out-of-fold scores without identifiers, Table 1, performance
    onnx/, monai/        the D-score for programs without her2study
    template.csv, codebook.md   what another hospital fills in
    model_card.md, LICENCE, environment.txt
    SIGNATURE.json       SHA-256 of every file and one fingerprint of all

Before it is put in its place the bundle is read back and must give the study's own probabilities. No patient's name
or number is in it. A file LICENCE beside study.yml becomes its licence. Who gets it:

  her2study predict my-study.her2study.zip new_patients
  her2study validate-external my-study.her2study.zip other_patients"""


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = command(
        commands, "freeze", "put the frozen models of a finished study into one bundle for other hospitals", MANUAL,
        findings="", stopped="the bundle is as it was", parents=(study_options(),),
    )  # fmt: skip
    parser.add_argument("name", nargs="?", metavar="STUDY", help="a folder of papers/; the same as --study")
    parser.add_argument("--out", type=path, metavar=FOLDER, help="folder for the bundle alone (results/<study>/bundle)")
    parser.set_defaults(call=_freeze)


def _freeze(options: argparse.Namespace) -> Done:
    frozen = freeze(open_chain(options.name or options.study, options.profile, options.data), options.out)
    facts = {
        "folder": str(frozen.folder),
        "archive": str(frozen.archive),
        "fingerprint": frozen.fingerprint,
        "differences": frozen.differences,
    }
    return Done(facts=facts)
