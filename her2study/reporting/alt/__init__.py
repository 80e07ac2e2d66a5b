"""Alternative text of figures: what each shows, in words computed from the frame it is drawn from.

For who hears a page instead of seeing it: the numbers that a glance at the figure gives, not "a plot of".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import pandas as pd

from her2study.reporting.alt import flow, influence, performance, pictures, rows
from her2study.words import ABSENT, listing, spell

TEXTS: Mapping[str, Callable[[pd.DataFrame], str]] = {
    "cohort_flow": flow.cohort_flow,
    "workflow": flow.workflow,
    "network": flow.network,
    "montage": pictures.montage,
    "montage_all": pictures.montage_all,
    "learning_curves": performance.learning_curves,
    "algorithms_roc": performance.roc,
    "roc": performance.roc,
    "precision_recall": performance.precision_recall,
    "calibration": performance.calibration,
    "decision_curve": performance.decision_curve,
    "decision_difference": performance.decision_difference,
    "confusion": performance.confusion,
    "score_distribution": performance.score_distribution,
    "forest": rows.forest,
    "nomogram": influence.nomogram,
    "correlation": influence.correlation,
    "shap_summary": influence.shap_summary,
    "shap_bar": influence.shap_bar,
    "shap_dependence": influence.shap_dependence,
    "shap_cases": influence.shap_cases,
    "gradcam": pictures.saliency,
    "saliency_sanity": rows.saliency_sanity,
    "subgroups": rows.subgroups,
    "centres": rows.centres,
    "failure_cases": pictures.saliency,
}
"""The text of each figure of :data:`her2study.reporting.figures.FIGURES`, a function of its stored frame."""


def alt_text(name: str, frame: pd.DataFrame, simulated: bool) -> str:
    """What a figure shows, in a few sentences computed from its data.

    Parameters
    ----------
    name : str
        As in :data:`her2study.reporting.figures.FIGURES`, with ``_1``, ``_2`` for pages; of any other name only
        the kind of its data is said.
    frame : DataFrame
        What the figure is drawn from.
    simulated : bool
        Ends the text with the mark that the figure itself carries.
    """
    kind = re.sub(r"_\d+$", "", name)
    if frame.empty:
        text = f"{spell(kind)}: no data."
    elif kind in TEXTS:
        text = TEXTS[kind](frame.reset_index(drop=True))
    else:
        text = f"{spell(kind)}: {len(frame)} rows of {listing(list(frame.columns))}."
    text = re.sub(rf"(?<!\w){ABSENT}(?!\w)", "not estimable", text)  # a dash is not heard
    return f"{text} Simulated patients." if simulated else text
