"""What else lies in an export: localisers, other sequences, derived images, reports, junk."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import (
    BasicTextSRStorage,
    EncapsulatedPDFStorage,
    ExplicitVRLittleEndian,
    MediaStorageDirectoryStorage,
    MRImageStorage,
    SecondaryCaptureImageStorage,
)

from her2study.cohort.simulated.dicom.grid import Stack
from her2study.cohort.simulated.dicom.header import (
    Machine,
    Series,
    new_object,
    save,
    set_moment,
    set_pixels,
    set_plane,
    set_sequence,
)
from her2study.cohort.simulated.dicom.identity import PlantedIdentity

DISTRACTORS = (
    "localiser",
    "t2",
    "subtraction",
    "mip",
    "secondary_capture",
    "repeat",
    "report",
    "pdf",
    "dicomdir",
    "junk",
)
"""``repeat``, a second dynamic scan, is written by :func:`write_dicom` in the patient's own style."""


def write_distractor(kind: str, stack: Stack, identity: PlantedIdentity, machine: Machine, dest: Path) -> list[Path]:
    """Write one kind of object that is not the dynamic scan."""
    place = dest / identity.folder
    name = identity.family_name
    started = identity.study_started
    if kind == "localiser":
        kinds = ("ORIGINAL", "PRIMARY", "LOCALIZER")
        series = Series(1, f"loc_3pl {name}", started, kinds, 8.6, 4.0, 20.0)
        return _images(stack, identity, machine, series, place / "LOC", [stack.phases[0]], slices=range(3))
    if kind == "t2":
        kinds = ("ORIGINAL", "PRIMARY", "M", "NORM")
        series = Series(2, f"t2_tse_tra {name}", started + timedelta(minutes=1), kinds, 4200.0, 89.0, 150.0, "SE")
        return _images(stack, identity, machine, series, place / "T2", [stack.phases[0] // 2 + 7])
    if kind == "subtraction":
        kinds = ("DERIVED", "SECONDARY", "M", "SUB")
        series = Series(60, f"t1_dyn_SUB {name}", started + timedelta(minutes=40), kinds)
        changes = [np.clip(phase - stack.phases[0], 0, None) for phase in stack.phases[1:]]
        return _images(stack, identity, machine, series, place / "SUB", changes, seconds=stack.seconds[1:])
    if kind == "mip":
        kinds = ("DERIVED", "SECONDARY", "PROJECTION IMAGE", "MIP")
        series = Series(61, f"t1_dyn_SUB_MIP {name}", started + timedelta(minutes=41), kinds)
        brightest = stack.phases[1].max(axis=0, keepdims=True)
        return _images(stack, identity, machine, series, place / "MIP", [brightest], slices=range(1))
    writers = {"secondary_capture": _screenshot, "report": _report, "pdf": _pdf, "dicomdir": _directory}
    if kind == "junk":
        return _junk(identity, place)
    return [writers[kind](identity, machine, place)]


def _images(
    stack: Stack,
    identity: PlantedIdentity,
    machine: Machine,
    series: Series,
    place: Path,
    volumes: list[np.ndarray],
    slices: range | None = None,
    seconds: list[float] | None = None,
) -> list[Path]:
    """A series of MR images on the stack's grid."""
    paths = []
    for v, volume in enumerate(volumes):
        for k in slices or range(stack.shape[0]):
            image = new_object(machine, identity, series, MRImageStorage, (v, k))
            set_sequence(image, series, stack.field_strength_t)
            set_plane(image, machine, identity, stack, k)
            set_moment(image, series.started + timedelta(seconds=seconds[v] if seconds else 0))
            image.InstanceNumber, image.AcquisitionNumber = len(paths) + 1, v + 1
            set_pixels(image, machine, volume[k])
            paths.append(save(image, place / f"{identity.family_name}_{len(paths) + 1:04d}"))
    return paths


def _screenshot(identity: PlantedIdentity, machine: Machine, place: Path) -> Path:
    """A colour secondary capture, names burnt in as far as the header knows."""
    series = Series(70, f"Screenshot {identity.family_name}", identity.study_started, ("DERIVED", "SECONDARY"))
    data = new_object(machine, identity, series, SecondaryCaptureImageStorage, 0, modality="OT")
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.ConversionType, data.BurnedInAnnotation = "WSD", "YES"
    data.ImageType = list(series.image_type)
    data.InstanceNumber = 1
    data.SamplesPerPixel, data.PhotometricInterpretation, data.PlanarConfiguration = 3, "RGB", 0
    data.Rows, data.Columns = 8, 10
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 8, 8, 7, 0
    data.PixelData = np.arange(8 * 10 * 3, dtype=np.uint8).tobytes()
    data["PixelData"].VR = "OW"
    return save(data, place / "SC" / f"screen {identity.family_name}.dcm")


def _report(identity: PlantedIdentity, machine: Machine, place: Path) -> Path:
    """A basic text structured report that names her."""
    series = Series(80, f"Befund {identity.family_name}", identity.study_started)
    data = new_object(machine, identity, series, BasicTextSRStorage, 0, modality="SR")
    data.InstanceNumber, data.CompletionFlag, data.VerificationFlag = 1, "COMPLETE", "UNVERIFIED"
    data.ContentDate, data.ContentTime = data.SeriesDate, data.SeriesTime
    data.ValueType, data.ContinuityOfContent = "CONTAINER", "SEPARATE"
    sentence = Dataset()
    sentence.RelationshipType, sentence.ValueType = "CONTAINS", "TEXT"
    sentence.TextValue = f"Die Patientin {identity.comment}, geb. {identity.birth_date:%d.%m.%Y}, BI-RADS 6."
    data.ContentSequence = [sentence]
    return save(data, place / "SR" / "report")


def _pdf(identity: PlantedIdentity, machine: Machine, place: Path) -> Path:
    """A letter as encapsulated PDF."""
    series = Series(81, f"Arztbrief {identity.family_name}", identity.study_started)
    data = new_object(machine, identity, series, EncapsulatedPDFStorage, 0, modality="DOC")
    data.InstanceNumber, data.BurnedInAnnotation, data.DocumentTitle = 1, "YES", f"Brief {identity.family_name}"
    data.MIMETypeOfEncapsulatedDocument = "application/pdf"
    letter = f"%PDF-1.4\n% {identity.comment}\n%%EOF\n".encode()
    data.EncapsulatedDocument = letter + b"\0" * (len(letter) % 2)
    return save(data, place / "DOC" / f"{identity.accession_number}.dcm")


def _directory(identity: PlantedIdentity, machine: Machine, place: Path) -> Path:
    """A DICOMDIR with the patient's own record."""
    series = Series(99, "DICOMDIR", identity.study_started)
    data = new_object(machine, identity, series, MediaStorageDirectoryStorage, 0, modality="OT")
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.FileSetID = identity.patient_id
    record = Dataset()
    record.DirectoryRecordType, record.PatientName, record.PatientID = "PATIENT", data.PatientName, data.PatientID
    data.DirectoryRecordSequence = [record]
    return save(data, place / "DICOMDIR")


def _junk(identity: PlantedIdentity, place: Path) -> list[Path]:
    """What people leave in folders; one file begins like DICOM and is none."""
    contents = {
        f"Befund {identity.family_name}.txt": identity.comment.encode(),
        "Thumbs.db": b"\xd0\xcf\x11\xe0" + bytes(200),
        ".DS_Store": b"\0\0\0\1Bud1" + bytes(100),
        "empty.dcm": b"",
        "broken.dcm": bytes(128) + b"DICM" + b"\xff" * 37,
        "viewer.exe": b"MZ" + bytes(300),
    }
    place.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (place / name).write_bytes(content)
    return [place / name for name in contents]
