"""What is kept of a DICOM file after its header was read: geometry, timing and protocol, never free text."""

from __future__ import annotations

from dataclasses import dataclass

SECONDS_A_DAY = 86400.0


class Refused(Exception):
    """Something that cannot be imported: why, and what a user can do about it.

    Neither text holds anything from a header or a path, because both are written to the report.
    """

    def __init__(self, reason: str, mend: str) -> None:
        super().__init__(reason)
        self.reason, self.mend = reason, mend

    def __reduce__(self):  # exceptions travel between processes by their arguments
        return Refused, (self.reason, self.mend)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a person should know; ``setting`` names the choice that would change it, if there is one."""

    topic: str
    text: str
    setting: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class Frame:
    """One slice. Lengths are millimetres, times seconds; None where the header does not say."""

    path: str
    index: int
    position: tuple[float, ...] | None
    orientation: tuple[float, ...] | None
    spacing: tuple[float, ...] | None
    thickness_mm: float | None
    temporal: int | None
    trigger_ms: float | None
    offset_seconds: float | None
    acquired: float | None
    content: float | None
    acquisition_number: int | None
    instance_number: int | None
    echo_ms: float | None
    repetition_ms: float | None
    flip_degrees: float | None
    image_type: tuple[str, ...]
    slope: float = 1.0
    intercept: float = 0.0


@dataclass(frozen=True, slots=True)
class Person:
    """Who a file says it belongs to; stays in memory, to notice two people under one identifier."""

    name: str
    born: str
    sex: str


@dataclass(frozen=True, slots=True)
class Header:
    """One file.

    Attributes
    ----------
    path : str
        Relative to the source folder.
    patient : str
        PatientID, or ``study <uid>`` without one.
    kind : str
        ``image``, ``segmentation``, ``structures`` or ``other``.
    hard, soft : str
        Why no dynamic series can be made of it, and why it should not be unless somebody says so.
    """

    path: str
    size: int
    mtime_ns: int
    patient: str
    person: Person
    study: str
    series: str
    instance: str
    kind: str
    hard: str = ""
    soft: str = ""
    series_number: int | None = None
    study_start: float | None = None
    series_start: float | None = None
    frame_of_reference: str = ""
    references: tuple[str, ...] = ()
    manufacturer: str = ""
    field_strength_t: float | None = None
    announced_phases: int | None = None
    contrast: bool = False
    burned_in: bool = False
    rows: int = 0
    columns: int = 0
    frames: tuple[Frame, ...] = ()
