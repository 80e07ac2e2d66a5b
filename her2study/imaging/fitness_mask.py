"""Whether a mask marks the lesion: not air, not the mirror image of what enhances, not the other breast."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from her2study.imaging.findings import Finding, Reason
from her2study.imaging.fitness_probe import PLACES, Lesion, Look, Probe, stands_out
from her2study.imaging.nifti import Stored
from her2study.imaging.window import box_around, read_window

DARK = 0.1
"""Air: the lesion's brightest phase has less than this share of the scan's bright tissue (its 99th percentile)."""

FLAT = 1.2
"""A mask that enhances by less than this factor (1.2 is 20%) is said to lie on tissue that does not enhance."""

CLEAR, BETTER = 0.85, 0.1
"""A mirror image is believed if it stands out so clearly from its surroundings, and by so much more than the mask."""

OVERLAP = 0.2
"""A mask that does enhance is called mirrored only if it shares so much with its mirror image."""

NEIGHBOURHOOD_MM = 25.0
ENHANCING, SHARE = 1.5, 0.25
"""Within so many millimetres of the mirrored place, tissue that enhances by so much is another lesion if it has
this share of the mask's volume."""


class Phases(NamedTuple):
    """All phases of a patient, read: values at the probe's places by phase, pre-contrast first."""

    stored: list[Stored]
    looks: list[Look]
    probe: Probe


class Place(NamedTuple):
    """What lies under the mask, as drawn or turned: brightness, enhancement, and how clearly it stands out."""

    light: float
    rise: float
    clear: float
    before: float

    @property
    def on_air(self) -> bool:
        """Whether no phase has any signal there."""
        return self.light < DARK

    @property
    def words(self) -> str:
        """For messages."""
        return "lies on air" if self.on_air else f"marks tissue that enhances by {100 * (self.rise - 1):.0f}%"


def judge_mask(read: Phases, lesion: Lesion, mask: Stored) -> tuple[list[Finding], list[str]]:
    """Findings that exclude (at most one) and doubts that do not."""
    drawn, *turned = PLACES
    place = _look_under(read)
    here = place[drawn]
    own = 0.5 if here.on_air else here.clear
    best = max(turned, key=lambda name: 0 if place[name].on_air else place[name].clear)
    there = place[best]
    doubts = []
    if not there.on_air and there.rise >= FLAT and there.clear >= max(CLEAR, own + BETTER):
        value = (
            f"the mask {here.words}, its mirror image {best} {there.words} "
            f"and stands out from its surroundings ({there.clear:.2f} v {own:.2f})"
        )
        # What enhances elsewhere may be something else; where the two overlap it is the lesion itself.
        if here.on_air or here.rise < FLAT or _overlap(lesion, PLACES[best], mask.grid.shape) >= OVERLAP:
            mend = f"turn the mask {best}, or export it again from the tool it was drawn with"
            return [_finding(Reason.MIRRORED, mask, value, mend)], []
        doubts.append(value.removeprefix("the "))
    if here.on_air:
        value = f"the mask {here.words}: in no phase it has {100 * DARK:.0f}% of the signal of bright tissue"
        mend = "see whether it belongs to this patient and was drawn on these scans"
        return [_finding(Reason.OUTSIDE, mask, value, mend)], []
    if here.before <= 0:
        value = f"the lesion's median signal is {here.before:g}"
        rule = "it must be positive, for enhancement is measured relative to it"
        mend = "see whether this is a subtraction and whether the phases are in order"
        return [Finding(Reason.NO_SIGNAL, str(read.stored[0].path), value, rule, mend)], []
    if here.rise < FLAT and own < CLEAR:
        other_ml = _enhancing_opposite(read, lesion)
        if other_ml >= SHARE * len(lesion.voxels) * mask.grid.voxel_ml:
            value = (
                f"the mask {here.words}, but {other_ml:.2g} ml enhance by over 50% near its mirror image left to right"
            )
            mend = "see on which side the lesion is, and draw or turn the mask"
            return [_finding(Reason.WRONG_BREAST, mask, value, mend)], []
        doubts.append(f"mask {here.words}")
    ends = np.array(mask.grid.shape) - 1
    edge = (lesion.voxels.min(axis=0) == 0) | (lesion.voxels.max(axis=0) == ends)
    doubts += ["mask touches the edge of the scan"] if edge.any() else []
    doubts += [f"mask holds the values {_listed(lesion.labels)}"] if len(lesion.labels) > 1 else []
    return [], doubts


def _finding(reason: Reason, mask: Stored, value: str, mend: str) -> Finding:
    rule = (
        "a mask must lie inside the body" if reason == Reason.OUTSIDE else "a mask must mark the lesion that enhances"
    )
    return Finding(reason, str(mask.path), value, rule, mend)


def _look_under(read: Phases) -> dict[str, Place]:
    """The mask's place and its mirror images."""
    before = read.probe.split(read.looks[0].values)
    after = read.probe.split(np.mean([look.values for look in read.looks[1:]], axis=0))
    light = [{name: _brightness(inside, look) for name, (inside, _) in read.probe.split(look.values).items()}
             for look in read.looks]  # fmt: skip
    places = {}
    for name in PLACES:
        signal, enhanced = float(np.median(before[name][0])), float(np.median(after[name][0]))
        clear = stands_out(*(a - b for a, b in zip(after[name], before[name], strict=True)))
        places[name] = Place(max(phase[name] for phase in light), enhanced / max(signal, 1e-9), clear, signal)
    return places


def _brightness(values: NDArray[np.float64], look: Look) -> float:
    """Median signal as a share of the phase's bright tissue, above the lowest signal if that is negative."""
    floor = min(0.0, look.low)
    return (float(np.median(values)) - floor) / ((look.high - floor) or 1)


def _overlap(lesion: Lesion, axis: int, shape: tuple[int, int, int]) -> float:
    """Share of the lesion that its mirror image covers."""
    turned = _turned(lesion.voxels, axis, shape)
    here, there = (np.ravel_multi_index(tuple(voxels.T), shape) for voxels in (lesion.voxels, turned))
    return float(np.isin(there, here).mean())


def _turned(voxels: NDArray[np.int64], axis: int, shape: tuple[int, int, int]) -> NDArray[np.int64]:
    turned = voxels.copy()
    turned[:, axis] = shape[axis] - 1 - turned[:, axis]
    return turned


def _enhancing_opposite(read: Phases, lesion: Lesion) -> float:
    """Largest connected volume (ml) that enhances near the mask's mirror image left to right."""
    pre, best = read.looks[0], int(np.argmax([np.median(look.values) for look in read.looks[1:]])) + 1
    grid = read.stored[0].grid
    reach = np.ceil(NEIGHBOURHOOD_MM / grid.spacing_mm).astype(int)
    turned = _turned(lesion.voxels, PLACES["left to right"], grid.shape)
    window = box_around(turned.min(axis=0), turned.max(axis=0), reach, grid.shape)
    before, after = (read_window(read.stored[i], window).voxels for i in (0, best))
    enhancing = (after > ENHANCING * before) & (after > DARK * read.looks[best].high) & (before > DARK * pre.high)
    pieces, count = ndimage.label(enhancing)
    return float(np.bincount(pieces.ravel())[1:].max()) * grid.voxel_ml if count else 0.0


def _listed(labels: tuple[float, ...]) -> str:
    return ", ".join(f"{label:g}" for label in labels[:5]) + (" and more" if len(labels) > 5 else "")
