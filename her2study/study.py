"""Study: the validated, frozen settings of one study, read from ``papers/<study>/study.yml``.

Every section is its own small model, so that a library function takes the section it needs and
the chain can tell which notebook depends on which setting.
"""

from __future__ import annotations

import difflib
import os
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from her2study.types import StudyError


class Section(BaseModel):
    """A frozen group of settings in which an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Paper(Section):
    """The publication whose claims are tested."""

    citation: str
    doi: str
    public: str = Field(description="what of the paper is public, in words")


class Source(Section):
    """Where patients come from: simulated on this machine, or a folder in MAMA-MIA's layout."""

    kind: Literal["simulated", "folder"]
    table: str = Field(description="clinical table inside the folder: .csv, .xlsx or .parquet")
    sheet: str | None = None
    joins: tuple[str, ...] = Field((), description="further tables, joined on the patient column")
    patient_column: str = "patient_id"
    centre_column: str = "centre"
    mending: str | None = Field(None, description="file beside study.yml that maps raw to clean values")


class Outcome(Section):
    """The binary label. A missing outcome is an exclusion, never a negative."""

    column: str
    positive: tuple[str | int, ...]
    negative: tuple[str | int, ...]
    label: str = Field(description="what positive means, in print")
    permute: bool = Field(False, description="canary: shuffle labels within centre before the split")


class Centres(Section):
    """Which centres develop the models and which only judge them; keys are values of the table."""

    development: tuple[str, ...]
    external: tuple[str, ...]
    names: dict[str, str] = {}

    @model_validator(mode="after")
    def _disjoint(self) -> Centres:
        both = set(self.development) & set(self.external)
        if both:
            raise ValueError(f"centre {sorted(both)[0]!r} is both development and external; name it once")
        return self


class Exclusion(Section):
    """One exclusion of the flow, applied in the order written.

    Patients whose ``column`` is one of ``values`` (or, with ``missing``, is empty) leave.
    """

    reason: str
    column: str
    values: tuple[str | int, ...] = ()
    missing: bool = False


class Variable(Section):
    """One column of the clinical table."""

    type: Literal["continuous", "binary", "categorical", "ordinal"]
    label: str
    role: Literal["clinical", "mri_reading", "pathology", "acquisition"]
    unit: str | None = None
    column: str | None = Field(None, description="column of the source table; the variable's name if empty")
    levels: tuple[str, ...] = Field((), description="categories in order; the first is the reference")
    log: bool = Field(False, description="enters models as its natural logarithm")
    candidate: bool = Field(True, description="may be offered to the clinical model and the baselines")
    second_reader: str | None = Field(None, description="column with the second reader's value")

    @property
    def printed(self) -> str:
        """The label with the unit in brackets, if there is one."""
        return f"{self.label} ({self.unit})" if self.unit else self.label

    @model_validator(mode="after")
    def _levels(self) -> Variable:
        if self.type in ("categorical", "ordinal", "binary") and len(self.levels) < 2:
            raise ValueError(f"a {self.type} variable needs its levels, reference first")
        if self.type == "continuous" and self.levels:
            raise ValueError("a continuous variable has no levels; remove them or change its type")
        return self


class Split(Section):
    """Made once, before any image or feature is looked at."""

    internal_fraction: float = Field(0.2, gt=0, lt=0.5)
    folds: int = Field(5, ge=2, le=20)


class Imaging(Section):
    """How a scan becomes network channels and a radiomics image."""

    spacing_mm: tuple[float, float, float] = (1.5, 1.5, 1.5)
    crop_voxels: tuple[int, int, int] = (32, 40, 40)
    early_seconds: float = Field(90, gt=0, description="after injection: the time of wash-in")
    late_seconds: float = Field(360, gt=0, description="after injection: the time of wash-out")
    injection_seconds: float = Field(
        0, ge=0, description="from the pre-contrast phase, where times count 0, to injection"
    )
    phase_choice: Literal["nearest", "interpolated"] = Field(
        "nearest", description="the phase nearest to the time, or the signal at the time, linear between two phases"
    )
    channels: tuple[
        Literal[
            "pre", "early", "late", "wash_in", "wash_out", "subtraction", "wash_in_slope", "wash_out_slope", "mask"
        ],
        ...,
    ] = Field(("pre", "wash_in", "wash_out"), min_length=1, description="what the network sees, in this order")
    reference: Literal["lesion", "surroundings"] = Field(
        "lesion", description="whose median pre-contrast signal is the unit of all channels"
    )
    clip_percentiles: tuple[float, float] = (0.5, 99.5)
    bias_correction: bool = Field(False, description="N4, its field estimated before contrast and taken out of all")
    motion_correction: bool = Field(False, description="turn every phase after contrast onto the one before it")

    @model_validator(mode="after")
    def _possible(self) -> Imaging:
        if len(set(self.channels)) < len(self.channels):
            raise ValueError(f"channels {self.channels}: each channel once")
        if self.late_seconds <= self.early_seconds:
            raise ValueError("late_seconds must be after early_seconds")
        low, high = self.clip_percentiles
        if not 0 <= low < high <= 100:
            raise ValueError(f"clip_percentiles {self.clip_percentiles}: two percentages, the lower first")
        if min(self.spacing_mm) <= 0 or min(self.crop_voxels) < 1:
            raise ValueError("spacing_mm and crop_voxels must be positive")
        return self


