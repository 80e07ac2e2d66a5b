"""Who is screened, what their lesions are like, and HER2 drawn from it.

HER2 follows a logistic model with one intercept per centre,

    logit P(HER2+) = b0[centre] + b_z z + sign * b_rim rim + b_node ln(node / median)
                     + b_size ln(diameter / median) + b_nme non-mass + b_oedema oedema,

where z ~ N(0, 1) is the image latent: it shapes kinetics, texture, spicules and vascularity of the
scan (four signatures, each correlated with z), of which readers see little.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit

from her2study.cohort.simulated.planted import Assumptions

SIGNATURES = ("kinetics", "texture", "spiculation", "vascularity")
IMPRESSIONS = {"kinetics": "kinetics", "texture": "texture", "margin": "spiculation", "shape": "spiculation"}
"""What readers grade by eye, and the signature of the scan that it comes from."""

EXCLUDED = ("prior_treatment", "image_quality", "mask_available", "her2_equivocal", "her2_missing")


def screened_patients(
    screened: int, included: dict[str, int], shares: dict[str, float], rng: np.random.Generator
) -> pd.DataFrame:
    """Identifiers, centres and why a patient is excluded.

    Returns
    -------
    DataFrame
        ``patient_id, centre, exclusion`` (empty text for the included), sorted by patient. The
        excluded divide over centres in proportion to size and over reasons as ``shares`` says.
    """
    excluded = screened - sum(included.values())
    by_centre = dict(zip(included, _apportion(excluded, list(included.values())), strict=True))
    reasons = rng.permutation(np.repeat(list(EXCLUDED), _apportion(excluded, [shares[name] for name in EXCLUDED])))
    rows, taken = [], 0
    for centre in sorted(included):
        why = [""] * included[centre] + list(reasons[taken : taken + by_centre[centre]])
        taken += by_centre[centre]
        rows += [(f"{centre}{k:04d}", centre, reason) for k, reason in enumerate(rng.permutation(why), start=1)]
    return pd.DataFrame(rows, columns=["patient_id", "centre", "exclusion"])


def draw_latents(n: int, a: Assumptions, rng: np.random.Generator) -> pd.DataFrame:
    """Draw ``n`` people with their lesions.

    Returns
    -------
    DataFrame
        Age, ``image_latent``, ``signature_*`` (what the scan shows), ``impression_*`` (what an eye
        could grade), ``diameter_mm``, ``non_mass``, ``rim``, ``multifocal``, ``oedema``, ``node_mm``.
    """
    lesion = a.lesion
    age = np.clip(rng.normal(a.person.age_mean_years, a.person.age_sd_years, n), *a.person.age_range_years)
    latents: dict[str, np.ndarray] = {"age_years": age.round(), "image_latent": rng.standard_normal(n)}
    for name in SIGNATURES:
        latents[f"signature_{name}"] = _correlated(latents["image_latent"], a.signature.correlation[name], rng)
    for name, source in IMPRESSIONS.items():
        correlation = a.signature.visual_correlation[name]
        latents[f"impression_{name}"] = _correlated(latents[f"signature_{source}"], correlation, rng)
    size = rng.standard_normal(n)
    diameter = lesion.diameter_median_mm * np.exp(lesion.diameter_log_sd * size)
    latents["diameter_mm"] = np.clip(diameter, *lesion.diameter_range_mm)
    log_diameter = np.log(latents["diameter_mm"] / lesion.diameter_median_mm)
    latents["non_mass"] = (rng.random(n) < lesion.non_mass).astype(float)
    latents["rim"] = ((rng.random(n) < lesion.rim_of_masses) & (latents["non_mass"] == 0)).astype(float)
    latents["multifocal"] = (rng.random(n) < lesion.multifocal).astype(float)
    oedema = expit(lesion.oedema_intercept + lesion.oedema_log_diameter * log_diameter)
    latents["oedema"] = (rng.random(n) < oedema).astype(float)
    node = _correlated(size, lesion.node_diameter_correlation, rng)
    latents["node_mm"] = np.clip(lesion.node_median_mm * np.exp(lesion.node_log_sd * node), *lesion.node_range_mm)
    return pd.DataFrame(latents)


def outcome_predictor(latents: pd.DataFrame, a: Assumptions) -> np.ndarray:
    """The logistic model of HER2 without the centre's intercept, ``(n,)`` log odds."""
    effect = a.outcome
    return (
        _image_part(latents, a)
        + effect.log_node * np.log(latents["node_mm"] / a.lesion.node_median_mm)
        + effect.oedema * latents["oedema"]
    ).to_numpy()


def centre_intercepts(predictor: np.ndarray, centre: Sequence[str], prevalence: dict[str, float]) -> dict[str, float]:
    """Intercepts at which the expected prevalence of each centre's patients is the planned one."""
    centre = np.asarray(centre)
    return {
        name: brentq(lambda b, x=predictor[centre == name], p=prevalence[name]: expit(b + x).mean() - p, -50, 50)
        for name in sorted(set(centre.tolist()))
    }


