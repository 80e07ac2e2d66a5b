"""What a finished chain leaves and says: the manifest, headline numbers, minutes, where to look."""

from __future__ import annotations

import importlib.metadata
import json
import platform
import sys
from typing import Any

import her2study
from her2study.pipeline.console import clock
from her2study.pipeline.graph import Chain
from her2study.pipeline.records import load_record
from her2study.store import write_atomically

PER_STEP = (
    "started",
    "duration_seconds",
    "peak_memory_mb",
    "parameters",
    "settings",
    "study_files",
    "notebook",
    "code",
)


def write_manifest(chain: Chain) -> None:
    """Gather the records into ``manifest.json``: who made which file, from what, with what."""
    records = {name: load_record(chain, name) or {} for name in chain.nodes}
    installed = {item.metadata["Name"]: item.version for item in importlib.metadata.distributions()}
    manifest: dict[str, Any] = {
        "study": chain.study.name,
        "profile": chain.study.profile,
        "seed": chain.study.seed,
        "patients": "SIMULATED" if chain.run.simulated else "real",
        "her2study": her2study.__version__,
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "packages": dict(sorted(installed.items(), key=lambda item: item[0].lower())),
        "steps": {
            name: {key: record.get(key) for key in PER_STEP}
            | {"read": _hashes(record.get("read", {})), "source_files": len(record.get("source", {}))}
            for name, record in records.items()
        },
        "artefacts": {
            path: {"made_by": name, "sha256": digest}
            for name, record in records.items()
            for path, digest in _hashes(record.get("written", {})).items()
        },
    }
    text = json.dumps(manifest, indent=1) + "\n"
    write_atomically(chain.run.folder / "manifest.json", lambda path: path.write_text(text, encoding="utf-8"))


def summary_lines(chain: Chain, seconds: float) -> list[str]:
    """Headline numbers (as notebook 11 worded them), minutes per step, where to look."""
    folder = chain.run.folder
    whose = "simulated patients: they test the method, not medicine" if chain.run.simulated else "real patients"
    lines = ["", f"Headline numbers ({whose})"]
    headlines = folder / "headlines.json"
    if headlines.is_file():
        lines += [f"  {line}" for line in json.loads(headlines.read_text(encoding="utf-8"))]
    lines += ["", "Time per step (of its last run)"]
    times = {name: (load_record(chain, name) or {}).get("duration_seconds", 0.0) for name in chain.nodes}
    lines += [f"  {chain.nodes[name].label:<20}{clock(spent):>8}" for name, spent in times.items()]
    lines += [f"  {'all steps':<20}{clock(sum(times.values())):>8}", f"  {'this command':<20}{clock(seconds):>8}"]
    places = {
        "report": "open index.html: the whole study as pages, with search and downloads",
        "tables": f"{_count(chain, 'tables', '.csv')} tables (csv, docx, tex)",
        "figures": f"{_count(chain, 'figures', '.png')} figures (pdf, svg, png, tiff)",
        "notebooks": "the executed notebooks: start with 11_claims.ipynb",
        "manifest.json": "what every file was made from",
    }
    return [*lines, "", f"Where to look: {folder}", *(f"  {name:<16}{what}" for name, what in places.items())]


def _count(chain: Chain, folder: str, suffix: str) -> int:
    return len(list((chain.run.folder / folder).glob(f"*{suffix}")))


def _hashes(files: dict[str, dict]) -> dict[str, str]:
    return {path: known["sha256"] for path, known in files.items() if "sha256" in known}
