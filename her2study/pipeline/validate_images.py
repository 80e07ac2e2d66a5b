"""The scans and masks of a study: every file of every included patient, and what lies in the folder besides."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pandas as pd

from her2study.cohort.checks.dates import TIMES
from her2study.cohort.findings import join
from her2study.cohort.flow import UNFIT
from her2study.imaging.fitness import judge_all
from her2study.imaging.fitness_findings import folder_findings, header_findings, repeated_scans, unfit_findings
from her2study.imaging.fitness_patient import Judged
from her2study.imaging.volume_store import file_hashes
from her2study.pipeline.validate_table import TableChecked
from her2study.store import file_hash
from her2study.study import Study


class ImagesChecked(NamedTuple):
    """Findings, the rows whose scans are fit, everybody who left, and of how many patients scans were read."""

    findings: pd.DataFrame
    rows: pd.DataFrame
    excluded: pd.DataFrame
    scans_of: int | None


def check_images(
    study: Study, source: Path, table: TableChecked, workers: int, store: Path | None = None
) -> ImagesChecked:
    """Read every scan and mask of the included patients, once; what was found is kept in ``store``."""
    column, rows = study.source.patient_column, table.included
    layout = folder_findings(source, table.patients)
    present = (source / "images").is_dir() and (source / "segmentations").is_dir()
    if not present or rows.empty:
        return ImagesChecked(layout, rows, table.excluded, None)
    named = rows[rows[column].notna() & ~rows[column].fillna("").str.contains(r"[/\\]", regex=True)]
    cohort = pd.DataFrame({"patient_id": named[column], **({TIMES: named[TIMES]} if TIMES in named else {})})
    judged = judge_all(cohort.drop_duplicates("patient_id"), source, workers, store)
    hashes = _first_scans(judged, source, store)
    found = [layout, unfit_findings(judged, source), header_findings(judged), repeated_scans(hashes)]
    unfit = {patient.patient_id: patient.findings[0].reason for patient in judged if patient.findings}
    gone = rows[rows[column].isin(list(unfit))]
    left = gone.reindex(columns=[column, study.source.centre_column]).set_axis(["patient_id", "centre"], axis=1)
    left = left.assign(reason=UNFIT + left["patient_id"].map(unfit).astype("str"))
    excluded = pd.concat([table.excluded, left.sort_values(["reason", "patient_id"])], ignore_index=True)
    return ImagesChecked(join(found), rows.drop(gone.index), excluded, len(judged))


def _first_scans(judged: list[Judged], source: Path, store: Path | None) -> dict[str, str]:
    """Content of each patient's scan before contrast."""
    files = {p.patient_id: source / "images" / p.patient_id / f"{p.patient_id}_0000.nii.gz" for p in judged}
    files = {patient: path for patient, path in files.items() if path.is_file()}
    paths = list(files.values())
    hashes = file_hashes(store, paths) if store is not None else [file_hash(path) for path in paths]
    return dict(zip(files, hashes, strict=True))
