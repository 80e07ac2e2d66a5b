"""What the tables say of a patient's scan: the protocol as numbers and codes of our own, never header text."""

from __future__ import annotations

import json
import re
from typing import Any

from her2study.cohort.dicom.choices import Choice
from her2study.cohort.dicom.dynamic import Dynamic
from her2study.cohort.dicom.geometry import normal_of, places
from her2study.cohort.dicom.series import Sorted, Stack
from her2study.cohort.dicom.timing import tidy

MAKERS = {
    "GE": r"^ge\b|general electric|gems",
    "Siemens": r"siemens",
    "Philips": r"philips|picker|marconi",
    "Canon": r"canon|toshiba",
    "Hitachi": r"hitachi",
    "Fujifilm": r"fuji",
    "United Imaging": r"united imaging|\buih\b",
    "Hologic": r"hologic|aurora",
}
"""Manufacturers by what their headers say; the free text itself is never copied."""

FACTS = (
    "acquisition_times",
    "manufacturer",
    "field_strength_t",
    "in_plane_spacing_mm",
    "slice_thickness_mm",
    "view",
    "post_contrast_phases",
)

GAUSS_A_TESLA = 10000.0


def maker(text: str) -> str:
    """One of :data:`MAKERS`, ``other``, or empty if the header does not say."""
    if not text:
        return ""
    return next((name for name, pattern in MAKERS.items() if re.search(pattern, text, re.I)), "other")


def acquisition_facts(dynamic: Dynamic, choice: Choice) -> dict[str, Any]:
    """The row of ``patients.csv``."""
    header, frame = dynamic.phases[0].stack.header, dynamic.phases[0].frames[0]
    seconds = choice.seconds or dynamic.timing.seconds
    field = header.field_strength_t
    if field and field > 100:
        field /= GAUSS_A_TESLA  # old scanners write gauss
    spacing = dynamic.grid.spacing_mm
    return {
        "acquisition_times": json.dumps([tidy(value) for value in seconds]) if seconds else "",
        "manufacturer": maker(header.manufacturer),
        "field_strength_t": "" if not field else round(field, 2),
        "in_plane_spacing_mm": round(float(spacing[1]), 4),
        "slice_thickness_mm": round(frame.thickness_mm or float(spacing[2]), 4),
        "view": dynamic.grid.view,
        "post_contrast_phases": len(dynamic.phases) - 1,
    }


def series_rows(found: Sorted, chosen: Dynamic | None) -> list[dict[str, Any]]:
    """Every series by its running number, with what tells it apart without its name."""
    taken = set(chosen.series) if chosen else set()
    rows = []
    for number in sorted(found.numbers.values()):
        stacks = [part for part in found.stacks if part.number == number]
        largest = max(stacks, key=lambda part: len(part.frames), default=None)
        looks = _looks(largest) if largest else {}
        other = "one volume" if looks.get("images") == looks.get("slice_places") else "another series was taken"
        row: dict[str, Any] = {
            "series": number,
            "used": "yes" if number in taken else "no",
            "left_out_because": "" if number in taken else found.left_out.get(number, other if chosen else ""),
            "files": found.files[number],
        }
        rows.append(row | looks)
    return rows


def _looks(part: Stack) -> dict[str, Any]:
    first = part.first
    normal = normal_of(first.orientation)
    _, along = places(part.frames, normal)
    return {
        "images": len(part.frames),
        "slice_places": len(along),
        "images_a_place": round(len(part.frames) / len(along), 2),
        "rows": part.header.rows,
        "columns": part.header.columns,
        "in_plane_spacing_mm": round(first.spacing[0], 3),
        "slice_step_mm": round(float(along[-1] - along[0]) / (len(along) - 1), 3) if len(along) > 1 else "",
        "view": ("sagittal", "coronal", "axial")[int(abs(normal).argmax())],
        "echo_time_ms": "" if first.echo_ms is None else round(first.echo_ms, 2),
        "repetition_time_ms": "" if first.repetition_ms is None else round(first.repetition_ms, 2),
        "flip_angle_degrees": "" if first.flip_degrees is None else round(first.flip_degrees, 1),
        "marked_derived": "yes" if part.derived else "no",
    }
