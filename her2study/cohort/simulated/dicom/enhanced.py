"""Enhanced MR objects: many slices in one file, told apart by functional groups (PS3.3 C.7.6.16, C.8.13).

``enhanced`` holds all phases in one object as Philips does, phases fastest, each with TemporalPositionIndex;
``enhanced_separate`` one object a phase in one series as Siemens XA does, told by AcquisitionNumber and
FrameAcquisitionDateTime alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import PurePosixPath

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import EnhancedMRImageStorage

from her2study.cohort.simulated.dicom.grid import Stack
from her2study.cohort.simulated.dicom.header import (
    Machine,
    Series,
    decimal_string,
    make_uid,
    new_object,
    set_moment,
    set_pixels,
)
from her2study.cohort.simulated.dicom.identity import PlantedIdentity
from her2study.cohort.simulated.dicom.vendors import FIRST_SERIES, PHILIPS, SIEMENS

MACHINES = {
    "enhanced": PHILIPS,
    "enhanced_separate": replace(SIEMENS, manufacturer="Siemens Healthineers", model="MAGNETOM Sola", private=()),
}
INTERCEPT = -64.0
"""Of the modality transform in ``enhanced``; with the slope a power of two, whole numbers come back whole."""


def enhanced_dynamic(
    stack: Stack, identity: PlantedIdentity, style: str, number: int = FIRST_SERIES
) -> Iterator[tuple[PurePosixPath, Dataset]]:
    """The objects of the dynamic scan with the file that an export gives them."""
    machine = MACHINES[style]
    started = identity.study_started + timedelta(minutes=2 * number)
    series = Series(number, f"dyn {identity.family_name}", started, ("ORIGINAL", "PRIMARY", "T1", "NONE"))
    phases, slices = range(len(stack.phases)), range(stack.shape[0])
    if style == "enhanced":
        frames = [(phase, k) for k in slices for phase in phases]
        yield PurePosixPath(identity.folder) / f"XX_{number:04d}", _object(stack, identity, machine, series, frames, 1)
        return
    for phase in phases:
        frames = [(phase, k) for k in slices]
        name = f"{identity.family_name}.MR.{number:04d}.{phase + 1:04d}.dcm"
        yield PurePosixPath(identity.folder) / name, _object(stack, identity, machine, series, frames, phase + 1)


def _object(
    stack: Stack,
    identity: PlantedIdentity,
    machine: Machine,
    series: Series,
    frames: list[tuple[int, int]],
    instance: int,
) -> Dataset:
    """One multi-frame image of these ``(phase, slice)`` frames."""
    several = len({phase for phase, _ in frames}) > 1
    image = new_object(machine, identity, series, EnhancedMRImageStorage, instance)
    set_moment(image, series.started + timedelta(seconds=stack.seconds[frames[0][0]]))
    image.AcquisitionDateTime = _stamp(series.started + timedelta(seconds=stack.seconds[frames[0][0]]))
    image.AcquisitionDuration = 60.0
    image.ImageType = list(series.image_type)
    image.InstanceNumber, image.AcquisitionNumber = instance, instance
    image.FrameOfReferenceUID = make_uid(machine, identity, "frame of reference")
    image.PositionReferenceIndicator = ""
    image.MagneticFieldStrength, image.ResonantNucleus = stack.field_strength_t, "1H"
    image.MRAcquisitionType, image.PulseSequenceName = "3D", "THRIVE"
    image.EchoPulseSequence, image.MultipleSpinEcho = "GRADIENT", "NO"
    image.PixelPresentation, image.VolumetricProperties = "MONOCHROME", "VOLUME"
    image.VolumeBasedCalculationTechnique, image.ComplexImageComponent = "NONE", "MAGNITUDE"
    image.AcquisitionContrast, image.ContentQualification = "T1", "PRODUCT"
    image.BodyPartExamined, image.PatientPosition = "BREAST", "HFP"
    image.NumberOfFrames = len(frames)
    _declare_dimensions(image, machine, identity, several)
    image.SharedFunctionalGroupsSequence = [_shared_groups(stack, series)]
    slope, intercept = (0.25, INTERCEPT) if several else (1.0, 0.0)
    image.PerFrameFunctionalGroupsSequence = [
        _frame_groups(stack, series, phase, k, several, slope, intercept) for phase, k in frames
    ]
    scan = np.stack([stack.phases[phase][k] for phase, k in frames]).astype(np.float64)
    set_pixels(image, machine, np.round((scan - intercept) / slope).astype(np.int32))
    return image


def _declare_dimensions(image: Dataset, machine: Machine, identity: PlantedIdentity, several: bool) -> None:
    """Stack, slice in the stack and, with several phases, time."""
    organisation = make_uid(machine, identity, "dimensions", image.InstanceNumber)
    entry = Dataset()
    entry.DimensionOrganizationUID = organisation
    image.DimensionOrganizationSequence = [entry]
    pointers = [("StackID", 0x00209056), ("InStackPositionNumber", 0x00209057)]
    pointers += [("TemporalPositionIndex", 0x00209128)] if several else []
    image.DimensionIndexSequence = []
    for label, tag in pointers:
        entry = Dataset()
        entry.DimensionOrganizationUID = organisation
        entry.DimensionIndexPointer, entry.FunctionalGroupPointer = tag, 0x00209111
        entry.DimensionDescriptionLabel = label
        image.DimensionIndexSequence.append(entry)


def _shared_groups(stack: Stack, series: Series) -> Dataset:
    column_mm, row_mm, slice_mm = stack.spacing_mm
    measures = Dataset()
    measures.PixelSpacing = [decimal_string(row_mm), decimal_string(column_mm)]
    measures.SliceThickness = measures.SpacingBetweenSlices = decimal_string(slice_mm)
    plane = Dataset()
    plane.ImageOrientationPatient = [decimal_string(value) for value in stack.orientation]
    timing = Dataset()
    timing.RepetitionTime, timing.FlipAngle = (
        decimal_string(series.repetition_time_ms),
        decimal_string(series.flip_angle_degrees),
    )
    timing.EchoTrainLength, timing.RFEchoTrainLength, timing.GradientEchoTrainLength = "1", 0, 1
    echo = Dataset()
    echo.EffectiveEchoTime = series.echo_time_ms
    groups = Dataset()
    groups.PixelMeasuresSequence = [measures]
    groups.PlaneOrientationSequence = [plane]
    groups.MRTimingAndRelatedParametersSequence = [timing]
    groups.MREchoSequence = [echo]
    return groups


def _frame_groups(
    stack: Stack, series: Series, phase: int, k: int, several: bool, slope: float, intercept: float
) -> Dataset:
    acquired = series.started + timedelta(seconds=stack.seconds[phase])
    content = Dataset()
    content.FrameAcquisitionNumber = 1
    content.FrameAcquisitionDateTime = content.FrameReferenceDateTime = _stamp(acquired)
    content.FrameAcquisitionDuration = 60000.0
    content.StackID, content.InStackPositionNumber = "1", k + 1
    content.DimensionIndexValues = [1, k + 1, phase + 1] if several else [1, k + 1]
    if several:
        content.TemporalPositionIndex = phase + 1
    position = Dataset()
    position.ImagePositionPatient = [decimal_string(value) for value in stack.position_mm(k)]
    transform = Dataset()
    transform.RescaleSlope, transform.RescaleIntercept, transform.RescaleType = (
        decimal_string(slope),
        decimal_string(intercept),
        "US",
    )
    kind = Dataset()
    kind.FrameType = list(series.image_type)
    kind.PixelPresentation, kind.VolumetricProperties = "MONOCHROME", "VOLUME"
    kind.VolumeBasedCalculationTechnique, kind.ComplexImageComponent = "NONE", "MAGNITUDE"
    kind.AcquisitionContrast = "T1"
    groups = Dataset()
    groups.FrameContentSequence = [content]
    groups.PlanePositionSequence = [position]
    groups.PixelValueTransformationSequence = [transform]
    groups.MRImageFrameTypeSequence = [kind]
    return groups


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y%m%d%H%M%S.%f}"
