"""``her2study validate``: everything that is wrong with a study's table, scans and settings, told in one go.

Nothing stops at the first problem. What is called an error would stop a run or make it mean something wrong;
``reproduce`` refuses for errors of the table, and for nothing else.
"""

from __future__ import annotations

import dataclasses
import json
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from her2study.cohort.findings import SEVERITIES, findings, join
from her2study.cohort.flow import cohort_flow
from her2study.parallel import worker_count
from her2study.pipeline.console import say
from her2study.pipeline.folder import MANIFEST, check_replaceable, whole_folder
from her2study.pipeline.graph import Chain
from her2study.pipeline.node import StepFailed
from her2study.pipeline.validate_design import Design, check_design, check_own_tables, leave_unscored
from her2study.pipeline.validate_table import check_study_table, setting_findings
from her2study.reporting.validation.content import Validation
from her2study.reporting.validation.words import error_lines
from her2study.store import Run, file_hash
from her2study.study import Study, load_study, papers_folder
from her2study.types import StudyError

MADE_BY = "her2study validate"

ERRORS_FOR_MACHINES = 200
"""Errors that --json repeats."""

PENDING = "Not placed before the errors are mended"
"""In the flow, beside the reasons for which patients leave."""


def validate(
    name: str, profile: str = "full", data: str = "", images: bool = True, workers: int | None = None
) -> Validation:
    """Check a study by name, its settings included.

    Raises
    ------
    StudyError
        There is no such study or profile, or no such folder: then nothing can be checked.
    """
    path = papers_folder() / name / "study.yml"
    if path.is_file() and profile in _profiles(path):
        broken = _broken_settings(name, path, profile)
        if (broken["severity"] == "error").any():
            return Validation(name, name, profile, False, data, broken)
    study = load_study(name, profile)
    if not study.simulated and not data:
        raise StudyError(f"study {name!r} needs a folder of patients: her2study validate {name} --data FOLDER")
    if data and not Path(data).expanduser().is_dir():
        raise StudyError(f"--data {data}: no such folder; give the folder that holds {study.source.table}")
    run = Run(study, results_folder(), str(Path(data).expanduser().resolve()) if data else "")
    checked = validate_study(study, run.source, images, workers, run.cache("fitness"))
    others = _broken_settings(name, path, profile)
    return dataclasses.replace(checked, findings=join([others, checked.findings]))


def validate_study(
    study: Study, source: Path, images: bool = True, workers: int | None = None, store: Path | None = None
) -> Validation:
    """Check the table, the scans and the design of a study whose settings have loaded.

    Parameters
    ----------
    source : Path
        Folder of the patients; that of a simulated study may not be there yet.
    images : bool
        Also read every scan and mask of the included patients.
    store : Path, optional
        Where what was found in scans is kept, so that a run need not read them again.
    """
    started = time.monotonic()
    about = (study.name, study.title, study.profile, study.simulated, str(source))
    if study.simulated and not source.is_dir():
        mend = f"her2study run simulate --study {study.name} --profile {study.profile} makes them"
        told = {"severity": "note", "area": "file", "file": str(source), "value": "the patients are not simulated yet",
                "rule": "a simulated study makes its own patients", "mend": mend}  # fmt: skip
        return Validation(*about, findings([told]))
    has_images = (source / "images").is_dir()
    table = check_study_table(study, source, has_images)
    patients = table.included.get(study.source.patient_column, pd.Series(dtype="str")).dropna()
    own, scores = check_own_tables(study, source, patients.tolist())
    found, rows, excluded, scans_of = [table.findings, own], table.included, table.excluded, None
    if images:
        from her2study.pipeline.validate_images import check_images

        seen = check_images(study, source, table, worker_count() if workers is None else workers, store)
        found.append(seen.findings)
        rows, excluded, scans_of = seen.rows, seen.excluded, seen.scans_of
    if scores is not None and table.told is not None:
        rows, excluded, told = leave_unscored(study, rows, excluded, scores)
        found.append(told)
    design = check_design(study, table, rows, scores) if table.told is not None else Design(join([]))
    found.append(design.findings)
    flow, included = None, None if table.told is None else len(rows)
    if design.splits is not None:
        gone = _with_pending(excluded, rows, design.splits, study)
        flow = cohort_flow(gone, design.splits, study.centres, study.exclusions, table.further)
    return Validation(
        *about, join(found), table.screened, table.columns, included, excluded, flow, design.sample_size,
        design.sentence, scans_of, time.monotonic() - started,
    )  # fmt: skip


