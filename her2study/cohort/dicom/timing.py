"""When each phase was measured: seconds after the first, from the first time attribute that can be believed.

An attribute is believed if every phase has it and it grows from phase to phase by at least a second. A phase's time
is that of its earliest slice. Clock times are unwrapped at midnight.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from her2study.cohort.dicom.frames import SECONDS_A_DAY, Finding, Frame

SHORTEST_PHASE_SECONDS = 1.0
"""No whole breast is measured faster; smaller steps are heart phases or another unit."""

LONGEST_SCAN_SECONDS = 3 * 3600.0
"""Phases further apart than this do not belong to one injection."""

UNEVEN = 1.5
"""A step this many times the usual one suggests a phase that is not there."""

LATE_FIRST_SECONDS = 600.0
"""More than this between the first phase and the next suggests that the first belongs to another scan."""

UNKNOWN = "none"


@dataclass
class Timing:
    """Seconds after the first phase (None where no attribute can be believed) and which attribute said so."""

    seconds: list[float] | None
    attribute: str
    findings: list[Finding] = field(default_factory=list)


def phase_times(phases: Sequence[Sequence[Frame]], starts: Sequence[float | None], one_series: bool) -> Timing:
    """Times of phases that are in order.

    Parameters
    ----------
    starts : sequence of float or None
        Time of the series that each phase stands in, the last resort.
    one_series : bool
        Whether all phases stand in one series; trigger times count from the start of their series.
    """
    believed: dict[str, list[float]] = {}
    for attribute, values in _clocks(phases, starts, one_series).items():
        seconds = _growing(values)
        if seconds is not None:
            believed[attribute] = seconds
    if not believed:
        text = (
            "no time attribute grows from phase to phase: phase times are not recorded; give them as seconds in the "
            "choices if the protocol is known"
        )
        return Timing(None, UNKNOWN, [Finding("phase times", text, "seconds", "")])
    attribute, seconds = next(iter(believed.items()))
    timing = Timing(seconds, attribute)
    sure = ("AcquisitionTime", "TriggerTime", "AcquisitionTime + TriggerTime")
    for other, values in believed.items():
        apart = float(np.abs(np.array(values) - seconds).max())
        if attribute in sure and other in sure and apart > max(5.0, 0.1 * seconds[-1]):
            text = f"{attribute} and {other} disagree by up to {apart:.0f} s; {attribute} was taken"
            timing.findings.append(Finding("phase times", text, "seconds", _list(seconds)))
    if attribute not in (*sure, "TemporalPositionTimeOffset"):
        text = f"times come from {attribute}, which may be that of reconstruction, not of measurement"
        timing.findings.append(Finding("phase times", text, "seconds", _list(seconds)))
    timing.findings += _spacing(seconds)
    return timing


def clock_order(values: Sequence[float | None]) -> list[float] | None:
    """Clock times in seconds with midnight unwrapped; None if any is absent.

    Times without a date, or with one date for all, fall back to 0 at midnight: where the span exceeds half a day,
    the times before the widest gap belong to the next day.
    """
    if any(value is None for value in values):
        return None
    times = np.array(values, dtype=float)
    span = times.max() - times.min()
    if SECONDS_A_DAY / 2 < span < SECONDS_A_DAY:
        ordered = np.sort(times)
        last_early = ordered[int(np.argmax(np.diff(ordered)))]
        times = np.where(times <= last_early, times + SECONDS_A_DAY, times)
    return times.tolist()


def tidy(seconds: float) -> float | int:
    """Tenths of a second; whole seconds as whole numbers."""
    value = round(float(seconds), 1)
    return int(value) if value == int(value) else value


def _clocks(
    phases: Sequence[Sequence[Frame]], starts: Sequence[float | None], one_series: bool
) -> dict[str, list[float | None] | None]:
    """Every attribute's time of every phase, the surest first."""
    acquired = [_least([frame.acquired for frame in phase]) for phase in phases]
    trigger = [_least([frame.trigger_ms for frame in phase]) for phase in phases]
    trigger = [None if value is None else value / 1000 for value in trigger]
    offset = [_least([frame.offset_seconds for frame in phase]) for phase in phases]
    # a volume that stands alone in its series needs no trigger time: its series starts with it
    both = [None if a is None else a + (t or 0.0) for a, t in zip(acquired, trigger, strict=True)]
    return {
        "AcquisitionTime": clock_order(acquired),
        "TriggerTime": trigger if one_series else None,
        "AcquisitionTime + TriggerTime": clock_order(both) if not one_series and any(trigger) else None,
        "TemporalPositionTimeOffset": offset if one_series else None,
        "ContentTime": clock_order([_least([frame.content for frame in phase]) for phase in phases]),
        "SeriesTime": clock_order(starts),
    }


def _least(values: Sequence[float | None]) -> float | None:
    """The earliest, midnight unwrapped; None if any slice has none."""
    times = clock_order(values)
    return None if times is None else min(times)


def _growing(values: Sequence[float | None] | None) -> list[float] | None:
    if values is None or any(value is None for value in values):
        return None
    steps = np.diff(values)
    if len(values) > 1 and (steps.min() < SHORTEST_PHASE_SECONDS or steps.max() > LONGEST_SCAN_SECONDS):
        return None
    return [float(value - values[0]) for value in values]


def _spacing(seconds: list[float]) -> list[Finding]:
    """Gaps that a missing phase would leave."""
    found = []
    steps = np.diff(seconds)
    if len(steps) and steps[0] > LATE_FIRST_SECONDS:
        text = f"{steps[0]:.0f} s lie between the first phase and the second; does the first belong to this injection?"
        found.append(Finding("phase times", text, "drop_phases", ""))
    after = steps[1:]
    if len(after) > 1:
        usual = float(np.median(after))
        wide = [i + 2 for i, step in enumerate(after) if step > UNEVEN * usual]
        if wide:
            named = ", ".join(f"{i} and {i + 1}" for i in wide)
            text = f"uneven phase spacing: the step between phases {named} is more than {UNEVEN} times the usual "
            found.append(Finding("phase times", f"{text}{usual:.0f} s; a phase may be missing", "drop_phases", ""))
    return found


def _list(seconds: list[float]) -> str:
    return " ".join(str(tidy(value)) for value in seconds)
