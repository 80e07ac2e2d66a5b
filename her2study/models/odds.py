"""Odds ratios in print: each variable alone (the screen), and the terms of a model.

Univariable rows use the patients whose value is known. A variable is judged with all its terms, by the
likelihood-ratio test; single terms carry Wald and profile intervals.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

from her2study.models.encoding import Term, design_matrix, variable_terms
from her2study.models.likelihood import LogitFit
from her2study.models.logistic import drop_test, fit_estimable, method_of, variance_inflation
from her2study.models.profile import profile_intervals
from her2study.study import Variable
from her2study.types import Labels

CONSTANT = "not estimable: the same value in every patient"
UNOBSERVED = "not estimable: no value recorded"
ONE_CLASS = "not estimable: patients with a known value are of one class"
COLLINEAR = "not estimable: its levels repeat one another"
SEPARATED = (
    "Firth's estimate, because of separation (a level or value range holds one class only); "
    "intervals and p from the penalised likelihood"
)


class Alone(NamedTuple):
    """One variable by itself on the patients whose value is known; without ``fit``, ``note`` says why."""

    terms: list[Term]
    design: NDArray[np.float64]
    labels: Labels
    fit: LogitFit | None
    note: str


def fit_alone(patients: pd.DataFrame, name: str, variable: Variable) -> Alone:
    """Univariable fit; ``terms`` and ``design`` hold the terms that vary."""
    known = patients.loc[patients[name].notna(), ["patient_id", "label", name]]
    labels = known["label"].to_numpy(dtype=np.int64)
    terms = variable_terms(name, variable)
    matrix = design_matrix(known.set_index("patient_id"), terms, imputation={})  # nothing is missing
    varies = [i for i in range(len(terms)) if len(known) and np.ptp(matrix[:, i]) > 0]
    terms, design, fit = [terms[i] for i in varies], matrix[:, varies], None
    if not varies:
        note = CONSTANT if len(known) else UNOBSERVED
    elif len(np.unique(labels)) < 2:
        note = ONE_CLASS
    else:
        fit = fit_estimable(design, labels)
        note = COLLINEAR if fit is None else SEPARATED if fit.penalised else ""
    return Alone(terms, design, labels, fit, note)


def screening_p(patients: pd.DataFrame, variables: dict[str, Variable]) -> dict[str, float]:
    """P of the likelihood-ratio test of each variable alone; missing where it has no estimate."""
    return {name: _p_alone(fit_alone(patients, name, variable)) for name, variable in variables.items()}


def screen(patients: pd.DataFrame, variables: dict[str, Variable], confidence: float = 0.95) -> pd.DataFrame:
    """Each variable alone, on the patients whose value is known: the univariable rows of the table.

    Returns columns ``variable, term, label, n, odds_ratio`` (+ Wald and profile interval, see
    :func:`term_rows`) ``, p, p_lrt, method, note``.
    """
    rows = []
    for name, variable in variables.items():
        alone = fit_alone(patients, name, variable)
        estimated = alone.terms if alone.fit else []
        numbers = term_rows(estimated, alone.design, alone.labels, alone.fit, confidence)
        p_lrt = _p_alone(alone)
        for term in variable_terms(name, variable):
            row = numbers.get(term.name, {"method": "", "note": alone.note if alone.fit is None else CONSTANT})
            of_variable = {"variable": name, "n": len(alone.labels), "p_lrt": p_lrt}
            rows.append(of_variable | {"term": term.name, "label": term.label} | row)
    columns = ["variable", "term", "label", "n", "odds_ratio", "odds_ratio_low", "odds_ratio_high",
               "odds_ratio_profile_low", "odds_ratio_profile_high", "p", "p_lrt", "method", "note"]  # fmt: skip
    return pd.DataFrame(rows).reindex(columns=columns)


def term_rows(
    terms: Sequence[Term], design: NDArray[np.float64], labels: Labels, fit: LogitFit | None, confidence: float
) -> dict[str, dict[str, Any]]:
    """Odds ratio of each term, by its name, with Wald and profile interval and p.

    After Firth's fit both intervals are the penalised profile and ``p`` belongs to it: under separation
    the likelihood is far from a parabola, and Wald's interval would mislead.
    """
    if fit is None:
        return {}
    beta, errors = fit.coefficients[1:], np.sqrt(np.diag(fit.covariance))[1:]
    reach = norm.ppf(0.5 + confidence / 2) * errors
    wald = np.column_stack([beta - reach, beta + reach])
    profile = profile_intervals(design, labels, confidence, fit.penalised)[1:]
    p = 2 * norm.sf(np.abs(beta / errors))
    if fit.penalised:
        tests = [drop_test(fit, design, labels, [j]) for j in range(len(terms))]
        wald, p = profile, np.array([test.p if test else np.nan for test in tests])
    with np.errstate(over="ignore"):  # per unit of a variable measured in thousands an odds ratio may be infinite
        numbers = np.exp(np.column_stack([beta, wald, profile]))
    names = ["odds_ratio", "odds_ratio_low", "odds_ratio_high", "odds_ratio_profile_low", "odds_ratio_profile_high"]
    said = {"method": method_of(fit), "note": SEPARATED if fit.penalised else ""}
    return {
        term.name: dict(zip(names, map(float, row), strict=True)) | {"p": float(p[j])} | said
        for j, (term, row) in enumerate(zip(terms, numbers, strict=True))
    }


def model_rows(
    terms: Sequence[Term], design: NDArray[np.float64], labels: Labels, fit: LogitFit, confidence: float
) -> pd.DataFrame:
    """The terms of a model: :func:`term_rows` with ``p_lrt`` of the variable as a whole and ``vif``."""
    numbers = term_rows(terms, design, labels, fit, confidence)
    owners = np.array([term.variable for term in terms])
    tests = {name: drop_test(fit, design, labels, np.flatnonzero(owners == name)) for name in dict.fromkeys(owners)}
    return pd.DataFrame(
        {"variable": term.variable, "term": term.name, "label": term.label, "n": fit.n}
        | {"p_lrt": test.p if (test := tests[term.variable]) else np.nan, "vif": float(vif)}
        | numbers[term.name]
        for term, vif in zip(terms, variance_inflation(fit.covariance), strict=True)
    )


def _p_alone(alone: Alone) -> float:
    """P of the variable as a whole."""
    test = drop_test(alone.fit, alone.design, alone.labels, range(len(alone.terms))) if alone.fit else None
    return test.p if test else float("nan")
