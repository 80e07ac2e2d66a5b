"""Run one step: a notebook through papermill, or a plain step; on success its record is written."""

from __future__ import annotations

import ast
import contextlib
import datetime
import errno
import json
import re
import resource
import shutil
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from her2study.pipeline import steps
from her2study.pipeline.console import clock, say, watch
from her2study.pipeline.fingerprint import fingerprint, imported_names, package_versions
from her2study.pipeline.graph import Chain, Node
from her2study.pipeline.notebook import check_parameters, read_cells, read_code
from her2study.pipeline.processes import environment
from her2study.pipeline.records import describe_files, describe_folder, reason_to_run, save_record
from her2study.store import write_atomically
from her2study.types import StudyError

FOLLOW_PARENT = "__import__('her2study.pipeline.processes', fromlist=['_']).die_with_parent()"
"""First line of every kernel: a notebook whose chain was killed must not go on writing."""

ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "MKL", "OPENBLAS", "NUMEXPR")}
"""Steps run side by side; each keeps to one thread, which also makes sums repeatable."""

KERNEL_ARGUMENTS = [f"--IPKernelApp.exec_lines={FOLLOW_PARENT}", "--IPKernelApp.log_level=ERROR"]

TRACEBACK_LINES = 12
ANSI_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class StepFailed(Exception):
    """A step ended in error; ``status`` is 2 for a user's mistake (the message says all), else 1."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


def run_node(chain: Chain, node: Node) -> None:
    """Run a step unless its record holds, and write its record.

    Raises
    ------
    StudyError
        A parameter that the notebook does not declare; nothing was run.
    StepFailed
        The step's own error. Its notebook stays as ``notebooks/failed/<step>.ipynb``.
    """
    if node.notebook:
        check_parameters(chain.notebook(node), node.parameters)
    if reason_to_run(chain, node) is None:
        say(f"unchanged  {node.label}")
        return
    say(f"start      {node.label}")
    made_from = fingerprint(chain, node)  # before the step: an edit meanwhile must make it stale
    started, clock_start = datetime.datetime.now(datetime.UTC), time.monotonic()
    with _scratch(chain, node) as scratch:
        journal, told = scratch / "journal", scratch / "progress"
        variables = {
            **ONE_THREAD,
            **chain.environment(),
            "HER2STUDY_JOURNAL": str(journal),
            "HER2STUDY_PROGRESS": str(told),
            "PYTHONHASHSEED": "0",
            "IPYTHONDIR": str(scratch),  # a person's IPython start-up files are no part of the study
        }
        try:
            with environment(variables), watch(told, node.label):
                made = _run_notebook(chain, node) if node.notebook else _run_plain(chain, node)
        except StepFailed as failure:
            say(f"FAILED     {node.label}")
            with contextlib.suppress(StudyError):  # no space for the note either
                _note_failure(chain, node, failure)
            raise
        lines = journal.read_text(encoding="utf-8").splitlines() if journal.exists() else []
    files = describe_files(chain.run.folder, [json.loads(line) for line in lines])
    files["written"] |= made
    if made_from["reads_truth"]:
        files["source"] |= describe_folder(chain.run.folder, [chain.run.truth])
    seconds = time.monotonic() - clock_start
    record = {
        "step": node.name,
        **made_from,
        **files,
        "packages": _packages(chain, node, made_from),
        "seed": chain.study.seed,
        "started": started.isoformat(timespec="seconds"),
        "duration_seconds": round(seconds, 2),
        "peak_memory_mb": _peak_memory_mb(),
    }
    save_record(chain, node, record)
    forget_failure(chain, node.name)
    say(f"done       {node.label}  {clock(seconds)}")


def failure_path(chain: Chain, name: str) -> Path:
    """Where a step's failure is noted until it succeeds."""
    return chain.run.folder / "records" / f"{name}.failed"


def forget_failure(chain: Chain, name: str) -> None:
    """Remove the note of a failure and the notebook it left."""
    failure_path(chain, name).unlink(missing_ok=True)
    _failed_notebook(chain, name).unlink(missing_ok=True)


