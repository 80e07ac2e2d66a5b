"""First pass: the header of every file under a folder, whatever its name."""

from __future__ import annotations

import os
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from her2study.cohort.dicom.elements import Elements, moment, moment_of, quiet
from her2study.cohort.dicom.enhanced import enhanced_frames, has_functional_groups
from her2study.cohort.dicom.frames import Frame, Header, Person
from her2study.cohort.dicom.identifying import count_identifying

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

NOT_DICOM, UNREADABLE, DIRECTORY, NAMELESS = (
    "no DICOM file", "DICOM header that cannot be read", "DICOMDIR", "DICOM file without an image or a mask",
)  # fmt: skip

SEGMENTATION = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
STRUCTURES = "1.2.840.10008.5.1.4.1.1.481.3"
MEDIA_DIRECTORY = "1.2.840.10008.1.3.10"
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"

COMPUTED_TYPES = frozenset(
    "SUB SUBTRACT SUBTRACTION SUBTRACTED MIP MINIP PROJECTION MPR CPR REFORMATTED REFORMAT PROJECTION_IMAGE VOLREN ADC "
    "PERFUSION SLOPE TTP PEI RCBF PARAMETRIC MAP STD_MIP MAX_IP FRACTIONAL WASH_IN WASH_OUT".split()
)
"""Image types of pictures that were computed from others."""

COMPUTED_WORDS = re.compile(
    r"(?<![a-z])(subs?|subtr[a-z]*|mip|mips|minip|mpr|proj|projections?|wash[ _-]?(in|out)|"
    r"adc|pei|ttp)(?![a-z])",
    re.I,
)
"""What technologists write into the description of such series."""

LOCALISER_WORDS = re.compile(r"(?<![a-z])(loc|localizer|localiser|scout|survey|3-?plane|plan)(?![a-z])", re.I)


class SourceFile(NamedTuple):
    """A file before anybody looked into it; ``path`` is relative to the source folder."""

    path: str
    size: int
    mtime_ns: int


@dataclass
class Batch:
    """What a number of files said."""

    headers: list[Header] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    identifying: dict[str, Counter[str]] = field(default_factory=dict)


def list_files(root: Path) -> list[SourceFile]:
    """Every file under ``root`` in the order of its path; links to folders are not followed."""
    found = []
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)
            try:
                state = os.stat(path)
            except OSError:
                continue  # a link to nowhere
            found.append(SourceFile(os.path.relpath(path, root), state.st_size, state.st_mtime_ns))
    return sorted(found)


def read_batch(root: Path, files: list[SourceFile]) -> Batch:
    """Headers of some files; what cannot be read is counted, never raised."""
    batch = Batch()
    with quiet():
        for file in files:
            dataset = _open(root, file)
            if isinstance(dataset, str):
                batch.skipped.append((file.path, dataset))
                continue
            elements = Elements(dataset)
            try:
                header = _read(file, dataset, elements)
            except Exception:  # malformed in a way nobody thought of; the file is named and the others go on
                batch.skipped.append((file.path, UNREADABLE))
                continue
            if header is None:
                batch.skipped.append((file.path, DIRECTORY if _sop_class(dataset) == MEDIA_DIRECTORY else NAMELESS))
                continue
            batch.headers.append(header)
            count_identifying(elements.present(), batch.identifying.setdefault(header.patient, Counter()))
    return batch


def _open(root: Path, file: SourceFile) -> Dataset | str:
    """The header, or the reason why there is none."""
    import pydicom

    try:
        with open(root / file.path, "rb") as stream:
            marked = _is_marked(stream)
            if not marked and not _could_be_bare(stream):
                return NOT_DICOM
            return pydicom.dcmread(stream, stop_before_pixels=True, force=not marked)
    except Exception:  # pydicom raises whatever a damaged file leads it to
        return UNREADABLE


def _is_marked(stream: BinaryIO) -> bool:
    start = stream.read(132)
    stream.seek(0)
    return start[128:] == b"DICM"


def _could_be_bare(stream: BinaryIO) -> bool:
    """Old files have no preamble: they start with an attribute of group 2 or 8."""
    start = stream.read(4)
    stream.seek(0)
    return start[:2] in (b"\x08\0", b"\x02\0", b"\0\x08", b"\0\x02") and len(start) == 4


def _sop_class(dataset: Dataset) -> str:
    meta = getattr(dataset, "file_meta", None)
    return str(dataset.get("SOPClassUID") or (meta.get("MediaStorageSOPClassUID") if meta else "") or "")


