"""Turn patients of a MAMA-MIA folder into the DICOM that a scanner would have exported."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from pydicom.dataset import Dataset

from her2study.cohort.simulate import simulate_cohort
from her2study.cohort.simulated.dicom import enhanced, vendors
from her2study.cohort.simulated.dicom.distractors import DISTRACTORS, write_distractor
from her2study.cohort.simulated.dicom.grid import Stack, read_stack
from her2study.cohort.simulated.dicom.header import save
from her2study.cohort.simulated.dicom.identity import PlantedIdentity, planted_identity
from her2study.cohort.simulated.dicom.masks import MASKS, write_mask
from her2study.study import Simulation, nearest
from her2study.types import StudyError

STYLES = ("siemens", "ge", "philips", "separate", "enhanced", "enhanced_separate")

REPEAT_AFTER = 12
"""A repeated dynamic scan has a series number higher by this, and starts two minutes later for each."""

SAMPLE = {"A": ("siemens", "seg"), "B": ("philips", "rtstruct"), "C": ("ge", "seg"), "D": ("enhanced", "seg")}
"""Style and mask of each centre's one patient in a sample folder."""


def write_dicom(
    source: Path,
    patients: Iterable[str],
    dest: Path,
    style: str,
    identity: Callable[[str], PlantedIdentity] = planted_identity,
    masks: str | None = "seg",
    distractors: Iterable[str] = (),
) -> dict[str, PlantedIdentity]:
    """Write patients as DICOM into ``dest``, a folder a patient.

    Parameters
    ----------
    source
        Folder in MAMA-MIA's layout with whole-numbered voxels, and ``acquisition_times`` in ``clinical.csv``.
    style
        One of ``STYLES``: how phases are marked.
    identity
        Gives each patient the invented person whose name, dates and numbers are planted.
    masks
        One of ``MASKS``, or None. ``nifti`` goes to ``dest/masks/<PatientID>.nii.gz``.
    distractors
        Some of ``DISTRACTORS``, written beside the dynamic scan.

    Returns
    -------
    dict
        Who each patient was written as.

    Raises
    ------
    StudyError
        An unknown style, mask or distractor; a scan that DICOM cannot express.
    """
    wanted = tuple(distractors)
    for name, known in ((style, STYLES), (masks, (None, *MASKS)), *((name, DISTRACTORS) for name in wanted)):
        if name not in known:
            choices = [text for text in known if text]
            raise StudyError(f"{name!r} is not one of {', '.join(choices)}{nearest(str(name), choices)}")
    people = {patient: identity(patient) for patient in patients}
    for patient, person in people.items():
        _write_patient(read_stack(source, patient), person, dest, style, masks, wanted)
    return people


def write_sample(dest: Path, assumptions: Path) -> dict[str, PlantedIdentity]:
    """A small folder to try the import on: four simulated patients of four makes of scanner, with masks and all else.

    ``assumptions`` is a study's ``assumptions.yml``. Takes half a minute; the folder has about 45 MB.
    """
    people: dict[str, PlantedIdentity] = {}
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / "source"
        simulation = Simulation(screened=20, included=dict.fromkeys(SAMPLE, 1))
        simulate_cohort(simulation, 1, assumptions, source, Path(scratch) / "truth")
        for centre, (style, mask) in SAMPLE.items():
            patients = sorted(path.name for path in (source / "images").glob(f"{centre}*"))
            beside = [kind for kind in DISTRACTORS if kind != "repeat" or centre == "A"]
            people |= write_dicom(source, patients, dest, style, masks=mask, distractors=beside)
    return people


def _write_patient(
    stack: Stack, person: PlantedIdentity, dest: Path, style: str, masks: str | None, distractors: tuple[str, ...]
) -> None:
    """The dynamic scan, its mask and what else was asked for."""
    multi_frame = style in enhanced.MACHINES
    dynamic = enhanced.enhanced_dynamic if multi_frame else vendors.classic_dynamic
    machine = (enhanced.MACHINES if multi_frame else vendors.MACHINES)[style]
    objects: list[Dataset] = []
    for path, data in dynamic(stack, person, style):
        save(data, dest / path)
        objects.append(data)
    if masks:  # readers draw on the first phase after contrast
        drawn_on = objects if style == "enhanced" else objects[len(objects) // len(stack.phases) :]
        write_mask(masks, stack, person, machine, drawn_on[: 1 if multi_frame else stack.shape[0]], dest)
    for kind in distractors:
        if kind == "repeat":
            again = stack.with_phases([phase + 1 for phase in stack.phases], stack.seconds)
            for path, data in dynamic(again, person, style, vendors.FIRST_SERIES + REPEAT_AFTER):
                save(data, dest / path)
        else:
            write_distractor(kind, stack, person, machine, dest)