def draw_outcome(probability: np.ndarray, centre: Sequence[str], rng: np.random.Generator) -> np.ndarray:
    """Draw labels ``(n,)`` with exactly these probabilities by systematic sampling within centres.

    A centre's number of positives then differs from its expectation by less than one, so that
    case mix is a setting and not an accident of the seed (Madow 1949).
    """
    centre = np.asarray(centre)
    label = np.zeros(len(probability), dtype=np.int64)
    for name in sorted(set(centre.tolist())):
        members = rng.permutation(np.flatnonzero(centre == name))
        steps = np.floor(np.concatenate([[0.0], np.cumsum(probability[members])]) + rng.random())
        label[members] = np.diff(steps).astype(np.int64)
    return label


def image_oracle(latents: pd.DataFrame, intercept: np.ndarray, a: Assumptions, points: int = 40) -> np.ndarray:
    """Best probability from what the scan shows: E[Y | signatures, rim, diameter, lesion type, centre].

    The scan holds the image latent only through its signatures, which leave it a normal distribution
    (:func:`latent_given_signatures`). That, the log node diameter given the lesion's and oedema are
    integrated out: Gauss-Hermite quadrature and a sum. No fit and no sampling.
    """
    mean, spread = latent_given_signatures(latents, a)
    total, probability = 0.0, np.zeros(len(latents))
    for node, weight in zip(*np.polynomial.hermite_e.hermegauss(points // 2), strict=True):
        probability += weight * latent_oracle(latents.assign(image_latent=mean + spread * node), intercept, a, points)
        total += weight
    return probability / total


def latent_given_signatures(latents: pd.DataFrame, a: Assumptions) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of the image latent given the signatures that the lesion shows.

    With z ~ N(0, 1) and signature s ~ N(r z, 1 - r^2) the posterior is normal, of precision
    1 + sum of r^2 / (1 - r^2). A non-mass lesion has no spicules and so shows nothing of that signature.
    """
    precision, information = np.ones(len(latents)), np.zeros(len(latents))
    for name in SIGNATURES:
        correlation = a.signature.correlation[name]
        shown = latents["non_mass"].to_numpy() == 0 if name == "spiculation" else np.ones(len(latents))
        precision += shown * correlation**2 / (1 - correlation**2)
        information += shown * correlation / (1 - correlation**2) * latents[f"signature_{name}"].to_numpy()
    return information / precision, precision**-0.5


def latent_oracle(latents: pd.DataFrame, intercept: np.ndarray, a: Assumptions, points: int = 40) -> np.ndarray:
    """Probability for one who sees the latent itself: E[Y | z, rim, diameter, lesion type, centre].

    More than any scan holds; :func:`image_oracle` is what a perfect reader of the scan could reach.
    """
    lesion = a.lesion
    log_diameter = np.log(latents["diameter_mm"].to_numpy() / lesion.diameter_median_mm)
    nodes, weights = np.polynomial.hermite_e.hermegauss(points)
    mean = lesion.node_diameter_correlation * log_diameter / lesion.diameter_log_sd
    spread = np.sqrt(1 - lesion.node_diameter_correlation**2)
    log_node = lesion.node_log_sd * (mean[:, None] + spread * nodes)
    log_node = np.clip(log_node, *np.log(np.divide(lesion.node_range_mm, lesion.node_median_mm)))
    known = (intercept + _image_part(latents, a).to_numpy())[:, None] + a.outcome.log_node * log_node
    oedema = expit(lesion.oedema_intercept + lesion.oedema_log_diameter * log_diameter)[:, None]
    probability = oedema * expit(known + a.outcome.oedema) + (1 - oedema) * expit(known)
    return (probability * weights).sum(axis=1) / weights.sum()


def _image_part(latents: pd.DataFrame, a: Assumptions) -> pd.Series:
    """Log odds of HER2 from what the scan of the lesion shows."""
    effect = a.outcome
    return (
        effect.image_latent * latents["image_latent"]
        + effect.rim_sign * effect.rim * latents["rim"]
        + effect.log_diameter * np.log(latents["diameter_mm"] / a.lesion.diameter_median_mm)
        + effect.non_mass * latents["non_mass"]
    )


def _correlated(x: np.ndarray, correlation: float, rng: np.random.Generator) -> np.ndarray:
    """A standard normal variable with the given correlation with the standard normal ``x``."""
    return correlation * x + np.sqrt(1 - correlation**2) * rng.standard_normal(len(x))


def _apportion(total: int, weights: Sequence[float]) -> list[int]:
    """Whole numbers in proportion to ``weights`` that add up to ``total`` (largest remainders)."""
    exact = total * np.asarray(weights, dtype=float) / np.sum(weights)
    whole = np.floor(exact).astype(int)
    largest = np.argsort(-(exact - whole), kind="stable")[: total - whole.sum()]
    whole[largest] += 1
    return whole.tolist()
