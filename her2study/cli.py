"""The ``her2study`` command: arguments in, one call of the library, an exit status out.

Status 0: done. 1: something broke. 2: something given was wrong, and the message says what.
"""

from __future__ import annotations

import argparse
import errno
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from her2study.parallel import worker_count
from her2study.pipeline import StepFailed, find_node, open_chain, reproduce, run_node
from her2study.pipeline.chain import IN_CHAIN
from her2study.pipeline.evaluate import Request, evaluate
from her2study.pipeline.import_dicom import Request as ImportRequest
from her2study.pipeline.import_dicom import import_dicom
from her2study.pipeline.notebook import parse_parameters
from her2study.pipeline.processes import die_with_parent, sole_writer
from her2study.types import StudyError

TABLE_SHAPES = """\
shapes of the table:
  tidy   patient_id, model, label, probability          one row a patient and model
  wide   patient_id, label, and a column of probabilities for each model

  label        1 or 0; leave patients without a label out
  probability  0 to 1
  split        development, internal or external; without it all patients are external
  fold         of development rows: which fold held the patient out (0, 1, ...), since their
               scores must be out-of-fold
  centre       optional

Thresholds are chosen on development rows or given; never on internal or external patients."""

IMPORT_MANUAL = """\
example:
  her2study import-dicom /archive/export scans
  her2study import-dicom /archive/export scans --choices my_choices.csv

what is written:
  DEST/images/P0001/P0001_0000.nii.gz        before contrast; _0001, _0002 ... after it
  DEST/segmentations/expert/P0001.nii.gz     the lesion mask, on the grid of the scan
  DEST/patients.csv                          phase times and protocol, to join to your clinical table
  DEST/import_report.md                      start here: what was chosen and why, what was left behind
  DEST/import_report.csv, import_mapping.csv, import_series.csv, import_choices.csv
  DEST-key.csv                               pseudonym and PatientID: outside DEST, readable by you only

what is found by itself:
  the dynamic series of every patient, classic or enhanced, in one series or several; its phases
  by temporal position, trigger time, acquisition time, acquisition number or series; their times;
  masks that refer to it. Where more than one answer is possible, the choice and the reason stand
  in import_report.md, and import_choices.csv lists what you may decide otherwise:

    patient_id,setting,value
    P0007,series,4                 another series, or several that hold a phase each: 4 5 6 7
    P0009,drop_phases,3            leave a phase out
    P0011,seconds,0 90 180 270     times that the header lacks
    P0012,segments,2               one segment of a mask, instead of the union

  or the same as YAML:  P0007: {series: 4}

then, to use DEST in a study: save your clinical table as DEST/clinical.csv with the pseudonyms in
its column patient_id, write "table: clinical.csv" and "joins: [patients.csv]" under "source:" in
study.yml, and run  her2study reproduce --study NAME --data DEST

Stopped or killed, the same command goes on where it was. Patients added to SOURCE later are
imported alone and get the next pseudonyms, as long as the key is there.

exit status: 0 done, 1 some patients could not be imported (the others are), 2 wrong use."""

FOLLOW_PARENT = "HER2STUDY_FOLLOW_PARENT"
"""Set by the Makefile, so that killing make ends the chain as well."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; every expected error is a message on standard error and a status."""
    options = _parser().parse_args(arguments)
    options.command = shlex.join(["her2study", *(sys.argv[1:] if arguments is None else arguments)])
    if os.environ.get(IN_CHAIN) or os.environ.pop(FOLLOW_PARENT, None):
        die_with_parent()
    try:
        options.call(options)
    except StudyError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except StepFailed as failure:
        print(f"error: {failure}", file=sys.stderr)
        return failure.status
    except BrokenPipeError:  # whoever read us, `head` for example, has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        print("error: no space left on the disk; free some and run the same command again", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"stopped; {options.stopped}", file=sys.stderr)
        return 130
    return 0


def _reproduce(options: argparse.Namespace) -> None:
    reproduce(open_chain(options.study, options.profile, options.data), options.cores)


def _run(options: argparse.Namespace) -> None:
    chain = open_chain(options.study, options.profile, options.data)
    wrong = [text for text in options.parameters if "=" not in text]
    if wrong:
        raise StudyError(f"parameter {wrong[0]!r}: write it as NAME=VALUE, for example fold=2")
    texts = dict(text.split("=", 1) for text in options.parameters)
    notebook = chain.notebooks / f"{options.step.removesuffix('.ipynb')}.ipynb"
    values = parse_parameters(notebook, texts) if texts else {}
    node = find_node(chain, options.step, values)
    if os.environ.get(IN_CHAIN):
        run_node(chain, node)
    else:
        with sole_writer(chain.run.folder):
            run_node(chain, node)


