"""The part of a header that every object of a scanner has: person, visit, machine, series, geometry, pixels."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels.encoders import RLELosslessEncoder
from pydicom.uid import UID, ExplicitVRLittleEndian, RLELossless
from pydicom.valuerep import format_number_as_ds

from her2study.cohort.simulated.dicom.grid import Stack
from her2study.cohort.simulated.dicom.identity import PlantedIdentity
from her2study.types import StudyError


@dataclass(frozen=True)
class Machine:
    """What is the same in everything one make of scanner writes.

    ``private`` holds ``(group, creator, {element: (VR, value)})``; in texts, ``{name}``, ``{serial}``, ``{station}``
    and ``{epoch}`` (seconds since 1970) are filled in.
    """

    manufacturer: str
    model: str
    uid_root: str
    bits_stored: int
    private: tuple[tuple[int, str, dict[int, tuple[str, object]]], ...]
    signed: bool = False
    transfer_syntax: str = ExplicitVRLittleEndian


@dataclass(frozen=True)
class Series:
    """One series of a visit."""

    number: int
    description: str
    started: datetime
    image_type: tuple[str, ...] = ("ORIGINAL", "PRIMARY", "M")
    repetition_time_ms: float = 4.5
    echo_time_ms: float = 1.7
    flip_angle_degrees: float = 10.0
    sequence: str = "GR"


def decimal_string(number: float) -> str:
    """A decimal string of at most 16 characters."""
    return format_number_as_ds(float(number))


def make_uid(machine: Machine, identity: PlantedIdentity, *parts: object) -> str:
    """A UID as scanners make them: maker, serial number, date and time, then digits that ``parts`` decide."""
    text = "/".join(str(part) for part in (identity.patient_id, *parts))
    digits = int(hashlib.sha256(text.encode()).hexdigest(), 16) % 10**18
    stem = f"{machine.uid_root}.{identity.device_serial_number}.{identity.study_started:%Y%m%d%H%M%S}"
    return f"{stem}{digits:018d}"


def new_object(
    machine: Machine, identity: PlantedIdentity, series: Series, sop_class: str, key: object, modality: str = "MR"
) -> Dataset:
    """Person, visit, machine and series, as they stand in any object."""
    data = Dataset()
    data.SpecificCharacterSet = identity.character_set
    data.SOPClassUID = sop_class
    data.SOPInstanceUID = make_uid(machine, identity, "object", series.number, key)
    data.Modality = modality
    _person_and_visit(data, machine, identity)
    data.Manufacturer = machine.manufacturer
    data.ManufacturerModelName = machine.model
    data.DeviceSerialNumber = identity.device_serial_number
    data.SoftwareVersions = "V1"
    data.ProtocolName = f"Mamma {identity.family_name}"[:64]
    data.SeriesDescription = series.description
    data.SeriesInstanceUID = make_uid(machine, identity, "series", series.number)
    data.SeriesNumber = series.number
    data.SeriesDate = data.InstanceCreationDate = f"{series.started:%Y%m%d}"
    data.SeriesTime = data.InstanceCreationTime = f"{series.started:%H%M%S.%f}"
    data.PerformedProcedureStepStartDate = f"{identity.study_started:%Y%m%d}"
    data.PerformedProcedureStepStartTime = f"{identity.study_started:%H%M%S}"
    data.PerformedProcedureStepID = identity.accession_number
    names = {
        "name": identity.person_name,
        "serial": identity.device_serial_number,
        "station": identity.station,
        "epoch": int((identity.study_started - datetime(1970, 1, 1)).total_seconds()),
    }
    for group, creator, elements in machine.private:
        block = data.private_block(group, creator, create=True)
        for element, (vr, value) in elements.items():
            filled = value.format(**names) if isinstance(value, str) else value
            convert = {"OB": str.encode, "SL": int}.get(vr, lambda unchanged: unchanged)
            block.add_new(element, vr, convert(filled))
    data.file_meta = FileMetaDataset()
    data.file_meta.MediaStorageSOPClassUID = UID(sop_class)
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    data.file_meta.TransferSyntaxUID = UID(machine.transfer_syntax)
    return data


def _person_and_visit(data: Dataset, machine: Machine, identity: PlantedIdentity) -> None:
    started = identity.study_started
    data.PatientName = identity.person_name
    data.PatientID = identity.patient_id
    data.IssuerOfPatientID = identity.institution
    data.OtherPatientIDs = identity.other_patient_id
    data.PatientBirthDate = f"{identity.birth_date:%Y%m%d}"
    data.PatientSex = "F"
    data.PatientAge = f"{min((started.date() - identity.birth_date).days // 365, 89):03d}Y"
    data.PatientWeight = "68"
    data.PatientAddress = identity.institution_address
    data.PatientTelephoneNumbers = identity.phone
    data.PatientComments = identity.comment
    data.AdditionalPatientHistory = f"Mammakarzinom, {identity.comment}"
    data.ImageComments = identity.comment
    data.InstitutionName = identity.institution
    data.InstitutionAddress = identity.institution_address
    data.InstitutionalDepartmentName = identity.department
    data.StationName = identity.station
    data.ReferringPhysicianName = identity.referring_physician
    data.PerformingPhysicianName = identity.referring_physician
    data.OperatorsName = identity.operator
    data.StudyInstanceUID = make_uid(machine, identity, "study")
    data.StudyID = identity.accession_number
    data.AccessionNumber = identity.accession_number
    data.StudyDescription = f"MR Mamma {identity.family_name}"
    data.StudyDate, data.StudyTime = f"{started:%Y%m%d}", f"{started:%H%M%S.%f}"
    request = Dataset()
    request.AccessionNumber = identity.accession_number
    request.RequestedProcedureID = identity.accession_number
    request.ScheduledProcedureStepDescription = f"Mamma {identity.family_name}"
    data.RequestAttributesSequence = [request]


def set_sequence(data: Dataset, series: Series, field_strength_t: float) -> None:
    """How the image was acquired, in the classic MR attributes."""
    data.ImageType = list(series.image_type)
    data.ScanningSequence, data.SequenceVariant = series.sequence, "SP"
    data.ScanOptions = "FS"
    data.MRAcquisitionType = "3D" if series.sequence == "GR" else "2D"
    data.RepetitionTime, data.EchoTime = decimal_string(series.repetition_time_ms), decimal_string(series.echo_time_ms)
    data.FlipAngle = decimal_string(series.flip_angle_degrees)
    data.MagneticFieldStrength = decimal_string(field_strength_t)
    data.NumberOfAverages, data.EchoTrainLength = "1", "1"
    data.BodyPartExamined = "BREAST"
    data.PatientPosition = "HFP"


def set_plane(data: Dataset, machine: Machine, identity: PlantedIdentity, stack: Stack, slice_index: int) -> None:
    """Where the slice lies."""
    column_mm, row_mm, slice_mm = stack.spacing_mm
    data.FrameOfReferenceUID = make_uid(machine, identity, "frame of reference")
    data.PositionReferenceIndicator = ""
    data.ImageOrientationPatient = [decimal_string(value) for value in stack.orientation]
    data.ImagePositionPatient = [decimal_string(value) for value in stack.position_mm(slice_index)]
    data.PixelSpacing = [decimal_string(row_mm), decimal_string(column_mm)]
    data.SliceThickness = data.SpacingBetweenSlices = decimal_string(slice_mm)
    data.SliceLocation = decimal_string(stack.along_normal_mm(slice_index))


def set_moment(data: Dataset, acquired: datetime, content_delay_seconds: float = 20.0) -> None:
    """AcquisitionDate/Time and, after reconstruction, ContentDate/Time."""
    content = acquired + timedelta(seconds=content_delay_seconds)
    data.AcquisitionDate, data.AcquisitionTime = f"{acquired:%Y%m%d}", f"{acquired:%H%M%S.%f}"
    data.ContentDate, data.ContentTime = f"{content:%Y%m%d}", f"{content:%H%M%S.%f}"


def set_pixels(data: Dataset, machine: Machine, pixels: NDArray[np.integer]) -> None:
    """Stored values ``([frames,] rows, columns)``, compressed if the transfer syntax says so.

    The machine's number of stored bits is widened to 16 where a value needs it.

    Raises
    ------
    StudyError
        A value does not fit into 16 bits of the machine's kind.
    """
    smallest, largest = (-(2**15), 2**15 - 1) if machine.signed else (0, 2**16 - 1)
    if pixels.min(initial=0) < smallest or pixels.max(initial=0) > largest:
        raise StudyError(
            f"{machine.manufacturer} stores {smallest} to {largest}; the scan needs {pixels.min()} to {pixels.max()}"
        )
    bits = machine.bits_stored if pixels.max(initial=0) < 2 ** (machine.bits_stored - machine.signed) else 16
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.Rows, data.Columns = pixels.shape[-2:]
    data.BitsAllocated, data.BitsStored, data.HighBit = 16, bits, bits - 1
    data.PixelRepresentation = int(machine.signed)
    data.WindowCenter, data.WindowWidth = "200", "400"
    little_endian = pixels.astype("<i2" if machine.signed else "<u2")
    if machine.transfer_syntax == RLELossless:
        frames = little_endian.reshape(-1, *pixels.shape[-2:])
        packed = [
            RLELosslessEncoder.encode(
                frame,
                rows=data.Rows,
                columns=data.Columns,
                samples_per_pixel=1,
                photometric_interpretation="MONOCHROME2",
                bits_allocated=16,
                bits_stored=bits,
                pixel_representation=data.PixelRepresentation,
                number_of_frames=1,
            )
            for frame in frames
        ]
        data.PixelData = encapsulate(packed)
    else:
        data.PixelData = little_endian.tobytes()
    data["PixelData"].VR = "OW"


def save(data: Dataset, path: Path) -> Path:
    """Write an object with its preamble."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data.save_as(path, enforce_file_format=True)
    return path
