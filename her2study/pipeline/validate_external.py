"""``her2study validate-external``: a frozen model judged by the outcomes of patients it has never seen.

Everything that is estimated here are statistics about the frozen models, and updates that are models of their own. The
bundle is read and never written; its thresholds are used as they are.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from her2study.pipeline.console import say
from her2study.pipeline.evaluate import (
    Evaluation,
    compute_evaluation,
    pages_of,
    settings_of,
    versions,
    write_csv,
    write_evaluation,
    write_figures,
)
from her2study.pipeline.evaluate import Request as EvaluationRequest
from her2study.pipeline.folder import MANIFEST, check_replaceable, whole_folder
from her2study.store import file_hash
from her2study.study import Variable
from her2study.types import StudyError

if TYPE_CHECKING:  # scipy, torch and matplotlib take seconds, and a command must start at once
    from her2study.evaluation.new_cohort import Judged
    from her2study.evaluation.suite import Outcome
    from her2study.models.apply import Applied
    from her2study.models.bundle import Bundle

MADE_BY = "her2study validate-external"
PREDICTIONS = "predictions.csv"
EQUATIONS = "recalibration.json"

UPDATED_TABLES = ("calibration", "decision")
UPDATED_FIGURES = ("calibration", "decision_curve")
"""What is told of updated models: an update moves probabilities and leaves the ranking, so no AUC is."""


@dataclass(frozen=True)
class Request:
    """What the user asked for; ``resamples`` and ``seed`` are the study's own where they are None."""

    bundle: Path
    data: Path
    out: Path
    table: str | None = None
    centres: tuple[str, ...] = ()
    workers: int = 1
    command: str = ""
    resamples: int | None = None
    seed: int | None = None
    fingerprint: str | None = None


@dataclass(frozen=True)
class Validation:
    """Everything that the start page tells."""

    request: Request
    bundle: Bundle
    findings: pd.DataFrame
    applied: Applied
    judged: Judged
    evaluation: Evaluation
    updated: list[Outcome]
    updated_figures: list[Outcome]
    equations: list[dict[str, Any]]
    strangers: str
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)

    @property
    def confidence(self) -> float:
        """Of all intervals, as in the study."""
        return self.bundle.statistics.confidence

    @property
    def clean(self) -> bool:
        """Whether nothing was found that a person must look at."""
        scored = (self.applied.scores["reason_unscored"] == "").all()
        return bool(self.findings.empty and self.applied.flags.empty and scored)


def validate_external(request: Request) -> Validation:
    """Judge the models of a bundle by new patients whose outcomes are known, and write ``request.out``.

    The folder appears when everything is in it, and replaces one that this command wrote before.

    Raises
    ------
    StudyError
        The bundle was changed or is none; the patients cannot be read, have no outcomes or outcomes of one kind; or
        the folder holds somebody's own files. Nothing is written then.
    """
    from her2study.pipeline.validation_page import validation_page
    from her2study.reporting.text_page import text_page

    check_replaceable(request.out, MADE_BY)
    done = compute_validation(request)
    simulated, own = done.bundle.simulated, done.evaluation.request
    with whole_folder(request.out, MADE_BY) as folder:
        for name in ("tables", "evaluation", "recalibrated", "recalibrated/tables", "recalibrated/figures"):
            (folder / name).mkdir()
        _save(done.evaluation.predictions, folder / PREDICTIONS, simulated)
        _save(done.applied.scores, folder / "patients.csv", simulated)
        for name, frame in done.tables.items():
            _save(frame, folder / "tables" / f"{name}.csv", simulated)
        write_evaluation(done.evaluation, folder / "evaluation")
        for outcome in done.updated:
            write_csv(folder / "recalibrated" / "tables", outcome, simulated)
        write_figures(folder / "recalibrated" / "figures", updated_pages(done), own, done.confidence)
        (folder / EQUATIONS).write_text(_json({"updates": done.equations, **about(done)}), encoding="utf-8")
        (folder / "summary.md").write_text(validation_page(done), encoding="utf-8")
        for page in ("summary.md", "evaluation/summary.md", "evaluation/sentences.md"):
            told = text_page((folder / page).read_text(encoding="utf-8"), simulated)
            (folder / page).with_suffix(".html").write_text(told, encoding="utf-8")
        (folder / MANIFEST).write_text(_json(_manifest(done, folder)), encoding="utf-8")
    say(f"start with {request.out / 'summary.html'}")
    return done


