"""``her2study import-dicom``: a folder of DICOM in, a folder of patients in MAMA-MIA's layout out."""

from __future__ import annotations

import os
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import her2study
from her2study.cohort.dicom.choices import Choice, read_choices
from her2study.cohort.dicom.frames import Header
from her2study.cohort.dicom.headers import Batch, list_files, read_batch
from her2study.cohort.dicom.patient import (
    IMPORTED,
    RECORDS,
    Job,
    Record,
    fingerprint,
    finished,
    import_patient,
    load_record,
)
from her2study.cohort.dicom.pseudonyms import Key, extend_key, read_key, write_key
from her2study.cohort.dicom.report import write_report
from her2study.parallel import map_patients
from her2study.pipeline.console import say
from her2study.pipeline.processes import sole_writer
from her2study.types import StudyError

FORMAT = 1
"""Raise it when the same files would give other outputs: every patient is then imported again."""

FILES_A_BATCH = 250

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".7z", ".rar")

NAMED = 10
"""So many files and patients are named on the terminal; the report has all."""


@dataclass(frozen=True)
class Request:
    """What the user asked for; ``key`` is ``<dest>-key.csv`` unless named."""

    source: Path
    dest: Path
    key: Path | None = None
    masks: Path | None = None
    choices: Path | None = None
    workers: int = 1


@dataclass(frozen=True)
class Summary:
    """How many patients of the source are imported now, and how many could not be."""

    imported: int
    refused: int


def import_dicom(request: Request) -> Summary:
    """Import every patient under ``request.source``; what is finished already is not done again.

    Raises
    ------
    StudyError
        The request cannot be meant: nothing was written then.
    """
    key_path = _check(request)
    batch = _read_headers(request)
    by_patient: dict[str, list[Header]] = defaultdict(list)
    for header in batch.headers:
        by_patient[header.patient].append(header)
    if not by_patient:
        raise StudyError(
            f"{request.source}: none of {len(batch.skipped):,} files is a DICOM image; name another folder"
        )
    key = extend_key(read_key(key_path), {name: _common_folder(files) for name, files in by_patient.items()})
    choices = read_choices(request.choices, key.pseudonyms) if request.choices else {}
    masks = _nifti_masks(request.masks, by_patient) if request.masks else {}
    _make_folder(request.dest / RECORDS)
    with sole_writer(request.dest / RECORDS):
        write_key(key_path, key)
        _clear_unfinished(request.dest)
        jobs = [
            _job(request, key, name, by_patient[name], batch, choices, masks.get(name, ()))
            for name in sorted(by_patient, key=lambda name: key.pseudonyms[name])
        ]
        done = {job.pseudonym: finished(request.dest, job.pseudonym, job.fingerprint) for job in jobs}
        open_jobs = [job for job in jobs if done[job.pseudonym] is None]
        if len(open_jobs) < len(jobs):
            say(f"{len(jobs) - len(open_jobs)} of {len(jobs)} patients are finished already")
        results = map_patients(import_patient, open_jobs, "patients", request.workers)
        records = [record for record in done.values() if record] + [result.record for result in results]
        write_report(request.dest, [*records, *_earlier(request.dest, records)], _not_used(batch))
    originals = {pseudonym: original for original, pseudonym in key.pseudonyms.items()}
    _tell(request, key_path, records, batch, originals, {r.record.patient_id: r.path for r in results if r.path})
    imported = sum(record.status == IMPORTED for record in records)
    return Summary(imported, len(records) - imported)


def _check(request: Request) -> Path:
    """The path of the key, once it is sure that nothing of anybody's is in the way."""
    source, dest = request.source.resolve(), request.dest.resolve()
    key = request.key or request.dest.absolute().with_name(f"{dest.name}-key.csv")
    if not source.is_dir():
        raise StudyError(f"{request.source} is not a folder; name the folder that holds the DICOM files")
    if source == dest or source in dest.parents or dest in source.parents:
        raise StudyError(
            f"{request.dest}: the destination and {request.source} lie in each other; choose another folder"
        )
    if dest in key.resolve().parents:
        raise StudyError(
            f"{key}: the key leads back to people and must lie outside {request.dest}; choose another place"
        )
    for folder, option in ((request.masks, "--masks"),):
        if folder and not folder.is_dir():
            raise StudyError(f"{folder} is not a folder; {option} names the folder that holds <original id>.nii.gz")
    if dest.exists() and not dest.is_dir():
        raise StudyError(f"{request.dest} is a file; name a new folder")
    ours = (dest / RECORDS).is_dir() or not dest.exists() or not os.listdir(dest)
    if not ours:
        raise StudyError(f"{request.dest} is not empty and was not written by import-dicom; name a new folder")
    if any((dest / RECORDS).glob("P*.json")) and not key.exists():
        raise StudyError(
            f"{key} is missing, but {request.dest} holds patients: without the key they would get other pseudonyms; "
            "put it back, name it with --key, or choose a new destination"
        )
    return key


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StudyError(f"{folder.parent}: cannot be written ({error.strerror}); choose another destination") from None


