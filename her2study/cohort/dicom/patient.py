"""One patient from files to finished folder: decided by rule, written whole, recorded last."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from her2study.cohort.dicom.candidates import choose
from her2study.cohort.dicom.choices import Choice
from her2study.cohort.dicom.dynamic import Dynamic
from her2study.cohort.dicom.facts import acquisition_facts, series_rows
from her2study.cohort.dicom.frames import Finding, Header, Refused
from her2study.cohort.dicom.geometry import Grid
from her2study.cohort.dicom.masks import Drawn, nifti_mask
from her2study.cohort.dicom.pixels import Unreadable, read_phase, write_volume
from her2study.cohort.dicom.series import Sorted, sort_series
from her2study.cohort.dicom.timing import tidy
from her2study.store import write_atomically

RECORDS = ".import"
"""Folder of the records of finished patients, under the destination."""

IMPORTED, REFUSED = "imported", "not imported"


@dataclass(frozen=True)
class Job:
    """All that a worker needs to import one patient."""

    source: Path
    dest: Path
    pseudonym: str
    fingerprint: str
    headers: tuple[Header, ...]
    identifying: Mapping[str, int]
    choice: Choice
    masks: tuple[Path, ...] = ()


@dataclass
class Record:
    """What became of a patient. Holds nothing from a header but numbers, and no path of a source file."""

    patient_id: str
    fingerprint: str
    status: str
    reason: str = ""
    mend: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    phases: list[dict[str, Any]] = field(default_factory=list)
    series: list[dict[str, Any]] = field(default_factory=list)
    findings: list[dict[str, str]] = field(default_factory=list)
    identifying: dict[str, int] = field(default_factory=dict)
    files: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """A record, and the path of a file that only the terminal may name."""

    record: Record
    path: str = ""


def import_patient(job: Job) -> Result:
    """Import one patient: a folder of phases and a mask, or a reason why not. A record is written at the very end."""
    forget(job.dest, job.pseudonym)
    record = Record(job.pseudonym, job.fingerprint, IMPORTED, identifying=dict(sorted(job.identifying.items())))
    part = job.dest / RECORDS / "part" / job.pseudonym
    path = ""
    found = sort_series(job.headers)
    findings: list[Finding] = []
    dynamic: Dynamic | None = None
    try:
        if job.choice.skip:
            raise Refused("left out by the choices", "remove skip from the choices")
        _check_one_person(job.headers, found, job.choice, findings)
        masks = [header for header in job.headers if header.kind in ("segmentation", "structures")]
        dynamic, reasons = choose(found, masks, job.choice)
        findings += [*_warnings(job.headers, dynamic), *reasons, *dynamic.findings]
        _write_phases(job, dynamic, part, findings)
        _write_mask(job, dynamic, masks, part, findings)
        record.facts, record.phases = acquisition_facts(dynamic, job.choice), _phase_rows(job, dynamic)
        record.files = _move_into_place(job, part)
    except Refused as refusal:
        record.status, record.reason, record.mend = REFUSED, refusal.reason, refusal.mend
        path = refusal.path if isinstance(refusal, Unreadable) else ""
    except (OSError, MemoryError):  # of the destination or the machine, not of the patient
        raise
    except Exception as error:  # one patient must not stop the others; the error's text may quote a header
        place = traceback.extract_tb(error.__traceback__)[-1]
        record.status, record.mend = REFUSED, "please report this, with how the files were made"
        record.reason = f"unexpected {type(error).__name__} in {Path(place.filename).name}, line {place.lineno}"
    finally:
        shutil.rmtree(part, ignore_errors=True)
    record.series = series_rows(found, dynamic if record.status == IMPORTED else None)
    record.findings = [asdict(finding) for finding in [*found.findings, *findings]]
    save_record(job.dest, record)
    return Result(record, path)


def fingerprint(headers: Sequence[Header], masks: Sequence[Path], choice: Choice, salt: str, version: str) -> str:
    """Changes if and only if a file of the patient, a choice or the importer does; files by path, size and date."""
    text = json.dumps(
        [
            version,
            sorted([h.path, h.size, h.mtime_ns] for h in headers),
            [[path.name, path.stat().st_size, path.stat().st_mtime_ns] for path in masks],
            asdict(choice),
        ]
    )
    return hashlib.sha256(f"{salt}\0{text}".encode()).hexdigest()


def finished(dest: Path, pseudonym: str, expected: str) -> Record | None:
    """The record of a patient that was imported from the very same files and whose outputs are still there."""
    record = load_record(dest, pseudonym)
    if record is None or record.status != IMPORTED or record.fingerprint != expected:
        return None
    for name, size in record.files.items():
        path = dest / name
        if not path.is_file() or path.stat().st_size != size:
            return None
    return record


def load_record(dest: Path, pseudonym: str) -> Record | None:
    """The record of a patient, None if there is none that can be read."""
    try:
        return Record(**json.loads(_record_path(dest, pseudonym).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def save_record(dest: Path, record: Record) -> None:
    """Write a record in one step."""
    text = json.dumps(asdict(record), indent=1, sort_keys=True) + "\n"
    write_atomically(_record_path(dest, record.patient_id), lambda part: part.write_text(text, encoding="utf-8"))


def forget(dest: Path, pseudonym: str) -> None:
    """Remove what an earlier import of this patient left, its record first."""
    _record_path(dest, pseudonym).unlink(missing_ok=True)
    shutil.rmtree(dest / "images" / pseudonym, ignore_errors=True)
    _mask_path(dest, pseudonym).unlink(missing_ok=True)


def _record_path(dest: Path, pseudonym: str) -> Path:
    return dest / RECORDS / f"{pseudonym}.json"


def _mask_path(dest: Path, pseudonym: str) -> Path:
    return dest / "segmentations" / "expert" / f"{pseudonym}.nii.gz"


def _warnings(headers: Sequence[Header], dynamic: Dynamic) -> list[Finding]:
    chosen = {phase.stack.header.series for phase in dynamic.phases}
    burned = [header.series in chosen for header in headers if header.burned_in]
    found = []
    if any(burned):
        text = f"{sum(burned)} files of the imported series declare text burned into the picture: look before sharing"
        found.append(Finding("burned-in annotation", text))
    elif burned:
        text = f"{len(burned)} files declare text burned into the picture; none of them was imported"
        found.append(Finding("burned-in annotation", text))
    if headers[0].patient.startswith("study "):
        found.append(Finding("identity", "no PatientID in the header; patients were told apart by examination"))
    return found


def _check_one_person(headers: Sequence[Header], found: Sorted, choice: Choice, findings: list[Finding]) -> None:
    """Two people under one identifier are not merged; spellings of a name are only remarked upon."""
    if choice.series:
        named = {uid for uid, number in found.numbers.items() if uid in choice.series or str(number) in choice.series}
        headers = [header for header in headers if header.series in named] or headers
    for words, values in (
        ("dates of birth", {header.person.born for header in headers}),
        ("sexes", {header.person.sex for header in headers}),
    ):
        if len(values - {""}) > 1:
            raise Refused(
                f"{len(values - {''})} different {words} stand under one PatientID: more than one person?",
                "separate the people, or name the series to import under choices",
            )
    names = {"".join(c for c in header.person.name.casefold() if c.isalnum()) for header in headers} - {""}
    if len(names) > 1:
        findings.append(Finding("identity", f"{len(names)} spellings of the name stand under one PatientID"))


def _write_phases(job: Job, dynamic: Dynamic, part: Path, findings: list[Finding]) -> None:
    if job.choice.seconds and len(job.choice.seconds) != len(dynamic.phases):
        raise Refused(
            f"the choices give {len(job.choice.seconds)} seconds for {len(dynamic.phases)} phases",
            "correct the choices",
        )
    shutil.rmtree(part, ignore_errors=True)
    brightness = []
    for i, phase in enumerate(dynamic.phases):
        volume = read_phase(job.source, phase.frames, dynamic.grid)
        if not np.isfinite(volume).all():
            raise Refused(f"phase {i + 1} holds voxels that are NaN or infinite", "export the series again")
        if volume.min() == volume.max():
            raise Refused(f"phase {i + 1} is empty: every voxel is the same", "export the series again, or leave the "
                          "phase out with drop_phases in the choices")  # fmt: skip
        brightness.append(float(volume.mean(dtype=np.float64)))
        write_volume(part / "images" / f"{job.pseudonym}_{i:04d}.nii.gz", volume, dynamic.grid)
    if brightness[0] > max(brightness[1:]):
        text = "the first phase is brighter than all later ones: is it really the one before contrast?"
        findings.append(Finding("phases", text, "drop_phases", ""))


def _write_mask(job: Job, dynamic: Dynamic, masks: Sequence[Header], part: Path, findings: list[Finding]) -> None:
    """The mask, if one can be had; without it the patient is imported all the same, and the report says so."""
    sources, words = _mask_sources(job, dynamic, masks)
    if not sources:
        findings.append(Finding("mask", words or "no lesion mask was found", "", ""))
        return
    number = job.choice.mask or min(sources)
    if number not in sources:
        findings.append(Finding("mask", f"mask {number}, named in the choices, does not exist", "mask", ""))
        return
    if len(sources) > 1:
        listed = ", ".join(f"{n} ({kind})" for n, (kind, _) in sources.items())
        by = "named in the choices" if job.choice.mask else "by rule: NIfTI files first, then the newest object"
        findings.append(
            Finding("mask", f"{len(sources)} masks: {listed}; mask {number} was taken, {by}", "mask", str(number))
        )
    kind, path = sources[number]
    try:
        drawn = _draw(kind, path, dynamic.grid, job.choice.segments)
    except Refused as refusal:
        findings.append(Finding("mask", f"no mask was written: {refusal.reason}; {refusal.mend}", "mask", ""))
        return
    findings += drawn.findings
    if not _refers(path, job, masks, dynamic):
        text = "the mask refers to another series of the same examination; look whether the patient moved in between"
        findings.append(Finding("mask", text, "mask", str(number)))
    write_volume(part / "mask.nii.gz", drawn.mask, dynamic.grid)


def _refers(path: Path, job: Job, masks: Sequence[Header], dynamic: Dynamic) -> bool:
    """Whether a mask object names one of the imported series, or does not say what it was drawn on."""
    chosen = {phase.stack.header.series for phase in dynamic.phases}
    named = {uid for mask in masks if job.source / mask.path == path for uid in mask.references}
    return not named & {header.series for header in job.headers} or bool(named & chosen)


def _mask_sources(job: Job, dynamic: Dynamic, masks: Sequence[Header]) -> tuple[dict[int, tuple[str, Path]], str]:
    """Masks that belong to the chosen series, numbered from the best, and a word if all belong elsewhere."""
    chosen = {phase.stack.header.series for phase in dynamic.phases}
    frame_of_reference = dynamic.phases[0].stack.header.frame_of_reference
    ranked = []
    for mask in {mask.instance: mask for mask in sorted(masks, key=lambda mask: mask.path, reverse=True)}.values():
        refers = bool(chosen & set(mask.references))
        if refers or (frame_of_reference and mask.frame_of_reference == frame_of_reference):
            newest = -(mask.series_start or mask.study_start or 0.0)
            ranked.append(((not refers, newest, mask.path), (mask.kind, job.source / mask.path)))
    ranked.sort(key=lambda item: item[0])
    found = [("nifti", path) for path in job.masks] + [item for _, item in ranked]
    elsewhere = len({mask.instance for mask in masks}) - len(ranked)
    words = f"no lesion mask was found: {elsewhere} mask objects refer to other series" if elsewhere else ""
    return {i + 1: item for i, item in enumerate(found)}, words


def _draw(kind: str, path: Path, grid: Grid, wanted: Sequence[int]) -> Drawn:
    if kind == "nifti":
        return nifti_mask(path, grid, wanted)
    from her2study.cohort.dicom.mask_objects import segmentation_mask, structure_mask

    return (segmentation_mask if kind == "segmentation" else structure_mask)(path, grid, wanted)


def _phase_rows(job: Job, dynamic: Dynamic) -> list[dict[str, Any]]:
    seconds = job.choice.seconds or dynamic.timing.seconds or [None] * len(dynamic.phases)
    return [
        {
            "phase": i,
            "series": phase.stack.number,
            "seconds": None if at is None else tidy(at),
            "files": len({frame.path for frame in phase.frames}),
            "slices": len(phase.frames),
            "phases_told_apart_by": dynamic.mark,
            "seconds_from": "choices" if job.choice.seconds else dynamic.timing.attribute,
        }
        for i, (phase, at) in enumerate(zip(dynamic.phases, seconds, strict=True))
    ]


def _move_into_place(job: Job, part: Path) -> dict[str, int]:
    """Rename finished files to where they belong; names under the destination, and sizes."""
    mask, images = part / "mask.nii.gz", job.dest / "images" / job.pseudonym
    if mask.exists():
        _mask_path(job.dest, job.pseudonym).parent.mkdir(parents=True, exist_ok=True)
        os.replace(mask, _mask_path(job.dest, job.pseudonym))
    images.parent.mkdir(parents=True, exist_ok=True)
    os.rename(part / "images", images)
    written = [*images.iterdir(), *filter(Path.exists, [_mask_path(job.dest, job.pseudonym)])]
    return {path.relative_to(job.dest).as_posix(): path.stat().st_size for path in sorted(written)}
