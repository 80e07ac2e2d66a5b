"""Apply a bundle where nothing but the package and its runtime dependencies is installed.

    python bench/empty_environment.py BUNDLE DATA [--centres C D] [--expect results/hong2025/predictions.parquet]

A new virtual environment gets ``dependencies`` of pyproject.toml, without the extras that studies and DICOM need, and
this package alone. There ``her2study predict`` scores the patients of DATA and ``her2study validate-external`` judges
them. With ``--expect`` the probabilities are compared with those of the study. It takes minutes, most of them to
install torch. Exit status 1: a difference, a package too many, or a command that failed.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).resolve().parent.parent

MODELS = {"combined": 1e-9, "clinical": 1e-9, "dscore": 1e-5}
"""How far a probability may be from the study's."""

PACKAGE = ("her2study", "pyproject.toml", "README.md", "LICENSE")
"""What is installed from: a copy, so that no build leaves anything in the repository."""


def main() -> int:
    options = _options()
    work = options.work or Path(tempfile.mkdtemp(prefix="her2study-empty-"))
    work.mkdir(parents=True, exist_ok=True)
    project = tomllib.loads((options.project / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    print(f"{len(project['dependencies'])} runtime dependencies, in {work / 'venv'}", flush=True)
    python = make_environment(work, options.project, project["dependencies"])
    extras = [text for named in project["optional-dependencies"].values() for text in named]
    too_many = installed(python) & {_name(text) for text in extras} - {project["name"]}
    failed = [f"{name} is installed and should not be needed" for name in sorted(too_many)]

    bundle, data, out = options.bundle.resolve(), options.data.resolve(), work / "out"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    commands = {
        "predict": ["predict", str(bundle), str(data), "--no-pages"],
        "validate-external": ["validate-external", str(bundle), str(data), "--resamples", "50"],
    }
    if options.centres:
        commands["validate-external"] += ["--centres", *options.centres]
    for name, arguments in commands.items():
        done = _run([python, "-I", "-m", "her2study.cli", *arguments, "--out", str(out / name)], work)
        print(f"{name}: exit status {done.returncode}", flush=True)
        if done.returncode not in (0, 1):  # 1: done, with flags to look at
            failed.append(f"{name} failed:\n{done.stderr}")
    scored = out / "predict" / "predictions.csv"
    if options.expect and scored.is_file():
        failed += differences(pd.read_csv(scored, dtype={"patient_id": "str"}), pd.read_parquet(options.expect))
    for line in failed:
        print(f"error: {line}", file=sys.stderr)
    return 1 if failed else 0


def make_environment(work: Path, project: Path, dependencies: list[str]) -> str:
    """A virtual environment with the dependencies and the package; one that is there is used again."""
    python = str(work / "venv" / "bin" / "python")
    if not Path(python).exists():
        subprocess.run([sys.executable, "-m", "venv", str(work / "venv")], check=True)
    source = work / "source"
    shutil.rmtree(source, ignore_errors=True)
    source.mkdir()
    for name in PACKAGE:
        place = project / name
        if place.is_dir():
            shutil.copytree(place, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(place, source / name)
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *dependencies], check=True)
    subprocess.run([*pip, "--no-deps", "--force-reinstall", str(source)], check=True)
    return python


def installed(python: str) -> set[str]:
    """Names of the packages of an environment."""
    listed = subprocess.run(
        [python, "-m", "pip", "list", "--format=freeze"], capture_output=True, text=True, check=True
    )
    return {_name(line) for line in listed.stdout.splitlines()}


def differences(scores: pd.DataFrame, study: pd.DataFrame) -> list[str]:
    """Models whose probabilities are further from the study's than they may be; external patients only."""
    external = study[study["split"] == "external"]
    found = []
    for model, most in MODELS.items():
        own = external[external["model"] == model].set_index("patient_id")["probability"]
        if model not in scores or own.empty:
            continue
        both = pd.concat([own, scores.set_index("patient_id")[model].rename("here")], axis=1, join="inner")
        furthest = (both["probability"] - both["here"]).abs().max()
        print(f"{model}: {len(both)} external patients, largest difference {furthest:.1e}", flush=True)
        if len(both) < len(own) or not furthest <= most:
            found.append(f"{model}: {len(both)} of {len(own)} patients, differs by {furthest:.1e}, at most {most:g}")
    return found


def _name(text: str) -> str:
    """The name in a requirement, as pip spells it."""
    for mark in "[;=<>~ @":
        text = text.partition(mark)[0]
    return text.strip().lower().replace("_", "-")


def _run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path, help="what `her2study freeze` wrote")
    parser.add_argument("data", type=Path, help="patients with outcomes")
    parser.add_argument("--centres", nargs="+", default=[], help="those who judge (all)")
    parser.add_argument("--expect", type=Path, help="predictions.parquet of the study")
    parser.add_argument("--work", type=Path, help="folder to work in; its environment is used again (a new one)")
    parser.add_argument("--project", type=Path, default=ROOT, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
