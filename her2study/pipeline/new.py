"""Start a study: read a hospital's table, propose every setting, write ``papers/<name>/``; the table stays as it is."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from her2study.pipeline.console import say
from her2study.pipeline.folder import replaced_folder
from her2study.study import load_study, papers_folder
from her2study.types import StudyError

NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


@dataclass(frozen=True)
class Request:
    """What the user asks for; ``data`` is the folder of the patients, that of the table if not given."""

    name: str
    table: Path
    sheet: str | None = None
    joins: tuple[str, ...] = ()
    outcome: str | None = None
    centre: str | None = None
    data: Path | None = None
    command: str = "her2study new"


def new_study(request: Request) -> dict[str, Any]:
    """Write the study and say what was decided.

    Returns
    -------
    dict
        ``folder``, ``files``, ``patients``, ``positives``, ``negatives``, ``columns`` (one entry each), ``questions``.

    Raises
    ------
    StudyError
        The study exists, its name is none, a table cannot be read, patients or outcome cannot be found.
    """
    from her2study.cohort.mending import load_mending
    from her2study.cohort.proposals import propose, study_files
    from her2study.cohort.simulate import MARKER

    folder = _free(request.name)
    data, table, joins = _places(request)
    sheet, legend, notes = _read(table, request.sheet)
    joined = [_read_joined(path, sheet.reading) for path in joins]
    images = _images(data)
    simulated = (data / MARKER).is_file()
    proposal = propose(sheet, joined, legend, images, request.outcome, request.centre, simulated)
    shown = min(os.path.relpath(data), str(data), key=len)
    _check_joins(proposal, joined, sheet.reading)
    notes = _without_names(notes, proposal)
    told = [_sentence(row) for row in notes.to_dict("records")]
    files = study_files(request.name, proposal, request.command, shown, told)
    with replaced_folder(folder) as part:
        for name, text in files.items():
            (part / name).write_text(text, encoding="utf-8")
        for profile in ("full", "smoke"):  # what is written can be read
            load_study(part.name, profile)
        load_mending(part / "mending.yml")
    _tell(request.name, proposal, folder, shown, notes)
    return _facts(proposal, folder, list(files), notes)


def _free(name: str) -> Path:
    """The folder of a study that does not exist yet."""
    if not NAME.fullmatch(name):
        raise StudyError(
            f"{name!r} cannot be the name of a study; use small letters, digits, - and _, such as my-study"
        )
    folder = papers_folder() / name
    if folder.exists():
        raise StudyError(f"{folder} exists, and nothing is overwritten; choose another name, or move it away")
    return folder


def _places(request: Request) -> tuple[Path, Path, list[Path]]:
    """The folder of the data, the table and its joins, all of which must be inside that folder."""
    beside = request.data or request.table.parent
    if not beside.is_dir():
        raise StudyError(f"--data: the folder {beside} does not exist")
    data = beside.resolve()

    def found(path: Path, option: str) -> Path:
        for place in (path, beside / path):
            if place.is_file():
                break
        else:
            raise StudyError(f"{option}: {path} does not exist, neither here nor in {beside}")
        if place.resolve().parent != data:
            raise StudyError(f"{option}: {path} is not in the folder of the data, {beside}; put all tables there")
        return place.resolve()

    return data, found(request.table, "--table"), [found(Path(name), "--join") for name in request.joins]


def _read(path: Path, named: str | None) -> tuple[Any, Mapping[str, Any], Any]:
    """The table, what a legend on another sheet says of its columns, and findings about the file."""
    from her2study.cohort.proposals import read_legend
    from her2study.cohort.tables import read_sheet, sniff
    from her2study.cohort.tables.workbook import Book

    name, reading, notes = sniff(path, named)
    sheet = read_sheet(path, name, reading)
    legend: Mapping[str, Any] = {}
    if path.suffix in (".xlsx", ".xlsm"):
        with Book(path) as book:
            others = [other for other in book.visible if other != name]
            grids = [book.grid(other).cells for other in others]
        found = [read_legend(cells, list(sheet.cells)) for cells in grids if len(cells)]
        legend = max(found, key=len, default={})
    return sheet, legend, notes


def _read_joined(path: Path, reading: Any) -> Any:
    """A further table as the study will read it (with the main table's signs), or else as it is written."""
    from her2study.cohort.tables import read_sheet, sniff

    try:
        sheet = read_sheet(path, None, reading.model_copy(update={"header_row": 1, "header_rows": 1}))
    except StudyError:
        sheet = None
    if sheet is None or sheet.cells.shape[1] < 2:
        name, own, _ = sniff(path)
        sheet = read_sheet(path, name, own)
    return sheet


def _check_joins(proposal: Any, joined: list[Any], reading: Any) -> None:
    """Insist that what is joined is written like the main table; features and scores may be written otherwise."""
    for sheet in joined:
        signs = [(r.encoding, r.delimiter, r.decimal) for r in (sheet.reading, reading)]
        if sheet.path.name in proposal.joins and signs[0] != signs[1] and sheet.path.suffix == ".csv":
            said = " and ".join(f"{encoding} with {delimiter!r}" for encoding, delimiter, _ in signs)
            raise StudyError(f"{sheet.path}: is written otherwise than the main table ({said}); save both alike")


def _images(data: Path) -> list[str] | None:
    """Names of the folders of scans, if there are any."""
    folder = data / "images"
    return sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else None


def _tell(name: str, proposal: Any, folder: Path, data: str, notes: Any) -> None:
    """What was found and what to do next, on one screen."""
    n = {use: len(proposal.by_use(use)) for use in ("variable", "identifying", "leak")}
    candidates = [c for c in proposal.by_use("variable") if c.variable.get("candidate")]
    candidates += [d for d in proposal.derived if d.variable.get("candidate")]
    centres = proposal.design.centres
    without = proposal.patients - proposal.positives - proposal.negatives
    say(f"{proposal.sheet.path.name}: {proposal.patients:,} patients, {len(proposal.columns)} columns")
    label = proposal.outcome.settings["label"]
    say(f"  outcome    {label}: {proposal.positives:,} yes, {proposal.negatives:,} no, {without:,} unknown")
    say(f"  centres    development {', '.join(centres['development'])}; external "
        f"{', '.join(centres['external']) or 'none'}")  # fmt: skip
    say(f"  variables  {n['variable'] + len(proposal.derived)}, of which {len(candidates)} may enter models")
    say(f"  left out   {n['leak']} that tell the outcome, {n['identifying']} that name patients, "
        f"{len(proposal.by_use('text', 'scan', 'unused'))} others")  # fmt: skip
    if proposal.images is not None:
        say(f"  images     {len(proposal.images):,} folders, {proposal.with_images:,} of them patients of the table")
    if proposal.simulated:
        say("  SIMULATED  the folder holds simulated patients: every page of the study will say so")
    for column in proposal.by_use("identifying")[:5]:
        say(f"             {column.column}: {column.why}")
    for row in notes[notes["severity"] != "note"].head(10).to_dict("records"):
        say(f"  {_sentence(row)}")
    if proposal.doubts:
        say(f"  questions  {len(proposal.doubts)}, marked '# ?' in study.yml:")
        for column, words in proposal.doubts[:8]:
            say(f"             {column}: {words}")
        if len(proposal.doubts) > 8:
            say(f"             and {len(proposal.doubts) - 8} more: see codebook.md")
    say(f"written: {folder}")
    say(f"next: read {folder / 'study.yml'}, then  her2study validate {name} --data {data}")


def _without_names(notes: Any, proposal: Any) -> Any:
    """The findings without the cells of columns that may name a patient."""
    from her2study.cohort.proposals.described import PRIVATE

    private = {column.column for column in proposal.by_use(*PRIVATE)}
    return notes.assign(value=notes["value"].mask(notes["column"].isin(private), ""))


def _sentence(row: Mapping[str, Any]) -> str:
    """A finding on one line: ``warning: row 17, Age (years), '#REF!': the cell holds ...; mend ...``."""
    parts = [f"row {row['row']}"] if pd.notna(row["row"]) else []
    parts += [str(row["column"])] if row["column"] else []
    parts += [repr(row["value"])] if row["value"] else []
    place = f"{', '.join(parts)}: " if parts else ""
    return f"{row['severity']}: {place}{row['rule']}" + (f"; {row['mend']}" if row["mend"] else "")


def _facts(proposal: Any, folder: Path, files: list[str], notes: Any) -> dict[str, Any]:
    """What ``--json`` prints."""
    columns = [
        {
            "column": c.column,
            "file": c.file,
            "use": c.use,
            "variable": c.name or None,
            "type": c.variable.get("type"),
            "unit": c.variable.get("unit"),
            "role": c.variable.get("role"),
            "candidate": bool(c.variable.get("candidate")) if c.use == "variable" else False,
            "known": round(c.share_known, 4),
            "why": c.why,
            "questions": list(c.doubts),
        }
        for c in proposal.columns
    ]
    return {
        "folder": str(folder),
        "files": files,
        "patients": proposal.patients,
        "positives": proposal.positives,
        "negatives": proposal.negatives,
        "with_images": proposal.with_images,
        "columns": columns,
        "questions": [{"about": about, "question": words} for about, words in proposal.doubts],
        "notes": notes.astype({"row": "object"}).where(notes.notna(), None).to_dict("records"),
    }
