"""Simulated patients for bench_dscore.py, made once and kept under build/bench-dscore/."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from her2study.cohort import simulated
from her2study.cohort.simulate import simulate_cohort
from her2study.imaging.preprocess import preprocess_patients
from her2study.models.network import with_mask
from her2study.study import Simulation, Study

BUILD = Path(__file__).resolve().parent.parent / "build" / "bench-dscore"
WORKERS = 2


class Patients(NamedTuple):
    """Simulated patients as the models get them, and their truth."""

    channels: np.ndarray
    frame: pd.DataFrame
    truth: pd.DataFrame


def simulated_patients(study: Study, included: dict[str, int], seed: int) -> Patients:
    """Simulate patients, write, read and preprocess their scans, keep what the models get and delete the scans."""
    name = f"patients_{key(included, seed, study.imaging.model_dump(mode='json'), *_simulator())}"
    kept = BUILD / name
    if not (kept / "truth.parquet").exists():
        BUILD.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=BUILD) as scratch:
            source, truth, store = (Path(scratch) / part for part in ("source", "truth", "store"))
            simulation = Simulation(screened=max(20, sum(included.values())), included=included)
            simulate_cohort(simulation, seed, study.folder / "assumptions.yml", source, truth, WORKERS)
            frame = pd.read_csv(source / study.source.table)
            frame["label"] = (frame[study.outcome.column].isin(study.outcome.positive)).astype(np.int64)
            second = {v.second_reader: f"{name}__reader2" for name, v in study.variables.items() if v.second_reader}
            frame = frame.rename(columns=second).sort_values("patient_id", ignore_index=True)
            done = preprocess_patients(frame, source, study.imaging, store, WORKERS)
            kept.mkdir(exist_ok=True)
            np.save(kept / "channels.npy", with_mask(done.channels, done.mask))
            frame.to_parquet(kept / "frame.parquet")
            shutil.copy(truth / "patients.parquet", kept / "truth.parquet")
        print(f"{sum(included.values())} patients of {', '.join(included)} simulated, seed {seed}", flush=True)
    return Patients(
        np.load(kept / "channels.npy", mmap_mode="r"),
        pd.read_parquet(kept / "frame.parquet"),
        pd.read_parquet(kept / "truth.parquet"),
    )


def key(*parts: object) -> str:
    """Name of what was made from these."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part if isinstance(part, bytes) else json.dumps(part, sort_keys=True).encode())
    return digest.hexdigest()[:12]


def _simulator() -> list[str]:
    """The simulator's code: other code, other patients."""
    folder = Path(simulated.__file__).parent
    return [path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.py"))]


def joined(parts: list[Patients]) -> Patients:
    """Chunks of patients as one set."""
    frames, truths = (pd.concat([part[k] for part in parts], ignore_index=True) for k in (1, 2))
    return Patients(np.concatenate([part.channels for part in parts]), frames, truths)
