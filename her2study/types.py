"""Array shapes and units, named once, and the one error that users see.

Axis order of every image array in memory is ``(z, y, x)`` in the patient's left-posterior-superior
(LPS) frame; distances are millimetres, times are seconds after contrast injection unless a name
says otherwise.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Volume: TypeAlias = NDArray[np.float32]
"""One phase, ``(z, y, x)``, arbitrary scanner units."""

Mask: TypeAlias = NDArray[np.bool_]
"""Lesion mask on the grid of its volume, ``(z, y, x)``."""

Channels: TypeAlias = NDArray[np.float32]
"""Network input of one patient, ``(channel, z, y, x)``, normalised."""

Labels: TypeAlias = NDArray[np.int64]
"""``(n,)``, 1 for outcome-positive, 0 for outcome-negative."""

Scores: TypeAlias = NDArray[np.float64]
"""``(n,)``, probabilities or any score where higher means more likely positive."""

SPLITS = ("development", "internal", "external")
"""Values of the ``split`` column, in reading order."""

NO_FOLD = -1
"""``fold`` of a patient outside development, scored by models that never saw any such patient."""

PREDICTION_COLUMNS = ("patient_id", "centre", "split", "model", "label", "probability", "fold")
"""The predictions contract: one row per patient and model."""


class StudyError(Exception):
    """A mistake in what the user gave us: names the thing, the value, the rule and the mend.

    Shown without a traceback; the command exits with status 2.
    """
