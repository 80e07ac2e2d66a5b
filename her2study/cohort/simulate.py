"""The simulated cohort: a MAMA-MIA folder of real NIfTI files with planted, known truth.

It exists to show that the chain recovers what was planted, never as evidence about patients. Every
planted number stands in ``assumptions.yml``.
"""

from __future__ import annotations

import errno
import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit

from her2study.cohort.simulated.assumptions import assumptions_table, load_assumptions
from her2study.cohort.simulated.patients import (
    centre_intercepts,
    draw_latents,
    draw_outcome,
    image_oracle,
    latent_oracle,
    outcome_predictor,
    screened_patients,
)
from her2study.cohort.simulated.phantom import make_breast, make_lesion
from her2study.cohort.simulated.planted import Assumptions
from her2study.cohort.simulated.readings import leave_gaps, mark_exclusions, read_scans, report_pathology, take_history
from her2study.cohort.simulated.scanner import acquire, draw_protocol, voxel_axes, write_nifti
from her2study.parallel import map_patients
from her2study.store import write_atomically
from her2study.study import Simulation, nearest
from her2study.types import StudyError

__all__ = ["assumptions_table", "load_assumptions", "simulate_cohort", "simulate_tables"]

MARKER = "simulated.json"
"""File at the top of the folder that says the patients are not real, and from what they were made."""

PEOPLE, SCANS = 0, 1
"""Independent random streams of one seed."""


def simulate_cohort(
    simulation: Simulation, seed: int, assumptions: Path, source: Path, truth: Path, workers: int = 1
) -> None:
    """Write a simulated cohort to ``source`` and its truth to ``truth``; nothing if both are up to date.

    ``source`` appears whole or not at all: work cut short is done again from its start. The bytes
    depend on the settings, the seed and the assumptions, not on ``workers``.

    Parameters
    ----------
    simulation
        How many patients are screened and, by centre, included.
    seed
        The study's seed.
    assumptions
        ``assumptions.yml``.
    source
        Gets ``images/<patient>/<patient>_000N.nii.gz`` (int16), ``segmentations/expert/
        <patient>.nii.gz`` (uint8) for included patients, ``clinical.csv`` for all screened.
    truth
        Gets ``patients.parquet``: latents and oracle probabilities of included patients.
    workers
        Processes side by side.

    Raises
    ------
    StudyError
        A centre without assumptions, more included than screened, an invalid assumption, a
        ``source`` that holds other patients, no disk space.
    """
    a = load_assumptions(assumptions)
    made_from = _fingerprint(simulation, seed, a)
    if _up_to_date(source, truth, made_from):
        return
    clinical, latents, protocols = simulate_tables(simulation, seed, a)
    part, stale = (source.with_name(f"{source.name}.{ending}") for ending in ("part", "stale"))
    try:
        for left_over in (part, stale):
            shutil.rmtree(left_over, ignore_errors=True)
        part.mkdir(parents=True)
        _write_scans(part, latents, protocols, seed, a, workers)
        clinical.to_csv(part / "clinical.csv", index=False)
        marker = {"patients": "SIMULATED", "made_from": made_from, "files": _count_files(part)}
        (part / MARKER).write_text(json.dumps(marker, indent=1) + "\n", encoding="utf-8")
        write_atomically(truth / "patients.parquet", lambda path: latents.to_parquet(path, index=False))
        if source.exists():
            source.rename(stale)  # renamed whole: a kill must not leave half an older cohort behind
        part.rename(source)
        shutil.rmtree(stale, ignore_errors=True)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise StudyError(
            f"{source}: no space left on the disk for the simulated scans (about 1.2 GB for 450 patients); "
            "free some and run the same command again"
        ) from None
    finally:
        shutil.rmtree(part, ignore_errors=True)


def simulate_tables(
    simulation: Simulation, seed: int, a: Assumptions
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, object]]:
    """The clinical table of all screened, the truth of the included and their protocols; no images.

    Returns
    -------
    clinical, truth : DataFrame
        One row a patient, sorted by ``patient_id``.
    protocols : dict
        :class:`~her2study.cohort.simulated.scanner.Protocol` of each screened patient.
    """
    _check_sizes(simulation, a)
    rng = np.random.default_rng([seed, PEOPLE])
    people = screened_patients(simulation.screened, simulation.included, a.cohort.exclusion_shares, rng)
    latents = draw_latents(len(people), a, rng)
    centre, included = people["centre"].to_numpy(dtype=object), (people["exclusion"] == "").to_numpy()
    predictor = outcome_predictor(latents, a)
    intercepts = centre_intercepts(predictor[included], centre[included], a.cohort.prevalence)
    intercept = np.array([intercepts[name] for name in centre])
    probability = expit(intercept + predictor)
    her2 = np.zeros(len(people), dtype=np.int64)
    for group in (included, ~included):
        her2[group] = draw_outcome(probability[group], centre[group], rng)

    first, second = read_scans(latents, a, rng), read_scans(latents, a, rng)
    protocols = {
        patient: draw_protocol(where, a, rng) for patient, where in zip(people["patient_id"], centre, strict=True)
    }
    clinical = pd.concat(
        [
            people[["patient_id", "centre"]],
            pd.DataFrame({"her2_status": np.array(["negative", "positive"], dtype=object)[her2]}),
            take_history(latents, a, rng),
            first,
            second.add_suffix("_reader2"),
            report_pathology(her2, a, rng),
            _protocol_columns(protocols, a),
        ],
        axis=1,
    )
    clinical = mark_exclusions(leave_gaps(clinical, a.missing, rng), people["exclusion"])
    truth = pd.concat([people[["patient_id", "centre"]], latents], axis=1).assign(
        oracle_combined=probability,
        oracle_image=image_oracle(latents, intercept, a),
        oracle_latent=latent_oracle(latents, intercept, a),
    )
    return clinical, truth[included].reset_index(drop=True), protocols


