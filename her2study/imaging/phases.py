"""Which files of a patient are read: phases chosen by their time after injection, not by their number."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from her2study.cohort.sources import mask_file, parse_times, phase_files
from her2study.study import Imaging
from her2study.types import StudyError


class Phases(NamedTuple):
    """Which post-contrast phases are read, and their times in seconds (NaN where not recorded)."""

    early: int
    late: int
    early_seconds: float
    late_seconds: float


class PatientFiles(NamedTuple):
    """The files read for one patient, and which phases they are."""

    patient_id: str
    pre: Path
    early: Path
    late: Path
    mask: Path
    phases: Phases


def choose_phases(acquisition_times: str | None, available: int, imaging: Imaging) -> Phases:
    """Post-contrast phases nearest to ``early_seconds`` and, among the later ones, to ``late_seconds``.

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
        times = np.array(parse_times(acquisition_times))
        if times.size != available:
            raise ValueError(f"{acquisition_times!r} has {times.size} entries for {available} phases on disk")
    if times.size < 3:
        raise ValueError(f"{times.size - 1} phases after contrast; wash-in and wash-out need at least two")
    if np.isnan(times).any():
        return Phases(1, times.size - 1, np.nan, np.nan)
    early = 1 + int(np.argmin(np.abs(times[1:-1] - imaging.early_seconds)))
    late = early + 1 + int(np.argmin(np.abs(times[early + 1 :] - imaging.late_seconds)))
    return Phases(early, late, float(times[early]), float(times[late]))


def choose_files(cohort: pd.DataFrame, source: Path, imaging: Imaging) -> list[PatientFiles]:
    """The three phases and the mask of every patient, in order of patient_id.

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
            phases = choose_phases(None if pd.isna(times) else str(times), len(files), imaging)
        except ValueError as error:
            raise StudyError(
                f"patient {name!r}: acquisition_times: {error}; correct the table, or exclude the patient in study.yml"
            ) from None
        mask = mask_file(source, name)
        chosen.append(PatientFiles(name, files[0], files[phases.early], files[phases.late], mask, phases))
    return chosen


def paths(chosen: list[PatientFiles]) -> list[Path]:
    """Every file that will be read, so that the chain notices a replaced scan."""
    return [path for files in chosen for path in (files.pre, files.early, files.late, files.mask)]
