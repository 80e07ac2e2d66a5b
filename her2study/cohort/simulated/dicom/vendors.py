"""How Siemens, GE and Philips say which phase an image belongs to, in classic (one slice an object) MR images.

=========  ===============================  ====================================  ===========================
style      phases in                        told by                               also
=========  ===============================  ====================================  ===========================
siemens    one series                       AcquisitionNumber, AcquisitionTime    12 bits, CSA header with name
separate   one series a phase (Siemens)     SeriesNumber, AcquisitionTime         RLE compressed
ge         one series                       TemporalPositionIdentifier,           signed pixels, implicit VR, top
                                            TriggerTime (ms); one AcquisitionTime slice first
philips    one series                       TemporalPositionIdentifier,           rescale slope by phase, private
                                            AcquisitionTime, TriggerTime          scale, InstanceNumber slice-wise
=========  ===============================  ====================================  ===========================
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import PurePosixPath

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import ImplicitVRLittleEndian, MRImageStorage, RLELossless

from her2study.cohort.simulated.dicom.grid import Stack
from her2study.cohort.simulated.dicom.header import (
    Machine,
    Series,
    decimal_string,
    new_object,
    set_moment,
    set_pixels,
    set_plane,
    set_sequence,
)
from her2study.cohort.simulated.dicom.identity import PlantedIdentity

SIEMENS = Machine(
    manufacturer="SIEMENS",
    model="Skyra",
    uid_root="1.3.12.2.1107.5.2.19",
    bits_stored=12,
    private=(
        (0x0019, "SIEMENS MR HEADER", {0x08: ("CS", "IMAGE NUM 4")}),
        (0x0029, "SIEMENS CSA HEADER", {0x08: ("CS", "IMAGE NUM 4"), 0x10: ("OB", "SV10 tPatientName = {name} ")}),
        (0x0051, "SIEMENS MR HEADER", {0x0A: ("LO", "TA 01:32"), 0x13: ("SH", "+LPH")}),
    ),
)
GE = Machine(
    manufacturer="GE MEDICAL SYSTEMS",
    model="DISCOVERY MR750",
    uid_root="1.2.840.113619.2.312",
    bits_stored=16,
    private=(
        (
            0x0009,
            "GEMS_IDEN_01",
            {0x02: ("SH", "{station}"), 0x27: ("SL", "{epoch}"), 0xE3: ("UI", "1.2.840.{serial}")},
        ),
        (0x0043, "GEMS_PARM_01", {0x39: ("IS", [0, 0, 0, 0]), 0x62: ("SH", "{serial}")}),
    ),
    signed=True,
    transfer_syntax=ImplicitVRLittleEndian,
)
PHILIPS = Machine(
    manufacturer="Philips Medical Systems",
    model="Ingenia",
    uid_root="1.3.46.670589.11",
    bits_stored=12,
    private=(
        (0x2001, "Philips Imaging DD 001", {0x0A: ("IS", 1), 0xC8: ("LO", "MAMMA {serial}")}),
        # the usual five blocks, so that elements get the numbers they are known by: (2005,100E), (2005,140A)
        *((0x2005, f"Philips MR Imaging DD 00{number}", {}) for number in range(1, 6)),
    ),
)
MACHINES = {"siemens": SIEMENS, "separate": replace(SIEMENS, transfer_syntax=RLELossless), "ge": GE, "philips": PHILIPS}

FIRST_SERIES = 5
"""Number of the dynamic series: localisers and T2 came before."""

PHILIPS_SLOPES = (0.25, 0.5)
"""Powers of two, so that stored whole numbers give back the scan's own."""


def classic_dynamic(
    stack: Stack, identity: PlantedIdentity, style: str, number: int = FIRST_SERIES
) -> Iterator[tuple[PurePosixPath, Dataset]]:
    """Every image of the dynamic scan with the file that the scanner's export gives it.

    ``number`` is that of its (first) series; a repeat of the scan has a higher one and starts later.
    """
    machine = MACHINES[style]
    started = identity.study_started + timedelta(minutes=2 * number)
    for phase, seconds in enumerate(stack.seconds):
        acquired = started + timedelta(seconds=seconds)
        series = _series(identity, style, number, phase, len(stack.phases), started, acquired)
        for k in range(stack.shape[0]):
            image = new_object(machine, identity, series, MRImageStorage, (phase, k))
            set_sequence(image, series, stack.field_strength_t)
            set_plane(image, machine, identity, stack, k)
            _mark_phase(image, stack, style, phase, k)
            set_moment(image, started if style == "ge" else acquired)
            if phase or style != "separate":
                image.ContrastBolusAgent = "Gadobutrol"
            stored = stack.phases[phase][k]
            set_pixels(image, machine, _philips_scale(image, stored, phase, seconds) if style == "philips" else stored)
            yield _file(identity, style, series, image.InstanceNumber), image


