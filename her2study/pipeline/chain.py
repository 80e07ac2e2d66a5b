"""Run the whole chain: check, let Snakemake order the steps that are due, report."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time

from her2study.pipeline.console import say
from her2study.pipeline.graph import Chain
from her2study.pipeline.node import StepFailed, forget_failure, load_failures
from her2study.pipeline.notebook import check_parameters
from her2study.pipeline.processes import die_with_parent, sole_writer
from her2study.pipeline.records import NEVER_RAN, reason_to_run, record_path, retire_absent
from her2study.pipeline.summary import summary_lines, write_manifest

IN_CHAIN = "HER2STUDY_IN_CHAIN"
"""Set for the steps that Snakemake starts: their chain already holds the results folder."""

ALMOST_FULL_BYTES = 2**20
"""With less free space than this, a failure that could not even be noted has one cause."""


def reproduce(chain: Chain, cores: int | None = None) -> None:
    """Bring every result of a study up to date and print what came out.

    Raises
    ------
    StudyError
        Found before anything ran: a wrong parameter, a folder that another run is writing to.
    StepFailed
        The clinical table holds errors, and nothing was run; or a step failed, and steps that do not need it may
        have been finished.
    """
    for node in chain.nodes.values():
        if node.notebook:
            check_parameters(chain.notebook(node), node.parameters)
    with sole_writer(chain.run.folder):
        due = due_steps(chain)
        if "01_cohort" in due and "simulate" not in due:
            from her2study.pipeline.validate import refuse_errors

            refuse_errors(chain)
        retire_absent(chain)
        for name in chain.nodes:
            forget_failure(chain, name)
        started = time.monotonic()
        if due:
            say(f"{chain.study.name} ({chain.study.profile}): {len(due)} of {len(chain.nodes)} steps are due")
            for name, reason in due.items():
                if reason != NEVER_RAN:
                    say(f"  {chain.nodes[name].label}: {reason}")
            _stamp_held(chain, due)
            _call_snakemake(chain, cores or os.cpu_count() or 1)
        else:
            say(f"{chain.study.name} ({chain.study.profile}): nothing to do, every result is up to date")
        write_manifest(chain)
        for line in summary_lines(chain, time.monotonic() - started):
            say(line)


def due_steps(chain: Chain) -> dict[str, str]:
    """Steps that must run, with the reason; steps after them follow if their inputs turn out changed."""
    reasons = {name: reason_to_run(chain, node) for name, node in chain.nodes.items()}
    return {name: reason for name, reason in reasons.items() if reason}


def step_command(chain: Chain, name: str) -> list[str]:
    """The command by which Snakemake, on this machine or another, runs one step."""
    options = ["--study", chain.study.name, "--profile", chain.study.profile, "--data", chain.data]
    return [sys.executable, "-m", "her2study.cli", "run", name, *options]


def _stamp_held(chain: Chain, due: dict[str, str]) -> None:
    """Show Snakemake which steps are done: a stamp each, in order, none for those that are due."""
    folder = chain.run.folder / ".chain"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    now = time.time_ns() - len(chain.nodes) * 10_000_000
    for place, name in enumerate(chain.nodes):
        if name not in due:
            chain.stamp(name).touch()
            os.utime(chain.stamp(name), ns=(now, now + place * 10_000_000))


def _call_snakemake(chain: Chain, cores: int) -> None:
    """Run the Snakefile; what Snakemake itself says goes to a log, what the steps say to the terminal."""
    folder = chain.run.folder
    config = {"study": chain.study.name, "profile": chain.study.profile, "data": chain.data}
    command = [
        *(sys.executable, "-m", "snakemake", "--snakefile", str(chain.notebooks / "Snakefile")),
        *("--directory", str(folder), "--cores", str(cores), "--nolock", "--rerun-incomplete"),
        *("--rerun-triggers", "mtime"),
        *("--config", *(f"{key}={json.dumps(value)}" for key, value in config.items())),
    ]
    log = folder / "snakemake.log"
    with open(log, "w", encoding="utf-8") as said:
        process = subprocess.Popen(
            command,
            env={"HER2STUDY_WORKERS": str(cores), **os.environ, **chain.environment(), IN_CHAIN: "1"},
            stdin=subprocess.DEVNULL,
            stderr=said,
            preexec_fn=die_with_parent,
            start_new_session=True,  # Ctrl-C reaches us alone, and we end the rest in one stroke
        )
        try:
            status = process.wait()
        except BaseException:
            process.kill()  # finished steps have their records; steps, kernels and workers follow their parent
            process.wait()
            raise
    failures = load_failures(chain)
    if failures:
        raise StepFailed("\n\n".join(map(str, failures)), max(failure.status for failure in failures))
    if status != 0 and shutil.disk_usage(folder).free < ALMOST_FULL_BYTES:
        raise StepFailed(f"{folder}: no space left on the disk; free some and run the same command again", 2)
    if status != 0 or not all(record_path(chain, name).exists() for name in chain.nodes):
        last = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-15:]
        raise StepFailed(f"Snakemake ended with status {status}; the end of {log}:\n" + "\n".join(last), 1)
