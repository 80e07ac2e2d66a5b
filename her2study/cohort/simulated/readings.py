"""What is written down about a patient: two readers' MRI readings, pathology, history, gaps."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import expit

from her2study.cohort.simulated.planted import Assumptions, Missing

NO_YES = np.array(["no", "yes"], dtype=object)


def read_scans(latents: pd.DataFrame, a: Assumptions, rng: np.random.Generator) -> pd.DataFrame:
    """One imperfect reader's MRI readings, ``(n, 10)``.

    Called twice with the same latents it gives two readers who err independently. A lesion read as
    non-mass has irregular shape and margin and no rim, which describe masses.
    """
    reader, n = a.reader, len(latents)

    def detect(name: str, truth: str) -> np.ndarray:
        sensitivity, specificity = getattr(reader, f"{name}_sensitivity"), getattr(reader, f"{name}_specificity")
        return rng.random(n) < np.where(latents[truth] == 1, sensitivity, 1 - specificity)

    def grade(name: str, cut: float | tuple[float, float], levels: list[str]) -> np.ndarray:
        impression = latents[f"impression_{name}"] + reader.grading_noise * rng.standard_normal(n)
        return np.array(levels, dtype=object)[np.searchsorted(np.atleast_1d(cut), impression)]

    def measure(name: str, log_noise: float) -> np.ndarray:
        return np.round(latents[name] * np.exp(log_noise * rng.standard_normal(n)))

    non_mass = detect("non_mass", "non_mass")
    shape = grade("shape", reader.shape_cut, ["oval", "round", "irregular"])
    margin = grade("margin", reader.margin_cut, ["circumscribed", "irregular", "spiculated"])
    return pd.DataFrame(
        {
            "largest_diameter_mm": measure("diameter_mm", reader.diameter_log_noise),
            "lesion_type": np.where(non_mass, "non-mass", "mass"),
            "shape": np.where(non_mass, "irregular", shape),
            "margin": np.where(non_mass, "irregular", margin),
            "internal_enhancement": grade("texture", reader.texture_cut, ["homogeneous", "heterogeneous"]),
            "rim_enhancement": NO_YES[(detect("rim", "rim") & ~non_mass).astype(int)],
            "kinetic_curve": grade("kinetics", reader.kinetics_cut, ["persistent", "plateau", "washout"]),
            "multifocal": NO_YES[detect("multifocal", "multifocal").astype(int)],
            "peritumoural_oedema": NO_YES[detect("oedema", "oedema").astype(int)],
            "largest_node_diameter_mm": measure("node_mm", reader.node_log_noise),
        },
        index=latents.index,
    )


def take_history(latents: pd.DataFrame, a: Assumptions, rng: np.random.Generator) -> pd.DataFrame:
    """Age, menopausal status, family history and whether the lump is felt."""
    person, n = a.person, len(latents)
    menopause = rng.normal(person.menopause_mean_years, person.menopause_sd_years, n)
    log_diameter = np.log(latents["diameter_mm"] / a.lesion.diameter_median_mm)
    palpable = expit(person.palpable_intercept + person.palpable_log_diameter * log_diameter)
    return pd.DataFrame(
        {
            "age_years": latents["age_years"],
            "menopausal_status": np.where(latents["age_years"] > menopause, "postmenopausal", "premenopausal"),
            "family_history": NO_YES[(rng.random(n) < person.family_history).astype(int)],
            "palpable_lump": NO_YES[(rng.random(n) < palpable).astype(int)],
        },
        index=latents.index,
    )


def report_pathology(her2: np.ndarray, a: Assumptions, rng: np.random.Generator) -> pd.DataFrame:
    """Receptors, Ki-67 and grade given HER2 ``(n,)``; none of them is a candidate predictor."""
    pathology, n = a.pathology, len(her2)

    def by_her2(values: dict) -> np.ndarray:
        return np.array([values["negative"], values["positive"]])[her2]

    signs = np.array(["negative", "positive"], dtype=object)
    er = rng.random(n) < by_her2(pathology.er_positive)
    pr = rng.random(n) < np.where(er, by_her2(pathology.pr_of_er_positive), by_her2(pathology.pr_of_er_negative))
    ki67 = by_her2(pathology.ki67_median_percent) * np.exp(pathology.ki67_log_sd * rng.standard_normal(n))
    grade = (rng.random(n)[:, None] > np.cumsum(by_her2(pathology.grade_shares), axis=1)[:, :2]).sum(axis=1)
    return pd.DataFrame(
        {
            "er_status": signs[er.astype(int)],
            "pr_status": signs[pr.astype(int)],
            "ki67_percent": np.clip(np.round(ki67), 1, 95),
            "histological_grade": np.array(["1", "2", "3"], dtype=object)[grade],
        }
    )


def leave_gaps(table: pd.DataFrame, missing: Missing, rng: np.random.Generator) -> pd.DataFrame:
    """Remove values at the assumed rates, by centre where the rate is; both readers lose the same scan."""
    table = table.copy()
    for name, share in missing:
        rate = table["centre"].map(share).to_numpy(dtype=float) if isinstance(share, dict) else share
        gap = rng.random(len(table)) < rate
        for column in (name, f"{name}_reader2"):
            if column in table:
                table[column] = table[column].mask(gap)
    return table


def mark_exclusions(table: pd.DataFrame, exclusion: pd.Series) -> pd.DataFrame:
    """Add the columns by which the flow excludes, and spoil what an excluded patient cannot have."""
    table = table.assign(
        prior_treatment=NO_YES[(exclusion == "prior_treatment").to_numpy().astype(int)],
        image_quality=np.where(exclusion == "image_quality", "non-diagnostic", "diagnostic"),
        mask_available=NO_YES[(exclusion != "mask_available").to_numpy().astype(int)],
    )
    status = table["her2_status"].mask(exclusion == "her2_equivocal", "equivocal")
    return table.assign(her2_status=status.mask(exclusion == "her2_missing"))