def compute_validation(request: Request) -> Validation:
    """Read, score and judge; nothing is written."""
    from her2study.cohort.findings import join
    from her2study.evaluation.new_cohort import check_outcomes, check_strangers, flow_table, judged, subset_table
    from her2study.models.apply import read_new_patients, score_patients
    from her2study.models.apply.scores import models_of
    from her2study.models.bundle import read_bundle

    bundle = read_bundle(request.bundle, request.fingerprint)
    new = read_new_patients(bundle, request.data, request.table, outcome=True, centres=request.centres)
    everyone = new.table
    known = everyone[(everyone["excluded"] == "") & everyone["label"].notna()]
    check_outcomes(known["label"] if len(known) else everyone["label"], bundle.outcome.label)
    strangers = check_strangers(known["centre"], bundle.centres.development, request.centres)
    say(f"{bundle.title}: {len(known)} of {len(everyone)} patients judge")
    applied = score_patients(bundle, new._replace(table=known.reset_index(drop=True)), request.workers)
    found = judged(applied.scores, models_of(bundle))
    evaluation = _evaluate(request, bundle, applied, found)
    tables = {
        "flow": flow_table(everyone, applied.scores, found),
        **_beside(bundle, known, evaluation),
        "subsets": subset_table(applied.scores, found, bundle.statistics.confidence),
        "flags": applied.flags,
        "findings": join([new.findings]),
    }
    local, updated, updated_figures, equations = _update(bundle, evaluation)
    return Validation(
        request, bundle, new.findings, applied, found, evaluation, updated, updated_figures, equations,
        strangers, tables | {"recalibration": local},
    )  # fmt: skip


def _evaluate(request: Request, bundle: Bundle, applied: Applied, found: Judged) -> Evaluation:
    """Everything that ``her2study evaluate`` tells, of the new patients with the training patients beside them."""
    from her2study.evaluation.new_cohort import external_predictions, training_predictions

    here = external_predictions(applied.scores, found.models, found.together)
    training = training_predictions(bundle.reference_scores, found.models)
    statistics, thresholds = bundle.statistics, {model: bundle.thresholds.get(model, {}) for model in found.models}
    without = [model for model, rules in thresholds.items() if "youden" not in rules]
    if without:
        raise StudyError(f"{request.bundle}: the model {without[0]!r} has no frozen threshold; freeze the study again")
    settings = {
        "confidence": statistics.confidence,
        "resamples": request.resamples or statistics.bootstrap,
        "seed": bundle.seed if request.seed is None else request.seed,
        "thresholds": {model: rules["youden"] for model, rules in thresholds.items()},
        "frozen": thresholds,
        "targets": {"sensitivity": statistics.target_sensitivity, "specificity": statistics.target_specificity},
        "prevalences": statistics.other_prevalences,
        "decision_range": statistics.decision_thresholds,
        "centres": tuple(sorted(here["centre"].unique())),
    }
    notes = (
        f"{here['patient_id'].nunique()} new patients, called external, whom the models have never seen.",
        f"{training['patient_id'].nunique()} training patients beside them, called development, each scored by a model "
        "that did not see her; their scores travel with the bundle, without names.",
    )
    own = EvaluationRequest(
        Path(PREDICTIONS), request.out, bundle.outcome.label, bundle.simulated, request.workers, request.command,
        settings, pd.concat([training, here], ignore_index=True), notes,
        f"External validation of {bundle.name}",
    )  # fmt: skip
    return compute_evaluation(own)


