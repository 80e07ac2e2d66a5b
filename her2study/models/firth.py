"""Firth's penalised likelihood: finite estimates where a level or value range holds one class only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from her2study.models.likelihood import LogitFit, check_design, in_units, maximise, orthonormal


def fit_firth(design: ArrayLike, labels: ArrayLike, held: Sequence[int] = ()) -> LogitFit | None:
    r"""Logistic regression by Firth's penalised likelihood, which has finite estimates under separation.

    It maximises

    .. math:: l^*(\beta) = \sum_i \{y_i \eta_i - \log(1 + e^{\eta_i})\} + \tfrac12 \log\det(X^T W X),

    with :math:`\eta = X\beta` and :math:`W = \mathrm{diag}\{\pi_i(1 - \pi_i)\}`: Jeffreys' prior, which
    takes away the first-order bias of maximum likelihood. The modified score is
    :math:`\sum_i \{y_i - \pi_i + h_i(1/2 - \pi_i)\} x_i` with leverages :math:`h_i`; Newton's steps are
    halved while they lose. Predicted probabilities are drawn towards one half, so their mean is not the
    prevalence.

    Parameters
    ----------
    design : array (n, terms)
        Without a constant column, which is added; in any units.
    labels : array (n,)
        0 and 1; both are there, one patient of a class is enough.
    held : sequence of int
        Columns whose coefficient stays 0 while the penalty remains that of the whole design: the smaller
        model of the penalised likelihood-ratio test.

    Returns
    -------
    LogitFit or None
        ``penalised`` is true; ``log_likelihood`` holds the penalty; ``covariance (terms + 1, terms + 1)`` is
        the inverse information at the estimate. None if a column is constant or repeats others.

    Raises
    ------
    StudyError
        Labels are not 0 and 1 or of one class, a value is not finite, or lengths differ.

    References
    ----------
    Firth, Biometrika 1993; Heinze and Schemper, Statistics in Medicine 2002. R:
    ``brglm2::brglmFit(type = "AS_mean")``, ``logistf::logistf``.
    """
    matrix, outcome = check_design(design, labels)
    columns = orthonormal(matrix, last=[1 + column for column in held])
    if columns is None:
        return None
    free = np.arange(columns.matrix.shape[1]) < columns.matrix.shape[1] - len(held)
    found = maximise(columns.matrix, outcome, free=free, penalised=True)
    return in_units(found, columns, penalised=True) if found.finite else None
