"""What a bundle tells of the patients it was made from: their scores and summaries, and nobody's name."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from her2study.models.bundle.contents import SCORE_COLUMNS


def reference_scores(predictions: pd.DataFrame, models: Sequence[str]) -> pd.DataFrame:
    """Out-of-fold scores of the development patients without anything that leads back to them.

    Patients get a running number in the order of their own numbers (fold, label, scores), which says nothing of the
    order of their names; the same number is the same patient in every model.

    Parameters
    ----------
    predictions : DataFrame
        The predictions contract.

    Returns
    -------
    DataFrame
        ``patient`` (1, 2, ...), ``model, label, probability, fold``; model by model.
    """
    own = predictions[(predictions["split"] == "development") & predictions["model"].isin(models)]
    present = [model for model in models if (own["model"] == model).any()]
    wide = own.pivot_table(index=["patient_id", "fold", "label"], columns="model", values="probability").reset_index()
    wide = wide.sort_values(["fold", "label", *present], ignore_index=True)
    wide.insert(0, "patient", range(1, len(wide) + 1))
    parts = [wide[["patient", "label", "fold"]].assign(model=model, probability=wide[model]) for model in present]
    scores = pd.concat(parts) if parts else pd.DataFrame(columns=list(SCORE_COLUMNS))
    return scores[list(SCORE_COLUMNS)].dropna(subset="probability").reset_index(drop=True)
