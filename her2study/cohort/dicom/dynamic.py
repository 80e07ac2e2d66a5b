"""A dynamic series: phases of one scan, put together from one stack of slices or from several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from her2study.cohort.dicom.frames import Finding, Frame, Refused
from her2study.cohort.dicom.geometry import EXPORT_AGAIN, TOLERANCE_VOXELS, Grid, stack
from her2study.cohort.dicom.phases import ONE_PHASE, Split, split_phases
from her2study.cohort.dicom.series import Stack
from her2study.cohort.dicom.timing import Timing, clock_order, phase_times

FEWEST_PHASES = 3
"""One before contrast and two after it: wash-in and wash-out need as many."""

SEPARATE = "separate series"


@dataclass
class Phase:
    """One volume of a dynamic series: its slices, and the stack they come from."""

    frames: list[Frame]
    stack: Stack
    missing: int = 0


@dataclass
class Dynamic:
    """A dynamic series, fit or not.

    Attributes
    ----------
    phases : list of Phase
        In time order; each phase's slices in order along the normal if the series is fit.
    mark : str
        By what the phases were told apart.
    fault : Refused or None
        Why it cannot be used.
    """

    stacks: list[Stack]
    phases: list[Phase] = field(default_factory=list)
    mark: str = ""
    grid: Grid | None = None
    timing: Timing = field(default_factory=lambda: Timing(None, ""))
    findings: list[Finding] = field(default_factory=list)
    fault: Refused | None = None

    @property
    def series(self) -> tuple[int, ...]:
        """Running numbers of its series, ascending."""
        return tuple(sorted({stack.number for stack in self.stacks}))

    @property
    def median_step_seconds(self) -> float | None:
        """Usual time from phase to phase after contrast."""
        seconds = self.timing.seconds
        return (
            None if seconds is None or len(seconds) < 2 else float(np.median(np.diff(seconds)[-(len(seconds) - 2) :]))
        )


def assemble(stacks: Sequence[Stack], drop: Sequence[int] = (), accepted: bool = False) -> Dynamic:
    """Build the dynamic series of some stacks; what is wrong with it becomes its ``fault``.

    Parameters
    ----------
    drop : sequence of int
        Phases to leave out, counted from 1.
    accepted : bool
        Somebody has said that phases which the header announces, but are absent, do not matter.
    """
    dynamic = Dynamic(list(stacks))
    try:
        _fill(dynamic, drop, accepted)
    except Refused as fault:
        dynamic.fault = fault
    return dynamic


def _fill(dynamic: Dynamic, drop: Sequence[int], accepted: bool) -> None:
    splits = []
    for part in dynamic.stacks:
        split = split_phases(part.frames)
        splits.append(split)
        dynamic.phases += [Phase(frames, part, split.incomplete.get(i, 0)) for i, frames in enumerate(split.phases)]
        dynamic.findings += split.findings
    alone = len(dynamic.stacks) == 1
    marks = {split.mark for split in splits} - {ONE_PHASE}
    dynamic.mark = splits[0].mark if alone else " and ".join([SEPARATE, *sorted(marks)])
    if not alone:
        _order_by_clock(dynamic)
    elif dynamic.mark == "TemporalPosition":
        _check_against_clock(dynamic)
    wrong = [number for number in drop if not 1 <= number <= len(dynamic.phases)]
    if wrong:
        raise Refused(
            f"drop_phases names phase {wrong[0]}, but there are {len(dynamic.phases)} phases", "correct the choices"
        )
    if not accepted and alone:
        _check_announced(dynamic, splits[0])
        _note_gaps(dynamic, splits[0].slices)
    kept = [phase for i, phase in enumerate(dynamic.phases) if i + 1 not in set(drop)]
    incomplete = [(dynamic.phases.index(phase) + 1, phase.missing) for phase in kept if phase.missing]
    count = len(dynamic.phases)
    dynamic.phases = kept
    if incomplete:
        number, missing = incomplete[0]
        more = f" (and {len(incomplete) - 1} more phases are incomplete)" if len(incomplete) > 1 else ""
        raise Refused(
            f"phase {number} of {count} lacks {missing} of {splits[0].slices} slices{more}",
            f"{EXPORT_AGAIN}, or leave the phase out with drop_phases in the choices",
        )
    _check_grids(dynamic)
    if len(kept) < FEWEST_PHASES:
        raise Refused(
            f"{len(kept)} phases; one before contrast and at least two after it are needed",
            "export the missing phases, or name the series that hold them under choices",
        )
    starts = [phase.stack.header.series_start for phase in kept]
    dynamic.timing = phase_times([phase.frames for phase in kept], starts, alone)
    dynamic.findings += dynamic.timing.findings
    _note_contrast(dynamic)


def _check_grids(dynamic: Dynamic) -> None:
    for i, phase in enumerate(dynamic.phases):
        header = phase.stack.header
        try:
            phase.frames, grid = stack(phase.frames, header.rows, header.columns)
        except Refused as fault:
            raise Refused(f"phase {i + 1}: {fault.reason}", fault.mend) from None
        if dynamic.grid is None:
            dynamic.grid = grid
        elif dynamic.grid.shape != grid.shape:
            raise Refused(
                f"phase {i + 1} has {_shape(grid)} voxels, the first phase {_shape(dynamic.grid)}",
                f"{EXPORT_AGAIN}, or leave the phase out with drop_phases in the choices",
            )
        elif dynamic.grid.apart_voxels(grid) > TOLERANCE_VOXELS:
            apart = dynamic.grid.apart_voxels(grid) * dynamic.grid.spacing_mm.min()
            raise Refused(
                f"phase {i + 1} lies {apart:.1f} mm away from the first phase (the table or the slices were moved)",
                "register the phases, or leave this one out with drop_phases in the choices",
            )


def _shape(grid: Grid) -> str:
    return " x ".join(str(n) for n in grid.shape)


def _clock_of(phase: Phase, of: str) -> float | None:
    if of == "series":
        return phase.stack.header.series_start
    values = [getattr(frame, of) for frame in phase.frames]
    return None if any(value is None for value in values) else min(values)


def _order_by_clock(dynamic: Dynamic) -> None:
    """Phases of several series in time order; by running number of the series if no clock tells."""
    for of in ("acquired", "content", "series"):
        times = clock_order([_clock_of(phase, of) for phase in dynamic.phases])
        if times is None:
            continue
        triggers = [phase.frames[0].trigger_ms or 0.0 for phase in dynamic.phases]
        keys = list(zip(times, triggers, strict=True))
        if len(set(keys)) == len(keys):
            order = sorted(range(len(keys)), key=lambda i: keys[i])
            dynamic.phases = [dynamic.phases[i] for i in order]
            return
    dynamic.phases.sort(key=lambda phase: phase.stack.number)
    text = "no time tells the order of these series; they were taken in the order of their numbers"
    dynamic.findings.append(Finding("phases", text, "series", " ".join(str(n) for n in dynamic.series)))


def _check_against_clock(dynamic: Dynamic) -> None:
    """Temporal positions that run against the clock are put in the order of the clock, and reported."""
    times = clock_order([_clock_of(phase, "acquired") for phase in dynamic.phases])
    if times is None or len(set(times)) < len(times) or times == sorted(times):
        return
    order = sorted(range(len(times)), key=lambda i: times[i])
    dynamic.phases = [dynamic.phases[i] for i in order]
    text = "temporal positions run against the acquisition times; phases were ordered by time"
    dynamic.findings.append(Finding("phases", text, "drop_phases", ""))


def _check_announced(dynamic: Dynamic, split: Split) -> None:
    """Phases that the header counts or numbers, but that are not there."""
    positions = [phase.frames[0].temporal for phase in dynamic.phases] if split.mark == "TemporalPosition" else []
    announced, count = dynamic.stacks[0].announced or 0, len(dynamic.phases)
    inside = max(positions) - min(positions) + 1 - count if positions else 0
    if announced <= count and inside <= 0:
        return
    if positions and min(positions) > 1 and announced > count:
        raise Refused(
            f"the first {min(positions) - 1} of {announced} phases that the header announces are absent, "
            "so that the phase before contrast is probably missing",
            f"{EXPORT_AGAIN}; if the first one present was measured before contrast, write accept, yes in the choices",
        )
    words = f"the header announces {announced} phases, {count} are there"
    if announced <= count:
        words = f"{inside} temporal positions are skipped among {count} phases"
    dynamic.findings.append(Finding("phases", f"{words}; missing phases were not replaced", "accept", "yes"))


def _note_gaps(dynamic: Dynamic, slices: int) -> None:
    """Acquisition or instance numbers that skip a whole phase; only a hint, since archives renumber."""
    acquisitions = [phase.frames[0].acquisition_number for phase in dynamic.phases]
    instances = [frame.instance_number for phase in dynamic.phases for frame in phase.frames]
    skipped = 0
    if None not in acquisitions and len(set(acquisitions)) == len(acquisitions) > 1:
        skipped = max(acquisitions) - min(acquisitions) + 1 - len(acquisitions)
        words = f"acquisition numbers skip {skipped} among {len(acquisitions)} phases"
    if not skipped and None not in instances and len(set(instances)) == len(instances):
        holes = np.diff(np.sort(instances)) - 1
        skipped = int((holes[holes % slices == 0] // slices).sum())
        words = f"instance numbers leave room for {skipped} more phases"
    if 0 < skipped <= len(dynamic.phases):
        text = f"{words}: files may be missing; missing phases were not replaced"
        dynamic.findings.append(Finding("phases", text, "accept", "yes"))


def _note_contrast(dynamic: Dynamic) -> None:
    """What the contrast attribute says about the first phases; it is often filled in for all or for none."""
    given = [phase.stack.contrast[phase.frames[0].path] for phase in dynamic.phases]
    without = given.index(True) if True in given else 0
    if without > 1:
        text = f"{without} phases carry no contrast agent in the header: more than one may lie before contrast"
        dynamic.findings.append(Finding("phases", text, "drop_phases", ""))
    elif True in given and False in given and given[0]:
        text = "the first phase carries a contrast agent in the header and a later one does not"
        dynamic.findings.append(Finding("phases", text, "drop_phases", ""))
