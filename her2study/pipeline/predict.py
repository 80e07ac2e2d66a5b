"""``her2study predict``: a frozen model's answer for each new patient, as tables and one page a patient."""

from __future__ import annotations

import json
import re
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from her2study.pipeline.console import say
from her2study.pipeline.folder import MANIFEST, check_replaceable, whole_folder
from her2study.progress import progress
from her2study.store import file_hash

if TYPE_CHECKING:  # torch and scipy take seconds, and a command must start at once
    import pandas as pd

    from her2study.explain.saliency.planes import Plane
    from her2study.models.apply import Applied
    from her2study.models.bundle import Bundle
    from her2study.reporting.patient_sheet import Content

MADE_BY = "her2study predict"

MAPS_AT_ONCE = 4
"""Patients whose Grad-CAM maps are made together."""


@dataclass(frozen=True)
class Request:
    """What is to be predicted, and where the answer goes; without ``pages`` there are tables alone."""

    bundle: Path
    data: Path
    out: Path
    table: str | None = None
    workers: int = 1
    pages: bool = True
    command: str = MADE_BY
    fingerprint: str | None = None


@dataclass(frozen=True)
class Predicted:
    """What was written: patients, those with flags, those whom some or no model of the bundle could score."""

    folder: Path
    model: str
    fingerprint: str
    patients: int
    flagged: int
    incomplete: int
    unscored: int


def predict(request: Request) -> Predicted:
    """Apply a bundle to the patients of a folder and write everything into a new one.

    Raises
    ------
    StudyError
        The bundle is none or was changed, the table lacks a predictor, or ``out`` holds somebody's files. Nothing is
        written then. A patient who cannot be scored is no error: her row says why.
    """
    check_replaceable(request.out, MADE_BY)
    from her2study.models.apply import read_new_patients, score_patients
    from her2study.models.bundle import read_bundle

    bundle = read_bundle(request.bundle, request.fingerprint)
    say(f"{bundle.title} (fingerprint {bundle.fingerprint[:16]})")
    new = read_new_patients(bundle, request.data, request.table)
    say(f"{len(new.table)} patients in {request.data}")
    with tempfile.TemporaryDirectory(prefix="her2study-") as cache:
        applied = score_patients(bundle, new, request.workers, Path(cache))
        with whole_folder(request.out, MADE_BY) as part:
            _write_tables(bundle, applied, new.findings, part)
            _write_pages(bundle, applied, part, request.pages)
            _write_manifest(bundle, part, request)
    done = _counted(bundle, applied, request.out)
    _tell(applied, done)
    return done


def file_names(patients: list[str]) -> list[str]:
    """A file name for each patient, without ending: letters of any script, digits, ``.``, ``-`` and ``_``; distinct
    also where capitals do not count."""
    taken: dict[str, int] = {}
    names = []
    for patient in patients:
        name = re.sub(r"[^\w.\-]+", "_", patient).strip("._") or "patient"
        count = taken[name.casefold()] = taken.get(name.casefold(), 0) + 1
        names.append(name if count == 1 else f"{name}~{count}")
    return names


def _write_tables(bundle: Bundle, applied: Applied, findings: pd.DataFrame, folder: Path) -> None:
    whose = "SIMULATED" if bundle.simulated else "real"
    tables = {
        "predictions": applied.scores.drop(columns="excluded"),
        "contributions": applied.contributions,
        "flags": applied.flags,
        "findings": findings,
    }
    for name, table in tables.items():
        # with a mark at its start, so that spreadsheets read names in any script
        table.assign(model_patients=whose).to_csv(folder / f"{name}.csv", index=False, encoding="utf-8-sig")


def _write_pages(bundle: Bundle, applied: Applied, folder: Path, pages: bool) -> None:
    """One PDF a patient, the overlay of each who has scans, and the list of all."""
    from her2study.reporting.patient_sheet import content_of, write_overlay, write_sheet
    from her2study.reporting.patient_sheet.index_page import index_page

    rows = applied.scores.to_dict("records")
    names = file_names([row["patient_id"] for row in rows])
    shown = _planes(bundle, applied) if pages else {}
    contents: dict[str, Content] = {}
    for name, row in progress(list(zip(names, rows, strict=True)), "pages", len(rows)):
        planes = shown.get(row["patient_id"], ())
        contents[name] = content_of(bundle, row, applied.contributions, applied.flags, planes)
        if pages:
            write_sheet(contents[name], folder / "patients" / f"{name}.pdf")
        if planes:
            write_overlay(contents[name], folder / "overlays" / f"{name}.png")
    (folder / "index.html").write_text(index_page(contents, pages), encoding="utf-8")


def _planes(bundle: Bundle, applied: Applied) -> dict[str, tuple[Plane, ...]]:
    """Wash-in and Grad-CAM of each patient with a D-score, in three planes."""
    scans = applied.scans
    if scans is None or not scans.patients:
        return {}
    from her2study.explain.saliency.gradcam import gradcam
    from her2study.explain.saliency.planes import planes
    from her2study.imaging.montage import shown_channel
    from her2study.models.network import with_mask

    if bundle.network is None or bundle.imaging is None:
        return {}
    networks, flips = bundle.networks(), bundle.network.average_flips
    shown = shown_channel(bundle.imaging.channels)
    found: dict[str, tuple[Plane, ...]] = {}
    for start in progress(range(0, len(scans.patients), MAPS_AT_ONCE), "maps", -(-len(scans.patients) // MAPS_AT_ONCE)):
        rows = list(range(start, min(start + MAPS_AT_ONCE, len(scans.patients))))
        channels, mask = scans.arrays(rows)
        heat = gradcam(networks, with_mask(channels, mask), flips).mean(axis=0)
        for place, row in enumerate(rows):
            image = channels[place, shown]
            found[scans.patients[row]] = planes(image, heat[place], mask[place], bundle.imaging.spacing_mm)
    return found


def _write_manifest(bundle: Bundle, folder: Path, request: Request) -> None:
    from her2study import __version__

    files = {
        path.relative_to(folder).as_posix(): file_hash(path) for path in sorted(folder.rglob("*")) if path.is_file()
    }
    manifest = {
        "made_by": MADE_BY, "command": request.command, "her2study": __version__, "bundle": bundle.name,
        "fingerprint": bundle.fingerprint, "files": files,
    }  # fmt: skip
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _counted(bundle: Bundle, applied: Applied, out: Path) -> Predicted:
    scores = applied.scores
    return Predicted(
        out,
        bundle.name,
        bundle.fingerprint,
        len(scores),
        int((scores["flags"] != "").sum()),
        int((scores["reason_unscored"] != "").sum()),
        int((scores["model"] == "").sum()),
    )


def _tell(applied: Applied, done: Predicted) -> None:
    answered = applied.scores.loc[applied.scores["model"] != "", "model"].value_counts()
    for model, n in answered.items():
        say(f"  {n} answered by the model {model!r}")
    if done.unscored:
        say(f"  {done.unscored} not scored by any model")
    reasons = applied.scores.loc[applied.scores["reason_unscored"] != "", "reason_unscored"]
    for reason, n in Counter(": ".join(reason.split(": ")[:2]) for reason in reasons).most_common():
        say(f"  {n} without some model: {reason}")
    if done.flagged:
        kinds = applied.flags.groupby("kind")["patient_id"].nunique().to_dict()
        say(f"  {done.flagged} flagged ({', '.join(f'{kind} {n}' for kind, n in kinds.items())}): see flags.csv")
    say(f"{done.folder / 'index.html'}")
