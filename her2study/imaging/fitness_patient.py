"""One patient's scans and mask, judged: every finding with its file, value, rule and mend."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from her2study.cohort.sources import parse_times
from her2study.imaging.findings import Finding, Reason, Unfit
from her2study.imaging.fitness_mask import Phases, judge_mask
from her2study.imaging.fitness_probe import Look, find_lesion, look_at, make_probe
from her2study.imaging.grids import differ
from her2study.imaging.nifti import Stored, check_units, read_header
from her2study.imaging.volume import other_grid


class Task(NamedTuple):
    """What there is to judge: one patient of a source folder and the acquisition times of the table."""

    source: Path
    patient_id: str
    times: str | None


class Judged(NamedTuple):
    """Findings that exclude, doubts that do not, and what the pre-contrast header says (empty if unreadable)."""

    patient_id: str
    findings: list[Finding]
    doubts: list[str]
    header: dict[str, Any]


def judge_patient(task: Task) -> Judged:
    """Check one patient: files, times, headers, grids, then every voxel.

    Nothing that is wrong with a patient's files is raised: it is told in ``findings``.
    """
    return with_times(judge_files(task), task)


def with_times(judged: Judged, task: Task) -> Judged:
    """Add whether the table's acquisition times fit the phases on disk."""
    incomplete = {Reason.NO_SCANS, Reason.MIXED, Reason.PHASE_MISSING, Reason.FEW_PHASES}
    if incomplete & {finding.reason for finding in judged.findings}:
        return judged
    _, found = _try(lambda: _check_times(task, len(phase_paths(task))))
    return judged._replace(findings=_in_order([*judged.findings, *found]))


def judge_files(task: Task) -> Judged:
    """Check one patient's files alone; voxels are looked at only if all files are there and their headers sound."""
    phases, mask = phase_paths(task), mask_path(task)
    findings = _missing(task, phases, mask)
    headers = [_try(lambda path=path: read_header(path)) for path in (*phases, mask) if path.is_file()]
    stored = [header for header, _ in headers if header is not None]
    described = _describe(stored[0], len(phases)) if phases and headers[0][0] is not None else {}
    doubts: list[str] = []
    findings += [finding for _, found in headers for finding in found]
    if not findings:
        findings = _try(lambda: check_units(stored[0]))[1] or _grids(stored)
    if not findings:
        findings, doubts = _voxels(stored[:-1], stored[-1])
    return Judged(task.patient_id, _in_order(findings), doubts, described)


def phase_paths(task: Task) -> list[Path]:
    """Whatever phases there are, in the order of their names."""
    return sorted((task.source / "images" / task.patient_id).glob("*.nii.gz"))


def mask_path(task: Task) -> Path:
    """Where the mask belongs."""
    return task.source / "segmentations" / "expert" / f"{task.patient_id}.nii.gz"


def _try(check: Callable[[], Any]) -> tuple[Any, list[Finding]]:
    """A check's result and no finding, or nothing and its finding."""
    try:
        return check(), []
    except Unfit as unfit:
        return None, [unfit.finding]


def _in_order(findings: list[Finding]) -> list[Finding]:
    rank = {reason: place for place, reason in enumerate(Reason)}
    return sorted(findings, key=lambda finding: rank[finding.reason])


def _missing(task: Task, phases: list[Path], mask: Path) -> list[Finding]:
    """Files that are not there."""
    place, name = task.source / "images" / task.patient_id, task.patient_id
    findings = []
    mend = "add the file, or exclude the patient in study.yml"
    expected = f"one scan before contrast (_0000) and at least two after it are needed: {name}_0000.nii.gz and so on"
    if not phases:
        value = f"holds no .nii.gz file{_instead(place)}" if place.is_dir() else "there is no such folder"
        findings.append(Finding(Reason.NO_SCANS, str(place), value, expected, mend))
    else:
        found = [path.name for path in phases]
        wanted = [f"{name}_{i:04d}.nii.gz" for i in range(len(phases))]
        strange = [file for file in found if not re.fullmatch(rf"{re.escape(name)}_\d{{4}}\.nii\.gz", file)]
        if strange:
            value = f"holds {', '.join(strange[:3])}{' and more' if len(strange) > 3 else ''}"
            rule = f"a patient's folder holds her own phases and nothing else, {name}_0000.nii.gz and so on"
            findings.append(Finding(Reason.MIXED, str(place), value, rule, "move or rename them"))
        elif found != wanted:
            absent = next(file for file in wanted if file not in found)
            others = ", ".join(file.removeprefix(name).removesuffix(".nii.gz") for file in found)
            findings.append(
                Finding(Reason.PHASE_MISSING, str(place / absent), f"is missing; there are {others}",
                        "phases must be numbered from _0000 without gaps", mend)
            )  # fmt: skip
        elif len(phases) < 3:
            value = f"holds {len(phases) - 1} {'phase' if len(phases) == 2 else 'phases'} after contrast"
            findings.append(Finding(Reason.FEW_PHASES, str(place), value, expected, mend))
    if not mask.is_file():
        rule = "every included patient needs a lesion mask"
        findings.append(Finding(Reason.NO_MASK, str(mask), "is missing", rule, mend))
    return findings


