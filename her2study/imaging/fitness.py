"""Whether every patient's scans are fit for use, found before anything is drawn, split or learnt.

All files of all patients are read once, header and voxels, and what was found is kept as long as they stay
as they are. Who is unfit leaves the study with a reason; the study itself stops only for what is wrong with
the whole source, where one mend helps all.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pandas as pd

from her2study.imaging.findings import MEND_ALL, Finding, Reason
from her2study.imaging.fitness_patient import (
    Judged,
    Task,
    judge_files,
    judge_patient,
    mask_path,
    phase_paths,
    with_times,
)
from her2study.imaging.volume_store import entry_key, file_hashes, load_entry, save_entry, tidy
from her2study.parallel import map_patients
from her2study.types import StudyError

HEADER_COLUMNS = ("phases", "slices", "rows", "columns", "spacing_z_mm", "spacing_y_mm", "spacing_x_mm")
"""Of the pre-contrast phase, its axes turned to the patient's."""

RULES = judge_files.__module__
"""The module whose code, with all that it imports, decides whether what was found before still holds."""

SYSTEMATIC = 0.5
"""A reason that holds for more than this part of the patients is a matter of the whole source."""


def check_fitness(cohort: pd.DataFrame, source: Path, workers: int = 1, store: Path | None = None) -> pd.DataFrame:
    """Read every scan and mask of the cohort and judge each patient.

    Parameters
    ----------
    cohort : DataFrame
        ``patient_id`` and, where recorded, ``acquisition_times``.
    source : Path
        Folder in MAMA-MIA's layout.
    workers : int
        Processes; no result depends on it.
    store : Path, optional
        Folder in which what was found is kept by the content of the files: a run that was killed goes on where
        it was, and a second one reads hundreds of gigabytes no more. Nothing is kept without it.

    Returns
    -------
    DataFrame
        One row a patient, sorted: ``patient_id``; ``reason`` in words, empty if fit; ``file, value, rule,
        mend`` of the first reason (several files in one cell, parted by semicolons); ``also``: further
        reasons; ``detail``: all findings as sentences; ``doubts``: what is reported and excludes nobody;
        then ``phases, slices, rows, columns, spacing_z_mm, spacing_y_mm, spacing_x_mm``, missing where no
        header could be read.

    Raises
    ------
    StudyError
        One reason holds for more than half of the patients, or nobody is fit.
    """
    judged = judge_all(cohort, source, workers, store)
    stop_if_systematic(judged, Path(source))
    return _frame(judged, Path(source))


def judge_all(cohort: pd.DataFrame, source: Path, workers: int = 1, store: Path | None = None) -> list[Judged]:
    """Every patient judged, sorted by name, as :func:`check_fitness` has it; nothing is raised for what is found."""
    ordered = cohort.sort_values("patient_id")
    times = ordered["acquisition_times"] if "acquisition_times" in ordered else [None] * len(ordered)
    tasks = [
        Task(Path(source), name, None if pd.isna(text) else str(text))
        for name, text in zip(ordered["patient_id"], times, strict=True)
    ]
    done = map_patients(partial(_judge, store=store), tasks, "scans checked", workers)
    if store is not None:
        tidy(store, [key for key, _ in done])
    return [patient for _, patient in done]


def check_layout(source: Path) -> None:
    """Insist that scans and masks are both there or both absent.

    Raises
    ------
    StudyError
        Only one of the two folders exists, so the study would silently go on without images.
    """
    images, masks = Path(source) / "images", Path(source) / "segmentations"
    if images.is_dir() != masks.is_dir():
        there, absent = (images, masks) if images.is_dir() else (masks, images)
        raise StudyError(
            f"{there} is there and {absent} is not; a study of scans needs both, a study without scans neither: "
            f"add {absent.name}/, or move {there.name}/ out of the source folder"
        )


def unfit_table(fitness: pd.DataFrame, cohort: pd.DataFrame) -> pd.DataFrame:
    """Who is unfit, for print: ``patient_id, centre, reason, file, value, rule, mend, also``."""
    unfit = fitness[fitness["reason"] != ""].merge(cohort[["patient_id", "centre"]], on="patient_id", validate="1:1")
    return unfit[["patient_id", "centre", "reason", "file", "value", "rule", "mend", "also"]]


def doubt_table(fitness: pd.DataFrame, cohort: pd.DataFrame) -> pd.DataFrame:
    """Who stays with a doubt: ``patient_id, centre, doubts``."""
    doubtful = fitness[(fitness["reason"] == "") & (fitness["doubts"] != "")]
    return doubtful.merge(cohort[["patient_id", "centre"]], on="patient_id")[["patient_id", "centre", "doubts"]]


def describe_fitness(fitness: pd.DataFrame) -> str:
    """What was read and what was found, in sentences."""
    unfit = fitness[fitness["reason"] != ""]
    scans = int(fitness["phases"].sum())
    text = f"{len(fitness)} patients with {scans} scans were read. "
    if unfit.empty:
        return text + "All are fit for use: on one grid, in millimetres, every mask on tissue of the scan."
    counts = unfit["reason"].value_counts().sort_index(kind="stable").sort_values(ascending=False, kind="stable")
    listed = "; ".join(f"{reason}, {n}" for reason, n in counts.items())
    share = 100 * len(unfit) / len(fitness)
    return text + f"Unfit for use and excluded: {len(unfit)} ({share:.1f}%): {listed}. The others go on."


