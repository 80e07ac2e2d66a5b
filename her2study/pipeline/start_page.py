"""The page to start with, ``summary.md``: what was read, what follows, every table and figure, and how it was made."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pandas as pd

from her2study.types import SPLITS
from her2study.words import percent_of

if TYPE_CHECKING:
    from her2study.pipeline.evaluate import Evaluation

TABLES = {
    "performance": "AUC (DeLong), average precision, what the thresholds do, Brier score",
    "delong": "differences in AUC, paired DeLong test, Holm-adjusted; likelihood-ratio test of nested models",
    "delong_global": "one test that all AUCs are equal",
    "operating_points": "thresholds by Youden's index, at a sensitivity and at a specificity, and what they do",
    "mcnemar": "differences in sensitivity, specificity and accuracy at the thresholds, McNemar test",
    "predictive_values": "PPV and NPV restated at other prevalences",
    "calibration": "intercept, slope, ICI, E50, E90, Emax, Brier scores, Spiegelhalter, Hosmer-Lemeshow",
    "recalibration": "updates of intercept and slope, estimated on development out-of-fold scores",
    "calibration_recalibrated": "calibration of the updated models, which are models of their own",
    "decision": "net benefit, standardised net benefit, interventions avoided at some thresholds",
    "decision_difference": "differences in net benefit at some thresholds",
    "reclassification": "event and non-event NRI and IDI, with their caveat",
    "centres": "AUC of each centre, pooled with random effects, and the prediction interval",
}
"""What each table of :data:`her2study.evaluation.suite.TABLES` holds."""

FIGURES = {
    "roc": "ROC curves",
    "precision_recall": "precision-recall curves",
    "confusion": "confusion matrices at the thresholds",
    "score_distribution": "predicted probabilities of negative and positive patients",
    "calibration": "calibration curves with bands",
    "decision_curve": "decision curves",
    "decision_difference": "differences in net benefit",
    "centres": "AUC by centre",
}
"""What each figure of :data:`her2study.evaluation.suite.FIGURES` shows."""

HEADLINE = ["model", "n", "positives", "auc", "auc_low", "auc_high", "average_precision", "average_precision_low",
            "average_precision_high", "brier", "brier_low", "brier_high"]  # fmt: skip

LEADING = ("Discrimination", "Differences", "Calibration", "Usefulness")
FEW_MODELS = 4
"""Headings whose sentences stand on the page; of more models the first only, for there is a page of all sentences."""

MARK = "**SIMULATED PATIENTS: these numbers test a method, not medicine.**"


def start_page(evaluation: Evaluation) -> str:
    """The page as Markdown, with links that work inside the folder."""
    plan, request = evaluation.plan, evaluation.request
    judged = judged_split(evaluation)
    parts = [
        f"# {title_of(evaluation)}",
        *([MARK] if request.simulated else []),
        f"Outcome: {request.outcome}. Intervals are {percent_of(plan.confidence)} confidence intervals.",
        "## What was read",
        markdown(_patients(evaluation.predictions, request.outcome)),
        bullets([*evaluation.notes, *evaluation.decisions]),
        f"## What follows, in {_split_words(judged)}",
        _headline(evaluation, judged),
        _doubt(evaluation),
        *_words(evaluation, judged),
        "## Tables",
        bullets(
            [
                f"[{outcome.name}](tables/{outcome.name}.csv): {TABLES[outcome.name]} ({_rows(len(outcome.frame))})"
                for outcome in evaluation.tables
                if not outcome.reason
            ]
        ),
        "Columns `<x>_low` and `<x>_high` are the interval of column `<x>`. Empty cells could not be estimated.",
        "## Figures",
        "Each as pdf, svg, png (300 dpi) and tiff (600 dpi); `figure_data/` holds the numbers behind them.",
        *_figures(evaluation),
        *_left_out(evaluation),
        *_made(evaluation),
        *([MARK] if request.simulated else []),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def title_of(evaluation: Evaluation) -> str:
    """What was evaluated, as a title."""
    return evaluation.request.heading or f"Evaluation of {evaluation.request.table.name}"


def _words(evaluation: Evaluation, split: str) -> list[str]:
    """The leading sentences about one split; of many models those on discrimination only."""
    leading = LEADING if len(evaluation.plan.models) <= FEW_MODELS else LEADING[:1]
    found = [part for part in sentences(evaluation, [split]) if part[0] in leading]
    parts = [f"### {heading}\n\n{bullets(lines)}" for heading, lines in found]
    return [*parts, "All sentences, for every split: [sentences.md](sentences.md)."]


def sentences_page(evaluation: Evaluation) -> str:
    """What the intervals say, in sentences, for every split."""
    about = title_of(evaluation)
    parts = [f"# Sentences from the {about[0].lower()}{about[1:]}"]
    parts += [MARK] if evaluation.request.simulated else []
    parts += ["Each sentence was chosen by an interval; nothing here was written by hand."]
    for heading, lines in sentences(evaluation, [split for split in SPLITS if split in _splits(evaluation)]):
        parts += [f"## {heading}", bullets(lines)]
    return "\n\n".join(parts) + "\n"


def sentences(evaluation: Evaluation, splits: list[str]) -> list[tuple[str, list[str]]]:
    """Headings and computed sentences about the patients of some splits; those about centres count all patients."""
    from her2study.evaluation import statements, verdicts

    outcome, confidence, models = evaluation.request.outcome, evaluation.plan.confidence, evaluation.plan.models

    def told(heading: str, say: Callable[[pd.DataFrame], list[str]], frame: pd.DataFrame) -> tuple[str, list[str]]:
        here = frame[frame["split"].isin([*splits, "all"])] if len(frame) else frame
        return heading, say(here) if len(here) else []

    table, figure = evaluation.table, evaluation.figure
    both = pd.concat([table("calibration"), table("calibration_recalibrated")])
    updated = both if len(table("calibration_recalibrated")) else both.iloc[:0]
    found = [
        told("Discrimination", lambda t: verdicts.discrimination_sentences(t, outcome), table("performance")),
        told("Differences", lambda t: verdicts.difference_sentences(t, confidence), table("delong")),
        told("All models at once", lambda t: statements.global_sentences(t, confidence), table("delong_global")),
        told("Calls at the thresholds", lambda t: statements.mcnemar_sentences(t, confidence), table("mcnemar")),
        told("Calibration", verdicts.calibration_sentences, table("calibration")),
        told("Recalibration", statements.recalibration_sentences, updated),
        told("Usefulness", lambda t: verdicts.usefulness_sentences(t, models), figure("decision_curve")),
        told("Differences in net benefit", statements.net_benefit_sentences, figure("decision_difference")),
        told("Centres", lambda t: statements.centre_sentences(t, outcome, confidence), table("centres")),
    ]
    return [(heading, lines) for heading, lines in found if lines]


def judged_split(evaluation: Evaluation) -> str:
    """The patients who judge the models best: external, else internal, else development."""
    return next(split for split in reversed(SPLITS) if split in _splits(evaluation))


def _splits(evaluation: Evaluation) -> set[str]:
    return set(evaluation.predictions["split"])


def _split_words(split: str) -> str:
    from her2study.evaluation.wording import split_words

    return split_words(split)


def _patients(predictions: pd.DataFrame, outcome: str) -> pd.DataFrame:
    """Patients, positives and centres of each split, in reading order."""
    patients = predictions.drop_duplicates("patient_id")
    by_split = patients.groupby("split")
    table = by_split.agg(n=("label", "size"), positives=("label", "sum"), prevalence=("label", "mean"))
    table["centres"] = by_split["centre"].nunique()
    return (
        table.reindex([split for split in SPLITS if split in table.index]).reset_index().rename(columns=_named(outcome))
    )


def _headline(evaluation: Evaluation, split: str) -> str:
    table = evaluation.table("performance")
    here = table.loc[table["split"] == split, HEADLINE].set_index("model").loc[list(evaluation.plan.models)]
    here = here.reset_index().rename(columns=_named(evaluation.request.outcome))
    return markdown(here, evaluation.plan.confidence)


def _doubt(evaluation: Evaluation) -> str:
    """A warning over results that are too good to be believed at once, else nothing."""
    from her2study.evaluation.audit import suspicious_finding
    from her2study.evaluation.findings import ATTENTION

    finding = suspicious_finding(evaluation.table("performance"))
    if finding.verdict != ATTENTION:
        return ""
    return f"**Look twice.** {finding.check}: {finding.value:.2f} ({finding.detail})."


def _named(outcome: str) -> dict[str, str]:
    """The column of positives under the outcome's own name."""
    return {"positives": outcome}


