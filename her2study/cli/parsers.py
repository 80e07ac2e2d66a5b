"""How every command is declared: a help page that reads like a manual, ``--json``, files that shells can complete."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TypeAlias

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

FILE, FOLDER = "FILE", "FOLDER"
"""Metavars that shell completion knows."""

GOES_ON = "the same command continues where this one stopped"
NOTHING = "nothing was written"

FAILED = "a step failed; the message says where"
MISUSED = "something given was wrong; the message says what, and how to mend it"


def command(
    commands: Commands,
    name: str,
    line: str,
    manual: str,
    *,
    findings: str = FAILED,
    stopped: str = NOTHING,
    parents: tuple[argparse.ArgumentParser, ...] = (),
) -> argparse.ArgumentParser:
    """Declare one command.

    Parameters
    ----------
    line : str
        What it does, in the list of commands; begins in lower case, without a full stop.
    manual : str
        What stands below the options: ``examples:`` that can be typed (comments after ``#``), then whatever a user
        has to know. The exit statuses are added.
    findings : str
        What status 1 means; empty for a command that never ends with it.
    stopped : str
        What Ctrl-C leaves behind, in words.
    """
    meanings = ((0, "done"), (1, findings), (2, MISUSED))
    parser = commands.add_parser(
        name,
        parents=list(parents),
        help=line,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description=f"{line[0].upper()}{line[1:]}.",
        epilog="\n".join([manual.rstrip(), "", "exit status:", *(f"  {n}  {words}" for n, words in meanings if words)]),
    )
    parser.add_argument("--json", action="store_true", help="print what was done as one JSON object, for machines")
    parser.set_defaults(stopped=stopped)
    return parser


def study_options() -> argparse.ArgumentParser:
    """``--study``, ``--profile`` and ``--data``, which all commands about a study share."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--study", default="hong2025", help="a folder of papers/ (hong2025)")
    common.add_argument("--profile", default="full", help="full, smoke or another profile of its study.yml (full)")
    common.add_argument(
        "--data", default="", metavar=FOLDER, help="folder of patients; without it a study simulates its own"
    )
    return common


def path(text: str) -> Path:
    """A path as it was typed, ``~`` for the home folder."""
    return Path(text).expanduser()
