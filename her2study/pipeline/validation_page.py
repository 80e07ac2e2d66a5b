"""The page to start with, ``summary.md``, of an external validation: who, how good, beside whom, what may help."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from her2study.pipeline.start_page import MARK, bullets, markdown
from her2study.words import listing, number, percent_of

if TYPE_CHECKING:
    from her2study.pipeline.validate_external import Validation

AT_THRESHOLD = ("sensitivity", "specificity", "ppv", "npv", "accuracy")

TABLES = {
    "flow": "who was in the table, who left and why, who judges",
    "training_and_new": "every measure in the training patients and in these",
    "case_mix": "who these patients are beside those of training; standardised differences, missing values",
    "subsets": "the models in all whom they scored, and in those without flags",
    "flags": "every flag of every patient",
    "findings": "cells of the table that could not be used",
    "recalibration": "the local updates, estimated on all of these patients",
}
"""What each table of :func:`her2study.pipeline.validate_external.compute_validation` holds."""

FLAGS_SHOWN = 8

NO_REFIT = (
    "The frozen models are as they were: no coefficient, weight, threshold or imputed value was estimated on these "
    "patients."
)

UPDATES = (
    "An update moves a model's log odds by two numbers at most and leaves its ranking, so that its AUC and, at the "
    "moved threshold, its calls stay the same. Each patient is judged by the update estimated on the others (ten "
    "parts), so nobody's outcome calibrates her own probability. The numbers below are estimated on all of these "
    "patients and are for patients who come later; they are models of their own, with names of their own."
)


def validation_page(done: Validation) -> str:
    """The page as Markdown, with links that work inside the folder."""
    bundle, confidence = done.bundle, percent_of(done.confidence)
    parts = [
        f"# External validation of {bundle.name}",
        *([MARK] if bundle.simulated else []),
        f"{bundle.title}. Outcome: {bundle.outcome.label}. Intervals are {confidence} confidence intervals.",
        NO_REFIT,
        "## Who judges",
        markdown(_named(done, done.tables["flow"].rename(columns={"step": "patients", "reason": "why"}))),
        bullets([*([done.strangers] if done.strangers else []), _size(done), *_readers(done)]),
        "## How good the frozen models are here",
        markdown(_performance(done, ["auc", "intercept", "slope", "brier"]), done.confidence),
        "At the frozen thresholds:",
        markdown(_performance(done, ["threshold", *AT_THRESHOLD]), done.confidence),
        bullets(_sentences(done)),
        "[All sentences](evaluation/sentences.md), [every table and figure](evaluation/summary.md) of the evaluation.",
        "![ROC curves](evaluation/figures/roc.png)",
        "![Calibration](evaluation/figures/calibration.png)",
        "## Beside the training patients",
        markdown(_training_and_new(done), done.confidence),
        bullets(_transport(done)),
        markdown(_case_mix(done)),
        *_flags(done),
        "## Updated models",
        *_updates(done),
        "## Where everything is",
        bullets([f"[{name}](tables/{name}.csv): {what}" for name, what in TABLES.items() if name in done.tables]),
        bullets(
            [
                "[patients.csv](patients.csv): every patient's scores, verdicts, flags and reasons",
                "[predictions.csv](predictions.csv): what was evaluated; `her2study evaluate` reads it",
                "[recalibration.json](recalibration.json): the updates for later patients",
                f"bundle `{bundle.name}`, fingerprint `{bundle.fingerprint}`",
                *([f"command: `{done.request.command}`"] if done.request.command else []),
                "[manifest.json](manifest.json): packages, settings, and the sha256 of every file",
            ]
        ),
        *([MARK] if bundle.simulated else []),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _named(done: Validation, frame: pd.DataFrame) -> pd.DataFrame:
    """The column of positives under the outcome's own name."""
    return frame.rename(columns={"positives": done.bundle.outcome.label})


def _judges(done: Validation) -> pd.DataFrame:
    rows = done.evaluation.predictions
    return rows[(rows["split"] == "external")].drop_duplicates("patient_id")


def _size(done: Validation) -> str:
    from her2study.evaluation.new_cohort import size_sentence

    own = done.tables["training_and_new"]
    first = own[(own["measure"] == "auc") & (own["model"] == done.judged.models[0])]
    return size_sentence(_judges(done)["label"], float(first["training"].iloc[0]), done.confidence)


def _readers(done: Validation) -> list[str]:
    """Models of the bundle that could not take part."""
    from her2study.evaluation.wording import model_words

    absent = [model for model in done.bundle.thresholds if model not in done.judged.models]
    if not absent:
        return []
    verb = "takes" if len(absent) == 1 else "take"
    reasons = list(done.judged.left) or sorted(set(done.applied.scores["reason_unscored"]) - {""})
    why = f": {reasons[0]}" if reasons else ""
    return [f"{listing([model_words(model) for model in absent])} {verb} no part, for lack of scores{why}."]


