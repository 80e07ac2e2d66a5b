"""A centre's protocol, the signal it measures and the NIfTI files it exports."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from her2study.cohort.simulated.fields import Axes, smooth_field
from her2study.cohort.simulated.phantom import Breast, Lesion
from her2study.cohort.simulated.physics import (
    STEP_MINUTES,
    gradient_echo,
    interpolate_curves,
    parker_input,
    rician,
    uptake_curves,
)
from her2study.cohort.simulated.planted import Assumptions


@dataclass(frozen=True)
class Protocol:
    """How one patient was scanned."""

    centre: str
    sagittal: bool
    in_plane_spacing_mm: float
    slice_thickness_mm: float
    phase_seconds: tuple[int, ...]
    arrival_seconds: float

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Voxel size along z, y, x."""
        fine, thick = self.in_plane_spacing_mm, self.slice_thickness_mm
        return (fine, fine, thick) if self.sagittal else (thick, fine, fine)


def draw_protocol(centre: str, a: Assumptions, rng: np.random.Generator) -> Protocol:
    """The centre's protocol as this patient got it: phase times vary, a last phase may be missing.

    ``phase_seconds`` starts with the pre-contrast phase at 0 and counts from it.
    """
    scanner = a.scanner
    planned = np.array(scanner.phase_seconds[centre])
    if len(planned) > 2 and rng.random() < scanner.dropped_last_phase[centre]:
        planned = planned[:-1]
    phases = np.round(planned * (1 + scanner.time_jitter * rng.uniform(-1, 1))).astype(int).tolist()
    arrival = scanner.injection_seconds[centre] * np.exp(a.arterial_input.arrival_log_sd * rng.standard_normal())
    return Protocol(
        centre=centre,
        sagittal=scanner.plane[centre] == "sagittal",
        in_plane_spacing_mm=scanner.in_plane_spacing_mm[centre],
        slice_thickness_mm=scanner.slice_thickness_mm[centre],
        phase_seconds=(0, *phases),
        arrival_seconds=float(arrival),
    )


def voxel_axes(protocol: Protocol, a: Assumptions, rng: np.random.Generator) -> Axes:
    """Voxel centres along z, y and x relative to the lesion's centre, which lies a little off the middle."""
    counts = [round(a.breast.field_of_view_mm / spacing) for spacing in protocol.spacing_mm]
    return tuple(
        ((np.arange(n) - (n - 1) / 2) * spacing + rng.uniform(-1, 1) * a.shape.offset_mm).astype(np.float32)
        for n, spacing in zip(counts, protocol.spacing_mm, strict=True)
    )


def acquire(
    axes: Axes, breast: Breast, lesion: Lesion, protocol: Protocol, a: Assumptions, rng: np.random.Generator
) -> list[NDArray[np.int16]]:
    """Every phase as the scanner stores it, ``(z, y, x)``.

    Tissues of a voxel add their signals by share; the lesion and its halo displace what lay there.
    """
    scanner, tissue, centre = a.scanner, a.tissue, protocol.centre
    strength = scanner.field_strength_t[centre]
    sequence = {
        "relaxivity_per_mm_s": tissue.relaxivity_per_mm_s[strength],
        "repetition_time_seconds": scanner.repetition_time_ms[centre] / 1000,
        "flip_angle_degrees": scanner.flip_angle_degrees[centre],
    }
    density, uptake = tissue.proton_density, a.uptake
    plasma, curve, lesion_curves = _curves(lesion, protocol, a)

    def signal(name: str, t1_seconds: float, contrast_mm: NDArray | float) -> NDArray[np.float32]:
        return np.float32(density[name]) * gradient_echo(t1_seconds, contrast_mm, **sequence)

    t1_gland, t1_lesion = tissue.t1_gland_seconds[strength], tissue.t1_lesion_seconds[strength]
    fat = signal("fat", tissue.t1_fat_seconds[strength], 0.0) * np.float32(scanner.fat_signal[centre])
    gain = scanner.gain[centre] * np.exp(scanner.gain_log_sd * rng.standard_normal())
    noise_sd = scanner.noise_of_gland[centre] * gain * float(signal("gland", t1_gland, 0.0))
    sensitivity = np.float32(gain) * np.exp(
        np.float32(scanner.bias_field[centre]) * smooth_field(axes, scanner.bias_scale_mm, rng)
    )
    box, blood, body = lesion.box, breast.blood, breast.body[lesion.box]
    halo, share = lesion.halo_share * body, lesion.share * body
    phases = []
    for k in range(len(protocol.phase_seconds)):
        gland_contrast = breast.gland_ktrans_per_min * curve["gland"][k] + uptake.gland_plasma_volume * plasma[k]
        muscle_contrast = uptake.muscle_ktrans_per_min * curve["muscle"][k]
        image = breast.fat * fat
        image += breast.gland * signal("gland", t1_gland, gland_contrast)
        image += breast.skin * signal("skin", t1_gland, muscle_contrast)
        image += breast.muscle * signal("muscle", tissue.t1_muscle_seconds[strength], muscle_contrast)
        whole_blood = plasma[k] * (1 - a.arterial_input.haematocrit)
        image += blood * (signal("blood", tissue.t1_blood_seconds[strength], whole_blood) - image)
        near = image[box]
        halo_contrast = lesion.halo_ktrans_per_min * curve["halo"][k]
        near += halo * (signal("gland", t1_gland, halo_contrast) - near)
        lesion_contrast = lesion.ktrans_per_min * lesion_curves[k] + uptake.plasma_volume * plasma[k]
        near += share * (signal("lesion", t1_lesion, lesion_contrast) - near)
        stored = np.round(rician(image * sensitivity, noise_sd, rng))
        phases.append(np.clip(stored, 0, np.iinfo(np.int16).max).astype(np.int16))
    return phases