def _with_pending(excluded: pd.DataFrame, rows: pd.DataFrame, splits: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Who left, and who cannot be placed as long as a centre or an outcome is wrong."""
    if len(rows) == len(splits):
        return excluded
    names = rows[[study.source.patient_column, study.source.centre_column]].set_axis(["patient_id", "centre"], axis=1)
    pending = names[~names["patient_id"].isin(splits["patient_id"])].assign(reason=PENDING)
    return pd.concat([excluded, pending], ignore_index=True)


def refuse_errors(chain: Chain) -> None:
    """The gate before a run: the table must hold no error. Scans are looked at by notebook 01, where patients leave.

    Raises
    ------
    StepFailed
        With the first errors and the command that tells all.
    """
    study, source = chain.study, chain.run.source
    if not source.is_dir():
        return  # simulated patients who are not there yet
    checked = validate_study(study, source, images=False)
    for line in checked.sample_size_sentence.split("\n"):
        if line:
            say(f"  {line}")
    if checked.fit:
        return
    again = f"her2study validate {study.name}" + (f" --profile {study.profile}" if study.profile != "full" else "")
    again += f" --data {chain.data}" if chain.data else ""
    lines = error_lines(checked.findings)
    raise StepFailed("\n".join([f"{checked.count('error'):,} errors in {source}; nothing was run", *lines,
                                f"all findings, with what mends them:  {again}"]), 1)  # fmt: skip


def write_validation(checked: Validation, out: Path) -> Path:
    """Write ``index.html``, ``findings.csv`` and ``summary.json`` to a folder, whole or not at all; return the page."""
    from her2study.reporting.validation.page import validation_page

    check_replaceable(out, MADE_BY)
    with whole_folder(out, MADE_BY) as folder:
        (folder / "index.html").write_text(validation_page(checked), encoding="utf-8")
        marked = checked.findings.assign(patients="SIMULATED" if checked.simulated else "real")
        text = marked.select_dtypes("str").columns
        marked[text] = marked[text].apply(_plain_text)
        marked.to_csv(folder / "findings.csv", index=False, lineterminator="\n", encoding="utf-8-sig")
        (folder / "summary.json").write_text(json.dumps(summary(checked), indent=1, ensure_ascii=False) + "\n", "utf-8")
        files = {path.name: file_hash(path) for path in sorted(folder.iterdir())}
        (folder / MANIFEST).write_text(json.dumps({"made_by": MADE_BY, "files": files}, indent=1) + "\n", "utf-8")
    return out / "index.html"


def summary(checked: Validation) -> dict[str, Any]:
    """The outcome as plain values: counts, flow and sample size."""
    by_area = checked.findings.groupby(["area", "severity"]).size()
    areas: dict[str, dict[str, int]] = {}
    for (area, severity), n in by_area.items():
        areas.setdefault(str(area), {})[str(severity)] = int(n)
    reasons = checked.excluded["reason"].value_counts(sort=False)
    return {
        "study": checked.name,
        "profile": checked.profile,
        "patients": "SIMULATED" if checked.simulated else "real",
        "source": checked.source,
        "a_run_would_go_through": checked.fit,
        "findings": {severity: checked.count(severity) for severity in SEVERITIES},
        "areas": areas,
        "screened": checked.screened,
        "included": checked.included,
        "excluded": {str(reason): int(n) for reason, n in reasons.items()},
        "scans_checked_of": checked.scans_of,
        "flow": _records(checked.flow),
        "sample_size": _records(checked.sample_size),
        "sample_size_in_words": checked.sample_size_sentence,
        "seconds": round(checked.seconds, 1),
    }


def report_folder(name: str, profile: str = "full") -> Path:
    """Where the report of a validation lies: beside the results of the study."""
    return results_folder() / (name if profile == "full" else f"{name}-{profile}") / "validation"


def first_errors(checked: Validation) -> list[dict[str, Any]]:
    """The errors as plain values, at most :data:`ERRORS_FOR_MACHINES`; findings.csv has all findings."""
    errors = checked.findings[checked.findings["severity"] == "error"]
    return _records(errors.head(ERRORS_FOR_MACHINES)) or []


def _profiles(path: Path) -> Iterable[str]:
    """Profiles that a settings file names; if it cannot be read, any may be meant."""
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
        return {"full", "smoke", *(raw.get("profiles") or {})}
    except (yaml.YAMLError, AttributeError, UnicodeDecodeError):
        return {"full", "smoke"}


def _broken_settings(name: str, path: Path, profile: str) -> pd.DataFrame:
    """Profiles that do not load: errors of the one that is checked, warnings of the others."""
    found = []
    for other in sorted({profile, *_profiles(path)}):
        try:
            load_study(name, other)
        except StudyError as error:
            if other == profile or "unknown profile" not in str(error):
                found.append(setting_findings(path, error, "error" if other == profile else "warning"))
    return join(found)


def results_folder() -> Path:
    """Where all results lie: ``HER2STUDY_RESULTS``, else beside the papers."""
    return Path(os.environ.get("HER2STUDY_RESULTS") or papers_folder().resolve().parent / "results").resolve()


def _plain_text(cells: pd.Series) -> pd.Series:
    """Cells that no spreadsheet takes for a formula: what stands in a table is shown and never run."""
    formula = cells.str.match(r"[=@\t\r]|[+-](?![\d.]+$)")
    return cells.mask(formula, "'" + cells)


def _records(frame: pd.DataFrame | None) -> list[dict[str, Any]] | None:
    return None if frame is None else json.loads(frame.to_json(orient="records"))
