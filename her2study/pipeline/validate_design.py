"""Whether the patients who are left allow the design of a study: parts, folds, and events enough for its models."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pandas as pd

from her2study.cohort.checks.cells import Patients, about
from her2study.cohort.checks.centres import empty_classes, unlike_centres
from her2study.cohort.findings import findings, join, none
from her2study.cohort.flow import exclude_unscored
from her2study.cohort.own_tables import own_folds, read_features, read_scores
from her2study.cohort.placement import placements
from her2study.cohort.splits import make_splits
from her2study.pipeline.validate_table import TableChecked
from her2study.study import Source, Study
from her2study.types import StudyError


class Design(NamedTuple):
    """Findings; the splits that a run would make, none if it could not; the sample size that a plan would ask for."""

    findings: pd.DataFrame
    splits: pd.DataFrame | None = None
    sample_size: pd.DataFrame | None = None
    sentence: str = ""


def check_design(study: Study, checked: TableChecked, rows: pd.DataFrame, scores: pd.DataFrame | None) -> Design:
    """Place, split and count the patients who are left.

    Rows with an unknown centre or outcome have findings of their own and are left aside, so that the rest can be
    looked at all the same.

    Parameters
    ----------
    rows : DataFrame
        Of ``checked.included``, those whose scans are fit.
    scores : DataFrame or None
        The user's own scores, whose folds take the place of the draw.
    """
    patients, source = checked.told, study.source
    label, centre = checked.label[rows.index], rows[source.centre_column]
    whole = label.notna() & centre.isin((*study.centres.development, *study.centres.external))
    whole &= rows[source.patient_column].notna() & ~rows[source.patient_column].duplicated()
    rows, label, centre = rows[whole], label[whole], centre[whole]
    if patients is None or rows.empty or label.min() == label.max():
        return Design(none())
    try:
        placed = placements(rows, source, study.centres, study.split)
    except StudyError:  # dates and columns that the design needs have findings of their own
        return Design(none())
    outside = pd.Series(placed["external"].to_numpy(dtype=bool), rows.index)
    found = [
        empty_classes(patients, centre, label, outside, study.centres, study.outcome),
        unlike_centres(patients, centre, label, study.outcome),
    ]
    cohort = pd.DataFrame({"patient_id": rows[source.patient_column], "centre": centre, "label": label.astype("int64")})
    folds = own_folds(scores) if scores is not None else None
    try:
        splits = make_splits(cohort, study.centres, study.split, study.seed, placed, folds)
    except (StudyError, ValueError) as error:
        if (found[0]["severity"] != "error").all():  # else the cause has been told
            found.append(_as_finding(patients, error))
        return Design(join(found))
    return _with_sample_size(study, patients, splits, found)


def check_own_tables(study: Study, folder: Path, patients: list[str]) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Findings about the user's own features and scores, and the scores if they can be read."""
    source, found, scores = study.source, [], None
    if source.features and patients:
        try:
            own = read_features(folder, source, patients, study.variables)
            found += [
                _of_file(source, "warning", f"{len(own.without):,} included patients have no row, {own.without[0]} for "
                         "one", "their features are filled in by each model", "add their rows if they were measured")
            ] if own.without else []  # fmt: skip
        except StudyError as error:
            found.append(_of_file(source, "error", *_parted(error)))
    if source.scores:
        try:
            scores = read_scores(folder, source)
        except StudyError as error:
            found.append(_of_file(source, "error", *_parted(error)))
    return join(found), scores


def leave_unscored(
    study: Study, rows: pd.DataFrame, excluded: pd.DataFrame, scores: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Rows of patients who have a score of the user's own, everybody who left, and what is wrong with that."""
    names = rows[[study.source.patient_column, study.source.centre_column]].set_axis(["patient_id", "centre"], axis=1)
    try:
        stays, excluded = exclude_unscored(names, excluded, scores)
    except StudyError as error:
        return rows, excluded, _of_file(study.source, "error", *_parted(error))
    scored = rows[study.source.patient_column].isin(stays["patient_id"])
    without = rows.loc[~scored, study.source.patient_column].sort_values()
    told = {
        "severity": "warning", "area": "table", "patient": without, "file": study.source.scores, "value": "no score",
        "rule": "a patient without a score leaves the study; her name must be that of the clinical table",
        "mend": "add her row, or nothing to do if she was never scored",
    }  # fmt: skip
    return rows[scored], excluded, findings(pd.DataFrame(told)) if len(without) else none()


def _with_sample_size(study: Study, patients: Patients, splits: pd.DataFrame, found: list[pd.DataFrame]) -> Design:
    """Riley's criteria for the candidates of the clinical model, before hours are spent."""
    from her2study.evaluation.planning import candidate_parameters, sample_size_sentence, sample_size_table

    parameters = candidate_parameters(study.candidates)
    developed = splits.loc[splits["split"] == "development", "label"]
    if developed.min() == developed.max():
        return Design(join(found), splits)
    anticipated, confidence = study.statistics.anticipated_auc, study.statistics.confidence
    try:
        table = sample_size_table(splits, parameters, anticipated, confidence)
    except StudyError as error:
        found.append(_as_finding(patients, error))
        return Design(join(found), splits)
    width = table["criterion"] == "interval_width"
    missed = table[~table["met"] & ~width & (table["unit"] == "patients")]
    if len(missed):
        rarer = int(min(developed.sum(), len(developed) - developed.sum()))
        value = (
            f"{len(developed):,} development patients, {rarer:,} of the rarer class, for {parameters} candidate "
            f"parameters: {rarer / parameters:.1f} events each"
        )
        needed = int(missed["required"].max())
        rule = f"Riley's criteria ask for {needed:,} patients if an AUC of {anticipated:g} is expected"
        mend = "offer fewer candidates (candidate: false), add patients, or expect models that promise too much"
        found.append(about(patients, "splits", "warning", value, rule, mend))
    for row in table[~table["met"] & width].itertuples():
        value = f"{int(row.available):,} {row.part} patients judge; {row.detail}"
        mend = f"{int(row.required):,} patients would do; else expect a wide interval"
        found.append(about(patients, "splits", "note", value, row.rule, mend))
    return Design(join(found), splits, table, sample_size_sentence(table, anticipated))


def _as_finding(patients: Patients, error: Exception) -> pd.DataFrame:
    text = str(error).removeprefix(f"{patients.source.table}: ")
    value, _, mend = text.rpartition("; ") if "; " in text else text.rpartition(": ")
    rule = "a run must be able to split the patients, with both classes in every part"
    return about(patients, "splits", "error", value or mend, rule, mend if value else "see split in study.yml")


def _parted(error: StudyError) -> tuple[str, str, str]:
    """Value, rule and mend of a message in one sentence."""
    value, _, mend = str(error).partition("; ")
    return value, "a run would stop here", mend or "correct the table or study.yml"


def _of_file(source: Source, severity: str, value: str, rule: str, mend: str) -> pd.DataFrame:
    names = ", ".join((*source.features, *([source.scores] if source.scores else [])))
    area = "file" if severity == "error" else "table"
    return findings([{"severity": severity, "area": area, "file": names, "value": value, "rule": rule, "mend": mend}])
