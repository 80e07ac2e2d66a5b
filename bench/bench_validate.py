"""Validating a table beside frictionless, the usual command for this, in one run: ``make bench``.

The same table with the same planted mistakes; both start from the command line and write all they found. frictionless
knows types, levels, ranges and a key; what else ``her2study validate`` says (leaks, units, missing centres, splits,
sample size, the page) is ours alone and counted in our time.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

ROOT = Path(__file__).resolve().parent.parent
PEERS = Path(os.environ.get("HER2STUDY_PEERS", ROOT / "build" / "peers" / "bin" / "python"))
SIZES = (100_000, 1_000_000)
MISTAKES = 200
"""Of each of four kinds."""


def main() -> None:
    """Print speed and what each found."""
    for rows in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            print(compared(Path(folder), rows), flush=True)


def compared(place: Path, rows: int) -> str:
    """One size, in a sentence."""
    make_table(place / "data" / "clinical.csv", rows)
    make_study(place / "papers" / "large")
    command = [sys.executable, "-m", "her2study.cli", "validate", "large", "--data", place / "data"]
    folders = {"HER2STUDY_PAPERS": place / "papers", "HER2STUDY_RESULTS": place / "results"}
    ours, _ = timed(command, **folders)
    found = pd.read_csv(place / "results" / "large" / "validation" / "findings.csv")
    make_schema(place / "data" / "schema.json")
    command = [PEERS, "-m", "frictionless", "validate", "clinical.csv", "--schema", "schema.json"]
    theirs, report = timed([*command, "--limit-errors", "100000", "--json"], cwd=place / "data")
    listed = json.loads(report)["tasks"][0]["errors"]
    return (
        f"validating {rows:,} rows with {4 * MISTAKES} mistakes, v. frictionless: {ours[0]:.1f} v. {theirs[0]:.1f} s, "
        f"{theirs[0] / ours[0]:.1f} times as fast (in processor time {theirs[1] / ours[1]:.1f} times); errors found "
        f"{(found['severity'] == 'error').sum()} v. {len(listed)}"
    )


def make_table(path: Path, n: int) -> None:
    """A table of text with repeated patients, numbers that are none, unknown levels and centres."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "patient_id": [f"P{i:06d}" for i in range(n)],
            "centre": rng.choice(["A", "B", "C"], n),
            "her2": rng.choice(["positive", "negative"], n),
            "age_years": rng.normal(54, 9, n).round(1).astype("str"),
            "shape": rng.choice(["oval", "round", "irregular"], n),
            **{f"size_{i}_mm": rng.lognormal(3, 0.4, n).round(1) for i in range(7)},
        }
    )
    rows = rng.choice(np.arange(1, n), 4 * MISTAKES, replace=False).reshape(4, MISTAKES)
    table.loc[rows[0], "patient_id"] = table["patient_id"].to_numpy()[rows[0] - 1]
    table.loc[rows[1], "age_years"] = "sixty"
    table.loc[rows[2], "shape"] = "oblong"
    table.loc[rows[3], "centre"] = "Z"
    path.parent.mkdir()
    table.to_csv(path, index=False)


def make_study(folder: Path) -> None:
    """The settings that say so."""
    settings = yaml.safe_load((ROOT / "papers" / "mamamia" / "study.yml").read_text(encoding="utf-8"))
    number = {"type": "continuous", "role": "clinical"}
    variables = {
        "age_years": number | {"label": "Age", "plausible": [18, 100]},
        "shape": {
            "type": "categorical",
            "levels": ["oval", "round", "irregular"],
            "label": "Shape",
            "role": "clinical",
        },
        **{f"size_{i}_mm": number | {"label": f"Size {i}"} for i in range(7)},
    }
    settings |= {"name": "large", "variables": variables, "source": {"kind": "folder", "table": "clinical.csv"}}
    settings |= {"centres": {"development": ["A", "B"], "external": ["C"]}, "exclusions": [], "profiles": {}}
    settings["statistics"] |= {"subgroups": ["centre"], "comparisons": []}
    folder.mkdir(parents=True)
    (folder / "study.yml").write_text(yaml.safe_dump(settings), encoding="utf-8")


def make_schema(path: Path) -> None:
    """The same rules for frictionless."""
    sizes = [{"name": f"size_{i}_mm", "type": "number"} for i in range(7)]
    fields = [
        {"name": "patient_id", "type": "string", "constraints": {"required": True, "unique": True}},
        {"name": "centre", "type": "string", "constraints": {"enum": ["A", "B", "C"]}},
        {"name": "her2", "type": "string", "constraints": {"enum": ["positive", "negative"]}},
        {"name": "age_years", "type": "number", "constraints": {"minimum": 18, "maximum": 100}},
        {"name": "shape", "type": "string", "constraints": {"enum": ["oval", "round", "irregular"]}},
    ]
    path.write_text(json.dumps({"fields": fields + sizes}), encoding="utf-8")


def timed(command: list, cwd: Path | None = None, **environment: Path) -> tuple[tuple[float, float], str]:
    """Seconds and processor seconds of a command that exits with findings, and what it printed."""
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    settings = {**os.environ, **{name: str(value) for name, value in environment.items()}}
    done = subprocess.run(list(map(str, command)), cwd=cwd, env=settings, capture_output=True, text=True, check=False)
    if done.returncode != 1:
        raise RuntimeError(f"{command[2:5]} found nothing: {done.stderr[-500:]}")
    seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return (seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime), done.stdout


if __name__ == "__main__":
    main()
