"""What a report is made from: plain frames, values and paths, and who made which of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd


@dataclass(frozen=True)
class Step:
    """One step of the chain, as its record tells; ``notebook`` is the executed one, if it is there."""

    name: str
    label: str
    notebook: Path | None = None
    started: str = ""
    seconds: float = 0.0
    memory_mb: int = 0
    packages: Mapping[str, str] = field(default_factory=dict)
    code: Mapping[str, str] = field(default_factory=dict)
    written: Sequence[str] = ()
    source_files: int = 0


@dataclass(frozen=True)
class Content:
    """A study and its results; whatever does not exist is left out, and no page assumes that anything does.

    Parameters
    ----------
    settings : mapping
        ``study.yml`` of the profile, as plain values.
    tables, figures : mapping
        Stored frames by name; drawn figures lie in ``figures_folder`` as ``<name>.svg``, ``.pdf`` and ``.png``, and
        printed tables may lie in ``tables_folder`` as ``<name>.docx`` and ``.tex``.
    numbers, headlines : mapping, sequence
        Numbers by name and the lines that end a run.
    frozen : mapping
        Frozen logistic models by name, for the calculator and the model card.
    results, study_folder : Path or None
        Where checklists look for what answers them.
    """

    settings: Mapping[str, Any]
    profile: str
    simulated: bool
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    figures: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    figures_folder: Path | None = None
    tables_folder: Path | None = None
    steps: Sequence[Step] = ()
    numbers: Mapping[str, Any] = field(default_factory=dict)
    headlines: Sequence[str] = ()
    frozen: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    results: Path | None = None
    study_folder: Path | None = None
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def confidence(self) -> float:
        """Of every interval."""
        return self.settings.get("statistics", {}).get("confidence", 0.95)

    @property
    def outcome(self) -> str:
        """What label 1 means, in print."""
        return self.settings.get("outcome", {}).get("label", "positive")

    def maker(self, path: str) -> str:
        """Name of the step that wrote an artefact, empty if none says so."""
        return next((step.name for step in self.steps if path in step.written), "")
