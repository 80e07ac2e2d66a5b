"""The ``her2study`` command: arguments in, one call of the library, an exit status out.

Status 0: done. 1: something broke. 2: something given was wrong, and the message says what.
"""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Sequence

from her2study.pipeline import StepFailed, find_node, open_chain, reproduce, run_node
from her2study.pipeline.chain import IN_CHAIN
from her2study.pipeline.notebook import parse_parameters
from her2study.pipeline.processes import die_with_parent, sole_writer
from her2study.types import StudyError

FOLLOW_PARENT = "HER2STUDY_FOLLOW_PARENT"
"""Set by the Makefile, so that killing make ends the chain as well."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; every expected error is a message on standard error and a status."""
    options = _parser().parse_args(arguments)
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
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        print("error: no space left on the disk; free some and run the same command again", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped; the same command continues where this one stopped", file=sys.stderr)
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="her2study", description="Reproduce an imaging-AI study, step by step.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--study", default="hong2025", help="a folder of papers/ (hong2025)")
    common.add_argument("--profile", default="full", help="full, smoke or another profile of its study.yml (full)")
    common.add_argument("--data", default="", help="folder of patients; empty for a simulated study")

    whole = commands.add_parser("reproduce", parents=[common], help="bring every result of a study up to date")
    whole.add_argument("--cores", type=int, default=None, help="steps that may run side by side (all cores)")
    whole.set_defaults(call=_reproduce)

    one = commands.add_parser("run", parents=[common], help="run one step: a notebook, simulate or figures")
    one.add_argument("step", help="for example 04_dscore_fold_2, or 04_dscore_fold with fold=2")
    one.add_argument("parameters", nargs="*", metavar="NAME=VALUE", help="parameters that choose the step")
    one.set_defaults(call=_run)
    return parser


if __name__ == "__main__":
    sys.exit(main())
