"""The lesion mask as workstations export it: DICOM Segmentation (highdicom), RT Structure Set, or NIfTI.

Contours of the RT Structure Set run half-way between the outermost voxel centres inside and their neighbours
outside (marching squares at 0.5), so that a voxel belongs to the lesion exactly if its centre lies inside an odd
number of contours. ``rtstruct_thinned`` drops points as many workstations do, and loses voxels at the edge.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import highdicom
import nibabel as nib
import numpy as np
from highdicom.seg import SegmentDescription
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.uid import RTStructureSetStorage
from skimage.measure import approximate_polygon, find_contours

from her2study.cohort.simulated.dicom.grid import RAS_TO_LPS, Stack
from her2study.cohort.simulated.dicom.header import Machine, Series, make_uid, new_object, save
from her2study.cohort.simulated.dicom.identity import PlantedIdentity

MASKS = ("seg", "rtstruct", "rtstruct_thinned", "nifti")

MASK_SERIES = 90

THINNED_VOXELS = 0.5
"""How far a thinned contour may stray."""


def write_mask(
    kind: str, stack: Stack, identity: PlantedIdentity, machine: Machine, images: list[Dataset], dest: Path
) -> Path:
    """Write the mask of one patient, drawn on ``images`` (one phase's, or multi-frame)."""
    if kind == "nifti":
        path = dest / "masks" / f"{identity.patient_id}.nii.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        image = nib.Nifti1Image(stack.mask.T.astype(np.uint8), RAS_TO_LPS @ stack.affine)
        image.header["descrip"] = identity.comment.encode()[:80]
        image.header["intent_name"] = identity.accession_number
        nib.save(image, path)
        return path
    if kind == "seg":
        return save(segmentation(stack, identity, machine, images), dest / identity.folder / "SEG" / "lesion.dcm")
    contours = structure_set(stack, identity, machine, images, THINNED_VOXELS if kind == "rtstruct_thinned" else 0.0)
    return save(contours, dest / identity.folder / "RTST" / f"RS.{contours.SOPInstanceUID}.dcm")


def segmentation(stack: Stack, identity: PlantedIdentity, machine: Machine, images: list[Dataset]) -> Dataset:
    """A binary DICOM Segmentation of the slices that the lesion touches."""
    started = identity.study_started + timedelta(days=1)
    orientation = np.array(stack.orientation)
    column_mm, row_mm, slice_mm = stack.spacing_mm
    description = SegmentDescription(
        segment_number=1,
        segment_label=f"Lesion {identity.family_name}",
        segmented_property_category=codes.SCT.MorphologicallyAbnormalStructure,
        segmented_property_type=codes.SCT.Lesion,
        algorithm_type="MANUAL",
        tracking_uid=make_uid(machine, identity, "lesion"),
        tracking_id=f"lesion of {identity.given_name}",
    )
    data = highdicom.seg.Segmentation(
        source_images=images,
        pixel_array=stack.mask.astype(np.uint8),
        segmentation_type="BINARY",
        segment_descriptions=[description],
        series_instance_uid=make_uid(machine, identity, "series", MASK_SERIES),
        series_number=MASK_SERIES,
        sop_instance_uid=make_uid(machine, identity, "object", MASK_SERIES),
        instance_number=1,
        manufacturer="Workstation",
        manufacturer_model_name="Reader",
        software_versions="1",
        device_serial_number=identity.device_serial_number,
        content_creator_name=identity.referring_physician,
        series_description=f"Segmentation {identity.family_name}",
        pixel_measures=highdicom.PixelMeasuresSequence((row_mm, column_mm), slice_mm, slice_mm),
        plane_orientation=highdicom.PlaneOrientationSequence("PATIENT", orientation.tolist()),
        plane_positions=[
            highdicom.PlanePositionSequence("PATIENT", stack.position_mm(k)) for k in range(stack.shape[0])
        ],
    )
    # highdicom stamps these with now and with random numbers
    for date, time in (("ContentDate", "ContentTime"), ("InstanceCreationDate", "InstanceCreationTime")):
        setattr(data, date, f"{started:%Y%m%d}")
        setattr(data, time, f"{started:%H%M%S.%f}")
    for equipment in data.get("ContributingEquipmentSequence", []):
        equipment.ContributionDateTime = f"{started:%Y%m%d%H%M%S.%f}"
    organisation = make_uid(machine, identity, "dimensions", MASK_SERIES)
    for item in (*data.DimensionOrganizationSequence, *data.DimensionIndexSequence):
        item.DimensionOrganizationUID = organisation
    return data


def structure_set(
    stack: Stack, identity: PlantedIdentity, machine: Machine, images: list[Dataset], thinned_voxels: float
) -> Dataset:
    """An RT Structure Set with the lesion."""
    series = Series(MASK_SERIES, f"Contours {identity.family_name}", identity.study_started + timedelta(days=1))
    data = new_object(machine, identity, series, RTStructureSetStorage, "contours", modality="RTSTRUCT")
    data.StructureSetLabel, data.StructureSetName = "MAMMA", f"Lesion {identity.family_name}"
    data.StructureSetDate, data.StructureSetTime = f"{series.started:%Y%m%d}", f"{series.started:%H%M%S}"
    frame_of_reference = Dataset()
    frame_of_reference.FrameOfReferenceUID = make_uid(machine, identity, "frame of reference")
    frame_of_reference.RTReferencedStudySequence = [_referenced_study(images)]
    data.ReferencedFrameOfReferenceSequence = [frame_of_reference]
    roi = Dataset()
    roi.ROINumber, roi.ROIName = 1, f"Lesion {identity.given_name}"
    roi.ReferencedFrameOfReferenceUID, roi.ROIGenerationAlgorithm = frame_of_reference.FrameOfReferenceUID, "MANUAL"
    data.StructureSetROISequence = [roi]
    outline = Dataset()
    outline.ROIDisplayColor, outline.ReferencedROINumber = [255, 0, 0], 1
    outline.ContourSequence = [
        _contour(polygon @ stack.affine[:3, :3].T + stack.affine[:3, 3], number)
        for number, polygon in enumerate(lesion_polygons(stack.mask, thinned_voxels), start=1)
    ]
    data.ROIContourSequence = [outline]
    observation = Dataset()
    observation.ObservationNumber, observation.ReferencedROINumber = 1, 1
    observation.RTROIInterpretedType, observation.ROIInterpreter = "GTV", identity.referring_physician
    data.RTROIObservationsSequence = [observation]
    data.ApprovalStatus = "UNAPPROVED"
    return data


def lesion_polygons(mask: NDArray[np.bool_], thinned_voxels: float = 0.0) -> list[NDArray[np.float64]]:
    """Closed polygons ``(points, 3)`` in voxels ``(column, row, slice)``, slice by slice; holes are polygons too."""
    polygons = []
    for k, lesion in enumerate(mask):
        for closed in find_contours(np.pad(lesion, 1).astype(float), 0.5):
            if thinned_voxels:
                closed = approximate_polygon(closed, thinned_voxels)
            row, column = closed[:-1].T - 1  # the padding, and the last point which repeats the first
            polygons.append(np.column_stack([column, row, np.full(len(row), k)]))
    return polygons


def _contour(points_mm: NDArray[np.float64], number: int) -> Dataset:
    contour = Dataset()
    contour.ContourGeometricType, contour.NumberOfContourPoints = "CLOSED_PLANAR", len(points_mm)
    contour.ContourNumber = number
    contour.ContourData = [f"{value:.3f}" for value in points_mm.ravel()]
    return contour


def _referenced_study(images: list[Dataset]) -> Dataset:
    """The study and series that were contoured."""
    series = Dataset()
    series.SeriesInstanceUID = images[0].SeriesInstanceUID
    series.ContourImageSequence = []
    for image in images:
        entry = Dataset()
        entry.ReferencedSOPClassUID, entry.ReferencedSOPInstanceUID = image.SOPClassUID, image.SOPInstanceUID
        series.ContourImageSequence.append(entry)
    study = Dataset()
    study.ReferencedSOPClassUID, study.ReferencedSOPInstanceUID = "1.2.840.10008.3.1.2.3.1", images[0].StudyInstanceUID
    study.RTReferencedSeriesSequence = [series]
    return study