def _mark_phase(image: Dataset, stack: Stack, style: str, phase: int, k: int) -> None:
    """Everything but clocks that says which phase and slice this is, and each make's ways with the slice."""
    phases, slices = len(stack.phases), stack.shape[0]
    image.AcquisitionNumber = phase + 1 if style == "siemens" else 1
    if style in ("siemens", "separate"):
        image.InstanceNumber = (phase * slices if style == "siemens" else 0) + k + 1
        del image.SpacingBetweenSlices  # Siemens writes none in 3D
        return
    image.TemporalPositionIdentifier, image.NumberOfTemporalPositions = phase + 1, phases
    image.TriggerTime = decimal_string(1000 * stack.seconds[phase])
    image.InstanceNumber = phase * slices + slices - k if style == "ge" else k * phases + phase + 1
    if style == "ge":
        image.SliceThickness = decimal_string(2 * stack.spacing_mm[2])  # slices interpolated to half (ZIP2)


def _series(
    identity: PlantedIdentity,
    style: str,
    number: int,
    phase: int,
    phases: int,
    started: datetime,
    acquired: datetime,
) -> Series:
    """The series that an image of this phase belongs to."""
    if style == "separate":
        which = "pre" if phase == 0 else f"post{phase}"
        description = f"t1_fl3d_tra_{which} {identity.given_name}"
        return Series(number + phase, description, acquired, ("ORIGINAL", "PRIMARY", "M", "NORM", "DIS2D"))
    if style == "siemens":
        description = f"t1_fl3d_dyn {identity.family_name}"
        return Series(number, description, started, ("ORIGINAL", "PRIMARY", "M", "NORM", "DIS2D"))
    if style == "ge":
        return Series(
            number, f"Ax VIBRANT {phases} Ph {identity.family_name}", started, ("ORIGINAL", "PRIMARY", "OTHER")
        )
    return Series(number, f"dyn_eTHRIVE {identity.family_name}", started, ("ORIGINAL", "PRIMARY", "M_FFE", "M", "FFE"))


def _philips_scale(image: Dataset, scan: np.ndarray, phase: int, seconds: float) -> np.ndarray:
    """Stored values for the scan's own, and the attributes that say how to get back."""
    slope = PHILIPS_SLOPES[phase % len(PHILIPS_SLOPES)]
    image.RescaleSlope, image.RescaleIntercept, image.RescaleType = decimal_string(slope), "0", "normalized"
    scale = image.private_block(0x2005, "Philips MR Imaging DD 001")
    scale.add_new(0x0D, "FL", 0.0)  # scale intercept
    scale.add_new(0x0E, "FL", 0.0137 / slope)  # scale slope to "precise values", never needed for display values
    scale.add_new(0xA0, "FL", seconds)  # dynamic scan begin time
    rescale = image.private_block(0x2005, "Philips MR Imaging DD 005")
    rescale.add_new(0x09, "DS", "0")
    rescale.add_new(0x0A, "DS", decimal_string(slope))
    return np.round(scan / slope).astype(np.int32)


def _file(identity: PlantedIdentity, style: str, series: Series, instance: int) -> PurePosixPath:
    """Where exports of this make put the image."""
    place = PurePosixPath(identity.folder)
    if style == "ge":
        return place / f"E{identity.accession_number}" / f"S{series.number}" / f"I{instance}"
    if style == "philips":
        return place / "DICOM" / f"IM_{series.number:02d}{instance:04d}"
    stamp = f"{identity.study_started:%Y.%m.%d.%H.%M.%S}"
    name = f"{identity.family_name.upper()}.MR.MAMMA.{series.number:04d}.{instance:04d}.{stamp}.IMA"
    return place / f"MAMMA_{identity.study_started:%Y%m%d}" / f"{series.description}_{series.number:04d}" / name
