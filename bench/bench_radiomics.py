"""Seconds a patient of radiomics at the default settings, what each family costs, and MIRP end to end beside it.

Lesions are simulated ellipsoids of the sizes that breast cancers have, on the default crop: ``make bench``.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import numpy as np

from her2study.imaging import texture
from her2study.imaging.kinetics import region_kinetics, rim_and_core
from her2study.imaging.peritumoural import peritumoural_shell
from her2study.imaging.radiomics import Lesions, extract_radiomics, feature_dictionary, one_lesion
from her2study.imaging.shape import lesion_shape
from her2study.imaging.stability import measure_again
from her2study.study import load_study

PATIENTS = 60
FEW = 12
TARGET_SECONDS = 0.6


def main() -> None:
    """Print one line for each comparison."""
    study = load_study("hong2025")
    settings, spacing_mm = study.radiomics, study.imaging.spacing_mm
    lesions = invent_lesions(study.imaging.crop_voxels, spacing_mm)
    extract_radiomics(few_of(lesions), settings)  # imports and caches are warm
    for workers in sorted({1, min(2, os.cpu_count() or 1)}):
        seconds = clock(lambda workers=workers: extract_radiomics(lesions, settings, workers)) / PATIENTS
        verdict = "within" if seconds <= TARGET_SECONDS else "OVER"
        print(
            f"radiomics, default settings, {len(feature_dictionary(settings))} features, {workers} core(s): "
            f"{seconds:.3f} s a patient ({verdict} {TARGET_SECONDS} s), start of workers included",
            flush=True,
        )
    few = few_of(lesions)
    again = clock(lambda: measure_again(few, few.patients, settings, seed=1)) / FEW
    print(f"the same lesion under {len(settings.perturbations)} other masks: {again:.3f} s a patient, 1 core")
    for line in parts(few, settings.bin_number, settings.peritumoural_mm, settings.air_share):
        print(line, flush=True)


def parts(lesions: Lesions, bins: int, thickness_mm: float, air_share: float) -> list[str]:
    """Milliseconds of every part, and of MIRP from end to end where the matrices are counted here."""
    ready = [one_lesion(lesions, row) for row in range(len(lesions.patients))]
    phases, masks = [lesion.phases for lesion in ready], [lesion.mask > 0 for lesion in ready]
    spacing_mm = lesions.spacing_mm

    def each(work: Callable) -> float:
        return 1000 * clock(lambda: [work(own, mask) for own, mask in zip(phases, masks, strict=True)]) / len(ready)

    own_parts: dict[str, Callable] = {
        "shape": lambda _, mask: lesion_shape(mask, spacing_mm),
        "kinetics": lambda own, mask: (region_kinetics(own, mask), rim_and_core(own, mask, spacing_mm)),
        "peritumoural shell": lambda own, mask: peritumoural_shell(mask, own.pre, spacing_mm, thickness_mm, air_share),
    }
    lines = [f"  {name}: {each(work):.1f} ms" for name, work in own_parts.items()]
    for family in texture.FAMILIES:
        ours = each(lambda own, mask, family=family: texture.region_features(own.wash_in, mask, (family,), bins))
        line = f"  {family}, one image, one region: {ours:.1f} ms"
        if family in texture._COUNTED:
            theirs = each(lambda own, mask, family=family: texture._through_mirp(own.wash_in, mask, family, bins))
            line += f" v. {theirs:.1f} ms by MIRP from end to end, {theirs / ours:.1f} times faster"
        lines.append(line)
    return lines


def invent_lesions(crop: tuple[int, int, int], spacing_mm: tuple[float, float, float]) -> Lesions:
    """Ellipsoids of 8 to 50 mm, with noise of a scanner's grain."""
    rng = np.random.default_rng(0)
    at = np.indices(crop) - (np.array(crop)[:, None, None, None] - 1) / 2
    at_mm = at * np.array(spacing_mm)[:, None, None, None]
    masks, channels = [], []
    for diameter_mm in np.geomspace(8, 50, PATIENTS):
        axes_mm = diameter_mm / 2 * rng.uniform(0.6, 1, 3)
        mask = ((at_mm / axes_mm[:, None, None, None]) ** 2).sum(axis=0) <= 1
        tissue, more = np.array([[1, 0.3, 0.1], [0, 1, -0.4]])[..., None, None, None]
        channels.append(tissue + more * mask + rng.normal(0, 0.1, (3, *crop)))
        masks.append(mask)
    names = [f"P{number:02d}" for number in range(PATIENTS)]
    times = np.full(PATIENTS, 90.0), np.full(PATIENTS, 360.0)
    return Lesions(names, np.stack(channels).astype(np.float16), np.stack(masks).astype(np.uint8), *times, spacing_mm)


def few_of(lesions: Lesions) -> Lesions:
    """Every fifth lesion: all sizes in less time."""
    every = slice(None, None, PATIENTS // FEW)
    arrays = (lesions.channels, lesions.mask, lesions.early_seconds, lesions.late_seconds)
    return Lesions(lesions.patients[every], *(array[every] for array in arrays), lesions.spacing_mm)


def clock(work: Callable) -> float:
    """Seconds of one run."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