def load_failures(chain: Chain) -> list[StepFailed]:
    """What failed and has not succeeded since."""
    paths = [failure_path(chain, name) for name in chain.nodes]
    notes = [json.loads(path.read_text(encoding="utf-8")) for path in paths if path.exists()]
    return [StepFailed(note["message"], note["status"]) for note in notes]


def _note_failure(chain: Chain, node: Node, failure: StepFailed) -> None:
    text = json.dumps({"message": str(failure), "status": failure.status})
    write_atomically(failure_path(chain, node.name), lambda path: path.write_text(text, encoding="utf-8"))


def _failed_notebook(chain: Chain, name: str) -> Path:
    return chain.run.folder / "notebooks" / "failed" / f"{name}.ipynb"


@contextlib.contextmanager
def _scratch(chain: Chain, node: Node) -> Iterator[Path]:
    """A folder for the time of the step, inside the results so that nothing is left elsewhere."""
    folder = chain.run.folder / ".scratch" / node.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run_notebook(chain: Chain, node: Node) -> dict[str, Any]:
    """Execute to a temporary file; the name that others know appears only on success."""
    import papermill
    from papermill.exceptions import PapermillExecutionError

    source = chain.notebook(node)
    final = chain.run.folder / "notebooks" / f"{node.name}.ipynb"
    unfinished = final.with_name(f"{node.name}.unfinished.ipynb")
    final.parent.mkdir(parents=True, exist_ok=True)
    try:
        papermill.execute_notebook(
            source,
            unfinished,
            parameters=dict(node.parameters),
            kernel_name="python3",
            cwd=chain.notebooks.parent,
            progress_bar=False,
            extra_arguments=list(KERNEL_ARGUMENTS),
        )
    except PapermillExecutionError as error:
        message, status = _explain(source, error)
    except OSError as error:
        message, status = f"{source.name}: {error}", 2 if error.errno == errno.ENOSPC else 1
    except Exception as error:  # the kernel was killed, or never started
        message, status = f"{source.name}: {type(error).__name__}: {error}", 1
    else:
        unfinished.replace(final)
        return {}
    if unfinished.exists():
        kept = _failed_notebook(chain, node.name)
        kept.parent.mkdir(exist_ok=True)
        unfinished.replace(kept)
        message += f"\nThe notebook as far as it came: {kept}"
    raise StepFailed(message, status)


def _explain(source: Path, error: Any) -> tuple[str, int]:
    """Where a notebook failed and why: the message alone for a user's mistake, else the last of the traceback."""
    tagged = [i for i, cell in enumerate(read_cells(source)) if "parameters" in cell["metadata"].get("tags", [])]
    injected = bool(tagged) and error.cell_index > tagged[0]  # papermill puts one cell behind that one
    where = f"{source.name}, cell {error.cell_index + 1 - injected}"
    if error.ename == "StudyError":
        return f"{error.evalue}\n(found by {where})", 2
    lines = ANSI_COLOUR.sub("", "\n".join(error.traceback)).splitlines()
    return f"{where} failed:\n" + "\n".join(f"  {line}" for line in lines[-TRACEBACK_LINES:]), 1


def _run_plain(chain: Chain, node: Node) -> dict[str, Any]:
    try:
        return getattr(steps, node.stage)(chain)
    except StudyError as error:
        raise StepFailed(str(error), 2) from None
    except Exception:
        raise StepFailed(f"{node.label} failed:\n{traceback.format_exc(limit=-4)}", 1) from None


def _packages(chain: Chain, node: Node, made_from: dict[str, Any]) -> dict[str, str]:
    code = read_code(chain.notebook(node)) if node.notebook else ""
    return package_versions(made_from["code"], imported_names(ast.parse(code)))


def _peak_memory_mb() -> int:
    """Largest resident memory of this process or of one it started."""
    peaks = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return round(max(peaks) / (1024**2 if sys.platform == "darwin" else 1024))