def _read(file: SourceFile, dataset: Dataset, e: Elements) -> Header | None:
    sop_class = _sop_class(dataset)
    study, series, instance = e.text(0x0020000D), e.text(0x0020000E), e.text(0x00080018)
    if not (study and series and instance) or sop_class == MEDIA_DIRECTORY:
        return None
    identity = {
        "path": file.path,
        "size": file.size,
        "mtime_ns": file.mtime_ns,
        "patient": e.decoded("PatientID", 0x00100020) or f"study {study}",
        "person": Person(e.decoded("PatientName", 0x00100010), e.text(0x00100030), e.text(0x00100040)),
        "study": study,
        "series": series,
        "instance": instance,
        "series_number": e.whole(0x00200011),
        "study_start": moment(e.text(0x00080020), e.text(0x00080030) or "00"),
        "series_start": moment(e.text(0x00080021), e.text(0x00080031)),
        "frame_of_reference": e.text(0x00200052),
        "burned_in": e.text(0x00280301).upper() == "YES",
    }
    if sop_class in SEGMENTATION or sop_class == STRUCTURES:
        kind = "structures" if sop_class == STRUCTURES else "segmentation"
        frames_of = (identity["frame_of_reference"], *_all_values(dataset, "FrameOfReferenceUID"))
        identity["frame_of_reference"] = next((uid for uid in frames_of if uid), "")
        return Header(**identity, kind=kind, references=_all_values(dataset, "SeriesInstanceUID"))
    hard = _why_never(dataset, e, sop_class)
    if hard:
        return Header(**identity, kind="other", hard=hard)
    frames = enhanced_frames(file.path, dataset) if has_functional_groups(dataset) else (_frame(file.path, e),)
    return Header(
        **identity,
        kind="image",
        soft=_why_not_unless_asked(e, frames),
        manufacturer=e.decoded("Manufacturer", 0x00080070),
        field_strength_t=e.number(0x00180087),
        announced_phases=e.whole(0x00200105),
        contrast=bool(e.text(0x00180010)) or "ContrastBolusAgentSequence" in dataset,
        rows=e.unsigned(0x00280010),
        columns=e.unsigned(0x00280011),
        frames=frames,
    )


def _why_never(dataset: Dataset, e: Elements, sop_class: str) -> str:
    modality = e.text(0x00080060).upper()
    if modality != "MR":
        return "not MR" if modality else "no modality"
    if sop_class.startswith(SECONDARY_CAPTURE):
        return "secondary capture"
    if not (e.unsigned(0x00280010) and e.unsigned(0x00280011)):
        return "no image (report, presentation state or raw data)"
    if e.unsigned(0x00280002) > 1 or not e.text(0x00280004).upper().startswith("MONOCHROME"):
        return "colour image"
    if (e.whole(0x00280008) or 1) > 1 and not has_functional_groups(dataset):
        return "multi-frame file that does not say where its frames lie"
    return ""


def _why_not_unless_asked(e: Elements, frames: tuple[Frame, ...]) -> str:
    """Reasons that a person may overrule by naming the series."""
    types = {*e.codes(0x00080008), *(code for frame in frames[:1] for code in frame.image_type)}
    described = f"{e.text(0x0008103E)} {e.text(0x00181030)}"
    if "LOCALIZER" in types or LOCALISER_WORDS.search(described):
        return "localiser"
    if types & COMPUTED_TYPES or COMPUTED_WORDS.search(e.text(0x0008103E)):
        return "computed from other images (subtraction, projection or map)"
    if "EP" in e.codes(0x00180020) or "DIFFUSION" in types or e.number(0x00189087):
        return "echo-planar or diffusion imaging"
    return ""


def _frame(path: str, e: Elements) -> Frame:
    """The slice of a single-frame file."""
    day, stamp = e.text(0x00080022), e.text(0x0008002A)
    position, orientation, spacing = e.numbers(0x00200032), e.numbers(0x00200037), e.numbers(0x00280030)
    return Frame(
        path=path,
        index=0,
        position=position if position and len(position) == 3 else None,
        orientation=orientation if orientation and len(orientation) == 6 else None,
        spacing=spacing if spacing and len(spacing) == 2 else None,
        thickness_mm=e.number(0x00180050),
        temporal=_first_whole(e, 0x00200100, 0x00209128),
        trigger_ms=e.number(0x00181060),
        offset_seconds=e.number(0x0020930D),
        acquired=_first(moment(day or stamp[:8], e.text(0x00080032)), moment_of(stamp)),
        content=moment(e.text(0x00080023), e.text(0x00080033)),
        acquisition_number=e.whole(0x00200012),
        instance_number=e.whole(0x00200013),
        echo_ms=e.number(0x00180081),
        repetition_ms=e.number(0x00180080),
        flip_degrees=e.number(0x00181314),
        image_type=e.codes(0x00080008),
        slope=_first(e.number(0x00281053), 1.0),
        intercept=_first(e.number(0x00281052), 0.0),
    )


def _first(*values):
    return next((value for value in values if value is not None), None)


def _first_whole(e: Elements, *tags: int) -> int | None:
    return _first(*(e.whole(tag) for tag in tags))


def _all_values(dataset: Dataset, keyword: str) -> tuple[str, ...]:
    """Every value of a UID attribute, at any depth below the top."""
    found: set[str] = set()
    sequences = [element.value for element in dataset if element.VR == "SQ"]
    while sequences:
        for item in sequences.pop():
            value = item.get(keyword)
            if value:
                found.add(str(value))
            sequences += [element.value for element in item if element.VR == "SQ"]
    return tuple(sorted(found))
