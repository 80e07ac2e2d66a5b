"""New patients' scans as network channels, made by the study's own code; or the reason why there are none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from her2study.cohort.schema import TIMES
from her2study.imaging.findings import Unfit
from her2study.imaging.fitness_patient import Task, judge_patient
from her2study.imaging.phases import choose_files
from her2study.imaging.preprocess import Kept, keep_patient
from her2study.imaging.quality import flag_scans
from her2study.imaging.volume_store import load_entry
from her2study.models.bundle import Bundle
from her2study.models.inference import INFERENCE_BATCH
from her2study.models.likeness import unlike
from her2study.models.network import with_mask
from her2study.parallel import map_patients
from her2study.study import Imaging
from her2study.types import StudyError


class Looked(NamedTuple):
    """One patient: her entry in the store, or why there is none; and doubts that exclude nobody."""

    kept: Kept | None
    reason: str
    doubts: list[str]


class Scans(NamedTuple):
    """Scans that are fit for the network, by patient; why the others are not; what is to be said of either.

    ``patients`` is sorted; ``keys`` are their entries in the store; ``index`` and ``quality`` have a row for each.
    """

    patients: list[str]
    keys: list[str]
    index: pd.DataFrame
    quality: pd.DataFrame
    reasons: dict[str, str]
    flags: list[tuple[str, str, str, str]]
    store: Path

    def arrays(self, rows: Sequence[int]) -> tuple[NDArray[np.float16], NDArray[np.uint8]]:
        """Channels ``(n, channel, z, y, x)`` without the mask, and masks ``(n, z, y, x)``, of some patients."""
        found = [load_entry(self.store, self.keys[row]) for row in rows]
        if any(entry is None for entry in found):
            raise OSError(f"{self.store}: an entry vanished while it was needed; run again")
        stacked = [entry[0] for entry in found if entry]
        return np.stack([a["channels"] for a in stacked]), np.stack([a["mask"] for a in stacked])

    def batches(self) -> Iterator[tuple[list[int], NDArray[np.float16]]]:
        """What the network gets, some patients at a time: their rows, and channels with the mask as the last."""
        for start in range(0, len(self.patients), INFERENCE_BATCH):
            rows = list(range(start, min(start + INFERENCE_BATCH, len(self.patients))))
            yield rows, with_mask(*self.arrays(rows))


def read_scans(bundle: Bundle, table: pd.DataFrame, source: Path | None, store: Path, workers: int = 1) -> Scans:
    """Judge and preprocess the scans of each patient of a table, one by one: what is wrong with one stops nobody else.

    Parameters
    ----------
    table : DataFrame
        ``patient_id, centre`` and, where recorded, ``acquisition_times``.
    store : Path
        Folder in which preprocessed scans are kept, and from which :class:`Scans` reads them.
    """
    if bundle.imaging is None:
        raise ValueError("a bundle without networks reads no scans")
    columns = [name for name in ("patient_id", "centre", TIMES) if name in table]
    rows = [table.loc[[i], columns] for i in table.index]
    work = partial(_look, source=source, imaging=bundle.imaging, store=store)
    none = [Looked(None, "no scans", [])] * len(rows)
    found = map_patients(work, rows, "scans", workers) if source and (source / "images").is_dir() else none
    looked = dict(zip(table["patient_id"], found, strict=True))
    fit = {patient: found.kept for patient, found in sorted(looked.items()) if found.kept}
    patients = list(fit)
    index = pd.DataFrame([kept.index for kept in fit.values()], index=range(len(fit)))
    quality = pd.DataFrame([kept.quality for kept in fit.values()], index=range(len(fit)))
    scans = Scans(
        patients,
        [kept.key for kept in fit.values()],
        index.assign(patient_id=patients),
        quality.assign(patient_id=patients),
        {patient: found.reason for patient, found in looked.items() if not found.kept},
        [(patient, "mask", "", doubt) for patient, found in looked.items() for doubt in found.doubts],
        store,
    )
    return scans._replace(flags=scans.flags + _flags(bundle, scans)) if patients else scans


def _look(row: pd.DataFrame, source: Path, imaging: Imaging, store: Path) -> Looked:
    """Judge one patient's files, and preprocess them if they are fit."""
    patient, times = row["patient_id"].iloc[0], row[TIMES].iloc[0] if TIMES in row else None
    if not (source / "images" / patient).is_dir():
        return Looked(None, "no scans", [])
    judged = judge_patient(Task(source, patient, None if pd.isna(times) else str(times)))
    if judged.findings:
        first = judged.findings[0]
        return Looked(None, f"{first.reason}: {_short(first.sentence, source)}", judged.doubts)
    try:
        return Looked(keep_patient(choose_files(row, source, imaging)[0], imaging, store), "", judged.doubts)
    except Unfit as unfit:
        return Looked(None, f"{unfit.finding.reason}: {_short(str(unfit), source)}", judged.doubts)
    except StudyError as error:
        return Looked(None, _short(str(error), source), judged.doubts)


def _flags(bundle: Bundle, scans: Scans) -> list[tuple[str, str, str, str]]:
    """What is unusual about scans that are fit."""
    rows = []
    usual = flag_scans(scans.quality, bundle.imaging) if bundle.imaging else []
    for patient, findings in zip(scans.patients, usual, strict=True):
        rows += [(patient, "quality", "", text) for text in findings.split("; ") if text]
    if bundle.likeness:
        for start in range(0, len(scans.patients), INFERENCE_BATCH):
            part = list(range(start, min(start + INFERENCE_BATCH, len(scans.patients))))
            channels, mask = scans.arrays(part)
            told = unlike(bundle.likeness, channels, mask, scans.index.iloc[part], scans.quality.iloc[part])
            for row, reasons in zip(part, told, strict=True):
                rows += [(scans.patients[row], reason.kind, "scan", reason.text) for reason in reasons]
    return rows


def _short(sentence: str, source: Path) -> str:
    """Paths as below the source folder."""
    return sentence.replace(f"{source}/", "")
