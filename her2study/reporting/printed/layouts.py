"""How each table is laid out: what groups its rows, which columns stand together, what is for programs only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from her2study.evaluation.intervals import ends

RATES = ("sensitivity", "specificity", "ppv", "npv", "accuracy")
COMPOSITE = ("balanced_accuracy", "f1", "mcc")
COUNTS = ("tp", "fp", "fn", "tn")
SIZE = ("n", "positives")


class Part(NamedTuple):
    """Columns that are printed together, after those that name the rows; none given: all."""

    columns: tuple[str, ...] = ()
    title: str = ""


class Layout(NamedTuple):
    """Layout of one table; columns that a study lacks are passed over.

    ``group``: columns that become rows over the whole width. ``folded``: told on those rows where they are the same
    for all rows below. ``once``: printed on the first of rows that share them. ``sort``: rows in the order of these
    (models and splits in that of a paper, others as they come). ``noted``: columns whose texts become footnotes of
    another column. ``hidden``: for programs, in the CSV only. ``heads``: print names in this table only.
    """

    group: tuple[str, ...] = ()
    folded: tuple[str, ...] = (*SIZE, "prevalence")
    once: tuple[str, ...] = ()
    sort: tuple[str, ...] = ()
    noted: Mapping[str, str] = {"note": "", "caveat": "", "test": "p"}
    hidden: tuple[str, ...] = ()
    heads: Mapping[str, str] = {}
    parts: tuple[Part, ...] = (Part(),)
    notes: tuple[str, ...] = ()


BY_SPLIT = Layout(group=("split",), sort=("split", "model"))
PAIRS = Layout(group=("split",), sort=("split",), noted={"note": "p", "caveat": ""})
VARIABLE = {"label": "Variable"}
CALIBRATION = BY_SPLIT._replace(
    parts=(
        Part(("intercept", "slope", "brier", "scaled_brier", "spiegelhalter_z", "p_spiegelhalter")),
        Part(("ici", "e50", "e90", "emax", "p_hosmer_lemeshow"), "distance between curve and diagonal"),
    )
)
POOLED = Layout(
    group=("model",),
    folded=("tau_squared", "i_squared", "p_heterogeneity"),
    sort=("model",),
    hidden=("kind", "split"),
    noted={"note": "auc"},
    notes=("All patients of a centre count, each scored by a model that did not see them.",),
)
LOGISTIC = Layout(
    group=("analysis",),
    folded=(),
    noted={"note": "selected"},
    hidden=("variable", "term"),
    heads={"label": "Predictor"},
    parts=(Part(("label", "n", "odds_ratio", "odds_ratio_profile", "p", "p_lrt", "vif", "method", "selected")),),
)
SUMMARIES = (
    "Numbers are patients with percentages of those with a recorded value, means with standard deviation, or medians "
    "with quartiles, as the first column says."
)

LAYOUTS: Mapping[str, Layout] = {
    "agreement": Layout(
        hidden=("variable",), heads=VARIABLE, notes=("Two readers read the same patients independently.",)
    ),
    "algorithms": BY_SPLIT,
    "assumptions": Layout(group=("group",)),
    "baseline": Layout(notes=(SUMMARIES,)),
    "calibration": CALIBRATION,
    "calibration_recalibrated": CALIBRATION,
    "centres": POOLED,
    "cohort_flow": Layout(hidden=("order",), once=("kind",), heads={"kind": "Step", "label": "Patients"}),
    "decision": BY_SPLIT._replace(sort=("split", "threshold", "model"), once=("threshold",)),
    "delong": PAIRS,
    "delong_global": Layout(),
    "inclusion": Layout(group=("model",), hidden=("variable",), heads=VARIABLE),
    "leave_one_centre_out": POOLED,
    "linearity": Layout(hidden=("variable",), heads=VARIABLE),
    "logistic": LOGISTIC,
    "logistic_combined": LOGISTIC,
    "mcnemar": PAIRS._replace(
        once=("model_a", "model_b"),
        notes=("In development the thresholds were chosen on the same patients, so p values there are too small.",),
    ),
    "operating_points": Layout(
        group=("rule", "split"),
        sort=("rule", "split", "model"),
        hidden=("target",),
        parts=(Part(("threshold", *RATES)), Part((*COUNTS, *COMPOSITE), "counts and composite measures")),
    ),
    "performance": BY_SPLIT._replace(
        parts=(
            Part(("auc", *RATES)),
            Part(("average_precision", "brier", *COMPOSITE), "further measures"),
            Part(("threshold", *COUNTS), "thresholds and counts"),
        )
    ),
    "predictive_values": BY_SPLIT._replace(folded=(), once=("model", "threshold")),
    "recalibration": Layout(sort=("model",), once=("model",), hidden=("updated_model",)),
    "reclassification": PAIRS,
    "saliency_sanity": Layout(group=("check",), hidden=("method",), heads={"label": "Map"}),
    "sample_size": Layout(group=("part",), noted={"detail": "criterion"}),
    "shap_ranking": Layout(
        group=("model",), folded=("unit",), hidden=("feature",), sort=("model",), heads={"label": "Predictor"}
    ),
    "subgroups": Layout(
        group=("split",),
        sort=("split", "variable", "level", "model"),
        once=("subgroup", "label"),
        hidden=("variable", "level"),
        folded=(),
        noted={"note": "auc"},
        heads={"label": "Patients"},
    ),
}

KEYS = ("rule", "split", "model", "model_a", "model_b", "centre", *SIZE, "prevalence")
"""Columns that name the rows and stand in every part of a table."""

NAMED_BELOW = ("model_b", "resamples", "method", "split", "model", "models", "prevalence", "unit", "measure")
"""Columns that are told in a line below the table where all rows have the same."""


def layout_of(name: str) -> Layout:
    """The layout of a table; one unknown here is printed as it is, grouped by its splits."""
    return LAYOUTS.get(name, BY_SPLIT._replace(folded=()))


def in_part(part: Part, column: str) -> bool:
    """Whether a column, or the estimate that it bounds, is printed in a part."""
    wanted = {name for measure in part.columns for name in ends(measure)}
    return not part.columns or column in wanted or column in KEYS or column in ("note", "caveat")
