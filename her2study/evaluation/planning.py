"""Was the study large enough? What a sample size calculation would have asked for, beside what there is."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from her2study.evaluation.judges import judging_split
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
        ``part`` (of the split), ``criterion, rule, unit, required, available, met, detail``: Riley's criteria for the
        development patients and the events per parameter that they amount to, absent without candidate parameters;
        and for the patients who judge best (external, else internal, else development out of fold) how wide the
        AUC's interval must be expected.
    """
    rows = []
    own = splits.loc[splits["split"] == "development", "label"]
    if parameters:
        riley = riley_sample_size(parameters, float(own.mean()), auc=anticipated_auc)
        basis = f"{parameters} candidate parameters, prevalence {own.mean():.3f}, AUC {anticipated_auc:g} anticipated"
        for name, rule in CRITERIA.items():
            detail = f"{basis} (Cox-Snell R² {riley.r_squared_cs:.3f})" if name in ("shrinkage", "optimism") else basis
            rows.append(("development", name, rule, "patients", getattr(riley, name), len(own), detail))
        events = min(own.sum(), len(own) - own.sum()) / parameters
        where = ("development", "events_per_parameter", "what the largest of these amounts to", "events per parameter")
        rows.append((*where, riley.events_per_parameter, events, basis))
    judge = judging_split(splits["split"])
    other = splits.loc[splits["split"] == judge, "label"]
    if 0 < other.sum() < len(other):
        share = float(other.mean())
        width = auc_interval_width(anticipated_auc, len(other), share, confidence)
        needed = patients_for_width(anticipated_auc, TARGET_WIDTH, share, confidence)
        rule = f"the {confidence:.0%} interval of the AUC is to be at most {TARGET_WIDTH:g} wide"
        detail = f"expected width {width:.2f} at AUC {anticipated_auc:g} and prevalence {share:.3f}"
        rows.append((judge, "interval_width", rule, "patients", needed, len(other), detail))
    names = ["part", "criterion", "rule", "unit", "required", "available", "detail"]
    table = pd.DataFrame(rows, columns=names).astype({"required": "float64", "available": "float64"})
    table.insert(6, "met", table["available"] >= table["required"])
    return table


def patients_needed(table: pd.DataFrame) -> int | None:
    """Development patients that meet all criteria of :func:`sample_size_table`; none without candidate parameters."""
    development = _development(table)
    return int(development["required"].max()) if len(development) else None


def sample_size_sentence(table: pd.DataFrame, anticipated_auc: float) -> str:
    """What :func:`sample_size_table` says, in plain words."""
    parts = [*_development_words(table, anticipated_auc)]
    for row in table[table["criterion"] == "interval_width"].itertuples():
        enough = "are enough" if row.met else f"are fewer than the {int(row.required)} needed"
        who = {"internal": "internal validation", "development": "development"}.get(row.part, row.part)
        parts.append(f"The {int(row.available)} {who} patients {enough} if {row.rule}: {row.detail}.")
    return " ".join(parts)


def _development_words(table: pd.DataFrame, anticipated_auc: float) -> list[str]:
    development = _development(table)
    if development.empty:
        return ["No variable is a candidate, so no formula says how many patients development needs."]
    missed, available = development[~development["met"]], int(development["available"].iloc[0])
    parts = [
        f"If an AUC of {anticipated_auc:g} could be expected (an assumption), development needs "
        f"{patients_needed(table):,} patients."
    ]
    if missed.empty:
        return [*parts, f"There are {available:,}: all {len(development)} criteria are met."]
    trusted = "optimism-corrected" + (" and external" if (table["part"] == "external").any() else "")
    return [
        *parts,
        f"There are {available:,}: {len(missed)} of {len(development)} criteria are missed. Expect coefficients that "
        f"are too large, and trust the {trusted} results, not the apparent ones.",
    ]


def _development(table: pd.DataFrame) -> pd.DataFrame:
    return table[(table["part"] == "development") & table["rule"].isin(CRITERIA.values())]
