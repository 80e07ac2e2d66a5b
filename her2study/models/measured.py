"""The measured branch of the D-score network: from measurements of the lesion to a logit, with 17 weights.

A concept bottleneck (Koh et al. 2020, arXiv:2007.04612) that a few hundred patients can fill: measurements ->
standardised -> probability that the lesion is a mass, which weighs what describes masses -> logit. Both layers are
ridge logistic regressions in closed form; nothing here is trained by gradient descent.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import torch
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits
from torch import Tensor, nn

from her2study.models.measurement import MEASUREMENTS, Measurements
from her2study.study import Variable
from her2study.types import StudyError

OF_ALL = ("wash_out", "peritumoural", "size")
"""Measurements that mean the same in every lesion."""

OF_MASSES = ("heterogeneity", "surface", "rim")
"""Measurements of internal enhancement, margin and rim, which mean something else, or nothing, in non-mass
enhancement (ACR BI-RADS Atlas 2013, MRI)."""

TYPE_STRENGTH = 0.1
"""Inverse L2 penalty of the layer that tells masses from non-mass lesions."""

CERTAIN = 30.0
"""Logit of what is not in doubt: every lesion counts as a mass where no reader said otherwise."""

FURTHEST = 4.0
"""Standard deviations at which a measurement is held: one odd lesion cannot run away with its score."""


class MeasuredBranch(nn.Module):
    """Channels ``(n, channel, z, y, x)``, whose order ``channels`` names, to a logit ``(n, 1)``."""

    def __init__(self, channels: tuple[str, ...]) -> None:
        super().__init__()
        self.measure = Measurements(channels)
        self.mass = nn.Linear(len(MEASUREMENTS), 1).requires_grad_(False)
        self.head = nn.Linear(len(OF_ALL) + len(OF_MASSES), 1).requires_grad_(False)
        for layer in (self.mass, self.head):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        self.register_buffer("mean", torch.zeros(len(MEASUREMENTS)))
        self.register_buffer("sd", torch.ones(len(MEASUREMENTS)))
        self.register_buffer("usual_mass", torch.zeros(len(OF_MASSES)))

    def forward(self, channels: Tensor) -> Tensor:
        """Logits; the same for a mirrored lesion."""
        return self.head(self.evidence(self.measure(channels)))

    def evidence(self, measurements: Tensor) -> Tensor:
        """Measurements ``(n, 9)`` as the last layer weighs them, ``(n, 6)``.

        What describes masses is taken from the average mass and counts as far as the lesion is one.
        """
        standard = self.standardised(measurements)
        mass = torch.sigmoid(self.mass(standard))
        return torch.cat([_named(standard, OF_ALL), mass * (_named(standard, OF_MASSES) - self.usual_mass)], dim=1)

    @torch.no_grad()
    def fit(self, measurements: Tensor, labels: np.ndarray, mass: np.ndarray | None, strength: float) -> None:
        """Learn from training patients.

        Parameters
        ----------
        measurements : Tensor (n, 9)
            What ``measure`` gave.
        labels : array (n,)
            0 or 1, both present.
        mass : array (n,), optional
            Share of readers who call the lesion a mass, NaN where nobody said.
        strength : float
            Inverse L2 penalty of the last layer.
        """
        self.standardise_like(measurements)
        standard = self.standardised(measurements)
        said = np.zeros(len(labels), bool) if mass is None else np.isfinite(mass)
        if said.any() and 0 < mass[said].mean() < 1:
            fit_ridge(self.mass, standard[torch.from_numpy(said)], mass[said], TYPE_STRENGTH)
        else:
            self.mass.bias.fill_(CERTAIN)
        weight = torch.sigmoid(self.mass(standard))
        self.usual_mass.copy_((weight * _named(standard, OF_MASSES)).sum(0) / weight.sum())
        fit_ridge(self.head, self.evidence(measurements), labels, strength)

    def standardise_like(self, measurements: Tensor) -> None:
        """Take mean and spread of each measurement from training patients ``(n, 9)``."""
        self.mean.copy_(measurements.mean(0))
        self.sd.copy_(measurements.std(0).clamp(min=1e-3))

    def standardised(self, measurements: Tensor) -> Tensor:
        """Measurements ``(n, 9)`` in standard deviations of the training patients, held at :data:`FURTHEST`."""
        return ((measurements - self.mean) / self.sd).clamp(-FURTHEST, FURTHEST)


def mass_readings(cohort: pd.DataFrame, variables: Mapping[str, Variable], name: str | None) -> np.ndarray:
    """Share of readers, 0 to 1, who call each patient's lesion a mass, ``(n,)``; NaN where nobody said.

    Parameters
    ----------
    name : str or None
        The variable with the lesion type, whose first level is "mass"; None: nobody said.

    Raises
    ------
    StudyError
        The study has no such variable, or it has no levels.
    """
    if name is None:
        return np.full(len(cohort), np.nan)
    if name not in variables or not variables[name].levels:
        raise StudyError(
            f"network.mass_reading is {name!r}, which is no variable with levels: name the reading of the lesion type, "
            "whose first level is a mass, or leave the setting out"
        )
    columns = [column for column in (name, f"{name}__reader2") if column in cohort]
    called = [(cohort[column] == variables[name].levels[0]).where(cohort[column].notna()) for column in columns]
    return pd.concat(called, axis=1).astype(float).mean(axis=1).to_numpy()


def _named(standard: Tensor, names: tuple[str, ...]) -> Tensor:
    order = list(MEASUREMENTS)
    return standard[:, [order.index(name) for name in names]]


def fit_ridge(layer: nn.Linear, inputs: Tensor, shares: np.ndarray, strength: float) -> None:
    """Ridge logistic regression of shares 0 to 1 ``(n,)`` on inputs ``(n, k)``, standardised, into ``layer``.

    ``strength`` is the inverse L2 penalty; labels are shares too.
    """
    x = inputs.double().cpu().numpy()
    middle, spread = x.mean(axis=0), np.maximum(x.std(axis=0), 1e-6)
    standard = (x - middle) / spread
    # a share of 0.3 is a patient who counts 0.3 times as a case and 0.7 times as none
    twice, labels = np.concatenate([standard, standard]), np.repeat([1, 0], len(x))
    weights = np.concatenate([shares, 1 - shares])
    with threadpool_limits(1):
        model = LogisticRegression(C=strength, solver="newton-cholesky", tol=1e-8).fit(
            twice[weights > 0], labels[weights > 0], weights[weights > 0]
        )
    weight = model.coef_[0] / spread
    layer.weight.copy_(torch.from_numpy(weight)[None])
    layer.bias.fill_(float(model.intercept_[0] - weight @ middle))
