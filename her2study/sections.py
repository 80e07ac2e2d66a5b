"""The sections of ``study.yml``: small frozen models, one for each group of settings.

A library function takes the section it needs, and so the chain can tell which notebook depends on which
setting. :mod:`her2study.study` puts them together and reads the file.
"""

from __future__ import annotations

import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Section(BaseModel):
    """A frozen group of settings in which an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Paper(Section):
    """The publication whose claims are tested."""

    citation: str
    doi: str
    public: str = Field(description="what of the paper is public, in words")


class Reading(Section):
    """How the file of the clinical table is read; ``her2study new`` finds this out and writes it down."""

    header_row: int = Field(1, ge=1, description="row of the file with the names of the columns, counted from 1")
    header_rows: Literal[1, 2] = Field(1, description="2: names stand in two rows, the upper one spanning columns")
    encoding: str = Field("utf-8-sig", description="of a .csv")
    delimiter: str = Field(",", min_length=1, max_length=1, description="between the cells of a .csv")
    decimal: Literal[".", ","] = "."
    missing: tuple[str, ...] = Field((), description="further cells that mean missing in every column: NP, NC, 999")


class Rows(Section):
    """Which row stands for a patient who has several (lesions, breasts, visits): patients are analysed."""

    keep: Literal["only", "first", "last", "largest"] = Field(
        "only", description="only: a patient with several rows is an error; the others are counted in the flow"
    )
    by: str | None = Field(
        None, description="column with a number (largest) or a date (first, last); none: the order of the file"
    )

    @model_validator(mode="after")
    def _measured(self) -> Rows:
        if self.keep == "largest" and self.by is None:
            raise ValueError("keep: largest needs 'by', the column with the size")
        return self


class Source(Section):
    """Where patients come from: simulated on this machine, or a folder in MAMA-MIA's layout."""

    kind: Literal["simulated", "folder"]
    table: str = Field(description="clinical table inside the folder: .csv, .xlsx or .parquet")
    sheet: str | None = None
    joins: tuple[str, ...] = Field((), description="further tables, joined on the patient column")
    reading: Reading = Reading.model_validate({})
    rows: Rows = Rows.model_validate({})
    patient_column: str = "patient_id"
    centre_column: str = "centre"
    only_centre: str | None = Field(None, description="the table has no centre column: everybody is of this centre")
    date_column: str | None = Field(None, description="date of each patient, for splits by time")
    mending: str | None = Field(None, description="file beside study.yml that maps raw to clean values")
    features: tuple[str, ...] = Field((), description="own tables of measured features, one row a patient")
    scores: str | None = Field(None, description="own D-scores: patient_id, probability and the fold that held her out")


class Her2(Section):
    """Columns from which HER2 is positive, low, zero or equivocal by a guideline; the result is ``her2_category``."""

    ihc: str = Field(description="column of the immunohistochemistry score: 0, 1+, 2+, 3+")
    ish: str | None = Field(
        None, description="column of the in-situ hybridisation result: positive, negative, equivocal"
    )
    ratio: str | None = Field(None, description="column of the HER2/CEP17 ratio")
    copies: str | None = Field(None, description="column of the mean HER2 copies per cell")
    status: str | None = Field(None, description="column of the recorded status, used where the score is missing")
    guideline: Literal["ASCO/CAP 2013", "ASCO/CAP 2018", "ASCO/CAP 2023"] = "ASCO/CAP 2023"


HER2_CATEGORY = "her2_category"
"""The column that :class:`Her2` makes: positive, low, zero, negative (low or zero unknown), equivocal, or missing."""

TASKS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "positive-vs-rest": (("positive",), ("low", "zero", "negative")),
    "low-vs-zero": (("low",), ("zero",)),
    "positive-vs-zero": (("positive",), ("zero",)),
    "positive-vs-low": (("positive",), ("low",)),
    "zero-vs-rest": (("zero",), ("positive", "low")),
}
"""Categories that count as positive and as negative; all others are excluded, with the reason."""


class Outcome(Section):
    """The binary label. A missing outcome is an exclusion, never a negative.

    Either ``column`` with its positive and negative values, or ``her2``, which fills these in from the ``task``.
    """

    column: str
    positive: tuple[str | int, ...]
    negative: tuple[str | int, ...]
    label: str = Field(description="what positive means, in print")
    her2: Her2 | None = None
    task: str | None = Field(None, description=f"with her2: {', '.join(TASKS)}")
    permute: bool = Field(False, description="canary: shuffle labels within centre before the split")

    @model_validator(mode="before")
    @classmethod
    def _from_task(cls, given: Any) -> Any:
        if not isinstance(given, dict) or not given.get("her2"):
            if isinstance(given, dict) and given.get("task"):
                raise ValueError("task needs 'her2', the columns of score and hybridisation; or remove it")
            return given
        task = given.get("task") or "positive-vs-rest"
        if task not in TASKS:
            raise ValueError(f"task {task!r} is not one of {', '.join(TASKS)}")
        positive, negative = TASKS[task]
        named = {"column": HER2_CATEGORY, "positive": positive, "negative": negative, "task": task}
        for key in ("column", "positive", "negative"):
            if key in given and list(given[key]) != list(named[key]):
                raise ValueError(f"{key} is decided by her2 and task; remove it, or remove her2")
        return {**given, **named}


class Centres(Section):
    """Which patients develop the models and which only judge them; keys are values of the table.

    Without external patients the internal part judges, or, without one, out-of-fold scores and the bootstrap.
    """

    development: tuple[str, ...] = Field(min_length=1)
    external: tuple[str, ...] = ()
    external_by: Literal["centre", "date", "column", "none"] = "centre"
    external_from: datetime.date | None = Field(None, description="by date: patients from this day on are external")
    external_column: str | None = Field(None, description="by column: the column that tells")
    external_values: tuple[str, ...] = Field((), description="by column: its values that mean external")
    names: dict[str, str] = {}

    @model_validator(mode="after")
    def _consistent(self) -> Centres:
        both = set(self.development) & set(self.external)
        if both:
            raise ValueError(f"centre {sorted(both)[0]!r} is both development and external; name it once")
        if self.external_by == "none" and self.external:
            raise ValueError(f"external_by is none, but external names {self.external[0]!r}; remove one of the two")
        if self.external_by == "date" and self.external_from is None:
            raise ValueError("external_by: date needs external_from, a day such as 2022-01-01")
        if self.external_by == "column" and not (self.external_column and self.external_values):
            raise ValueError("external_by: column needs external_column and external_values")
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
    plausible: tuple[float, float] | None = Field(
        None, description="lowest and highest value to be believed, in the unit; others are reported, never changed"
    )

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
        if self.plausible and (self.type != "continuous" or self.plausible[0] >= self.plausible[1]):
            raise ValueError("plausible is for continuous variables: two numbers, the lower first")
        return self


class Split(Section):
    """Made once, before any image or feature is looked at."""

    internal_fraction: float = Field(0.2, ge=0, lt=0.5, description="of development, set aside to judge; 0: nobody")
    internal: Literal["random", "latest"] = Field("random", description="latest: the last patients of each centre")
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