def files_read(cohort: pd.DataFrame, source: Path) -> list[Path]:
    """Every scan and mask there is, and the folders they lie in: a file that is added later is noticed as well."""
    found: list[Path] = []
    for name in cohort["patient_id"]:
        task = Task(Path(source), name, None)
        phases, mask = phase_paths(task), mask_path(task)
        place = task.source / "images" / name
        found += [place if place.is_dir() else place.parent, *phases, mask if mask.is_file() else mask.parent]
    return [path for path in dict.fromkeys(found) if path.exists()]


def stop_if_systematic(judged: Sequence[Judged], source: Path) -> None:
    """Stop if the source as a whole is at fault.

    Raises
    ------
    StudyError
        As in :func:`check_fitness`; names the reason, how many it holds for, one of them, and what mends all.
    """
    first = [patient.findings[0] for patient in judged if patient.findings]
    for reason in Reason:
        alike = [finding for finding in first if finding.reason == reason]
        if len(alike) > SYSTEMATIC * len(judged):
            raise StudyError(
                f"{source}: {len(alike)} of {len(judged)} patients are unfit for one reason, {reason}; excluding them "
                f"would leave no study, and one cause needs one mend: {MEND_ALL[reason]}.{_layout(source, alike)} "
                f"For example {alike[0].sentence}"
            )
    if judged and len(first) == len(judged):
        reasons = ", ".join(dict.fromkeys(finding.reason.value for finding in first))
        raise StudyError(
            f"{source}: none of {len(judged)} patients is fit for use ({reasons}); at least one is needed: "
            f"see for example {first[0].sentence}"
        )


def _judge(task: Task, store: Path | None) -> tuple[str, Judged]:
    """Judge one patient, or remember what was found in the same files; with the name under which it is kept."""
    if store is None:
        return "", judge_patient(task)
    files = [path for path in (*phase_paths(task), mask_path(task)) if path.is_file()]
    place = {"source": str(task.source), "patient_id": task.patient_id, "files": [path.name for path in files]}
    key = entry_key(file_hashes(store, files), place, RULES)
    kept = load_entry(store, key)
    if kept is None:
        judged = judge_files(task)
        save_entry(store, key, {}, judged._asdict())
    else:
        findings = [Finding(Reason(reason), *rest) for reason, *rest in kept[1]["findings"]]
        judged = Judged(**{**kept[1], "findings": findings})
    return key, with_times(judged, task)


def _layout(source: Path, alike: Sequence[Finding]) -> str:
    """What a folder holds in which no patient's scans were found."""
    images = source / "images"
    if alike[0].reason != Reason.NO_SCANS or not images.is_dir():
        return ""
    entries = sorted(images.iterdir())
    folders = [path for path in entries if path.is_dir()]
    inside = sorted(path for folder in (folders[0], images) for path in folder.iterdir()) if folders else entries
    files = [path for path in inside if path.is_file()]
    if any(path.suffix.lower() in (".dcm", ".ima") or _is_dicom(path) for path in files[:5]):
        return f" {files[0].parent} holds DICOM files: run `her2study import-dicom` on them first."
    if any(path.suffix == ".nii" for path in files):
        return f" {files[0].parent} holds uncompressed .nii files: compress them (gzip)."
    wanted = alike[0].file.rsplit("/", 1)[-1]
    names = ", ".join(path.name for path in entries[:3])
    return f" {images} holds {names or 'nothing'}, and the table speaks of {wanted}: names must be the same."


def _is_dicom(path: Path) -> bool:
    with open(path, "rb") as file:
        return file.read(132)[128:] == b"DICM"


def _frame(judged: Sequence[Judged], source: Path) -> pd.DataFrame:
    rows = []
    for patient in judged:
        short = [f._replace(file=f.file.removeprefix(f"{source}/")) for f in patient.findings]
        same = [finding for finding in short if finding.reason == short[0].reason]
        told = {
            "reason": same[0].reason.value if same else "",
            "file": "; ".join(finding.file for finding in same),
            "value": "; ".join(finding.value for finding in same),
            "rule": same[0].rule if same else "",
            "mend": same[0].mend if same else "",
            "also": "; ".join(dict.fromkeys(f.reason.value for f in short if f.reason != short[0].reason)),
            "detail": " ".join(f"{finding.sentence}." for finding in short),
            "doubts": "; ".join(patient.doubts),
        }
        rows.append({"patient_id": patient.patient_id, **told, **patient.header})
    columns = ["patient_id", "reason", "file", "value", "rule", "mend", "also", "detail", "doubts"]
    frame = pd.DataFrame(rows, columns=[*columns, *HEADER_COLUMNS])
    whole = dict.fromkeys(HEADER_COLUMNS[:4], "Int64") | dict.fromkeys(HEADER_COLUMNS[4:], "float64")
    return frame.astype(dict.fromkeys(columns, "str") | whole)
