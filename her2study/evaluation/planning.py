"""Was the study large enough? What a sample size calculation would have asked for, beside what there is."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from her2study.evaluation.sample_size import ABSOLUTE_ERROR, auc_interval_width, patients_for_width, riley_sample_size
from her2study.models.encoding import variable_terms
from her2study.study import Variable

TARGET_WIDTH = 0.1
"""Width of an AUC's interval that a precise validation reaches (Riley 2021); a wish more than a rule."""

CRITERIA = {
    "shrinkage": "coefficients expected to shrink by a tenth at most",
    "optimism": "optimism of at most 0.05 expected in Nagelkerke's R²",
    "risk": "overall risk estimated within 0.05",
    "absolute_error": f"mean error of predicted risks at most {ABSOLUTE_ERROR}",
}
"""Fields of :class:`RileySampleSize` that are criteria, in words."""


def candidate_parameters(candidates: Mapping[str, Variable]) -> int:
    """Coefficients that the candidates could take: one for a number or an ordered scale, levels less one else."""
    return sum(len(variable_terms(name, variable)) for name, variable in candidates.items())


def sample_size_table(
    splits: pd.DataFrame, parameters: int, anticipated_auc: float, confidence: float = 0.95
) -> pd.DataFrame:
    """What a sample size calculation would have asked for, beside what there is.

    Parameters
    ----------
    splits : DataFrame
        ``patient_id, label, split``.
    parameters : int
        Candidate parameters offered to the clinical model, before any selection.
    anticipated_auc : float
        What was hoped for before the study: an assumption, no result.

    Returns
    -------
    DataFrame
        ``part`` (development, external), ``criterion, rule, unit, required, available, met, detail``: Riley's
        criteria for the development patients and the events per parameter that they amount to, and for
        the external patients how wide the AUC's interval must be expected.
    """
    rows = []
    own = splits.loc[splits["split"] == "development", "label"]
    riley = riley_sample_size(parameters, float(own.mean()), auc=anticipated_auc)
    basis = f"{parameters} candidate parameters, prevalence {own.mean():.3f}, AUC {anticipated_auc:g} anticipated"
    for name, rule in CRITERIA.items():
        detail = f"{basis} (Cox-Snell R² {riley.r_squared_cs:.3f})" if name in ("shrinkage", "optimism") else basis
        rows.append(("development", name, rule, "patients", getattr(riley, name), len(own), detail))
    events = min(own.sum(), len(own) - own.sum()) / parameters
    where = ("development", "events_per_parameter", "what the largest of these amounts to", "events per parameter")
    rows.append((*where, riley.events_per_parameter, events, basis))
    other = splits.loc[splits["split"] == "external", "label"]
    if 0 < other.sum() < len(other):
        share = float(other.mean())
        width = auc_interval_width(anticipated_auc, len(other), share, confidence)
        needed = patients_for_width(anticipated_auc, TARGET_WIDTH, share, confidence)
        rule = f"the {confidence:.0%} interval of the AUC is to be at most {TARGET_WIDTH:g} wide"
        detail = f"expected width {width:.2f} at AUC {anticipated_auc:g} and prevalence {share:.3f}"
        rows.append(("external", "interval_width", rule, "patients", needed, len(other), detail))
    names = ["part", "criterion", "rule", "unit", "required", "available", "detail"]
    table = pd.DataFrame(rows, columns=names).astype({"required": "float64", "available": "float64"})
    table.insert(6, "met", table["available"] >= table["required"])
    return table


def patients_needed(table: pd.DataFrame) -> int:
    """Development patients that meet all criteria of :func:`sample_size_table`."""
    return int(_development(table)["required"].max())


def sample_size_sentence(table: pd.DataFrame, anticipated_auc: float) -> str:
    """What :func:`sample_size_table` says, in plain words."""
    development = _development(table)
    missed, available = development[~development["met"]], int(development["available"].iloc[0])
    required = patients_needed(table)
    text = (
        f"If an AUC of {anticipated_auc:g} could be expected (an assumption), development needs {required} patients. "
    )
    if missed.empty:
        text += f"There are {available}: all {len(development)} criteria are met."
    else:
        text += (
            f"There are {available}: {len(missed)} of {len(development)} criteria are missed. Expect coefficients that "
            "are too large, and trust the optimism-corrected and external results, not the apparent ones."
        )
    for row in table[table["part"] == "external"].itertuples():
        enough = "are enough" if row.met else f"are fewer than the {int(row.required)} needed"
        text += f" The {int(row.available)} external patients {enough} if {row.rule}: {row.detail}."
    return text


def _development(table: pd.DataFrame) -> pd.DataFrame:
    return table[(table["part"] == "development") & (table["unit"] == "patients")]
