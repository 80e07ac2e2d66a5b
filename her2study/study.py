"""Study: the validated, frozen settings of one study, read from ``papers/<study>/study.yml``.

Its sections are defined in :mod:`her2study.sections` and imported from here.
"""

from __future__ import annotations

import difflib
import os
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, ValidationError, model_validator

from her2study.sections import (
    Baselines,
    Centres,
    Clinical,
    Exclusion,
    Her2,
    Imaging,
    Network,
    Outcome,
    Paper,
    Radiomics,
    Reading,
    Rows,
    Section,
    Simulation,
    Source,
    Split,
    Statistics,
    Variable,
)
from her2study.types import StudyError

__all__ = [
    "Baselines", "Centres", "Clinical", "Exclusion", "Her2", "Imaging", "Network", "Outcome", "Paper", "Radiomics",
    "Reading", "Rows", "Section", "Simulation", "Source", "Split", "Statistics", "Study", "Variable", "load_study",
    "nearest", "papers_folder",
]  # fmt: skip


class Study(Section):
    """Everything that a study is, before a patient is read."""

    name: str
    title: str
    paper: Paper | None = Field(None, description="none: the study tests no publication")
    seed: int
    source: Source
    outcome: Outcome
    centres: Centres
    exclusions: tuple[Exclusion, ...] = ()
    variables: dict[str, Variable]
    split: Split
    imaging: Imaging
    radiomics: Radiomics
    network: Network
    baselines: Baselines
    clinical: Clinical
    statistics: Statistics
    simulation: Simulation | None = None
    folder: Path = Field(exclude=True)
    profile: str = "full"

    @property
    def simulated(self) -> bool:
        """Whether the patients are simulated, which every page must then say."""
        return self.source.kind == "simulated"

    @cached_property
    def candidates(self) -> dict[str, Variable]:
        """Variables that may enter a model, in the order of the settings."""
        roles = self.clinical.candidate_roles
        return {name: v for name, v in self.variables.items() if v.candidate and v.role in roles}

    @model_validator(mode="after")
    def _consistent(self) -> Study:
        if self.simulated and self.simulation is None:
            raise ValueError("source.kind is 'simulated' but the section 'simulation' is missing")
        by_time = self.centres.external_by == "date" or (
            self.split.internal == "latest" and self.split.internal_fraction
        )
        if by_time and not self.source.date_column:
            raise ValueError("a split by date needs source.date_column: name the column with each patient's date")
        for name in self.statistics.subgroups:
            if name != "centre" and name not in self.variables:
                raise ValueError(
                    f"statistics.subgroups names {name!r}, which is not one of the variables"
                    + nearest(name, self.variables)
                )
        return self


def nearest(word: str, known: Any) -> str:
    """End a sentence with ``; did you mean 'x'?`` if a known word is close, else with a full stop."""
    close = difflib.get_close_matches(str(word), [str(k) for k in known], n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else "."


def papers_folder() -> Path:
    """The ``papers/`` folder: ``HER2STUDY_PAPERS``, else beside the package, else the current one."""
    if os.environ.get("HER2STUDY_PAPERS"):
        return Path(os.environ["HER2STUDY_PAPERS"])
    beside = Path(__file__).resolve().parent.parent / "papers"
    return beside if beside.is_dir() else Path.cwd() / "papers"


def load_study(name: str, profile: str = "full") -> Study:
    """Read and validate ``papers/<name>/study.yml`` with a profile's overrides applied.

    Raises
    ------
    StudyError
        Unknown study, profile or key, a value of the wrong type, a file that is not YAML.
    """
    papers = papers_folder()
    path = papers / name / "study.yml"
    if not path.is_file():
        known = sorted(p.parent.name for p in papers.glob("*/study.yml"))
        raise StudyError(
            f"unknown study {name!r}: {path} does not exist{nearest(name, known)} "
            f"Known studies: {', '.join(known) or 'none'}."
        )
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise StudyError(f"{path}: not valid YAML: {error}") from None
    if not isinstance(raw, dict):
        raise StudyError(f"{path}: must be a mapping of sections, found {type(raw).__name__}")
    profiles = {"full": {}, **(raw.pop("profiles", None) or {})}
    if profile not in profiles:
        raise StudyError(
            f"{path}: unknown profile {profile!r}{nearest(profile, profiles)} Known profiles: {', '.join(profiles)}."
        )
    merged = _merge(raw, profiles[profile] or {})
    try:
        return Study(**merged, folder=path.parent, profile=profile)
    except ValidationError as error:
        raise StudyError(f"{path} (profile {profile}): " + _explain(error)) from None


def _merge(base: dict, override: dict) -> dict:
    """Lay ``override`` over ``base``, section by section; lists are replaced whole."""
    merged = dict(base)
    for key, value in override.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merge(merged[key], value) if both else value
    return merged


def _explain(error: ValidationError) -> str:
    """All findings of pydantic as lines that name the key, the value and the mend."""
    lines = []
    for item in error.errors():
        where = ".".join(str(part) for part in item["loc"]) or "the whole file"
        if item["type"] == "extra_forbidden":
            known = _fields_at(item["loc"][:-1])
            lines.append(f"unknown key {where!r}{nearest(str(item['loc'][-1]), known)} Known here: {', '.join(known)}.")
        elif item["type"] == "missing":
            lines.append(f"the key {where!r} is missing; add it")
        else:
            value = "" if isinstance(item["input"], dict) else f" (found {item['input']!r})"
            lines.append(f"{where}: {item['msg'].removeprefix('Value error, ')}{value}")
    return lines[0] if len(lines) == 1 else "\n  - " + "\n  - ".join(lines)


def _fields_at(loc: tuple) -> list[str]:
    """Names of the settings allowed at a place of the file."""
    model: Any = Study
    for part in loc:
        field = getattr(model, "model_fields", {}).get(part)
        if field is None:
            continue  # a key of a dictionary or an index of a list: the element's model follows
        models = [a for a in _arguments(field.annotation) if isinstance(a, type) and issubclass(a, Section)]
        model = models[0] if models else model
    return [f for f in model.model_fields if f not in ("folder", "profile")]


def _arguments(annotation: Any) -> list[Any]:
    """An annotation and everything nested in it."""
    nested = [a for arg in getattr(annotation, "__args__", ()) for a in _arguments(arg)]
    return [annotation, *nested]