def _write_scans(folder: Path, latents: pd.DataFrame, protocols: dict, seed: int, a: Assumptions, workers: int) -> None:
    """Simulate and write every included patient, side by side on ``workers`` processes."""
    tasks = [(folder, row, protocols[row["patient_id"]], [seed, SCANS, k], a) for k, row in latents.iterrows()]
    map_patients(_write_scan, tasks, "simulated scans", workers)


def _write_scan(task: tuple) -> None:
    """Simulate one patient's phases and mask and write them."""
    folder, patient, protocol, stream, a = task
    rng = np.random.default_rng(stream)
    name = patient["patient_id"]
    axes = voxel_axes(protocol, a, rng)
    lesion = make_lesion(axes, patient, a, rng)
    breast = make_breast(axes, patient, a, rng)
    position_mm = np.array(a.breast.position_mm) * [rng.choice([-1, 1]), 1, 1]
    for k, phase in enumerate(acquire(axes, breast, lesion, protocol, a, rng)):
        write_nifti(folder / "images" / name / f"{name}_{k:04d}.nii.gz", phase, axes, protocol.sagittal, position_mm)
    mask = np.zeros([len(axis) for axis in axes], dtype=np.uint8)
    mask[lesion.box] = lesion.mask & (breast.body[lesion.box] > 0.5)
    write_nifti(folder / "segmentations" / "expert" / f"{name}.nii.gz", mask, axes, protocol.sagittal, position_mm)


def _protocol_columns(protocols: dict, a: Assumptions) -> pd.DataFrame:
    """What the clinical table says about each scan."""
    scanner = a.scanner
    rows = [
        {
            "manufacturer": scanner.manufacturer[protocol.centre],
            "field_strength_t": scanner.field_strength_t[protocol.centre],
            "in_plane_spacing_mm": protocol.in_plane_spacing_mm,
            "slice_thickness_mm": protocol.slice_thickness_mm,
            "view": scanner.plane[protocol.centre],
            "post_contrast_phases": len(protocol.phase_seconds) - 1,
            "acquisition_times": str(list(protocol.phase_seconds)),
        }
        for protocol in protocols.values()
    ]
    return pd.DataFrame(rows)


def _check_sizes(simulation: Simulation, a: Assumptions) -> None:
    """Every centre has a scanner and a prevalence, and no more are included than screened."""
    for centre, n in simulation.included.items():
        if centre not in a.centres:
            raise StudyError(
                f"simulation.included: centre {centre!r} has no scanner in assumptions.yml{nearest(centre, a.centres)} "
                f"Known centres: {', '.join(a.centres)}."
            )
        if n < 1:
            raise StudyError(f"simulation.included.{centre}: {n} patients; must be at least 1, or leave the centre out")
    total = sum(simulation.included.values())
    if total > simulation.screened:
        raise StudyError(
            f"simulation: {total} patients included of {simulation.screened} screened; "
            f"raise 'screened' to at least {total}"
        )


def _fingerprint(simulation: Simulation, seed: int, a: Assumptions) -> str:
    """Hash of all that the bytes depend on: sizes, seed, planted values and the simulator's own code."""
    digest = hashlib.sha256(json.dumps([simulation.model_dump(), seed, a.model_dump()]).encode())
    here = Path(__file__).resolve()
    for path in (here, *sorted((here.parent / "simulated").glob("*.py"))):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _up_to_date(source: Path, truth: Path, made_from: str) -> bool:
    """Whether this very cohort lies there whole; a folder that holds anything else is never touched."""
    if not source.exists():
        return False
    if not (source / MARKER).is_file():
        if any(source.iterdir()):
            raise StudyError(
                f"{source}: holds patients that were not simulated (no {MARKER}), whom the simulated cohort would "
                "replace. Choose another results folder, or set source.kind to 'folder' to study these patients"
            )
        return False
    marker = json.loads((source / MARKER).read_text(encoding="utf-8"))
    whole = marker["made_from"] == made_from and marker["files"] == _count_files(source, besides=MARKER)
    return whole and (truth / "patients.parquet").is_file()


def _count_files(folder: Path, besides: str = "") -> int:
    """Files anywhere in ``folder``."""
    return sum(path.is_file() and path.name != besides for path in folder.rglob("*"))
