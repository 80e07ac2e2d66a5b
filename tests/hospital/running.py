"""The command line as a hospital uses it, in this process: a study's folder, a data folder, a status, findings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pytest

from her2study.cli import main
from tests.hospital.judge import read_findings
from tests.hospital.ward import write_study
from tests.tiny import ROOT


class Place(NamedTuple):
    """A hospital's working folder: ``papers/``, ``results/`` and one or more folders of data."""

    root: Path

    def study(self, settings: dict[str, Any], mending: dict[str, Any] | None = None) -> str:
        """Write a study; its name."""
        write_study(self.root / "papers", settings, mending)
        return settings["name"]

    def call(self, *arguments: str | Path) -> int:
        """One command; its exit status."""
        with pytest.MonkeyPatch.context() as patch:
            for name in ("PAPERS", "RESULTS"):
                patch.setenv(f"HER2STUDY_{name}", str(self.root / name.lower()))
            patch.setenv("HER2STUDY_NOTEBOOKS", str(ROOT / "notebooks"))
            patch.setenv("OMP_NUM_THREADS", "1")
            return main([str(argument) for argument in arguments])

    def validate(self, study: str, data: Path, *more: str) -> tuple[int, pd.DataFrame]:
        """``her2study validate``: its exit status and findings.csv."""
        status = self.call("validate", study, "--data", data, *more)
        return status, read_findings(self.root / "results", study)

    def files(self, folder: str) -> Sequence[str]:
        """Everything below a folder, to see that nothing was written."""
        return sorted(str(path.relative_to(self.root)) for path in (self.root / folder).rglob("*") if path.is_file())
