"""``her2study evaluate``: the evaluation of any predictions."""

from __future__ import annotations

import argparse

from her2study.cli.arguments import count, pair, rule, seed, share, span, threshold
from her2study.cli.done import Done
from her2study.cli.parsers import FILE, FOLDER, Commands, command, path
from her2study.parallel import worker_count
from her2study.pipeline.evaluate import Request, evaluate

MANUAL = """\
examples:
  her2study evaluate predictions.csv --out evaluation
  her2study evaluate predictions.xlsx --out evaluation --pairs combined:clinical --threshold combined=0.31

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


def add(commands: Commands) -> None:
    """Declare the command."""
    line = "write every table, figure and sentence of an evaluation, from a table of predictions"
    parser = command(commands, "evaluate", line, MANUAL)
    parser.set_defaults(call=_evaluate)
    add = parser.add_argument
    add("predictions", type=path, metavar=FILE, help="the table: .csv, .xlsx or .parquet, tidy or wide (see below)")
    add("--out", type=path, required=True, metavar=FOLDER, help="new folder for the results; one that this command "
        "wrote is replaced, any other must be empty")  # fmt: skip
    add("--outcome", default="HER2-positive", metavar="WORDS", help="what label 1 means, in print (HER2-positive)")
    add("--confidence", type=share, default=0.95, metavar="C", help="of every interval (0.95)")
    add("--resamples", type=count, default=2000, metavar="N", help="of every bootstrap (2000)")
    add("--seed", type=seed, default=0, metavar="N", help="of every bootstrap; same seed, same tables (0)")
    add("--rule", type=rule, metavar="RULE", help="how thresholds are chosen on development rows: youden, "
        "sensitivity=0.9 or specificity=0.9 (youden, if there are development rows)")  # fmt: skip
    add("--threshold", type=threshold, action="append", default=[], metavar="MODEL=VALUE",
        help="a threshold that was frozen elsewhere; may be given for several models")  # fmt: skip
    add("--pairs", type=pair, action="append", default=[], metavar="A:B", help="compare model A with model B, and "
        "only the pairs given (all pairs of up to 6 models; each of more with one)")  # fmt: skip
    add("--nested", type=pair, action="append", default=[], metavar="LARGER:SMALLER", help="the first model contains "
        "the second: in development a likelihood-ratio test, never DeLong's")  # fmt: skip
    add("--prevalence", type=share, action="append", default=[], metavar="P", help="restate PPV and NPV at this "
        "prevalence; may be repeated")  # fmt: skip
    add("--decision-range", type=span, default=(0.05, 0.80), metavar="LOW:HIGH",
        help="threshold probabilities of the decision curve (0.05:0.80)")  # fmt: skip
    add("--simulated", action="store_true", help="mark every table, figure and page SIMULATED")
    add("--workers", type=count, default=None, metavar="N", help="processes; no result depends on it (2)")


def _evaluate(options: argparse.Namespace) -> Done:
    how, target = options.rule or (None, None)
    settings = {
        "confidence": options.confidence,
        "resamples": options.resamples,
        "seed": options.seed,
        "thresholds": dict(options.threshold),
        "rule": how,
        "target": target,
        "pairs": tuple(options.pairs) or None,
        "nested": tuple(options.nested),
        "prevalences": tuple(options.prevalence),
        "decision_range": options.decision_range,
    }
    workers = options.workers or worker_count()
    words = (options.outcome, options.simulated)
    folder = evaluate(Request(options.predictions, options.out, *words, workers, options.command, settings))
    return Done(facts={"folder": str(folder)})
