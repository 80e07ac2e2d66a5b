"""One series, several phases: which slice belongs to which.

Scanners mark phases differently. Every mark is tried in the order of :data:`MARKS`, and counts only if it cuts the
series into phases that hold each slice place exactly once; so a mark that means something else cannot do harm.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from her2study.cohort.dicom.frames import Finding, Frame, Refused
from her2study.cohort.dicom.geometry import EXPORT_AGAIN, normal_of, places
from her2study.cohort.dicom.timing import clock_order

Mark = Callable[[Frame], object]

MARKS: dict[str, Mark] = {
    "TemporalPosition": lambda frame: frame.temporal,
    "TriggerTime": lambda frame: frame.trigger_ms,
    "AcquisitionTime": lambda frame: frame.acquired,
    "TemporalPositionTimeOffset": lambda frame: frame.offset_seconds,
    "AcquisitionNumber": lambda frame: frame.acquisition_number,
    "file": lambda frame: frame.path,
    "ContentTime": lambda frame: frame.content,
}
"""Marks of a phase, the surest first. ``file``: one multi-frame file a phase."""

RANKED = ("AcquisitionTime", "ContentTime")
"""Marks that may differ from slice to slice and still order the repetitions of every place."""

ONE_PHASE, BY_ORDER = "one volume", "order of InstanceNumber"


@dataclass
class Split:
    """Phases of one stack of slices, in the order of the mark, and by which mark they were told apart."""

    phases: list[list[Frame]]
    mark: str
    slices: int
    findings: list[Finding] = field(default_factory=list)
    incomplete: dict[int, int] = field(default_factory=dict)


def split_phases(frames: Sequence[Frame]) -> Split:
    """Cut the slices of a stack into phases.

    Returns
    -------
    Split
        ``incomplete`` maps a phase (from 0) to its number of missing slices.

    Raises
    ------
    Refused
        Slices repeat, and no mark says which repetition belongs to which phase.
    """
    number, along = places(frames, normal_of(frames[0].orientation))
    slices = len(along)
    repeats = np.bincount(number)
    if len(frames) == slices:
        return Split([list(frames)], ONE_PHASE, slices)
    partial: list[Split] = []
    marks = {mark: _unwrapped(frames, of) if mark in RANKED else of for mark, of in MARKS.items()}
    for mark, value_of in marks.items():
        cut = _cut(frames, number, slices, mark, value_of)
        if cut and not cut.incomplete:
            return cut
        if cut:
            partial.append(cut)
    if repeats.min() == repeats.max():
        for mark in RANKED:
            phases = _rank(frames, number, slices, marks[mark])
            if phases and _apart(phases, marks[mark]):
                return Split(phases, mark, slices)
    if partial:
        return min(partial, key=lambda cut: sum(cut.incomplete.values()))
    if repeats.min() == repeats.max():
        phases = _rank(frames, number, slices, lambda frame: frame.instance_number)
        if phases:
            text = "no mark in the header tells the phases apart; slices were dealt out in the order of InstanceNumber"
            return Split(phases, BY_ORDER, slices, [Finding("phases", text)])
    absent = slices * int(repeats.max()) - len(frames)
    raise Refused(
        f"slice places occur {repeats.min()} to {repeats.max()} times and no header mark tells the phases apart"
        + (f" ({absent} slices missing or doubled)" if absent else ""),
        EXPORT_AGAIN + "; remove copies of files",
    )


def _unwrapped(frames: Sequence[Frame], clock: Mark) -> Mark:
    """A clock that goes on after midnight, for files that hold no date."""
    read = sorted({value for value in map(clock, frames) if value is not None})
    runs_on = dict(zip(read, clock_order(read) if len(read) > 1 else read, strict=True))
    return lambda frame: runs_on.get(clock(frame))


def _cut(frames: Sequence[Frame], number: np.ndarray, slices: int, mark: str, value_of: Mark) -> Split | None:
    """Phases by equal values of a mark, unless a place stands twice in one of them or most are incomplete."""
    groups: dict[object, list[int]] = defaultdict(list)
    for i, frame in enumerate(frames):
        groups[value_of(frame)].append(i)
    if None in groups or len(groups) < 2:
        return None
    if any(max(Counter(number[members].tolist()).values()) > 1 for members in groups.values()):
        return None
    values = (
        sorted(groups) if mark != "file" else sorted(groups, key=lambda v: frames[groups[v][0]].instance_number or 0)
    )
    missing = {i: slices - len(groups[v]) for i, v in enumerate(values) if len(groups[v]) < slices}
    if len(missing) * 2 > len(groups):
        return None
    return Split([[frames[i] for i in groups[value]] for value in values], mark, slices, incomplete=missing)


def _rank(frames: Sequence[Frame], number: np.ndarray, slices: int, value_of: Mark) -> list[list[Frame]] | None:
    """Phases by rank: the n-th value of the mark at every place belongs to phase n; None on ties or gaps."""
    at_place: list[list[Frame]] = [[] for _ in range(slices)]
    for frame, place in zip(frames, number.tolist(), strict=True):
        if value_of(frame) is None:
            return None
        at_place[place].append(frame)
    for members in at_place:
        members.sort(key=value_of)
        if len({value_of(frame) for frame in members}) < len(members):
            return None
    return [list(phase) for phase in zip(*at_place, strict=True)]


def _apart(phases: list[list[Frame]], value_of: Mark) -> bool:
    """Whether each phase ends before the next begins."""
    values = [[value_of(frame) for frame in phase] for phase in phases]
    return all(max(a) < min(b) for a, b in pairwise(values))