def _performance(done: Validation, measures: list[str]) -> pd.DataFrame:
    """Some measures of each model in the new patients, with their ends."""
    table, calibration = done.evaluation.table("performance"), done.evaluation.table("calibration")
    keys = ["split", "model"]
    both = table.merge(calibration[[*keys, *_ends("intercept"), *_ends("slope")]], on=keys)
    wanted = [column for name in measures for column in _ends(name) if column in both]
    here = both[both["split"] == "external"].set_index("model")[wanted]
    return here.loc[list(done.judged.models)].reset_index()


def _ends(name: str) -> list[str]:
    return [name, f"{name}_low", f"{name}_high"]


def _sentences(done: Validation) -> list[str]:
    from her2study.pipeline.start_page import LEADING, sentences

    return [line for heading, lines in sentences(done.evaluation, ["external"]) if heading in LEADING for line in lines]


def _training_and_new(done: Validation) -> pd.DataFrame:
    wide = done.tables["training_and_new"].drop(columns=["measure"]).rename(columns={"label": "measure"})
    return wide[["model", "measure", *_ends("training"), *_ends("new"), *_ends("difference"), "p"]]


def _transport(done: Validation) -> list[str]:
    from her2study.cohort.case_mix import LARGE, notable
    from her2study.evaluation.transport import transport_sentences

    largest = notable(done.tables["case_mix"])
    words = f"Standardised differences above {LARGE}: {listing(largest)}." if largest else (
        f"No recorded variable differs by more than {LARGE} standard deviations from training."
    )  # fmt: skip
    return [*transport_sentences(done.tables["training_and_new"]), words]


def _case_mix(done: Validation) -> pd.DataFrame:
    """As a Table 1 prints it: what belongs to the variable stands on its first row."""
    from her2study.cohort.case_mix import apart

    table = done.tables["case_mix"]
    repeated = table["variable"] == table["variable"].shift()
    unit = table["unit"].where(table["unit"].notna() & (table["unit"] != ""), "")
    named = table["label"].where(unit == "", table["label"] + ", " + unit)
    missing = table["training_missing_percent"].map(_share) + " and " + table["new_missing_percent"].map(_share)
    return pd.DataFrame(
        {
            "characteristic": named.mask(repeated, ""),
            "level": table["level"],
            "training": table["training"],
            "here": table["new"],
            "missing, training and here": missing.mask(repeated, ""),
            "difference (SD)": table["smd"].map(apart).mask(repeated, ""),
        }
    )


def _share(percent: float) -> str:
    return f"{number(percent, 0)}%"


def _flags(done: Validation) -> list[str]:
    """How many patients carry which kind of flag."""
    from her2study.models.apply.flags import KINDS

    flags = done.applied.flags
    if flags.empty:
        return ["## Flags", "No patient is flagged."]
    counted = flags.groupby("kind")["patient_id"].nunique()
    lines = [f"{KINDS[kind]}: {n} patient{'s' if n > 1 else ''}" for kind, n in counted.items()]
    people = flags["patient_id"].nunique()
    head = f"{people} of {len(done.applied.scores)} patients are flagged; flagged patients judge as all others do."
    subsets = done.tables["subsets"]
    alike = set(subsets["patients"]) == {"judged"}
    told = "" if alike else markdown(_named(done, subsets), done.confidence)
    return ["## Flags", head, bullets(lines[:FLAGS_SHOWN]), told]


def _updates(done: Validation) -> list[str]:
    from her2study.evaluation.statements import recalibration_sentences

    table = done.tables["recalibration"]
    calibration = next((outcome.frame for outcome in done.updated if outcome.name == "calibration"), pd.DataFrame())
    shown = table[["updated_model", *_ends("intercept"), *_ends("slope"), "threshold", "updated_threshold"]]
    shown = shown[table["note"] == ""].rename(columns={"updated_model": "model"})
    parts = [UPDATES] if len(shown) else []
    parts += [markdown(shown, done.confidence)] if len(shown) else []
    lines = _asked(table) + (recalibration_sentences(calibration) if len(calibration) else [])
    left = [f"{row.updated_model} is not made: {row.note}." for row in table[table["note"] != ""].itertuples()]
    parts.append(bullets([*lines, *left]))
    if len(calibration):
        parts.append("[Calibration](recalibrated/tables/calibration.csv) and [net benefit]"
                     "(recalibrated/tables/decision.csv) of the updated models, each patient judged by the others.\n\n"
                     "![Calibration of the updated models](recalibrated/figures/calibration.png)")  # fmt: skip
    return parts


def _asked(table: pd.DataFrame) -> list[str]:
    """How much updating these patients ask for, a sentence a model."""
    from her2study.evaluation.wording import model_words, p_words

    words = {
        "original": "these patients give no reason to update {}",
        "intercept": "these patients ask for an updated intercept of {}, and no more",
        "slope": "these patients ask for an update of both intercept and slope of {}",
    }
    lines = []
    for row in table[table["asked_for"] != ""].drop_duplicates("model").itertuples():
        asked = words[row.asked_for].format(model_words(row.model))
        slope = f", p {p_words(row.p_slope)} for the slope" if pd.notna(row.p_slope) else ""
        lines.append(f"By the closed test, {asked} (p {p_words(row.p_any)} for any update{slope}).")
    return lines