def _clear_unfinished(dest: Path) -> None:
    """Remove what a run that was killed left half-written; nobody else writes here now."""
    shutil.rmtree(dest / RECORDS / "part", ignore_errors=True)
    for folder in (dest, dest / RECORDS):
        for path in folder.glob("*.part"):
            path.unlink(missing_ok=True)


def _read_headers(request: Request) -> Batch:
    """The headers of every file, in batches by worker processes."""
    files = list_files(request.source)
    chunks = [files[i : i + FILES_A_BATCH] for i in range(0, len(files), FILES_A_BATCH)]
    workers = request.workers if len(chunks) > 4 else 1  # processes take longer to start than few files to read
    whole = Batch()
    for part in map_patients(partial(read_batch, request.source), chunks, "headers", workers):
        whole.headers += part.headers
        whole.skipped += part.skipped
        for patient, counts in part.identifying.items():
            whole.identifying.setdefault(patient, Counter()).update(counts)
    say(f"{request.source}: {len(files):,} files, {len(whole.headers):,} of them DICOM objects, "
        f"{len(whole.identifying):,} patients")  # fmt: skip
    return whole


def _job(
    request: Request,
    key: Key,
    name: str,
    headers: Sequence[Header],
    batch: Batch,
    choices: dict[str, Choice],
    masks: tuple[Path, ...],
) -> Job:
    pseudonym = key.pseudonyms[name]
    choice = choices.get(pseudonym, Choice())
    version = f"{her2study.__version__} {FORMAT}"
    mark = fingerprint(headers, masks, choice, key.salt, version)
    return Job(request.source, request.dest, pseudonym, mark, tuple(headers), batch.identifying[name], choice, masks)


def _common_folder(headers: Sequence[Header]) -> str:
    folders = [os.path.dirname(header.path) for header in headers]
    return os.path.commonpath(folders) if all(folders) else ""


def _nifti_masks(folder: Path, patients: Iterable[str]) -> dict[str, tuple[Path, ...]]:
    """Mask files by original identifier: ``<id>.nii.gz`` or ``<id>.nii``, in any subfolder."""
    found: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(folder.rglob("*.nii*")):
        if path.name.endswith((".nii", ".nii.gz")):
            found[path.name.removesuffix(".gz").removesuffix(".nii")].append(path)
    known = set(patients)
    strange = sorted(set(found) - known)
    if strange:
        say(
            f"{folder}: {len(strange)} masks, {strange[0]!r} for example, have no patient of that name and are not used"
        )
    return {name: tuple(paths) for name, paths in found.items() if name in known}


def _earlier(dest: Path, records: Sequence[Record]) -> list[Record]:
    """Patients imported before from elsewhere; they stay."""
    now = {record.patient_id for record in records}
    names = sorted(path.stem for path in (dest / RECORDS).glob("P*.json"))
    found = [load_record(dest, name) for name in names if name not in now]
    return [record for record in found if record]


def _not_used(batch: Batch) -> Counter[str]:
    counts = Counter(reason for _, reason in batch.skipped)
    counts.update(header.hard for header in batch.headers if header.hard)
    return counts


def _tell(
    request: Request,
    key: Path,
    records: Sequence[Record],
    batch: Batch,
    originals: dict[str, str],
    paths: dict[str, str],
) -> None:
    """The outcome on the terminal, which may name people and paths; files in the destination may not."""
    refused = [record for record in records if record.status != IMPORTED]
    unreadable = [path for path, reason in batch.skipped if "cannot be read" in reason]
    for path in unreadable[:NAMED]:
        say(f"  {request.source / path}: damaged, not read")
    if len(unreadable) > NAMED:
        say(f"  ... and {len(unreadable) - NAMED} more damaged files")
    archives = [path for path, _ in batch.skipped if path.lower().endswith(ARCHIVES)]
    if archives:
        say(f"  {len(archives)} archives such as {archives[0]} were not opened; unpack them if they hold DICOM files")
    for record in refused[:NAMED]:
        say(f"  {record.patient_id} ({originals[record.patient_id]}) not imported: {record.reason}; {record.mend}")
        if record.patient_id in paths:
            say(f"    {request.source / paths[record.patient_id]}")
    if len(refused) > NAMED:
        say(f"  ... and {len(refused) - NAMED} more patients")
    decisions = sum(bool(finding["setting"]) for record in records for finding in record.findings)
    say(f"{len(records) - len(refused)} of {len(records)} patients are in {request.dest}; start with import_report.md")
    if decisions:
        say(f"{decisions} decisions are yours to look at: import_choices.csv")
    say(f"the key to the pseudonyms is {key}: keep it apart, and keep it")
