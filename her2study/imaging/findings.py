"""What can make a scan or its mask unfit for use: reasons in words, and what mends them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from her2study.types import StudyError


class Reason(StrEnum):
    """Why a patient leaves, as the flow prints it; the order is that in which one is told first."""

    NO_SCANS = "no scans"
    MIXED = "files that are not the patient's"
    PHASE_MISSING = "phase missing"
    FEW_PHASES = "fewer than two phases after contrast"
    NO_MASK = "no lesion mask file"
    TIMES = "acquisition times do not fit the phases"
    DAMAGED = "damaged file"
    NOT_A_VOLUME = "not one grey 3D volume a file"
    NO_GEOMETRY = "no usable voxel size or position"
    UNITS = "voxel size not in millimetres"
    PHASE_GRID = "phases on different grids"
    MASK_GRID = "mask not on the grid of the scans"
    NOT_FINITE = "voxels that are not numbers"
    EMPTY_PHASE = "empty phase"
    SAME_PHASE = "one phase stored twice"
    EMPTY_MASK = "empty mask"
    VOLUME = "lesion volume implausible"
    MIRRORED = "mask mirrored against the scan"
    OUTSIDE = "mask outside the body"
    WRONG_BREAST = "mask on the wrong breast"
    NO_SIGNAL = "no signal in the lesion before contrast"


MEND_ALL = {
    Reason.NO_SCANS: "bring the scans into the layout images/<patient>/<patient>_0000.nii.gz (before contrast), _0001 "
    "and so on; scanner exports are turned into it by `her2study import-dicom SOURCE DEST`",
    Reason.MIXED: "name every file after its patient, exactly as the table does, capitals included: "
    "images/<patient>/<patient>_0000.nii.gz",
    Reason.PHASE_MISSING: "number the phases of every patient from _0000 (before contrast) without gaps; "
    "`her2study import-dicom SOURCE DEST` does so from scanner exports",
    Reason.FEW_PHASES: "one file holds one phase: if each file holds a whole dynamic series, split it by phase",
    Reason.NO_MASK: "put the masks where they are looked for, segmentations/expert/<patient>.nii.gz",
    Reason.TIMES: "the column acquisition_times must list seconds after the pre-contrast phase, one number a phase, "
    "that one included, such as [0, 97, 194]: correct how the column is made, or leave it out",
    Reason.DAMAGED: "copy the whole folder again and compare sizes with the original",
    Reason.NOT_A_VOLUME: "convert the scans again, one grey-valued volume a phase and file",
    Reason.NO_GEOMETRY: "convert the scans again with a tool that writes the affine (dcm2niix, for example)",
    Reason.UNITS: "write all affines in millimetres (multiply metres by 1000, divide micrometres by 1000) and set "
    "xyzt_units to 2",
    Reason.PHASE_GRID: "resample every patient's phases onto her pre-contrast scan",
    Reason.MASK_GRID: "export the masks on the grid of the scans they were drawn on; if only the affine is wrong, "
    "copy each scan's affine into its mask",
    Reason.NOT_FINITE: "find the step of the conversion that writes NaN (a division by zero, a fill value) and mend it",
    Reason.EMPTY_PHASE: "convert the scans again: the conversion wrote volumes without content",
    Reason.SAME_PHASE: "convert the scans again: the conversion copied one phase over others",
    Reason.EMPTY_MASK: "export the masks again: lesion voxels must be 1 and all others 0",
    Reason.VOLUME: "see that masks mark the lesion and not its surroundings, and that affines are in millimetres",
    Reason.MIRRORED: "turn all masks back along the axis that is named (the tool that wrote them ignores the "
    "orientation in the file), or export them again",
    Reason.OUTSIDE: "see whether masks and scans belong to the same patients and have the same voxel order",
    Reason.WRONG_BREAST: "see whether masks and scans belong to the same side and have the same voxel order",
    Reason.NO_SIGNAL: "see that _0000 is the magnitude image before contrast and not a subtraction",
}
"""What to do when a reason holds for most of a source: then the cause is one, and so is the mend."""


class Finding(NamedTuple):
    """One thing that makes a patient's images unfit: where, what was found, the rule and the mend."""

    reason: Reason
    file: str
    value: str
    rule: str
    mend: str

    @property
    def sentence(self) -> str:
        """All of it in one line."""
        return f"{self.file}: {self.value}; {self.rule}: {self.mend}"


class Unfit(StudyError):
    """A finding that stops whoever reads the file alone; the check of a cohort collects it instead."""

    def __init__(self, reason: Reason, file: Path | str, value: str, rule: str, mend: str) -> None:
        super().__init__(reason, file, value, rule, mend)  # as given, so that it survives the way between processes
        self.finding = Finding(reason, str(file), value, rule, mend)

    def __str__(self) -> str:
        return self.finding.sentence
