"""What the check of the scans found, as findings; and what a folder of scans holds that no patient of the table has.

A patient whose scans are unfit leaves the study and the others go on, so each is a warning; one cause that holds for
most of a source is an error besides.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from her2study.cohort.findings import findings, join, none
from her2study.imaging.findings import Reason
from her2study.imaging.fitness import check_layout, stop_if_systematic
from her2study.imaging.fitness_patient import Judged
from her2study.types import StudyError

AREAS = {
    "phases": (Reason.PHASE_MISSING, Reason.FEW_PHASES, Reason.TIMES, Reason.EMPTY_PHASE, Reason.SAME_PHASE),
    "geometry": (Reason.NO_GEOMETRY, Reason.UNITS, Reason.PHASE_GRID, Reason.MASK_GRID),
    "masks": (
        Reason.NO_MASK, Reason.EMPTY_MASK, Reason.VOLUME, Reason.MIRRORED, Reason.OUTSIDE, Reason.WRONG_BREAST,
        Reason.NO_SIGNAL,
    ),
}  # fmt: skip
"""Where findings about scans are told; all other reasons are about images."""

DARKER_PERCENT = 10
"""A lesion that loses so much signal after contrast is rather one whose phases are in the wrong order."""

SPACING_MM = (0.2, 8.0)
"""Voxel sizes that breast MRI has; others are possible and asked about."""

SCAN_ENDINGS = (".nii", ".nii.gz", ".dcm", ".ima", ".nrrd", ".mha")
LOOKED_AT = 5000
"""Entries of a folder that are looked at in search of scans."""


def unfit_findings(judged: Sequence[Judged], source: Path) -> pd.DataFrame:
    """One warning for each reason and file that makes a patient unfit, and for each doubt; an error for a common cause.

    Parameters
    ----------
    judged : sequence of Judged
        From :func:`her2study.imaging.fitness.judge_all`.
    """
    area = {reason: name for name, reasons in AREAS.items() for reason in reasons}
    rows = [
        {
            "severity": "warning", "area": area.get(finding.reason, "images"), "patient": patient.patient_id,
            "file": finding.file.removeprefix(f"{source}/"), "value": f"{finding.reason}: {finding.value}",
            "rule": f"{finding.rule}; the patient leaves the study", "mend": finding.mend,
        }
        for patient in judged
        for finding in patient.findings
    ]  # fmt: skip
    rows += [_doubt(patient.patient_id, doubt) for patient in judged for doubt in patient.doubts]
    try:
        stop_if_systematic(judged, source)
    except StudyError as error:
        rows.append(
            {
                "severity": "error", "area": "images", "file": "images",
                "value": str(error).removeprefix(f"{source}: "),
                "rule": "a run stops if one reason holds for more than half of the patients, or nobody is left",
                "mend": "mend the one cause; see the patients' own findings",
            }
        )  # fmt: skip
    return findings(rows)


def _doubt(patient: str, doubt: str) -> dict[str, str]:
    """What is asked about a patient who stays."""
    darker = re.search(r"enhances by -(\d+)%", doubt)
    if darker and int(darker[1]) >= DARKER_PERCENT:
        return {
            "severity": "warning", "area": "phases", "patient": patient,
            "file": f"images/{patient}/{patient}_0000.nii.gz",
            "value": f"the lesion has {darker[1]}% less signal after contrast than in _0000",
            "rule": "a lesion is darkest before contrast: is _0000 the phase before contrast? The patient stays",
            "mend": "see whether the phases are numbered in the order in which they were acquired",
        }  # fmt: skip
    return {
        "severity": "warning", "area": "masks", "patient": patient, "value": doubt,
        "file": f"segmentations/expert/{patient}.nii.gz",
        "rule": "a mask marks the lesion and nothing else; the patient stays",
        "mend": "look at scan and mask together; correct the mask if it is wrong",
    }  # fmt: skip


def header_findings(judged: Sequence[Judged]) -> pd.DataFrame:
    """Voxel sizes that are unusual, and patients with another number of phases than most."""
    rows = []
    phases = Counter(patient.header["phases"] for patient in judged if patient.header)
    usual, n = phases.most_common(1)[0] if phases else (0, 0)
    for patient in judged:
        if not patient.header:
            continue
        file = f"images/{patient.patient_id}/{patient.patient_id}_0000.nii.gz"
        place = {"patient": patient.patient_id, "file": file}
        sizes = [patient.header[f"spacing_{axis}_mm"] for axis in "zyx"]
        if not all(SPACING_MM[0] <= size <= SPACING_MM[1] for size in sizes):
            shown = " x ".join(f"{size:.3g}" for size in sizes)
            rule = f"voxels of breast MRI measure {SPACING_MM[0]:g} to {SPACING_MM[1]:g} mm"
            rows.append(
                {"severity": "warning", "area": "geometry", "value": f"voxels of {shown} mm (z, y, x)", "rule": rule,
                 "mend": "see whether the affine is in millimetres and belongs to this scan", **place}
            )  # fmt: skip
        if patient.header["phases"] != usual and n > 0.9 * len(judged):
            value = f"{patient.header['phases']} phases; {n:,} of {len(judged):,} patients have {usual}"
            rows.append(
                {"severity": "note", "area": "phases", "value": value, "rule": "protocols of one study are alike",
                 "mend": "see whether a phase was lost on the way; nothing to do if the protocol differed", **place}
            )  # fmt: skip
    return findings(rows)


def folder_findings(source: Path, patients: Iterable[str]) -> pd.DataFrame:
    """Scans and masks of nobody in the table, and files that are out of place.

    Parameters
    ----------
    source : Path
        Folder in MAMA-MIA's layout.
    patients : iterable of str
        Everybody in the table, excluded or not.
    """
    images, masks = source / "images", source / "segmentations" / "expert"
    known = list(patients)
    try:
        check_layout(source)
    except StudyError as error:
        value, _, mend = str(error).partition("; ")
        return findings([{"severity": "error", "area": "images", "file": str(source), "value": value, "rule":
                          "scans and masks go together", "mend": mend.rpartition(": ")[2]}])  # fmt: skip
    if not images.is_dir():
        return _elsewhere(source)
    folders = sorted(path for path in images.iterdir() if not path.name.startswith("."))
    found = [_nobodys([path.name for path in folders if path.is_dir()], known, "images", "images/")]
    loose = [path.name for path in folders if path.is_file()]
    if loose:
        value = f"{len(loose):,} files beside the patients' folders, {loose[0]} for one"
        rule = "images/ holds one folder a patient, and in it images/<patient>/<patient>_0000.nii.gz and so on"
        found.append(
            _one("warning", "images", "images", value, rule, "move them into their patients' folders, or away")
        )
    if masks.is_dir():
        files = sorted(path for path in masks.iterdir() if not path.name.startswith("."))
        named = [path.name.removesuffix(".nii.gz") for path in files if path.name.endswith(".nii.gz")]
        found.append(_nobodys(named, known, "masks", "segmentations/expert/", ".nii.gz"))
        other = [path.name for path in files if not path.name.endswith(".nii.gz")]
        if other:
            value = f"{len(other):,} entries that are no .nii.gz, {other[0]} for one"
            rule = "a mask is segmentations/expert/<patient>.nii.gz"
            found.append(_one("warning", "masks", "segmentations/expert", value, rule, "convert or compress them"))
    return join(found)


def repeated_scans(hashes: Mapping[str, str]) -> pd.DataFrame:
    """Patients whose pre-contrast scans are byte for byte the same; ``hashes`` is by patient."""
    owners: dict[str, list[str]] = {}
    for patient, content in sorted(hashes.items()):
        owners.setdefault(content, []).append(patient)
    return findings(
        {
            "severity": "warning", "area": "images", "patient": patient,
            "file": f"images/{patient}/{patient}_0000.nii.gz",
            "value": f"the same file as of {', '.join(other for other in same if other != patient)}",
            "rule": "two patients have two scans: one woman twice would be learnt and judged at once",
            "mend": "find out whose scan it is, and remove the other",
        }
        for same in owners.values()
        if len(same) > 1
        for patient in same
    )  # fmt: skip


def _nobodys(names: Sequence[str], known: Sequence[str], area: str, folder: str, ending: str = "") -> pd.DataFrame:
    """Scans or masks of names that the table does not have."""
    strange = sorted(set(names) - set(known))
    folded = {_folded(name): name for name in known if name not in set(names)}
    rows = []
    for name in strange:
        meant = folded.get(_folded(name))
        mend = f"rename it to {meant}{ending}" if meant else "add the patient to the table, or move the files away"
        rows.append(
            {
                "severity": "warning", "area": area, "patient": name, "file": f"{folder}{name}{ending}",
                "value": f"{name!r} is no patient of the table{f', but {meant!r} is, who has none' if meant else ''}",
                "rule": "names of files are those of the table, letter by letter", "mend": mend,
            }
        )  # fmt: skip
    return findings(rows)


def _elsewhere(source: Path) -> pd.DataFrame:
    """A warning if there is no images/ and yet there are scans."""
    for place, path in enumerate(source.glob("*/*") if source.is_dir() else ()):
        inside = [path] if path.is_file() else [item for _, item in zip(range(20), path.iterdir(), strict=False)]
        scan = next((item for item in inside if item.name.lower().endswith(SCAN_ENDINGS)), None)
        if scan is not None:
            value = f"scans lie elsewhere, {scan.relative_to(source)} for one"
            rule = (
                "a study reads scans from images/<patient>/<patient>_0000.nii.gz and masks from segmentations/expert/"
            )
            mend = "rename the folders; scanner exports are turned into this by `her2study import-dicom SOURCE DEST`"
            return _one("warning", "images", str(scan.parent.relative_to(source)), value, rule, mend)
        if place > LOOKED_AT:
            break
    return none()


def _one(severity: str, area: str, file: str, value: str, rule: str, mend: str) -> pd.DataFrame:
    return findings([{"severity": severity, "area": area, "file": file, "value": value, "rule": rule, "mend": mend}])


def _folded(name: str) -> str:
    """A name without regard to capitals, spaces, hyphens, leading zeros and the way accents are stored."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    return "".join(c for c in plain if c.isalnum()).lstrip("0")