def _figures(options: argparse.Namespace) -> None:
    from her2study.pipeline.journal_figures import journal_figures

    chain = open_chain(options.study, options.profile, options.data)
    with sole_writer(chain.run.folder):
        journal_figures(chain, options.journal)


def _manuscript(options: argparse.Namespace) -> None:
    from her2study.pipeline.manuscript import manuscript

    chain = open_chain(options.study, options.profile, options.data)
    with sole_writer(chain.run.folder):
        manuscript(chain)


def _evaluate(options: argparse.Namespace) -> None:
    rule, target = options.rule or (None, None)
    settings = {
        "confidence": options.confidence,
        "resamples": options.resamples,
        "seed": options.seed,
        "thresholds": dict(options.threshold),
        "rule": rule,
        "target": target,
        "pairs": tuple(options.pairs) or None,
        "nested": tuple(options.nested),
        "prevalences": tuple(options.prevalence),
        "decision_range": options.decision_range,
    }
    workers = options.workers or worker_count()
    words = (options.outcome, options.simulated)
    evaluate(Request(options.predictions, options.out, *words, workers, options.command, settings))


def _import_dicom(options: argparse.Namespace) -> None:
    places = (options.source, options.dest, options.key, options.masks, options.choices)
    done = import_dicom(ImportRequest(*places, options.workers or worker_count()))
    if done.refused:
        patients = "patient" if done.refused == 1 else "patients"
        raise StepFailed(f"{done.refused} {patients} could not be imported; import_report.md says why", 1)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="her2study", description="Reproduce an imaging-AI study step by step, or evaluate any predictions."
    )
    parser.set_defaults(stopped="the same command continues where this one stopped")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--study", default="hong2025", help="a folder of papers/ (hong2025)")
    common.add_argument("--profile", default="full", help="full, smoke or another profile of its study.yml (full)")
    common.add_argument("--data", default="", help="folder of patients; empty for a simulated study")

    whole = commands.add_parser("reproduce", parents=[common], help="bring every result of a study up to date")
    whole.add_argument("--cores", type=int, default=None, help="steps that may run side by side (all cores)")
    whole.set_defaults(call=_reproduce)

    one = commands.add_parser("run", parents=[common], help="run one step: a notebook, simulate, figures or report")
    one.add_argument("step", help="for example 04_dscore_fold_2, or 04_dscore_fold with fold=2")
    one.add_argument("parameters", nargs="*", metavar="NAME=VALUE", help="parameters that choose the step")
    one.set_defaults(call=_run)

    drawn = commands.add_parser("figures", parents=[common], help="draw the figures of a finished study for a journal")
    words = "acta-radiologica, radiology, nature, default, or a .yml file like those in her2study/reporting/journals"
    drawn.add_argument("--journal", required=True, metavar="NAME", help=words)
    drawn.set_defaults(call=_figures)

    text = commands.add_parser("manuscript", parents=[common], help="write the manuscript of a finished study")
    text.set_defaults(call=_manuscript, stopped="the manuscript is as it was")
    _add_evaluate(commands)
    _add_import_dicom(commands)
    return parser


