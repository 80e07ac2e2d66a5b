"""Which files of a patient are read: phases chosen by their time after injection, not by their number.

``acquisition_times`` count from the pre-contrast phase. The contrast agent is injected
``imaging.injection_seconds`` later (0 if the table's times already count from injection), and all times
here and in the results are seconds after injection.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from her2study.cohort.sources import mask_file, parse_times, phase_files
from her2study.study import Imaging
from her2study.types import StudyError


class Phases(NamedTuple):
    """Which post-contrast phases are read, and the times in seconds that they stand for (NaN where not recorded).

    Where a time lies between two phases and ``imaging.phase_choice`` is ``interpolated``, ``early`` and
    ``late`` are the nearer ones.
    """

    early: int
    late: int
    early_seconds: float
    late_seconds: float


Blend = dict[int, float]
"""Phases and their weights, which sum to 1."""


class Choice(NamedTuple):
    """The phases and what each of the two times is made of."""

    phases: Phases
    early: Blend
    late: Blend


class PatientFiles(NamedTuple):
    """The files read for one patient, and which phases they are; ``early`` and ``late`` are weighted sums of files."""

    patient_id: str
    pre: Path
    early: tuple[tuple[Path, float], ...]
    late: tuple[tuple[Path, float], ...]
    mask: Path
    phases: Phases

    @property
    def after(self) -> tuple[Path, ...]:
        """Every post-contrast file that is read, once, in order of time."""
        return tuple(sorted({path for path, _ in (*self.early, *self.late)}))

    @property
    def paths(self) -> tuple[Path, ...]:
        """Every file that is read: pre-contrast, post-contrast, mask."""
        return (self.pre, *self.after, self.mask)


def choose_phases(acquisition_times: str | None, available: int, imaging: Imaging) -> Choice:
    """What the early and the late image of a patient are made of.

    ``nearest``: the post-contrast phase nearest to ``early_seconds`` and, among the later ones, to
    ``late_seconds``. ``interpolated``: the two post-contrast phases around the time, weighted linearly in
    time, so that centres with other timing show the same moment. Nothing is extrapolated: before the first
    and after the last post-contrast phase that phase stands alone, and where both times would then be one
    the nearest phases are taken.

    Parameters
    ----------
    acquisition_times : str or None
        ``"[0, 97, 194]"``: seconds of each phase after the first, pre-contrast one. Where it is not
        recorded, the first and the last post-contrast phase are taken.
    available : int
        Number of phases on disk, the pre-contrast one included.

    Raises
    ------
    ValueError
        Times that are no growing list, or as many as there are phases, or fewer than two after contrast.
    """
    if acquisition_times is None:
        times = np.full(available, np.nan)
    else:
        times = np.array(parse_times(acquisition_times)) - imaging.injection_seconds
        if times.size != available:
            raise ValueError(f"{acquisition_times!r} has {times.size} entries for {available} phases on disk")
        if times.size > 1 and times[1] <= 0:
            raise ValueError(
                f"{acquisition_times!r}: the first phase after contrast would come before the injection at "
                f"{imaging.injection_seconds:g} s (imaging.injection_seconds)"
            )
    if times.size < 3:
        raise ValueError(f"{times.size - 1} phases after contrast; wash-in and wash-out need at least two")
    if np.isnan(times).any():
        needing = [name for name in imaging.channels if name.endswith("_slope")]
        if needing:
            raise ValueError(f"not recorded, but imaging.channels names {needing[0]}, which is measured per minute")
        return _single(1, times.size - 1, times)
    if imaging.phase_choice == "interpolated":
        early, late = (_between(times, target) for target in (imaging.early_seconds, imaging.late_seconds))
        at_early, at_late = (sum(weight * times[i] for i, weight in blend.items()) for blend in (early, late))
        if at_early < at_late:
            nearer = (max(blend, key=lambda i: (blend[i], -i)) for blend in (early, late))
            return Choice(Phases(*nearer, float(at_early), float(at_late)), early, late)
    early = 1 + int(np.argmin(np.abs(times[1:-1] - imaging.early_seconds)))
    late = early + 1 + int(np.argmin(np.abs(times[early + 1 :] - imaging.late_seconds)))
    return _single(early, late, times)


def choose_files(cohort: pd.DataFrame, source: Path, imaging: Imaging) -> list[PatientFiles]:
    """The phases and the mask of every patient, in order of patient_id.

    Parameters
    ----------
    cohort : DataFrame
        ``patient_id`` and, where recorded, ``acquisition_times``.
    source : Path
        Folder in MAMA-MIA's layout.

    Raises
    ------
    StudyError
        A file is missing or the phases cannot be chosen: found in a second, before any scan is read.
    """
    ordered = cohort.sort_values("patient_id")
    recorded = ordered["acquisition_times"] if "acquisition_times" in ordered else [None] * len(ordered)
    chosen = []
    for name, times in zip(ordered["patient_id"], recorded, strict=True):
        files = phase_files(source, name)
        try:
            choice = choose_phases(None if pd.isna(times) else str(times), len(files), imaging)
        except ValueError as error:
            raise StudyError(
                f"patient {name!r}: acquisition_times: {error}; correct the table, or exclude the patient in study.yml"
            ) from None
        early, late = (tuple((files[i], w) for i, w in blend.items()) for blend in (choice.early, choice.late))
        chosen.append(PatientFiles(name, files[0], early, late, mask_file(source, name), choice.phases))
    return chosen


def paths(chosen: list[PatientFiles]) -> list[Path]:
    """Every file that will be read, so that the chain notices a replaced scan."""
    return [path for files in chosen for path in files.paths]


def _single(early: int, late: int, times: NDArray[np.float64]) -> Choice:
    phases = Phases(early, late, float(times[early]), float(times[late]))
    return Choice(phases, {early: 1.0}, {late: 1.0})


def _between(times: NDArray[np.float64], target: float) -> Blend:
    """The post-contrast phases around a time, weighted linearly in time; at the ends one phase alone."""
    after = times[1:]
    at = float(np.clip(target, after[0], after[-1]))
    low = min(int(np.searchsorted(after, at, side="right")) - 1, len(after) - 2)
    share = (at - after[low]) / (after[low + 1] - after[low])
    return {low + 1 + step: float(weight) for step, weight in enumerate((1 - share, share)) if weight > 0}
