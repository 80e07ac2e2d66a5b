"""``her2study completion``: what a shell needs to complete commands, options and files."""

from __future__ import annotations

import argparse

from her2study.cli.done import Done
from her2study.cli.parsers import FILE, FOLDER, Commands, command

SHELLS = ("bash", "zsh", "tcsh")

MANUAL = """\
examples:
  her2study completion bash > ~/.local/share/bash-completion/completions/her2study
  her2study completion zsh > ~/.zfunc/_her2study  # with fpath+=~/.zfunc before compinit
  eval "$(her2study completion bash)"  # for this terminal only"""


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = command(commands, "completion", "print the completion script of a shell", MANUAL)
    parser.add_argument("shell", choices=SHELLS, help="the shell that will read it")
    parser.set_defaults(call=_completion)


def _completion(options: argparse.Namespace) -> Done:
    import shtab

    from her2study.cli import parser

    whole = parser()
    _complete_files(whole, shtab)
    script = shtab.complete(whole, options.shell)
    print(script)
    return Done(facts={"script": script})


def _complete_files(parser: argparse.ArgumentParser, shtab) -> None:
    """Tell shtab which arguments are files and folders: those whose metavar says so."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                _complete_files(inner, shtab)
        elif action.metavar in (FILE, FOLDER):
            action.complete = shtab.FILE if action.metavar == FILE else shtab.DIRECTORY
