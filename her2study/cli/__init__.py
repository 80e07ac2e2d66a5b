"""The ``her2study`` command: arguments in, one call of the library, an exit status out.

Status 0: done. 1: findings, or a step that failed. 2: something given was wrong, and the message says what.
Each command is a module of this package: its help page, its arguments and one call.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import json
import os
import shlex
import sys
from collections.abc import Iterator, Sequence

from her2study.cli import (
    chain,
    completion,
    evaluate,
    freeze,
    import_dicom,
    new,
    predict,
    validate,
    validate_external,
)
from her2study.cli.done import MISUSE, Done
from her2study.pipeline import StepFailed
from her2study.pipeline.chain import IN_CHAIN
from her2study.pipeline.processes import die_with_parent
from her2study.types import StudyError

COMMANDS = (new, validate, chain, import_dicom, freeze, predict, validate_external, evaluate, completion)
"""In the order of the help page."""

FOLLOW_PARENT = "HER2STUDY_FOLLOW_PARENT"
"""Set by the Makefile, so that killing make ends the chain as well."""

DESCRIPTION = """\
Run an imaging-AI study from the raw scans to every table and figure, evaluate any predictions, and carry a
frozen model to another hospital."""

GUIDE = """\
examples:
  her2study reproduce                                     # the paper, on simulated patients
  her2study new my-study --table patients.xlsx            # your patients: a study from your spreadsheet,
  her2study validate my-study --data /data/patients       #   everything that is wrong with it,
  her2study reproduce --study my-study --data /data/patients  # and its results
  her2study freeze my-study --data /data/patients         # the finished model, for another hospital
  her2study predict my-study.her2study.zip /data/new      # its answer for new patients
  her2study validate-external my-study.her2study.zip /data/others
  her2study evaluate predictions.csv --out evaluation     # any predictions

her2study COMMAND --help is the manual page of a command. Every command has --json for machines.
her2study completion --help says how the shell completes all this.

exit status: 0 done; 1 findings, or a step that failed; 2 something given was wrong"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; every expected error is a message on standard error and a status."""
    options = parser().parse_args(arguments)
    options.command = shlex.join(["her2study", *(sys.argv[1:] if arguments is None else arguments)])
    if os.environ.get(IN_CHAIN) or os.environ.pop(FOLLOW_PARENT, None):
        die_with_parent()
    aside = _said_aside() if options.json else contextlib.nullcontext()
    try:
        with aside:
            done = options.call(options) or Done()
        if options.json:
            print(json.dumps({"command": options.command, "status": done.status, **done.facts}, default=str))
        return done.status
    except StudyError as error:
        return _failed(options, str(error), MISUSE)
    except StepFailed as failure:
        return _failed(options, str(failure), failure.status)
    except ModuleNotFoundError as error:
        if not error.name or error.name.startswith("her2study"):
            raise
        what = f"the package {error.name!r} is not installed; this command needs more than applying a model does"
        return _failed(options, f"{what}: pip install 'her2study[study]', or make setup in the project", MISUSE)
    except BrokenPipeError:  # whoever read us, `head` for example, has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        return _failed(options, "no space left on the disk; free some and run the same command again", MISUSE)
    except KeyboardInterrupt:
        print(f"stopped; {options.stopped}", file=sys.stderr)
        return 130


def parser() -> argparse.ArgumentParser:
    """All commands with their arguments."""
    whole = argparse.ArgumentParser(
        prog="her2study",
        description=DESCRIPTION,
        epilog=GUIDE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = whole.add_subparsers(required=True, metavar="COMMAND", title="commands")
    for module in COMMANDS:
        module.add(commands)
    return whole


@contextlib.contextmanager
def _said_aside() -> Iterator[None]:
    """Let what this process and its children print go to standard error: standard output is for one JSON object."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def _failed(options: argparse.Namespace, message: str, status: int) -> int:
    print(f"error: {message}", file=sys.stderr)
    if options.json:
        print(json.dumps({"command": options.command, "status": status, "error": message}))
    return status
