"""Pipelines of the baselines: what each step keeps out."""

from __future__ import annotations

import numpy as np
import pytest

from her2study.models.baselines import feature_frame, fit
from her2study.models.pipelines import SPACES, UncorrelatedBest, build_pipeline, search_space, selected_terms
from her2study.types import StudyError
from tests.models.invented import QUICK, VARIABLES, invent, invent_radiomics


def test_selection_takes_the_best_and_no_copy_of_it():
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 2
    signal = labels + rng.normal(size=60)
    weak = 0.3 * labels + rng.normal(size=60)
    matrix = np.column_stack([rng.normal(size=60), signal, -2 * signal + 5, weak])
    assert UncorrelatedBest(1).fit(matrix, labels).taken_.tolist() == [1]
    assert UncorrelatedBest(4).fit(matrix, labels).taken_.tolist() == [0, 1, 3]
    assert UncorrelatedBest(4, max_correlation=1).fit(matrix, labels).transform(matrix).shape == (60, 4)


@pytest.mark.parametrize("model", list(SPACES))
def test_every_model_fits_and_gives_probabilities(model):
    cohort, _ = invent()
    features, labels = feature_frame(cohort, VARIABLES, invent_radiomics(cohort)), cohort["label"].to_numpy()
    defaults = {name: values[0] for name, values in search_space(model, QUICK, *features.shape).items()}
    pipeline = fit(model, defaults, features, labels, VARIABLES, seed=1)
    probability = pipeline.predict_proba(features)[:, 1]
    assert ((probability >= 0) & (probability <= 1)).all()
    names = [term.name for term in selected_terms(pipeline)]
    assert "wash_in_f02" not in names  # constant
    assert len({"wash_in_f00", "wash_in_f01"} & set(names)) == 1  # copies
    assert pipeline[-1].n_features_in_ == len(names) == defaults["select__k"]


def test_space_fits_few_patients_and_few_columns():
    space = search_space("knn", QUICK, patients=24, columns=4)
    assert max(space["model__n_neighbors"]) <= 6
    assert space["select__k"] == [3, 4]


def test_an_unknown_model_is_refused():
    with pytest.raises(StudyError, match=r"names 'xgbost', which does not exist; did you mean 'xgboost'\?"):
        build_pipeline("xgbost", VARIABLES, seed=1)