def write_nifti(path: Path, volume: NDArray, axes: Axes, sagittal: bool, position_mm: NDArray[np.float64]) -> None:
    """Write a volume ``(z, y, x)`` as the scanner exports it, with its affine to RAS.

    Axial files are stored right-to-left first; sagittal ones front-to-back, head-to-foot and then
    by slice, so that a reader must honour the affine. Bytes do not depend on time or file name.
    """
    spacing_z, spacing_y, spacing_x = (float(axis[1] - axis[0]) for axis in axes)
    z, y, x = (float(axis[0]) for axis in axes)
    affine = np.eye(4)
    if sagittal:
        data = volume.transpose(1, 0, 2)[:, ::-1, :]
        affine[:3, :3] = [[0, 0, -spacing_x], [-spacing_y, 0, 0], [0, -spacing_z, 0]]
        z = float(axes[0][-1])
    else:
        data = volume.transpose(2, 1, 0)
        affine[:3, :3] = np.diag([-spacing_x, -spacing_y, spacing_z])
    # LPS to RAS: the first two world axes change sign
    affine[:3, 3] = np.array([-x, -y, z]) + position_mm
    image = nib.Nifti1Image(np.ascontiguousarray(data), affine)
    image.header.set_xyzt_units("mm")
    image.set_sform(affine, code=1)
    image.set_qform(affine, code=1)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as file, gzip.GzipFile("", "wb", compresslevel=1, fileobj=file, mtime=0) as packed:
        packed.write(image.to_bytes())


def _curves(lesion: Lesion, protocol: Protocol, a: Assumptions) -> tuple[NDArray, dict[str, NDArray], NDArray]:
    """Plasma concentration, mM, uptake curves of the even tissues, and those of the lesion's voxels, by phase."""
    uptake, at = a.uptake, (np.array(protocol.phase_seconds) - protocol.arrival_seconds) / 60
    grid = np.arange(0, at.max() + 2 * STEP_MINUTES, STEP_MINUTES)
    plasma = parker_input(grid, a.arterial_input) / (1 - a.arterial_input.haematocrit)
    even = uptake_curves(
        plasma, grid, [uptake.gland_kep_per_min, uptake.muscle_kep_per_min, lesion.halo_kep_per_min], at
    )
    first, last, points = uptake.kep_grid_per_min
    kep_grid = np.geomspace(first, last, points)
    lesion_curves = interpolate_curves(uptake_curves(plasma, grid, kep_grid, at), kep_grid, lesion.kep_per_min)
    in_plasma = np.interp(at, grid, plasma, left=0.0).astype(np.float32)
    return in_plasma, dict(zip(("gland", "muscle", "halo"), even, strict=True)), lesion_curves