def _add_evaluate(commands: argparse._SubParsersAction) -> None:
    words = "every table, figure and sentence of an evaluation, from a table of predictions"
    any_models = commands.add_parser(
        "evaluate",
        help=words,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description=f"Write {words}; the models may come from anywhere.",
        epilog=TABLE_SHAPES,
    )
    any_models.set_defaults(call=_evaluate, stopped="nothing was written")
    add = any_models.add_argument
    add("predictions", type=Path, help="the table: .csv, .xlsx or .parquet, tidy or wide (see below)")
    add("--out", type=Path, required=True, metavar="FOLDER", help="new folder for the results; one that this command "
        "wrote is replaced, any other must be empty")  # fmt: skip
    add("--outcome", default="HER2-positive", metavar="WORDS", help="what label 1 means, in print (HER2-positive)")
    add("--confidence", type=_share, default=0.95, metavar="C", help="of every interval (0.95)")
    add("--resamples", type=_count, default=2000, metavar="N", help="of every bootstrap (2000)")
    add("--seed", type=_seed, default=0, metavar="N", help="of every bootstrap; same seed, same tables (0)")
    add("--rule", type=_rule, metavar="RULE", help="how thresholds are chosen on development rows: youden, "
        "sensitivity=0.9 or specificity=0.9 (youden, if there are development rows)")  # fmt: skip
    add("--threshold", type=_threshold, action="append", default=[], metavar="MODEL=VALUE",
        help="a threshold that was frozen elsewhere; may be given for several models")  # fmt: skip
    add("--pairs", type=_pair, action="append", default=[], metavar="A:B", help="compare model A with model B, and "
        "only the pairs given (all pairs of up to 6 models; each of more with one)")  # fmt: skip
    add("--nested", type=_pair, action="append", default=[], metavar="LARGER:SMALLER", help="the first model contains "
        "the second: in development a likelihood-ratio test, never DeLong's")  # fmt: skip
    add("--prevalence", type=_share, action="append", default=[], metavar="P", help="restate PPV and NPV at this "
        "prevalence; may be repeated")  # fmt: skip
    add("--decision-range", type=_range, default=(0.05, 0.80), metavar="LOW:HIGH",
        help="threshold probabilities of the decision curve (0.05:0.80)")  # fmt: skip
    add("--simulated", action="store_true", help="mark every table, figure and page SIMULATED")
    add("--workers", type=_count, default=None, metavar="N", help="processes; no result depends on it (2)")


def _add_import_dicom(commands: argparse._SubParsersAction) -> None:
    words = "a folder of DICOM as a scanner or an archive exports it, in the layout that a study reads"
    scans = commands.add_parser(
        "import-dicom",
        help=words,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description=f"Write {words},\nwithout names, dates or identifiers.",
        epilog=IMPORT_MANUAL,
    )
    scans.set_defaults(call=_import_dicom)
    add = scans.add_argument
    add("source", type=Path, help="folder with DICOM files: any nesting, any names, any number of patients")
    add("dest", type=Path, help="folder to write; a new one, or one that this command wrote")
    add("--key", type=Path, metavar="FILE", help="the key from pseudonyms to people (DEST-key.csv, beside DEST)")
    add("--masks", type=Path, metavar="FOLDER", help="NIfTI masks named <PatientID>.nii.gz; DICOM segmentations and RT "
        "structures are found under SOURCE")  # fmt: skip
    add("--choices", type=Path, metavar="FILE", help="decisions of yours, .csv or .yml (see below)")
    add("--workers", type=_count, default=None, metavar="N", help="processes; no result depends on it (2)")


def _share(text: str) -> float:
    value = _number(text)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"{text} must lie between 0 and 1, both excluded; for 95% write 0.95")
    return value


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number; write it like 0.5") from None


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} must be a whole number of at least 1")
    return int(text)


def _seed(text: str) -> int:
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} must be a whole number, 0 or more")
    return int(text)


def _rule(text: str) -> tuple[str, float | None]:
    name, given, target = text.partition("=")
    if name == "youden" and not given:
        return name, None
    if name in ("sensitivity", "specificity") and given:
        return name, _share(target)
    raise argparse.ArgumentTypeError(f"{text!r} must be youden, sensitivity=0.9 or specificity=0.9, for example")


def _threshold(text: str) -> tuple[str, float]:
    model, given, value = text.rpartition("=")
    if not (model and given):
        raise argparse.ArgumentTypeError(f"{text!r}: write it as MODEL=VALUE, for example clinical=0.31")
    if not 0 <= _number(value) <= 1:
        raise argparse.ArgumentTypeError(f"{text!r}: a threshold is a probability from 0 to 1")
    return model, _number(value)


def _pair(text: str) -> tuple[str, str]:
    names = text.split(":")
    if len(names) != 2 or not all(names) or names[0] == names[1]:
        raise argparse.ArgumentTypeError(f"{text!r}: write two models as A:B")
    return names[0], names[1]


def _range(text: str) -> tuple[float, float]:
    ends = text.split(":")
    if len(ends) != 2 or not 0 < _number(ends[0]) < _number(ends[1]) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: write LOW:HIGH with 0 < LOW < HIGH < 1, for example 0.05:0.5")
    return _number(ends[0]), _number(ends[1])


if __name__ == "__main__":
    sys.exit(main())
