"""Frames of enhanced multi-frame files: shared and per-frame functional groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from her2study.cohort.dicom.elements import moment, moment_of
from her2study.cohort.dicom.frames import Frame

if TYPE_CHECKING:
    from pydicom.dataset import Dataset


def has_functional_groups(dataset: Dataset) -> bool:
    """Whether the frames of a file have a position each."""
    return "PerFrameFunctionalGroupsSequence" in dataset


def enhanced_frames(path: str, dataset: Dataset) -> tuple[Frame, ...]:
    """One :class:`Frame` a frame; a group that is not per frame is taken from the shared ones, then from the file."""
    shared_groups = dataset.get("SharedFunctionalGroupsSequence") or [None]
    acquired = moment_of(str(dataset.get("AcquisitionDateTime") or "")) or moment(
        str(dataset.get("AcquisitionDate") or ""), str(dataset.get("AcquisitionTime") or "")
    )
    defaults = {
        "acquired": acquired,
        "content": moment(str(dataset.get("ContentDate") or ""), str(dataset.get("ContentTime") or "")),
        "acquisition_number": _whole(dataset.get("AcquisitionNumber")),
        "file_number": _whole(dataset.get("InstanceNumber")),
        "image_type": tuple(str(code).upper() for code in dataset.get("ImageType") or ()),
        "temporal": _whole(dataset.get("TemporalPositionIdentifier")),
    }
    groups = dataset.PerFrameFunctionalGroupsSequence
    shared = _shared_parts(shared_groups[0])
    return tuple(_frame(path, index, group, shared, defaults) for index, group in enumerate(groups))


def _shared_parts(group: Dataset | None) -> dict[str, Dataset]:
    """First item of each shared functional group, by keyword; looked up once a file."""
    return {} if group is None else {e.keyword: e.value[0] for e in group if e.VR == "SQ" and e.value}


def _frame(path: str, index: int, group: Dataset, shared: dict[str, Dataset], defaults: dict[str, Any]) -> Frame:
    own = _shared_parts(group)

    def value(sequence: str, keyword: str) -> Any:
        for parts in (own, shared):
            if sequence in parts and parts[sequence].get(keyword) is not None:
                return parts[sequence].get(keyword)
        return None

    content = "FrameContentSequence"
    stamp = value(content, "FrameAcquisitionDateTime") or value(content, "FrameReferenceDateTime")
    frame_type = value("MRImageFrameTypeSequence", "FrameType")
    temporal = _whole(value(content, "TemporalPositionIndex"))
    return Frame(
        path=path,
        index=index,
        position=_floats(value("PlanePositionSequence", "ImagePositionPatient"), 3),
        orientation=_floats(value("PlaneOrientationSequence", "ImageOrientationPatient"), 6),
        spacing=_floats(value("PixelMeasuresSequence", "PixelSpacing"), 2),
        thickness_mm=_number(value("PixelMeasuresSequence", "SliceThickness")),
        temporal=defaults["temporal"] if temporal is None else temporal,
        trigger_ms=_number(value("CardiacSynchronizationSequence", "NominalCardiacTriggerDelayTime")),
        offset_seconds=_number(value("TemporalPositionSequence", "TemporalPositionTimeOffset")),
        acquired=moment_of(str(stamp)) if stamp else defaults["acquired"],
        content=defaults["content"],
        acquisition_number=_whole(value(content, "FrameAcquisitionNumber")) or defaults["acquisition_number"],
        instance_number=((defaults["file_number"] or 0) << 20) + index,
        echo_ms=_number(value("MREchoSequence", "EffectiveEchoTime")),
        repetition_ms=_number(value("MRTimingAndRelatedParametersSequence", "RepetitionTime")),
        flip_degrees=_number(value("MRTimingAndRelatedParametersSequence", "FlipAngle")),
        image_type=tuple(str(code).upper() for code in frame_type) if frame_type else defaults["image_type"],
        slope=_number(value("PixelValueTransformationSequence", "RescaleSlope")) or 1.0,
        intercept=_number(value("PixelValueTransformationSequence", "RescaleIntercept")) or 0.0,
    )


def _number(value: Any) -> float | None:
    try:
        return None if value is None else float(value)
    except (TypeError, ValueError):
        return None


def _whole(value: Any) -> int | None:
    number = _number(value)
    return None if number is None else round(number)


def _floats(values: Any, count: int) -> tuple[float, ...] | None:
    try:
        found = tuple(float(value) for value in values or ())
    except (TypeError, ValueError):
        return None
    return found if len(found) == count else None
