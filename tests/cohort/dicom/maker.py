"""Tiny dynamic scans as DICOM files, by hand: every attribute can be spoilt."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

MR = "1.2.840.10008.5.1.4.1.1.4"

Change = Callable[[Dataset, int, int], None]


def uid(*parts: object) -> str:
    return generate_uid(entropy_srcs=[str(part) for part in parts])


def clock(seconds: float) -> str:
    seconds %= 86400
    return f"{int(seconds // 3600):02d}{int(seconds // 60 % 60):02d}{seconds % 60:09.6f}"


def slice_of(phase: int, k: int, voxels: np.ndarray, patient: str = "ID-1", series: int = 5, start: float = 36000):
    """One slice of one phase, with temporal position and acquisition time, 2 mm apart along z."""
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SOPClassUID = MR
    ds.SOPInstanceUID = uid(patient, series, phase, k)
    ds.StudyInstanceUID, ds.SeriesInstanceUID = uid(patient, "study"), uid(patient, "series", series)
    ds.FrameOfReferenceUID = uid(patient, "place")
    ds.PatientID, ds.PatientName, ds.PatientBirthDate, ds.PatientSex = patient, "Doe^Jane", "19600102", "F"
    ds.StudyDate, ds.StudyTime, ds.Modality, ds.SeriesNumber = "20200304", "095500", "MR", series
    ds.Manufacturer, ds.MagneticFieldStrength, ds.SeriesDescription = "SIEMENS", "3", "t1 dyn Doe"
    ds.ImageType = ["ORIGINAL", "PRIMARY", "M"]
    ds.AcquisitionDate, ds.AcquisitionTime = "20200304", clock(start + 90 * phase)
    ds.TemporalPositionIdentifier, ds.InstanceNumber = phase + 1, 1 + k + 1000 * phase
    ds.EchoTime, ds.RepetitionTime, ds.FlipAngle, ds.SliceThickness = "1.7", "4.5", "10", "2"
    ds.ImagePositionPatient, ds.ImageOrientationPatient = [-10, -20, 2.0 * k], [1, 0, 0, 0, 1, 0]
    ds.PixelSpacing = [0.8, 0.7]
    ds.Rows, ds.Columns = voxels.shape
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated = ds.BitsStored = 16
    ds.HighBit, ds.PixelRepresentation = 15, 0
    ds.PixelData = voxels.astype("<u2").tobytes()
    return ds


def truth(phases: int, slices: int = 6) -> np.ndarray:
    """Voxels ``(phase, slice, row, column)``, brighter from phase to phase."""
    values = np.random.default_rng([3, slices]).integers(0, 400, (phases, slices, 5, 4))
    return values + 300 * np.arange(phases)[:, None, None, None]


def write_scan(
    folder: Path,
    phases: int = 3,
    slices: int = 6,
    change: Change = lambda ds, phase, k: None,
    leave_out: Iterable[tuple[int, int]] = (),
    **who,
) -> np.ndarray:
    """Write a dynamic scan, each file changed by ``change``; returns its voxels."""
    folder.mkdir(parents=True, exist_ok=True)
    voxels = truth(phases, slices)
    for phase in range(phases):
        for k in range(slices):
            if (phase, k) in set(leave_out):
                continue
            ds = slice_of(phase, k, voxels[phase, k], **who)
            change(ds, phase, k)
            name = f"{who.get('series', 5)}-{phase}-{slices - k}"  # names run against the slices
            ds.save_as(folder / name, enforce_file_format=True)
    return voxels
