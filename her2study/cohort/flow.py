"""Who was screened, who left and why, who stayed: the patient flow of the paper."""

from __future__ import annotations

import pandas as pd

from her2study.study import Centres, Exclusion, Outcome, Source, Split
from her2study.types import SPLITS, StudyError

NO_OUTCOME = "Outcome not recorded"
UNFIT = "Unfit scan: "
NO_SCORE = "No score in the study's own table of scores"
HER2_REASON = "her2_reason"
"""Column that says why a patient has no HER2 category, where the outcome is derived from score and hybridisation."""
SPLIT_LABELS = {"development": "Development", "internal": "Internal validation", "external": "External validation"}


def apply_exclusions(
    table: pd.DataFrame, exclusions: tuple[Exclusion, ...], outcome: Outcome, source: Source
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Remove patients, rule by rule in the order written; each leaves for the first rule that applies.

    A missing outcome excludes even if no rule says so: it is never taken for a negative. So does, where the outcome
    is derived from HER2 score and hybridisation, an equivocal result, and a category that the task leaves out.

    Parameters
    ----------
    table : DataFrame
        Text columns, one row a patient, as ``schema.check_table`` accepted it.

    Returns
    -------
    included : DataFrame
        The remaining rows, index kept.
    excluded : DataFrame
        ``patient_id, centre, reason``, in the order of the rules, then by patient.
    """
    rules = [*exclusions, *_left_out_by_task(outcome)]
    if not (outcome.her2 and HER2_REASON in table):
        rules.append(Exclusion(reason=NO_OUTCOME, column=outcome.column, missing=True))
    included, left = table, []
    for rule in rules:
        values = included[rule.column]
        named = [str(value) for value in rule.values]  # noqa: PD011 (a setting, not a frame)
        leaves = values.isin(named) | (values.isna() & rule.missing)
        gone = included.loc[leaves, [source.patient_column, source.centre_column]]
        gone = gone.set_axis(["patient_id", "centre"], axis=1).sort_values("patient_id")
        left.append(gone.assign(reason=rule.reason))
        included = included[~leaves]
    if outcome.her2 and HER2_REASON in included:
        unknown = included[included[outcome.column].isna()]
        for reason, rows in unknown.groupby(unknown[HER2_REASON].fillna("")):
            gone = rows[[source.patient_column, source.centre_column]].set_axis(["patient_id", "centre"], axis=1)
            left.append(gone.sort_values("patient_id").assign(reason=f"{NO_OUTCOME}: {reason}".removesuffix(": ")))
        included = included.drop(unknown.index)
    return included, pd.concat(left, ignore_index=True).astype({"reason": "str"})


def _left_out_by_task(outcome: Outcome) -> list[Exclusion]:
    """A rule for each HER2 category that is neither positive nor negative in the task."""
    if not outcome.her2:
        return []
    used = {*outcome.positive, *outcome.negative}
    words = {
        "equivocal": "HER2 equivocal",
        "negative": "HER2 negative, but not known whether low or zero",
        "positive": "HER2 positive",
        "low": "HER2 low",
        "zero": "HER2 zero",
    }
    asked = f" (the question is {str(outcome.task).replace('-', ' ')})"
    return [
        Exclusion(reason=text + ("" if category == "equivocal" else asked), column=outcome.column, values=(category,))
        for category, text in words.items()
        if category not in used
    ]


def exclude_unscored(
    cohort: pd.DataFrame, excluded: pd.DataFrame, scores: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Remove patients who have no score in the study's own table of scores, after all other rules.

    Parameters
    ----------
    cohort, excluded : DataFrame
        As for :func:`exclude_unfit`.
    scores : DataFrame
        ``patient_id`` and more.

    Raises
    ------
    StudyError
        More than half of the patients have none: the names hardly mean the same patients.
    """
    without = ~cohort["patient_id"].isin(scores["patient_id"])
    if without.mean() > 0.5:
        raise StudyError(
            f"source.scores: {int(without.sum())} of {len(cohort)} included patients have no score, "
            f"{cohort.loc[without, 'patient_id'].iloc[0]!r} among them; patients must have the names that they have in "
            "the clinical table"
        )
    gone = cohort.loc[without, ["patient_id", "centre"]].assign(reason=NO_SCORE)
    stays = cohort[~without].reset_index(drop=True)
    return stays, pd.concat([excluded, gone], ignore_index=True).astype({"reason": "str"})


def exclude_unfit(
    cohort: pd.DataFrame, excluded: pd.DataFrame, fitness: pd.DataFrame, by_centre: bool = True
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Remove patients whose scans or mask are unfit for use, after all rules of the study.

    Parameters
    ----------
    cohort : DataFrame
        Included patients, ``patient_id, centre`` and more.
    excluded : DataFrame
        As :func:`apply_exclusions` returned it.
    fitness : DataFrame
        ``patient_id, reason``; the reason is empty for who is fit.
    by_centre : bool
        Whether whole centres judge, so that each needs both classes; else the study as a whole needs them.

    Returns
    -------
    cohort, excluded : DataFrame
        The same frames after the removal; reasons begin with :data:`UNFIT`, the most frequent first.

    Raises
    ------
    StudyError
        A centre (or the study) has nobody left in one of the two classes.
    """
    unfit = fitness.loc[fitness["reason"] != "", ["patient_id", "reason"]]
    gone = cohort[["patient_id", "centre"]].merge(unfit, on="patient_id", validate="one_to_one")
    often = gone.groupby("reason")["reason"].transform("size")
    gone = gone.assign(n=-often).sort_values(["n", "reason", "patient_id"]).drop(columns="n")
    gone["reason"] = UNFIT + gone["reason"]
    stays = cohort[~cohort["patient_id"].isin(unfit["patient_id"])].reset_index(drop=True)
    for (place, label), before in cohort.groupby([cohort["centre"] if by_centre else cohort["label"], "label"]):
        if not stays["patient_id"].isin(before["patient_id"]).any():
            reasons = gone.loc[gone["patient_id"].isin(before["patient_id"]), "reason"]
            of, no = (f"of centre {place!r}", "no centre") if by_centre else ("of the study", "nothing")
            more = ", or remove the centre from study.yml" if by_centre else ""
            raise StudyError(
                f"all {len(before)} {'positive' if label else 'negative'} patients {of} are unfit for use "
                f"({', '.join(sorted(set(reasons)))}), and {no} can be judged without both classes: mend their "
                f"scans{more}"
            )
    return stays, pd.concat([excluded, gone], ignore_index=True).astype({"reason": "str"})


def cohort_flow(
    excluded: pd.DataFrame,
    splits: pd.DataFrame,
    centres: Centres,
    exclusions: tuple[Exclusion, ...],
    left_out: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """The flow, from screened to splits and centres.

    ``left_out`` has a ``reason`` for each further row of a patient who has several in the table (lesions, breasts,
    visits): where there are any, the flow starts from rows, and patients are screened.

    Returns
    -------
    DataFrame
        ``order, kind, label, n, positives``; ``kind`` is ``included`` (screened, then included),
        ``excluded`` (one row a rule, also when nobody left), ``split`` or ``centre``. ``positives`` is
        missing where the outcome is not known of everybody.
    """
    reasons = list(dict.fromkeys([rule.reason for rule in exclusions] + excluded["reason"].unique().tolist()))
    screened = len(excluded) + len(splits)
    rows: list[tuple] = []
    if left_out is not None and len(left_out):
        rows.append(("included", "Rows of the table", screened + len(left_out), pd.NA))
        rows += [("excluded", reason, int(n), pd.NA) for reason, n in left_out["reason"].value_counts().items()]
    rows.append(("included", "Screened", screened, pd.NA))
    rows += [("excluded", reason, int((excluded["reason"] == reason).sum()), pd.NA) for reason in reasons]
    rows.append(("included", "Included", len(splits), int(splits["label"].sum())))
    for split in SPLITS:
        here = splits.loc[splits["split"] == split, "label"]
        if len(here):
            rows.append(("split", SPLIT_LABELS[split], len(here), int(here.sum())))
    places = (*centres.development, *centres.external)
    for centre in places if len(places) > 1 else ():
        here = splits.loc[splits["centre"] == centre, "label"]
        rows.append(("centre", centres.names.get(centre, centre), len(here), int(here.sum())))
    frame = pd.DataFrame(rows, columns=["kind", "label", "n", "positives"]).astype({"positives": "Int64"})
    frame.insert(0, "order", range(len(frame)))
    return frame


def workflow(
    centres: Centres, split: Split, splits: pd.DataFrame, has_images: bool, source: Source | None = None,
    candidates: bool = True,
) -> pd.DataFrame:  # fmt: skip
    """The study from patients to verdict as boxes: ``order, stage, label, detail``.

    ``source`` tells whether there are features or scores of the study's own, ``candidates`` whether any variable may
    enter a model.
    """
    counts = splits["split"].value_counts()
    n = {name: int(counts.get(name, 0)) for name in SPLITS}
    own_scores, own_features = bool(source and source.scores), bool(source and source.features)
    folds = f"{split.folds}-fold cross-fitting: every development score is out-of-fold"
    sites = splits["centre"].nunique()
    rows = [
        ("Patients", "Cohort", f"{len(splits):,} patients, {sites} centre{'' if sites == 1 else 's'}"),
        ("Patients", "Split, made once", ", ".join(f"{n[name]:,} {name}" for name in SPLITS if n[name])),
    ]
    if has_images:
        rows += [
            ("Images", "DCE-MRI", "pre-contrast, wash-in and wash-out on one grid, lesion mask"),
            ("Images", "Radiomics", "standardised features of the lesion"),
        ]
    if own_features:
        rows.append(("Images", "Own features", "measured elsewhere, one row a patient"))
    if own_scores:
        rows.append(("Models", "D-score", "made elsewhere; only scores of unseen patients are accepted"))
    elif has_images:
        rows.append(("Models", "D-score", f"3D residual network; {folds}"))
    if has_images or own_features or candidates:
        rows.append(("Models", "Conventional learning", "the same folds; tuning and selection inside"))
    if candidates:
        rows.append(("Models", "Clinical model", "multivariable logistic regression"))
    if candidates and (has_images or own_scores):
        rows.append(("Models", "Combined model", "D-score and independent predictors; out-of-fold scores only"))
    rows += [
        ("Evaluation", *_judges(centres, split, n)),
        ("Evaluation", "Discrimination, calibration, usefulness", "with intervals, per centre and subgroup"),
    ]
    if has_images or own_features or candidates:
        rows.append(("Explanation", "SHAP", "what drives the models; ranks with intervals"))
    if has_images and not own_scores:
        rows.append(("Explanation", "Grad-CAM", "where the network looks; maps with sanity checks"))
    frame = pd.DataFrame(rows, columns=["stage", "label", "detail"])
    frame.insert(0, "order", range(len(frame)))
    return frame


def _judges(centres: Centres, split: Split, n: dict[str, int]) -> tuple[str, str]:
    """Who judges the models, as heading and detail of a box."""
    if not (n["internal"] or n["external"]):
        return "Out-of-fold scores", "nobody is set aside; the bootstrap corrects for optimism"
    told = []
    if n["internal"]:
        told.append("internal validation" + (": the latest patients" if split.internal == "latest" else ""))
    if n["external"]:
        names = ", ".join(centres.names.get(centre, centre) for centre in centres.external)
        by = {
            "date": f"from {centres.external_from} on",
            "column": f"{centres.external_column} is {' or '.join(centres.external_values)}",
        }.get(centres.external_by, "")
        told.append(f"external: {' and '.join(filter(None, (names, by)))}")
    return "Frozen models and thresholds", "; ".join(told)
