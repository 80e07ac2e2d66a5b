"""The tables and the page that say what an import did: chosen and why, left out, open to a person, left behind."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from her2study.cohort.dicom.choices import SETTINGS
from her2study.cohort.dicom.facts import FACTS
from her2study.cohort.dicom.identifying import PRIVATE
from her2study.cohort.dicom.patient import IMPORTED, Record
from her2study.store import write_atomically

SERIES_COLUMNS = (
    "patient_id", "series", "used", "left_out_because", "files", "images", "slice_places", "images_a_place", "rows",
    "columns", "in_plane_spacing_mm", "slice_step_mm", "view", "echo_time_ms", "repetition_time_ms",
    "flip_angle_degrees", "marked_derived",
)  # fmt: skip

PHASE_COLUMNS = (
    "patient_id", "phase", "series", "seconds", "files", "slices", "phases_told_apart_by", "seconds_from",
)  # fmt: skip

LISTED = 200
"""So many lines of one kind stand on the page; the table has all."""


def write_report(dest: Path, records: Sequence[Record], skipped: Mapping[str, int]) -> None:
    """Write every table of the import and its page; each appears whole."""
    records = sorted(records, key=lambda record: (len(record.patient_id), record.patient_id))
    done = [record for record in records if record.status == IMPORTED]
    tables = {
        "patients.csv": (
            ("patient_id", *FACTS),
            [{"patient_id": r.patient_id, **r.facts} for r in done],
        ),
        "import_mapping.csv": (PHASE_COLUMNS, [{"patient_id": r.patient_id, **p} for r in done for p in r.phases]),
        "import_series.csv": (SERIES_COLUMNS, [{"patient_id": r.patient_id, **s} for r in records for s in r.series]),
        "import_report.csv": (("patient_id", "status", "topic", "text", "mend"), _report_rows(records)),
        "import_choices.csv": (("patient_id", "setting", "value", "chosen_by_rule", "why"), _open_choices(records)),
    }
    for name, (columns, rows) in tables.items():
        _write_text(dest / name, _table(columns, rows))
    _write_text(dest / "import_report.md", page(records, skipped))


def page(records: Sequence[Record], skipped: Mapping[str, int]) -> str:
    """The import on one page of Markdown."""
    done = [record for record in records if record.status == IMPORTED]
    without = [record for record in done if not any("segmentations" in name for name in record.files)]
    lines = [
        "# Import of DICOM files",
        "",
        f"{len(done)} of {len(records)} patients were imported, {len(done) - len(without)} of them with a lesion mask.",
        "Patients have study pseudonyms, and series are spoken of by running number (`import_series.csv`). The key",
        "that leads back to people lies outside this folder.",
        "",
        "To use the folder: put your clinical table here as `clinical.csv` with a column `patient_id` that holds the",
        "pseudonyms (look them up in the key), write under `source:` in study.yml `kind: folder`,",
        "`table: clinical.csv` and `joins: [patients.csv]`, and name this folder with `--data`. `patients.csv` holds",
        "the phase times.",
        "",
    ]
    lines += _section(
        "Patients that could not be imported",
        ["patient", "why", "what to do"],
        [[r.patient_id, r.reason, r.mend] for r in records if r.status != IMPORTED],
        "None.",
    )
    lines += _section(
        "Decisions that you may want to change",
        ["patient", "what was decided or noticed", "setting"],
        [[r.patient_id, f["text"], f["setting"]] for r in records for f in r.findings if f["setting"]],
        "None: nothing was ambiguous.",
    )
    lines += [
        "To decide otherwise, fill the column `value` of `import_choices.csv`, save it elsewhere and run the same",
        "command with `--choices FILE`. Settings:",
        "",
        *(f"- `{name}`: {meaning}" for name, meaning in SETTINGS.items()),
        "",
    ]
    lines += _section(
        "Other remarks",
        ["patient", "topic", "remark"],
        [[r.patient_id, f["topic"], f["text"]] for r in records for f in r.findings if not f["setting"]],
        "None.",
    )
    lines += _section(
        "Files that were not used",
        ["why", "files"],
        [[reason, f"{count:,}"] for reason, count in sorted(skipped.items())],
        "None.",
    )
    lines += [
        "## How the choices were made",
        "",
        "- Phases of one series are told apart by the first of these marks that gives every phase each slice once:",
        "  temporal position, trigger time, acquisition time, temporal offset, acquisition number, one file a phase,",
        "  content time; last the order of instance numbers, with a remark.",
        "- Series of one protocol and place are phases of one scan if each holds a volume.",
        "- Seconds count from the start of the first phase, by the first of these that grows from phase to phase by at",
        "  least a second: acquisition time (with its date, unwrapped at midnight), trigger time, temporal offset,",
        "  content time, series time.",
        "- Slices are ordered by their position. Nothing is interpolated.",
        "",
        "## What was left behind",
        "",
        "Voxels, their place, time differences and a few protocol numbers were taken over; nothing else of any header",
        "was. These attributes, which can identify a person, had values in the files and were dropped:",
        "",
    ]
    return "\n".join(lines + _left_behind(records)) + "\n"


def _left_behind(records: Sequence[Record]) -> list[str]:
    files: Counter[str] = Counter()
    patients: Counter[str] = Counter()
    for record in records:
        files.update(record.identifying)
        patients.update(record.identifying.keys())
    order = sorted(files, key=lambda name: (name == PRIVATE, name))
    rows = [[name, f"{files[name]:,}", f"{patients[name]:,}"] for name in order]
    return _rows(["attribute", "files", "patients"], rows) if rows else ["None."]


def _report_rows(records: Sequence[Record]) -> list[dict[str, str]]:
    rows = []
    for record in records:
        base = {"patient_id": record.patient_id, "status": record.status}
        rows.append({**base, "topic": "outcome", "text": record.reason or "imported", "mend": record.mend})
        for finding in record.findings:
            mend = f"{finding['setting']} in the choices" if finding["setting"] else ""
            rows.append({**base, "topic": finding["topic"], "text": finding["text"], "mend": mend})
        for name, count in sorted(record.identifying.items()):
            rows.append({**base, "topic": "dropped", "text": f"{name}: {count} files", "mend": ""})
    return rows


def _open_choices(records: Sequence[Record]) -> list[dict[str, str]]:
    rows = []
    for record in records:
        if record.status != IMPORTED:
            rows.append({"patient_id": record.patient_id, "setting": "series", "why": record.reason})
        for finding in record.findings:
            if finding["setting"]:
                row = {"setting": finding["setting"], "chosen_by_rule": finding["value"], "why": finding["text"]}
                rows.append({"patient_id": record.patient_id, **row})
    return rows


def _section(title: str, columns: list[str], rows: list[list[str]], nothing: str) -> list[str]:
    body = _rows(columns, rows[:LISTED]) if rows else [nothing]
    if len(rows) > LISTED:
        body += ["", f"and {len(rows) - LISTED:,} more in the tables"]
    return [f"## {title}", "", *body, ""]


def _rows(columns: list[str], rows: list[list[str]]) -> list[str]:
    lines = [columns, ["---"] * len(columns), *rows]
    return ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines]


def _table(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    text = io.StringIO()
    table = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    table.writeheader()
    table.writerows({name: "" if value is None else value for name, value in row.items()} for row in rows)
    return text.getvalue()


def _write_text(path: Path, text: str) -> None:
    write_atomically(path, lambda part: part.write_text(text, encoding="utf-8"))
