"""Types of every planted value, by group; what each means is its ``reason`` in ``assumptions.yml``."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, model_validator

from her2study.study import Section

Share: TypeAlias = Annotated[float, Field(ge=0, le=1)]
Positive: TypeAlias = Annotated[float, Field(gt=0)]
Range: TypeAlias = tuple[float, float]
ByCentre: TypeAlias = dict[str, float]
ByField: TypeAlias = dict[float, float]
ByHer2: TypeAlias = dict[Literal["negative", "positive"], float]


class Cohort(Section):
    """Case mix and flow."""

    prevalence: dict[str, Annotated[float, Field(gt=0, lt=1)]]
    exclusion_shares: dict[
        Literal["prior_treatment", "image_quality", "mask_available", "her2_equivocal", "her2_missing"], Share
    ]


class Person(Section):
    """Who the patients are."""

    age_mean_years: float
    age_sd_years: Positive
    age_range_years: Range
    menopause_mean_years: float
    menopause_sd_years: Positive
    family_history: Share
    palpable_intercept: float
    palpable_log_diameter: float


class Lesion(Section):
    """What their lesions are like."""

    diameter_median_mm: Positive
    diameter_log_sd: Positive
    diameter_range_mm: Range
    non_mass: Share
    rim_of_masses: Share
    multifocal: Share
    oedema_intercept: float
    oedema_log_diameter: float
    node_median_mm: Positive
    node_log_sd: Positive
    node_range_mm: Range
    node_diameter_correlation: Annotated[float, Field(gt=-1, lt=1)]


class Outcome(Section):
    """Log odds ratios of HER2."""

    image_latent: float
    rim_sign: Literal[-1, 1]
    rim: Annotated[float, Field(ge=0)]
    log_node: float
    log_diameter: float
    non_mass: float
    oedema: float


class Signature(Section):
    """How far the image latent shows in the scan, and the scan in what an eye grades."""

    correlation: dict[Literal["kinetics", "texture", "spiculation", "vascularity"], Share]
    visual_correlation: dict[Literal["kinetics", "texture", "margin", "shape"], Share]


class Reader(Section):
    """How two readers err."""

    rim_sensitivity: Share
    rim_specificity: Share
    non_mass_sensitivity: Share
    non_mass_specificity: Share
    multifocal_sensitivity: Share
    multifocal_specificity: Share
    oedema_sensitivity: Share
    oedema_specificity: Share
    grading_noise: float
    diameter_log_noise: float
    node_log_noise: float
    kinetics_cut: Range
    texture_cut: float
    margin_cut: Range
    shape_cut: Range


class Pathology(Section):
    """Receptors, Ki-67 and grade given HER2."""

    er_positive: ByHer2
    pr_of_er_positive: ByHer2
    pr_of_er_negative: ByHer2
    ki67_median_percent: ByHer2
    ki67_log_sd: Positive
    grade_shares: dict[Literal["negative", "positive"], tuple[Share, Share, Share]]


class Missing(Section):
    """Shares of values never recorded."""

    family_history: Share
    palpable_lump: Share
    menopausal_status: Share
    ki67_percent: Share
    histological_grade: Share
    kinetic_curve: Share
    peritumoural_oedema: dict[str, Share]
    largest_node_diameter_mm: dict[str, Share]


class ArterialInput(Section):
    """Population arterial input function."""

    area_mmol_min: Range
    centre_min: Range
    width_min: Range
    amplitude_mmol: float
    decay_per_min: float
    sigmoid_width_per_min: float
    sigmoid_centre_min: float
    haematocrit: Share
    arrival_log_sd: float


class Uptake(Section):
    """Contrast uptake of lesion, halo, vessels, gland and muscle."""

    ktrans_per_min: Positive
    ktrans_log_sd: float
    ktrans_kinetics: float
    kep_per_min: Positive
    kep_log_sd: float
    kep_kinetics: float
    kep_grid_per_min: tuple[Positive, Positive, int]
    kep_texture: float
    plasma_volume: Share
    texture_log_sd: float
    texture_limit: Positive
    texture_gain: float
    texture_scale_mm: Positive
    rim_thickness_mm: Range
    rim_thickness_of_radius: Share
    core_ktrans: Share
    core_edge_mm: Positive
    centripetal_log: float
    halo_share: Share
    halo_ktrans: Share
    halo_patchiness: float
    halo_gain: float
    halo_width_mm: Positive
    vessels: float
    vessel_gain: float
    vessel_radius_mm: Positive
    vessel_winding: float
    bystander_vessels: int
    vessel_length_mm: Positive
    gland_ktrans_per_min: Positive
    gland_log_sd: float
    gland_age_per_decade: float
    gland_mottle: float
    gland_kep_per_min: Positive
    gland_plasma_volume: Share
    muscle_ktrans_per_min: Positive
    muscle_kep_per_min: Positive


class Shape(Section):
    """Form of masses and non-mass lesions."""

    axis_ratio: Range
    lobulation: float
    non_mass_lobulation: float
    lobulation_scale: Positive
    outline_smoothing_mm: Positive
    edge_mm: Positive
    spicules: tuple[int, int]
    spicule_length_mm: float
    spicule_gain: float
    spicule_heights: Range
    spicule_limit_mm: Positive
    spicule_sharpness: Range
    non_mass_axis_ratio: Range
    clump_scale_mm: Positive
    clump_strength: float
    clump_softness: Positive
    offset_mm: float


class Breast(Section):
    """Anatomy round the lesion."""

    field_of_view_mm: Positive
    skin_depth_mm: Range
    skin_curvature_mm: Range
    skin_tilt: float
    skin_thickness_mm: Positive
    subcutaneous_fat_mm: Positive
    chest_wall_mm: Range
    chest_wall_curvature_mm: Positive
    density_mean: float
    density_sd: float
    density_age_per_decade: float
    parenchyma_scales_mm: Range
    strands: float
    parenchyma_softness: Positive
    gland_around_lesion: float
    position_mm: tuple[float, float, float]


class Tissue(Section):
    """Relaxation and proton density."""

    t1_fat_seconds: ByField
    t1_gland_seconds: ByField
    t1_lesion_seconds: ByField
    t1_muscle_seconds: ByField
    t1_blood_seconds: ByField
    relaxivity_per_mm_s: ByField
    proton_density: dict[Literal["fat", "gland", "lesion", "muscle", "blood", "skin"], float]


class Scanner(Section):
    """Protocol and image quality of each centre."""

    manufacturer: dict[str, str]
    field_strength_t: ByCentre
    plane: dict[str, Literal["axial", "sagittal"]]
    in_plane_spacing_mm: ByCentre
    slice_thickness_mm: ByCentre
    repetition_time_ms: ByCentre
    flip_angle_degrees: ByCentre
    fat_signal: ByCentre
    gain: ByCentre
    gain_log_sd: float
    noise_of_gland: ByCentre
    bias_scale_mm: Positive
    bias_field: ByCentre
    phase_seconds: dict[str, tuple[float, ...]]
    dropped_last_phase: dict[str, Share]
    time_jitter: float
    injection_seconds: ByCentre


class Assumptions(Section):
    """Every planted value, by group."""

    cohort: Cohort
    person: Person
    lesion: Lesion
    outcome: Outcome
    signature: Signature
    reader: Reader
    pathology: Pathology
    missing: Missing
    arterial_input: ArterialInput
    uptake: Uptake
    shape: Shape
    breast: Breast
    tissue: Tissue
    scanner: Scanner

    @property
    def centres(self) -> tuple[str, ...]:
        """Centres that have a scanner."""
        return tuple(self.scanner.manufacturer)

    @model_validator(mode="after")
    def _complete(self) -> Assumptions:
        """Every mapping by centre or field strength covers every centre."""
        strengths = set(self.scanner.field_strength_t.values())
        for group in (self.cohort, self.missing, self.scanner, self.tissue):
            for name, value in group:
                if not isinstance(value, dict) or name in ("exclusion_shares", "proton_density"):
                    continue
                lacking = (strengths if group is self.tissue else set(self.centres)) - set(value)
                if lacking:
                    raise ValueError(f"{name} has no value for {sorted(lacking)[0]!r}; add it")
        return self
