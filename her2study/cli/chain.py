"""``her2study reproduce``, ``run``, ``figures`` and ``manuscript``: a study and its finished results."""

from __future__ import annotations

import argparse
import os

from her2study.cli.done import Done
from her2study.cli.parsers import GOES_ON, Commands, command, study_options
from her2study.pipeline import find_node, open_chain, reproduce, run_node
from her2study.pipeline.chain import IN_CHAIN
from her2study.pipeline.notebook import parse_parameters
from her2study.pipeline.processes import sole_writer
from her2study.types import StudyError

REPRODUCE = """\
examples:
  her2study reproduce                                         # the paper, on simulated patients
  her2study reproduce --profile smoke                         # the same, small: some minutes
  her2study reproduce --study my-study --data /data/patients  # your patients

Only what is not up to date is run. Results lie in results/<study>/; start with report/index.html."""

RUN = """\
examples:
  her2study run 04_dscore_fold_2
  her2study run 04_dscore_fold fold=2 --study my-study --data /data/patients
  her2study run figures"""

FIGURES = """\
examples:
  her2study figures --journal radiology
  her2study figures --journal my-journal.yml --study my-study --data /data/patients"""

MANUSCRIPT = """\
examples:
  her2study manuscript
  her2study manuscript --study my-study --data /data/patients

It is written from papers/<study>/manuscript.md and the finished results: manuscript.docx, .pdf and .md."""


def add(commands: Commands) -> None:
    """Declare the commands."""
    common = (study_options(),)
    whole = command(
        commands, "reproduce", "bring every result of a study up to date", REPRODUCE, stopped=GOES_ON, parents=common
    )
    whole.add_argument("--cores", type=int, default=None, help="steps that may run side by side (all cores)")
    whole.set_defaults(call=_reproduce)

    one = command(commands, "run", "run one step of a study", RUN, stopped=GOES_ON, parents=common)
    one.add_argument("step", help="a notebook, simulate, figures, tables or report")
    one.add_argument("parameters", nargs="*", metavar="NAME=VALUE", help="parameters that choose the step")
    one.set_defaults(call=_run)

    drawn = command(
        commands, "figures", "draw the figures of a finished study for a journal", FIGURES, stopped=GOES_ON,
        parents=common,
    )  # fmt: skip
    words = "acta-radiologica, radiology, nature, default, or a .yml file like those in her2study/reporting/journals"
    drawn.add_argument("--journal", required=True, metavar="NAME", help=words)
    drawn.set_defaults(call=_figures)

    text = command(
        commands, "manuscript", "write the manuscript of a finished study", MANUSCRIPT,
        stopped="the manuscript is as it was", parents=common,
    )  # fmt: skip
    text.set_defaults(call=_manuscript)


def _reproduce(options: argparse.Namespace) -> Done:
    chain = open_chain(options.study, options.profile, options.data)
    reproduce(chain, options.cores)
    return Done(facts={"results": str(chain.run.folder), "steps": list(chain.nodes)})


def _run(options: argparse.Namespace) -> Done:
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
    return Done(facts={"results": str(chain.run.folder), "step": node.name})


def _figures(options: argparse.Namespace) -> Done:
    from her2study.pipeline.journal_figures import journal_figures

    chain = open_chain(options.study, options.profile, options.data)
    with sole_writer(chain.run.folder):
        folder = journal_figures(chain, options.journal)
    return Done(facts={"folder": str(folder)})


def _manuscript(options: argparse.Namespace) -> Done:
    from her2study.pipeline.manuscript import manuscript

    chain = open_chain(options.study, options.profile, options.data)
    with sole_writer(chain.run.folder):
        written = manuscript(chain)
    return Done(facts={"files": [str(path) for path in written]})
