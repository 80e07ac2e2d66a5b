"""From files to stacks: slices of one series that share plane, matrix and contrast."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from her2study.cohort.dicom.frames import Finding, Frame, Header
from her2study.cohort.dicom.geometry import SAME_DIRECTION, faulty_frame

FEWEST_SLICES = 4
"""Fewer are a localiser or a test, never a breast."""


@dataclass
class Stack:
    """Slices of one series with the same plane, matrix, echo time and flip angle: one volume or several.

    Attributes
    ----------
    number : int
        Running number of its series within the patient, by which the report speaks of it.
    reason : str
        Why it takes no part in a dynamic series, unless somebody names it; empty if it may.
    """

    number: int
    header: Header
    frames: list[Frame]
    reason: str = ""
    start: float = 0.0
    announced: int | None = None
    contrast: dict[str, bool] = field(default_factory=dict)

    @property
    def first(self) -> Frame:
        """Any of its slices, for what all share."""
        return self.frames[0]

    @property
    def derived(self) -> bool:
        """Whether the files call themselves computed; some archives write it on everything."""
        return "DERIVED" in self.first.image_type[:1]

    def protocol(self) -> tuple:
        """What volumes of one dynamic scan share, though they may stand in several series."""
        first = self.first
        rounded = tuple(None if v is None else float(f"{v:.2g}") for v in (first.repetition_ms, first.echo_ms))
        return (
            self.header.study,
            self.header.frame_of_reference,
            self.header.rows,
            self.header.columns,
            tuple(round(value, 3) for value in first.spacing),
            tuple(round(value, 2) + 0.0 for value in first.orientation),
            rounded,
            None if first.flip_degrees is None else round(first.flip_degrees),
            first.image_type,
        )


@dataclass
class Sorted:
    """Every series of a patient: running numbers, stacks, and what was left out before looking at phases."""

    numbers: dict[str, int]
    stacks: list[Stack]
    left_out: dict[int, str]
    findings: list[Finding]
    files: Counter[int]


def number_series(headers: Iterable[Header]) -> dict[str, int]:
    """Running numbers from 1, by study and series in the order of their time and number."""
    keys: dict[str, tuple] = {}
    for h in headers:
        start = h.study_start if h.study_start is not None else float("inf")
        key = (start, h.study, h.series_number if h.series_number is not None else 1 << 30, h.series)
        keys[h.series] = min(key, keys.get(h.series, key))
    return {series: i + 1 for i, series in enumerate(sorted(keys, key=lambda series: keys[series]))}


def sort_series(headers: Sequence[Header]) -> Sorted:
    """Number the series, drop copies of files and split each series into stacks."""
    numbers = number_series(headers)
    unique, findings = _without_copies(headers)
    by_series: dict[str, list[Header]] = defaultdict(list)
    for header in unique:
        by_series[header.series].append(header)
    found = Sorted(numbers, [], {}, findings, Counter())
    for series in sorted(by_series, key=lambda uid: numbers[uid]):
        members, number = by_series[series], numbers[series]
        found.files[number] = len(members)
        images = [header for header in members if header.kind == "image"]
        if not images:
            kinds = sorted({header.hard or f"mask ({header.kind})" for header in members})
            found.left_out[number] = ", ".join(kinds)
            continue
        stacks = _stacks(number, images, found)
        found.stacks += stacks
        if stacks and all(stack.reason for stack in stacks):
            found.left_out[number] = ", ".join(sorted({stack.reason for stack in stacks}))
    return found


def _without_copies(headers: Sequence[Header]) -> tuple[list[Header], list[Finding]]:
    """The first file, by path, of every instance; copies have its identifier, place and times."""
    first: dict[tuple, Header] = {}
    copies = 0
    for header in sorted(headers, key=lambda h: h.path):
        key = (header.instance, header.series, tuple(_stamp(frame) for frame in header.frames))
        copies += first.setdefault(key, header) is not header
    findings = []
    if copies:
        findings.append(Finding("copies", f"{copies} files are copies of others and were left out"))
    shared = len(first) - len({header.instance for header in first.values()})
    if shared:
        findings.append(Finding("copies", f"{shared} files share their identifier with another, different file"))
    return list(first.values()), findings


def _stamp(frame: Frame) -> tuple:
    return frame.position, frame.acquired, frame.trigger_ms, frame.temporal, frame.content


def _stacks(number: int, images: list[Header], found: Sorted) -> list[Stack]:
    """Stacks of one series, in the order of their first file."""
    groups: dict[tuple, Stack] = {}
    directions: list[np.ndarray] = []
    faults: Counter[str] = Counter()
    for header in images:
        for frame in header.frames:
            fault = faulty_frame(frame)
            if fault:
                faults[fault] += 1
                continue
            key = (
                _direction(frame, directions),
                header.rows,
                header.columns,
                tuple(round(value, 4) for value in frame.spacing),
                None if frame.echo_ms is None else round(frame.echo_ms, 1),
                None if frame.flip_degrees is None else round(frame.flip_degrees),
                frame.image_type,
                header.soft,
            )
            stack = groups.setdefault(key, Stack(number, header, [], header.soft))
            stack.frames.append(frame)
            stack.contrast[frame.path] = header.contrast
            stack.announced = max(filter(None, (stack.announced, header.announced_phases)), default=None)
    for fault, count in faults.items():
        found.findings.append(Finding("geometry", f"series {number}: {count} {fault}; left out"))
        found.left_out[number] = fault
    several = len(directions) > 1
    for stack in groups.values():
        if not stack.reason and len({frame.position for frame in stack.frames}) < FEWEST_SLICES:
            stack.reason = f"fewer than {FEWEST_SLICES} slices" + (" in several directions (localiser)" * several)
        starts = [stack.first.acquired, stack.header.series_start, stack.header.study_start]
        stack.start = next((start for start in starts if start is not None), 0.0)
    fit = [stack for stack in groups.values() if not stack.reason]
    if len(groups) > 1 and fit:
        text = f"series {number} mixes {len(groups)} sorts of images (direction, matrix, spacing, contrast or type)"
        found.findings.append(Finding("geometry", f"{text}; each was taken by itself", "series", ""))
    return list(groups.values())


def _direction(frame: Frame, known: list[np.ndarray]) -> int:
    """Number of the slice direction, one of ``known`` or a new one."""
    own = np.array(frame.orientation)
    for i, other in enumerate(known):
        if np.abs(own - other).max() < SAME_DIRECTION:
            return i
    known.append(own)
    return len(known) - 1