def _figures(evaluation: Evaluation) -> list[str]:
    lines = []
    for stem, (name, _) in evaluation.pages.items():
        page = f", page {stem.removeprefix(f'{name}_')}" if stem != name else ""
        links = ", ".join(f"[{ending}](figures/{stem}.{ending})" for ending in ("pdf", "svg", "png", "tiff"))
        lines.append(f"**{stem}**: {FIGURES[name]}{page} ({links})\n\n![{FIGURES[name]}{page}](figures/{stem}.png)")
    return lines


def _left_out(evaluation: Evaluation) -> list[str]:
    lines = [
        f"{kind} {outcome.name}: {outcome.reason}"
        for kind, outcomes in (("table", evaluation.tables), ("figure", evaluation.figures))
        for outcome in outcomes
        if outcome.reason
    ]
    return ["## Left out, and why", bullets(lines)] if lines else []


def _made(evaluation: Evaluation) -> list[str]:
    from her2study.pipeline.evaluate import settings_of, versions

    made, request = versions(), evaluation.request
    packages = ", ".join(f"{name} {version}" for name, version in made["packages"].items())
    settings = [f"{name}: {_setting(value)}" for name, value in settings_of(evaluation.plan).items()]
    return [
        "## How this was made",
        bullets(
            [
                f"her2study {made['her2study']}, Python {made['python']}, {packages}",
                f"input: `{request.table}`, sha256 `{evaluation.sha256}`",
                *([f"command: `{request.command}`"] if request.command else []),
                *settings,
                "the same table, settings and versions give the same tables, byte for byte; "
                "[manifest.json](manifest.json) has the sha256 of every file",
            ]
        ),
    ]


def _setting(value: object) -> str:
    """A setting as the command would take it."""
    if isinstance(value, dict):
        return ", ".join(f"{name}={_setting(number)}" for name, number in value.items()) or "none"
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, tuple | list):
        return ", ".join(":".join(item) if isinstance(item, tuple) else str(item) for item in value) or "none"
    return "as decided above" if value is None else str(value)


def markdown(frame: pd.DataFrame, confidence: float = 0.95) -> str:
    """A printed table in Markdown."""
    from her2study.reporting.tables import print_table

    printed = print_table(frame.reset_index(drop=True), confidence)
    rows = [list(printed.columns), ["---"] * len(printed.columns), *printed.to_numpy().tolist()]
    return "\n".join("| " + " | ".join(str(cell).strip().replace("|", "\\|") for cell in row) + " |" for row in rows)


def bullets(lines: list[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _rows(n: int) -> str:
    return f"{n} row{'s' if n > 1 else ''}"