def _beside(bundle: Bundle, known: pd.DataFrame, evaluation: Evaluation) -> dict[str, pd.DataFrame]:
    """The training patients beside the new ones."""
    from her2study.cohort.case_mix import case_mix_table
    from her2study.evaluation.transport import training_and_new

    trained = (bundle.case_mix["by"] == "split") & (bundle.case_mix["group"] == "development")
    told = {"type": "binary", "label": bundle.outcome.label, "role": "pathology", "levels": ("no", "yes")}
    label = Variable.model_validate(told)
    variables = {"label": label, **{name: own for name, own in bundle.variables.items() if name in known}}
    patients = known.assign(label=known["label"].map({0: "no", 1: "yes"}).astype("str"))
    plan = evaluation.plan
    sampled = (plan.confidence, plan.resamples, plan.seed)
    return {
        "case_mix": case_mix_table(bundle.case_mix[trained], patients, variables),
        "training_and_new": training_and_new(evaluation.predictions, plan.models, *sampled),
    }


def _update(
    bundle: Bundle, evaluation: Evaluation
) -> tuple[pd.DataFrame, list[Outcome], list[Outcome], list[dict[str, Any]]]:
    """The recalibrated models: what changes, how they do, and the equations for later patients."""
    from her2study.evaluation import suite
    from her2study.evaluation.local_recalibration import local_equations, local_table, locally_recalibrated

    plan, rows = evaluation.plan, evaluation.predictions
    table = local_table(rows, plan.models, plan.thresholds, plan.confidence, plan.seed)
    updated = locally_recalibrated(rows, plan.models, plan.seed)
    originals = rows[(rows["split"] == "external") & rows["model"].isin(table.loc[table["note"] == "", "model"])]
    if updated.empty:
        return table, [], [], []
    both = pd.concat([originals, updated], ignore_index=True)
    alone = replace(plan, models=tuple(both["model"].unique()), pairs=(), nested=(), thresholds={}, frozen={})
    found = [
        [suite.compute(name, both, alone, entries) for name in names]
        for names, entries in ((UPDATED_TABLES, suite.TABLES), (UPDATED_FIGURES, suite.FIGURES))
    ]
    found[0] = [_without_artefacts(outcome) if outcome.name == "calibration" else outcome for outcome in found[0]]
    return table, *found, local_equations(table, bundle.thresholds)


def _without_artefacts(outcome: Outcome) -> Outcome:
    """No slope for an update of a constant model: it would be that of the parts' own differences."""
    from her2study.evaluation.wording import updated

    frame, keys = outcome.frame.copy(), ["slope", "slope_low", "slope_high"]
    constant = set(frame.loc[frame["slope"].isna(), "model"])
    frame.loc[[(updated(model) or (model,))[0] in constant for model in frame["model"]], keys] = float("nan")
    return outcome._replace(frame=frame)


def updated_pages(done: Validation) -> dict[str, tuple[str, pd.DataFrame]]:
    """The figures of the updated models, page by page."""
    pages: dict[str, tuple[str, pd.DataFrame]] = {}
    for outcome in done.updated_figures:
        names = [name for name in outcome.frame["model"].unique() if not name.startswith("treat_")]
        pages |= pages_of(outcome.name, outcome.frame, names)
    return pages


def about(done: Validation) -> dict[str, Any]:
    """Which bundle, and whose patients."""
    return {
        "bundle": done.bundle.name,
        "fingerprint": done.bundle.fingerprint,
        "outcome": done.bundle.outcome.label,
        "patients": "SIMULATED" if done.bundle.simulated else "not marked as simulated",
        "equation": "logit(new) = intercept + slope * logit(old), for patients who come later",
    }


def _manifest(done: Validation, folder: Path) -> dict[str, Any]:
    """What was made from what, with what: no dates, so that the same input gives the same bytes."""
    files: Sequence[Path] = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        "made_by": MADE_BY,
        **versions(),
        "command": done.request.command,
        **about(done),
        "data": str(done.request.data),
        "settings": settings_of(done.evaluation.plan),
        "files": {path.relative_to(folder).as_posix(): file_hash(path) for path in files},
    }


def _save(frame: pd.DataFrame, path: Path, simulated: bool) -> None:
    marked = frame.assign(patients="SIMULATED") if simulated else frame
    marked.to_csv(path, index=False, lineterminator="\n")


def _json(content: Any) -> str:
    return json.dumps(content, indent=1, ensure_ascii=False, default=str) + "\n"
