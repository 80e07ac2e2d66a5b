"""Frozen models for the calculator's tests: made-up patients, fitted by statsmodels, every kind of term."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import statsmodels.api as sm

from her2study.models.combined import DSCORE
from her2study.models.encoding import design_matrix, imputation_values, variable_terms
from her2study.models.frozen import freeze
from her2study.study import Variable

GRADES = ("low", "intermediate", "high")
SHAPES = ("round", "oval <lobed>", 'irregular "spiky"', "ring & rim")

VARIABLES = {
    "age_years": Variable(type="continuous", label="Age", role="clinical", unit="years"),
    "volume_ml": Variable(type="continuous", label="Tumour volume", role="mri_reading", unit="ml", log=True),
    "skewness": Variable(type="continuous", label="Skewness", role="mri_reading"),
    "grade": Variable(type="ordinal", label="Grade", role="clinical", levels=GRADES),
    "shape": Variable(type="categorical", label="Shape", role="mri_reading", levels=SHAPES),
    "node": Variable(type="binary", label="Suspicious node", role="mri_reading", levels=("no", "yes")),
}

THRESHOLDS = {"youden": 0.4, "sensitivity": 0.15, "specificity": 0.7}


def patients(n: int = 400) -> pd.DataFrame:
    """People who never were, a tenth of each value missing."""
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "patient_id": [f"p{i:03}" for i in range(n)],
            "dscore": rng.beta(1.2, 2.5, n),
            "age_years": rng.normal(55, 9, n).round(),
            "volume_ml": rng.lognormal(1, 1, n).round(2),
            "skewness": rng.normal(0, 0.8, n).round(3),
            "grade": rng.choice(GRADES, n),
            "shape": rng.choice(SHAPES, n, p=[0.4, 0.3, 0.2, 0.1]),
            "node": rng.choice(["no", "yes"], n),
        }
    )
    risk = -1 + 3 * frame["dscore"] + 0.6 * np.log(frame["volume_ml"]) + 0.8 * (frame["node"] == "yes")
    frame["label"] = (rng.random(n) < 1 / (1 + np.exp(1.5 - risk))).astype("int64")
    gone = rng.random((n, len(VARIABLES))) < 0.1
    return frame.assign(**{name: frame[name].mask(gone[:, i]) for i, name in enumerate(VARIABLES)})


def frozen_model(*names: str, dscore: bool = False, thresholds: dict[str, float] | None = None) -> dict[str, Any]:
    """A model of the named variables; its coefficients and their covariance are statsmodels'."""
    return frozen_and_fit(*names, dscore=dscore, thresholds=thresholds)[0]


def frozen_and_fit(*names: str, dscore: bool = False, thresholds: dict[str, float] | None = None) -> tuple:
    """The frozen model and the statsmodels result that it was frozen from."""
    people = patients()
    terms = [DSCORE] * dscore + [term for name in names for term in variable_terms(name, VARIABLES[name])]
    imputation = imputation_values(people, terms)
    design = sm.add_constant(design_matrix(people, terms, imputation), has_constant="add")
    fit = sm.GLM(people["label"], design, family=sm.families.Binomial()).fit(tol=1e-12)
    labels = {"dscore": "D-score"} | {name: variable.printed for name, variable in VARIABLES.items()}
    beta, covariance = fit.params.to_numpy(), fit.cov_params().to_numpy()
    kind = "combined" if dscore else "clinical"
    model = freeze(kind, beta[0], beta[1:], covariance, terms, imputation, labels, people)
    return model | {"thresholds": THRESHOLDS if thresholds is None else thresholds, "method": "maximum likelihood"}, fit


def all_kinds() -> dict[str, Any]:
    """Every kind of term in one model: logit, value, log, score, and levels with names that need escaping."""
    return frozen_model(*VARIABLES, dscore=True)


def unseen_level() -> dict[str, Any]:
    """A model that lacks the term of one shape, as the fit leaves it if no training patient had it."""
    model = frozen_model("shape", "age_years")
    keep = [i for i, term in enumerate(model["terms"]) if term["level"] != "ring & rim"]
    rows = [0, *[i + 1 for i in keep]]
    covariance = np.array(model["covariance"])[np.ix_(rows, rows)].tolist()
    return model | {"terms": [model["terms"][i] for i in keep], "covariance": covariance}


MODELS = {
    "all_kinds": all_kinds,
    "null": lambda: frozen_model(thresholds={"youden": 0.3}),
    "one_class": lambda: frozen_model("node", thresholds={}),
    "unseen": unseen_level,
}
"""Models by name, made when asked for."""
