"""Which series is the dynamic one: every candidate, the choice among them, and the reason in words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from her2study.cohort.dicom.choices import Choice
from her2study.cohort.dicom.dynamic import FEWEST_PHASES, Dynamic, assemble
from her2study.cohort.dicom.frames import Finding, Header, Refused
from her2study.cohort.dicom.geometry import EXPORT_AGAIN, SAME_PLACE_MM, normal_of, places
from her2study.cohort.dicom.phases import split_phases
from her2study.cohort.dicom.series import Sorted, Stack

ULTRAFAST_SECONDS = 20.0
"""Series with faster phases watch the inflow only."""

LONG_PAUSE_SECONDS, LONG_PAUSE_STEPS = 300.0, 3.0
"""Between two scans lie at least so many seconds, and so many times the usual step between phases."""

SHORTLY_BEFORE_SECONDS = 900.0
"""A volume measured within this time before the first phase may belong to the same injection."""

WATER, NOT_WATER = frozenset({"WATER", "W"}), frozenset({"FAT", "F", "IN_PHASE", "OPP_PHASE", "IP", "OP"})
"""Image types of a Dixon scan."""

NAME_SERIES = "name the series under choices"


def find_candidates(found: Sorted, choice: Choice) -> list[Dynamic]:
    """Every dynamic series with two phases or more, fit or not, in the order of its series."""
    groups: dict[tuple, list[Stack]] = defaultdict(list)
    for part in found.stacks:
        if not part.reason:
            groups[part.protocol()].append(part)
    candidates = []
    for group in groups.values():
        for stacks, fault in _joined(group, found.findings):
            dynamic = assemble(stacks, accepted=choice.accept)
            dynamic.fault = dynamic.fault or fault
            if fault or len(dynamic.phases) != 1:  # a faulty stack may hold none; one whole volume is no candidate
                candidates.append(dynamic)
    return sorted(candidates, key=lambda dynamic: dynamic.series)


def choose(found: Sorted, masks: Sequence[Header], choice: Choice) -> tuple[Dynamic, list[Finding]]:
    """The dynamic series to import and the findings that explain the choice.

    Raises
    ------
    Refused
        There is none, or the one that was named cannot be used.
    """
    if choice.series:
        return _named(found, choice)
    candidates = find_candidates(found, choice)
    if not candidates:
        raise Refused(_nothing(found), NAME_SERIES + " if one of them is the dynamic series, or export it")
    order = _ranking(candidates, masks)
    ranked = sorted(candidates, key=lambda dynamic: tuple(rank(dynamic) for _, rank in order))
    best = ranked[0]
    findings: list[Finding] = []
    if choice.drop_phases:
        best = assemble(best.stacks, choice.drop_phases, choice.accept)
    if best.fault:
        others = [
            str(dynamic.fault) for dynamic in ranked[1:] if dynamic.fault and len(dynamic.phases) >= FEWEST_PHASES
        ]
        more = f"; other candidates: {'; '.join(others[:3])}" if others else ""
        raise Refused(f"{_label(best)}: {best.fault.reason}{more}", best.fault.mend)
    for other in ranked[1:]:
        if other.fault and len(other.phases) < FEWEST_PHASES:
            continue
        words = next(words for words, rank in order if rank(best) != rank(other))
        unfit = f" (unfit: {other.fault.reason})" if other.fault else ""
        text = f"{_label(best)} was taken rather than {_label(other)}{unfit}, since it {words}"
        findings.append(Finding("choice of series", text, "series", " ".join(str(n) for n in best.series)))
    return best, findings + _before(found, best)


def _before(found: Sorted, best: Dynamic) -> list[Finding]:
    """Volumes of other series, measured shortly before on the same matrix: perhaps the phase before contrast."""
    first = best.phases[0]
    findings = []
    for part in found.stacks:
        header = part.header
        alike = (header.study, header.rows, header.columns) == (
            first.stack.header.study,
            first.stack.header.rows,
            first.stack.header.columns,
        )
        seconds = first.stack.start - part.start
        near = 0 < seconds < SHORTLY_BEFORE_SECONDS and len(part.frames) == len(first.frames)
        if part.reason or part.number in best.series or not (alike and near and _like(part, first.stack)):
            continue
        text = (
            f"series {part.number} holds one volume of the same size, measured {seconds:.0f} s earlier with a similar "
            "sequence: it may be the phase before contrast; name both under choices if it is"
        )
        numbers = " ".join(str(number) for number in sorted((part.number, *best.series)))
        findings.append(Finding("phases", text, "series", numbers))
    return findings


def _like(one: Stack, other: Stack) -> bool:
    """Whether two stacks have the same slice direction and repetition times within a factor of two."""
    times = (one.first.repetition_ms, other.first.repetition_ms)
    return np.allclose(one.first.orientation, other.first.orientation, atol=0.01) and (
        None in times or max(times) <= 2 * min(times)
    )


def _ranking(
    candidates: Sequence[Dynamic], masks: Sequence[Header]
) -> list[tuple[str, Callable[[Dynamic], float | bool | tuple]]]:
    """Grounds for a choice, the weightiest first: smaller is better."""
    pointed = {uid for mask in masks for uid in mask.references}
    studies = sorted({(d.stacks[0].header.study_start or float("inf"), d.stacks[0].header.study) for d in candidates})
    place = {study: i for i, (_, study) in enumerate(studies)}
    return [
        ("is complete and even", lambda d: d.fault is not None),
        ("is the one a lesion mask refers to", lambda d: not any(s.header.series in pointed for s in d.stacks)),
        ("is not marked as computed from other images", lambda d: any(s.derived for s in d.stacks)),
        ("belongs to the earliest examination", lambda d: place[d.stacks[0].header.study]),
        (
            f"is no ultrafast series (under {ULTRAFAST_SECONDS:g} s a phase)",
            lambda d: (d.median_step_seconds or ULTRAFAST_SECONDS) < ULTRAFAST_SECONDS,
        ),
        ("holds water images, or none of a Dixon scan", lambda d: _dixon(d.stacks[0])),
        ("has more phases", lambda d: -len(d.phases)),
        ("has more voxels", lambda d: -_voxels(d)),
        ("comes first", lambda d: d.series),
        ("has the lower echo time", lambda d: d.stacks[0].first.echo_ms or 0.0),
        ("has the first file", lambda d: d.stacks[0].first.path),
    ]


def _dixon(part: Stack) -> int:
    """0 for water images, 2 for the other images of a Dixon scan, 1 for what is no Dixon scan."""
    types = set(part.first.image_type)
    return 0 if types & WATER else 2 if types & NOT_WATER else 1


def _voxels(dynamic: Dynamic) -> int:
    if dynamic.grid is None:
        return 0
    columns, rows, slices = dynamic.grid.shape
    return columns * rows * slices


def _label(dynamic: Dynamic) -> str:
    numbers = dynamic.series
    name = f"series {numbers[0]}" if len(numbers) == 1 else f"series {', '.join(str(n) for n in numbers)} together"
    kind = {0: ", water images", 2: ", fat or in- or opposed-phase images"}.get(_dixon(dynamic.stacks[0]), "")
    return f"{name} ({len(dynamic.phases)} phases{kind})" if dynamic.phases else name


def _joined(group: list[Stack], findings: list[Finding]) -> list[tuple[list[Stack], Refused | None]]:
    """Stacks of one protocol, put together where they are phases of one scan that stand in several series.

    Stacks belong together if they cover the same places. One that covers only some of another's places is an
    incomplete phase of it, and makes it unfit: the absent phase could be the one before contrast.
    """
    by_place: list[tuple[NDArray[np.float64], list[Stack]]] = []
    for part in group:
        _, along = places(part.frames, normal_of(part.first.orientation))
        for known, members in by_place:
            if len(known) == len(along) and np.abs(known - along).max() < SAME_PLACE_MM * 2:
                members.append(part)
                break
        else:
            by_place.append((along, [part]))
    joined: list[tuple[list[Stack], Refused | None]] = []
    whole = max(by_place, key=lambda item: (len(item[1]), len(item[0])))
    parts = [(along, members) for along, members in by_place if members is not whole[1] and _is_part(along, whole[0])]
    for along, members in by_place:
        if any(members is of for _, of in parts):
            continue
        fault = None
        if members is whole[1] and parts:
            of = parts[0][1][0].number
            fault = Refused(
                f"series {of} holds {len(parts[0][0])} of the {len(along)} slices of this scan: an incomplete phase",
                f"{EXPORT_AGAIN}, or name only the complete series under choices",
            )
        joined += [(scan, fault) for scan in _scans(_without_twins(members, findings))]
    return joined


def _is_part(along: NDArray[np.float64], whole: NDArray[np.float64]) -> bool:
    """Whether all of these places, at least half as many, are places of the whole stack."""
    nearest = np.abs(along[:, None] - whole[None, :]).min(axis=1)
    return len(whole) / 2 <= len(along) < len(whole) and bool(nearest.max() < SAME_PLACE_MM * 2)


def _scans(members: list[Stack]) -> list[list[Stack]]:
    """Stacks that cover the same places, by scan.

    Two stacks with three phases or more are two scans; and single volumes are two scans where a long pause has three
    of them before it and three after it.
    """
    sizes = [_phase_count(part) for part in members]
    if sum(size >= FEWEST_PHASES for size in sizes) > 1:
        return [[part] for part in members]
    ordered = sorted(members, key=lambda part: (part.start, part.number))
    starts = np.array([part.start for part in ordered])
    for i in range(FEWEST_PHASES, len(ordered) - FEWEST_PHASES + 1):
        if starts[i] - starts[i - 1] > max(LONG_PAUSE_SECONDS, LONG_PAUSE_STEPS * float(np.median(np.diff(starts)))):
            return [*_scans(ordered[:i]), *_scans(ordered[i:])]
    return [members]


def _phase_count(part: Stack) -> int:
    try:
        return len(split_phases(part.frames).phases)
    except Refused:
        return FEWEST_PHASES  # stands alone, so that its fault is told


def _without_twins(members: list[Stack], findings: list[Finding]) -> list[Stack]:
    """Without series that repeat another one under a new identifier."""
    seen: dict[tuple, Stack] = {}
    for part in members:
        stamps = {(f.position, f.acquired, f.trigger_ms, f.temporal, f.content) for f in part.frames}
        timed = all(frame.acquired is not None for frame in part.frames)
        first = seen.setdefault(tuple(sorted(stamps, key=repr)) if timed else (id(part),), part)
        if first is not part:
            text = f"series {part.number} repeats series {first.number} (same places and times) and was left out"
            findings.append(Finding("copies", text, "series", str(first.number)))
    return list(seen.values())


def _named(found: Sorted, choice: Choice) -> tuple[Dynamic, list[Finding]]:
    """The series that the choices name, whatever speaks against it but its geometry."""
    by_name = {str(number): number for number in found.numbers.values()} | found.numbers
    unknown = [name for name in choice.series if name not in by_name]
    if unknown:
        raise Refused(
            f"the choices name a series that is not there (there are {len(found.numbers)})",
            "use a running number of import_series.csv, or a SeriesInstanceUID of this patient",
        )
    wanted = {by_name[name] for name in choice.series}
    stacks = []
    for number in sorted(wanted):
        of_series = [part for part in found.stacks if part.number == number]
        if not of_series:
            raise Refused(f"series {number}, which the choices name, holds no slices: {found.left_out.get(number)}",
                          "name another series")  # fmt: skip
        stacks.append(max(of_series, key=lambda part: (len(part.frames), -_dixon(part))))
    dynamic = assemble(stacks, choice.drop_phases, choice.accept)
    if dynamic.fault:
        raise Refused(f"{_label(dynamic)}, named in the choices: {dynamic.fault.reason}", dynamic.fault.mend)
    return dynamic, [Finding("choice of series", f"{_label(dynamic)} was named in the choices")]


def _nothing(found: Sorted) -> str:
    if not found.numbers:
        return "no images"
    if not found.stacks:
        reasons = sorted(set(found.left_out.values()))
        return f"no MR series with slices: {'; '.join(reasons[:3])}"
    alike: dict[tuple, list[int]] = defaultdict(list)
    for part in found.stacks:
        if not part.reason:
            study, _, *rest = part.protocol()
            alike[(study, *rest)].append(part.number)
    most = max(alike.values(), key=len, default=[])
    if len(most) >= FEWEST_PHASES:
        numbers = ", ".join(str(number) for number in most)
        return (
            f"series {numbers} are of one protocol, but their frames of reference differ, so that nothing shows that "
            "they lie on one another"
        )
    reasons = sorted({part.reason for part in found.stacks if part.reason})
    why = f"; left out: {'; '.join(reasons)}" if reasons else ""
    return f"no dynamic series: none of {len(found.numbers)} series holds more than one volume of one protocol{why}"