def _instead(place: Path) -> str:
    """What a folder without scans holds."""
    others = sorted(path.name for path in place.iterdir())
    return f" but {len(others)} others, {others[0]} for one" if others else ""


def _check_times(task: Task, phases: int) -> None:
    if task.times is None:
        return
    rule = "one number a phase is needed, that before contrast included"
    mend = "correct the table, or set the cell to null under corrections in the mending file"
    try:
        times = parse_times(task.times)
    except ValueError as error:
        raise Unfit(Reason.TIMES, "acquisition_times", str(error), rule, mend) from None
    if len(times) != phases:
        value = f"{task.times} has {len(times)} entries for {phases} phases on disk"
        raise Unfit(Reason.TIMES, "acquisition_times", value, rule, mend)


def _describe(pre: Stored, phases: int) -> dict[str, Any]:
    names = ("slices", "rows", "columns", "spacing_z_mm", "spacing_y_mm", "spacing_x_mm")
    return {"phases": phases} | dict(zip(names, (*pre.grid.shape, *pre.grid.spacing_mm.tolist()), strict=True))


def _grids(stored: list[Stored]) -> list[Finding]:
    """Files that do not lie on the grid of the pre-contrast phase."""
    pre, mask = stored[0], stored[-1]
    findings = []
    for other in stored[1:]:
        different = differ(other.grid, pre.grid)
        if different:
            reason = Reason.MASK_GRID if other is mask else Reason.PHASE_GRID
            findings.append(other_grid(reason, other.path, pre.path, different).finding)
    return findings


def _voxels(phases: list[Stored], mask: Stored) -> tuple[list[Finding], list[str]]:
    """What only the voxels tell."""
    lesion, findings = _try(lambda: find_lesion(mask))
    probe = make_probe(lesion.voxels if lesion else np.zeros((1, 3), dtype=int), mask.grid)
    looked = [_try(lambda phase=phase: look_at(phase, probe.places)) for phase in phases]
    findings += [finding for _, found in looked for finding in found]
    looks = [look for look, _ in looked if look is not None]
    if len(looks) < len(phases):
        return findings, []
    findings += _empty_phases(phases, looks) + _same_phases(phases, looks)
    if findings or lesion is None:
        return findings, []
    return judge_mask(Phases(phases, looks, probe), lesion, mask)


def _empty_phases(phases: list[Stored], looks: list[Look]) -> list[Finding]:
    return [
        Finding(Reason.EMPTY_PHASE, str(phase.path), f"every voxel is {look.smallest:g}",
                "a phase must show something", "export it again, or exclude the patient")
        for phase, look in zip(phases, looks, strict=True)
        if look.smallest == look.largest
    ]  # fmt: skip


def _same_phases(phases: list[Stored], looks: list[Look]) -> list[Finding]:
    """Phases with the same content; noise alone makes that impossible for two acquisitions."""
    findings, first = [], {}
    for phase, look in zip(phases, looks, strict=True):
        content = (look.smallest, look.largest, look.total, look.values.tobytes())
        earlier = first.setdefault(content, phase.path.name)
        if earlier != phase.path.name and look.smallest < look.largest:
            findings.append(
                Finding(Reason.SAME_PHASE, str(phase.path), f"voxel by voxel the same as {earlier}",
                        "every phase must be an acquisition of its own", "export the series again")
            )  # fmt: skip
    return findings
