"""The sections of ``study.yml`` that do not follow from the table: imaging, models, statistics, profiles."""

from __future__ import annotations

from her2study.cohort.proposals.propose import StudyProposal
from her2study.cohort.proposals.yaml_text import flow, heading

SUBGROUPS = (
    "age_years", "menopausal_status", "lesion_type", "hormone_receptor", "field_strength_t", "manufacturer",
    "largest_diameter_mm",
)  # fmt: skip
"""Variables by which performance is broken down, if they are there; the first five of them."""

BASELINES = ("logistic_elastic_net", "svm", "random_forest", "xgboost", "lightgbm", "knn", "mlp")

FEW = 60
"""Patients of the rarer class below which inner folds are two."""

IMAGING = """\
imaging:
  spacing_mm: [1.5, 1.5, 1.5]  # all scans are brought to it
  crop_voxels: [32, 40, 40]  # box around the lesion: z, y, x
  early_seconds: 90  # after injection: the time of wash-in
  late_seconds: 360  # after injection: the time of wash-out
  injection_seconds: 0  # after the pre-contrast phase, from which acquisition_times count
  phase_choice: nearest  # or interpolated: the signal at the time itself, linear between two phases
  channels: [pre, wash_in, wash_out]  # or early, late, subtraction, wash_in_slope, wash_out_slope, mask
  reference: lesion  # or surroundings: whose signal before contrast is the unit
  clip_percentiles: [0.5, 99.5]
  bias_correction: false
  motion_correction: false

radiomics:
  families: [statistics, intensity_histogram, cooccurrence_matrix, run_length_matrix, size_zone_matrix]
  bin_number: 32
  images: [wash_in, wash_out]
  peritumoural_mm: 3  # thickness of the shell around the lesion; 0: none
  peritumoural_families: [statistics, cooccurrence_matrix]
  perturbed_patients: 40  # measured with other masks as well, to see which features are stable
  perturbations: [smaller, larger, redrawn]
  perturbation_mm: 0.75
"""

NETWORK = """\
network:  # what worked with a few hundred patients: docs/dscore.md
  widths: [8, 16, 32, 64]
  layers: [1, 1, 1, 1]
  epochs: 40
  batch_size: 16
  learning_rate: 3.0e-3
  noise: 0.03
  objective: measurements  # what the convolutions are trained on; labels: end to end, for thousands of patients
  learned_share: 0.5  # of the convolutions in the D-score; the rest is measured
"""

STATISTICS = """\
  confidence: 0.95
  bootstrap: 2000
  comparisons:  # DeLong tests; pairs whose models do not exist here (no images: no D-score) are left out
    - [combined, clinical]
    - [combined, dscore]
    - [dscore, clinical]
"""

SMOKE = """\
profiles:
  smoke:  # the whole chain in little, to see it work: make reproduce STUDY={name} PROFILE=smoke DATA=...
    split: {{folds: 2}}
    network: {{epochs: 2, widths: [8, 16, 16, 32], layers: [1, 1, 1, 1]}}
    radiomics: {{families: [statistics], peritumoural_families: [statistics], perturbed_patients: 24}}
    baselines:
      models: [logistic_elastic_net, random_forest]
      search_iterations: 2
      inner_folds: 2
      selected_features: [5, 10]
    clinical: {{resamples: 20}}
    statistics:
      bootstrap: 100
      shap_samples: 16
      gradcam_patients: 4
      comparisons: [[logistic_elastic_net, clinical], [random_forest, clinical]]
  permuted:  # the canary: with shuffled outcomes nothing may be found
    outcome: {{permute: true}}
"""


def closing_sections(proposal: StudyProposal, name: str) -> list[str]:
    """The rest of the form, from imaging to the profiles."""
    names = [column.name for column in proposal.by_use("variable")]
    names += [derived.variable["name"] for derived in proposal.derived]
    centres = [*proposal.design.centres["development"], *proposal.design.centres["external"]]
    subgroups = [*(["centre"] if len(centres) > 1 else []), *[v for v in SUBGROUPS if v in names][:5]]
    few = min(proposal.positives, proposal.negatives) < FEW
    lines = heading(
        "6. Scans, models and statistics",
        "Usual choices, none of which was made from this table. Used only where images/ and segmentations/ stand "
        "beside the table: imaging, radiomics, network.",
    )
    lines += [*IMAGING.splitlines(), "", *NETWORK.splitlines()]
    types = next((c.variable["levels"] for c in proposal.by_use("variable") if c.name == "lesion_type"), ())
    if types[:1] == ("mass",):
        lines.append("  mass_reading: lesion_type  # its first level is a mass")
    lines += ["", "baselines:", f"  models: {flow(BASELINES)}"]
    lines += [f"  search_iterations: {12 if not few else 6}", f"  inner_folds: {2 if few else 3}"]
    lines += [
        "  selected_features: [10, 20, 40]",
        "  minimum_icc: 0.75",
        "  harmonise: false",
        "  unseen_centres: leave",
    ]
    lines += [
        "",
        "clinical:",
        "  candidate_roles: [clinical, mri_reading]  # add pathology to allow ER, PR, Ki-67, grade",
    ]
    lines += ["  screen_p: 0.1  # enters the multivariable model", "  keep_p: 0.05  # stays in it"]
    lines += ["", "statistics:", *STATISTICS.splitlines()]
    lines += [f"    - [{model}, clinical]" for model in BASELINES]
    lines += [f"  subgroups: {flow(subgroups)}", "  decision_thresholds: [0.05, 0.80]"]
    lines.append(f"  leave_one_centre_out: {'true' if len(centres) > 2 else 'false'}")
    lines += ["  shap_samples: 128", "  gradcam_patients: 24"]
    if proposal.simulated:
        made = {"screened": max(20, proposal.patients), "included": dict.fromkeys(centres, 0)}
        lines += ["", f"simulation: {flow(made)}  # the patients are there already: always give DATA="]
    lines += ["", *SMOKE.format(name=name).splitlines()]
    return lines