class Radiomics(Section):
    """Features of the lesion and of the tissue around it, with MIRP's formulas (IBSI-verified)."""

    families: tuple[str, ...]
    bin_number: int = Field(32, ge=8, le=256)
    images: tuple[str, ...] = ("wash_in", "wash_out")
    peritumoural_mm: float = Field(3, ge=0, le=20, description="thickness of the shell around the lesion; 0: none")
    peritumoural_families: tuple[str, ...] = ("statistics", "cooccurrence_matrix")
    air_share: float = Field(0.1, ge=0, lt=1, description="of the lesion's pre-contrast signal; below it is air")
    perturbed_patients: int = Field(40, ge=0, description="of development, measured with other masks too; 0: none")
    perturbations: tuple[Literal["smaller", "larger", "moved", "redrawn"], ...] = ("smaller", "larger", "redrawn")
    perturbation_mm: float = Field(0.75, gt=0, le=5, description="how far the border is moved")


class Network(Section):
    """The 3D ResNet behind the D-score and how it is trained."""

    widths: tuple[int, int, int, int] = (16, 32, 64, 128)
    layers: tuple[int, int, int, int] = (2, 2, 2, 2)
    epochs: int = Field(ge=1)
    batch_size: int = Field(16, ge=2)
    learning_rate: float = Field(2e-3, gt=0)
    weight_decay: float = Field(1e-2, ge=0)
    dropout: float = Field(0.2, ge=0, lt=1)
    ema_decay: float = Field(0.98, ge=0, lt=1, description="per step, of the averaged weights that are kept")
    inner_fraction: float = Field(0.15, gt=0, lt=0.5, description="of the training part, to watch the training")
    shift_voxels: int = Field(3, ge=0)
    intensity_jitter: float = Field(0.15, ge=0)
    average_flips: bool = True
    watch_every: int = Field(5, ge=1, description="epochs between two looks at the inner split")
    noise: float = Field(0.0, ge=0, description="SD of the strongest noise added, in units of the channels")
    objective: Literal["labels", "measurements"] = Field("labels", description="what the convolutions are trained on")
    head_strength: float = Field(
        0.003, gt=0, description="inverse L2 penalty of the head on convolutions that were trained on measurements"
    )
    learned_share: float = Field(1.0, ge=0, le=1, description="of the convolutions in the logit; the rest is measured")
    measured_strength: float = Field(0.01, gt=0, description="inverse L2 penalty of the measured branch")
    mass_reading: str | None = Field(None, description="MRI reading whose first level is a mass; none: all are masses")
    weights: str | None = Field(None, description="safetensors file to start from, relative to study.yml; none: random")
    mixed_precision: bool = Field(True, description="half precision where there is CUDA; never on the CPU")
    compile: bool = Field(False, description="torch.compile: pays off in long trainings on CUDA")


class Baselines(Section):
    """Conventional machine learning on radiomics and MRI readings, on the network's folds."""

    models: tuple[str, ...]
    search_iterations: int = Field(ge=1)
    inner_folds: int = Field(3, ge=2)
    selected_features: tuple[int, ...] = (10, 20, 40)
    minimum_icc: float = Field(0.75, ge=0, lt=1, description="of radiomics between masks; 0: all may enter")
    harmonise: Literal[False, "combat"] = Field(False, description="radiomics between the centres of the training part")
    unseen_centres: Literal["leave", "refuse"] = Field("leave", description="of ComBat, for centres not in its fit")


class Clinical(Section):
    """The clinical model and what may enter it."""

    candidate_roles: tuple[Literal["clinical", "mri_reading", "pathology"], ...] = ("clinical", "mri_reading")
    selection: Literal["backward", "aic"] = Field("backward", description="by p of the likelihood ratio, or by AIC")
    screen_p: float = Field(0.1, gt=0, le=1)
    keep_p: float = Field(0.05, gt=0, le=1)
    resamples: int = Field(200, ge=10, description="bootstrap repeats of the whole selection: frequencies, optimism")


class Statistics(Section):
    """How uncertainty is measured and what is compared."""

    confidence: float = Field(0.95, gt=0.5, lt=1)
    bootstrap: int = Field(2000, ge=20)
    comparisons: tuple[tuple[str, str], ...] = Field((), description="pairs of models for DeLong, Holm-adjusted")
    subgroups: tuple[str, ...] = ()
    decision_thresholds: tuple[float, float] = (0.05, 0.80)
    target_sensitivity: float = Field(0.9, gt=0, lt=1, description="of one frozen threshold")
    target_specificity: float = Field(0.9, gt=0, lt=1, description="of another")
    other_prevalences: tuple[float, ...] = Field((), description="at which PPV and NPV are restated")
    anticipated_auc: float = Field(0.75, gt=0.5, lt=1, description="before the study: for the sample size only")
    leave_one_centre_out: bool = False
    shap_samples: int = Field(128, ge=8)
    gradcam_patients: int = Field(24, ge=2)


class Simulation(Section):
    """Size of the simulated cohort. The planted effects stand in ``assumptions.yml``."""

    screened: int = Field(521, ge=20)
    included: dict[str, int]


class Study(Section):
    """Everything that a study is, before a patient is read."""

    name: str
    title: str
    paper: Paper
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
