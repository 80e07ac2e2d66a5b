"""Who was screened, who left and why, who stayed: the patient flow of the paper."""

from __future__ import annotations

import pandas as pd

from her2study.study import Centres, Exclusion, Outcome, Source, Split
from her2study.types import SPLITS, StudyError

NO_OUTCOME = "Outcome not recorded"
UNFIT = "Unfit scan: "
SPLIT_LABELS = {"development": "Development", "internal": "Internal validation", "external": "External validation"}


def apply_exclusions(
    table: pd.DataFrame, exclusions: tuple[Exclusion, ...], outcome: Outcome, source: Source
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Remove patients, rule by rule in the order written; each leaves for the first rule that applies.

    A missing outcome excludes even if no rule says so: it is never taken for a negative.

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
    rules = [*exclusions, Exclusion(reason=NO_OUTCOME, column=outcome.column, missing=True)]
    included, left = table, []
    for rule in rules:
        values = included[rule.column]
        named = [str(value) for value in rule.values]  # noqa: PD011 (a setting, not a frame)
        leaves = values.isin(named) | (values.isna() & rule.missing)
        gone = included.loc[leaves, [source.patient_column, source.centre_column]]
        gone = gone.set_axis(["patient_id", "centre"], axis=1).sort_values("patient_id")
        left.append(gone.assign(reason=rule.reason))
        included = included[~leaves]
    return included, pd.concat(left, ignore_index=True).astype({"reason": "str"})


def exclude_unfit(
    cohort: pd.DataFrame, excluded: pd.DataFrame, fitness: pd.DataFrame
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

    Returns
    -------
    cohort, excluded : DataFrame
        The same frames after the removal; reasons begin with :data:`UNFIT`, the most frequent first.

    Raises
    ------
    StudyError
        A centre or one of its two classes has nobody left.
    """
    unfit = fitness.loc[fitness["reason"] != "", ["patient_id", "reason"]]
    gone = cohort[["patient_id", "centre"]].merge(unfit, on="patient_id", validate="one_to_one")
    often = gone.groupby("reason")["reason"].transform("size")
    gone = gone.assign(n=-often).sort_values(["n", "reason", "patient_id"]).drop(columns="n")
    gone["reason"] = UNFIT + gone["reason"]
    stays = cohort[~cohort["patient_id"].isin(unfit["patient_id"])].reset_index(drop=True)
    for (centre, label), before in cohort.groupby(["centre", "label"]):
        if not ((stays["centre"] == centre) & (stays["label"] == label)).any():
            raise StudyError(
                f"all {len(before)} {'positive' if label else 'negative'} patients of centre {centre!r} are unfit for "
                f"use ({', '.join(sorted(set(gone.loc[gone['centre'] == centre, 'reason'])))}), and no centre can be "
                "judged without both classes: mend their scans, or remove the centre from study.yml"
            )
    return stays, pd.concat([excluded, gone], ignore_index=True).astype({"reason": "str"})


def cohort_flow(
    excluded: pd.DataFrame,
    splits: pd.DataFrame,
    centres: Centres,
    exclusions: tuple[Exclusion, ...],
) -> pd.DataFrame:
    """The flow, from screened to splits and centres.

    Returns
    -------
    DataFrame
        ``order, kind, label, n, positives``; ``kind`` is ``included`` (screened, then included),
        ``excluded`` (one row a rule, also when nobody left), ``split`` or ``centre``. ``positives`` is
        missing where the outcome is not known of everybody.
    """
    reasons = list(dict.fromkeys([rule.reason for rule in exclusions] + excluded["reason"].unique().tolist()))
    rows: list[tuple] = [("included", "Screened", len(excluded) + len(splits), pd.NA)]
    rows += [("excluded", reason, int((excluded["reason"] == reason).sum()), pd.NA) for reason in reasons]
    rows.append(("included", "Included", len(splits), int(splits["label"].sum())))
    for split in SPLITS:
        here = splits.loc[splits["split"] == split, "label"]
        if len(here):
            rows.append(("split", SPLIT_LABELS[split], len(here), int(here.sum())))
    for centre in (*centres.development, *centres.external):
        here = splits.loc[splits["centre"] == centre, "label"]
        rows.append(("centre", centres.names.get(centre, centre), len(here), int(here.sum())))
    frame = pd.DataFrame(rows, columns=["kind", "label", "n", "positives"]).astype({"positives": "Int64"})
    frame.insert(0, "order", range(len(frame)))
    return frame


def workflow(centres: Centres, split: Split, splits: pd.DataFrame, has_images: bool) -> pd.DataFrame:
    """The study from patients to verdict as boxes: ``order, stage, label, detail``."""
    counts = splits["split"].value_counts()
    n = {name: int(counts.get(name, 0)) for name in SPLITS}
    judges = ", ".join(centres.names.get(centre, centre) for centre in centres.external)
    folds = f"{split.folds}-fold cross-fitting: every development score is out-of-fold"
    rows = [
        ("Patients", "Cohort", f"{len(splits):,} patients, {splits['centre'].nunique()} centres"),
        ("Patients", "Split, made once", ", ".join(f"{n[name]:,} {name}" for name in SPLITS if n[name])),
    ]
    if has_images:
        rows += [
            ("Images", "DCE-MRI", "pre-contrast, wash-in and wash-out on one grid, lesion mask"),
            ("Images", "Radiomics", "standardised features of the lesion"),
            ("Models", "D-score", f"3D residual network; {folds}"),
        ]
    rows += [
        ("Models", "Conventional learning", "the same folds; tuning and selection inside"),
        ("Models", "Clinical model", "multivariable logistic regression"),
    ]
    if has_images:
        rows.append(("Models", "Combined model", "D-score and independent predictors; out-of-fold scores only"))
    rows += [
        ("Evaluation", "Frozen models and thresholds", f"internal validation; external: {judges}"),
        ("Evaluation", "Discrimination, calibration, usefulness", "with intervals, per centre and subgroup"),
        ("Explanation", "SHAP", "what drives the models; ranks with intervals"),
    ]
    if has_images:
        rows.append(("Explanation", "Grad-CAM", "where the network looks; maps with sanity checks"))
    frame = pd.DataFrame(rows, columns=["stage", "label", "detail"])
    frame.insert(0, "order", range(len(frame)))
    return frame
