"""Curves and counts of performance in words."""

from __future__ import annotations

import pandas as pd

from her2study.reporting.alt.phrases import by_model, by_split, in_full, ranges, span, told
from her2study.reporting.style import REFERENCES, model_label
from her2study.words import interval, number

CLASSES = (("positive", 1), ("negative", 0))


def roc(frame: pd.DataFrame) -> str:
    """The AUC of each curve with its interval."""
    return f"ROC curves with AUC. {_areas(frame, 'auc')}"


def precision_recall(frame: pd.DataFrame) -> str:
    """The average precision of each curve with its interval, beside the prevalence."""
    prevalence = "; ".join(f"{number(rows['prevalence'].iloc[0])} in {where}" for where, rows in by_split(frame))
    return (
        f"Precision-recall curves with average precision. {_areas(frame, 'average_precision')} "
        f"A score that says nothing would reach the prevalence: {prevalence}."
    )


def _areas(frame: pd.DataFrame, name: str) -> str:
    sentences = []
    for where, rows in by_split(frame):
        ends = [(label, *curve.iloc[0][[name, f"{name}_low", f"{name}_high"]]) for label, curve in by_model(rows)]
        texts = [f"{label} {interval(*numbers)}" for label, *numbers in ends]
        sentences.append(f"In {where}: {told(texts, [end[1] for end in ends])}.")
    return " ".join(sentences)


def calibration(frame: pd.DataFrame) -> str:
    """Intercept and slope of each panel, and where a curve is furthest from the ideal line."""
    sentences = []
    for where, rows in by_split(frame):
        if not in_full(frame, rows["split"].iloc[0]):
            lines = f"intercepts {span(rows['intercept'])}, slopes {span(rows['slope'])}"
            sentences.append(f"In {where}: {lines}.")
            continue
        texts = []
        for label, panel in by_model(rows):
            first = panel.iloc[0]
            text = f"{label} intercept {number(first['intercept'])}, slope {number(first['slope'])}"
            bins = panel[panel["kind"] == "bin"].dropna(subset=["predicted", "observed"])
            if len(bins):
                worst = bins.loc[(bins["observed"] - bins["predicted"]).abs().idxmax()]
                text += f" (furthest group: predicted {number(worst['predicted'])}, observed "
                text += f"{number(worst['observed'])})"
            texts.append(text)
        sentences.append(f"In {where}: {'; '.join(texts)}.")
    return f"Calibration, observed against predicted; ideal are intercept 0 and slope 1. {' '.join(sentences)}"


def decision_curve(frame: pd.DataFrame) -> str:
    """Over which thresholds each model's line lies above both reference strategies, and its band above zero."""
    sentences = []
    for where, rows in by_split(frame):
        wide = rows.pivot_table(index="threshold", columns="model", values="net_benefit").sort_index()
        texts = []
        for label, own in by_model(rows[~rows["model"].isin(REFERENCES)]):
            line = wide[own["model"].iloc[0]]
            above = pd.concat([line > wide[other] for other in REFERENCES if other in wide], axis=1).all(axis=1)
            texts.append(f"{label} {ranges(list(wide.index), list(above))}")
        share = frame["threshold"]
        sentences.append(f"In {where}: {'; '.join(texts)}.")
    grid = f"{number(share.min(), 0, percent=True)}% to {number(share.max(), 0, percent=True)}%"
    return (
        f"Decision curves over threshold probabilities from {grid}. Thresholds at which the line of a model lies above "
        f"treating everyone and treating nobody, bands aside: {' '.join(sentences)}"
    )


def decision_difference(frame: pd.DataFrame) -> str:
    """At which thresholds the band of a difference excludes zero, and on which side."""
    sentences = []
    for where, rows in by_split(frame):
        away, unknown, pairs = [], [], list(rows.groupby(["model_a", "model_b"], sort=False))
        for (a, b), pair in pairs:
            pair = pair.sort_values("threshold")
            sides = [
                f"lies {side} zero at {ranges(list(pair['threshold']), list(beyond))}"
                for side, beyond in (("above", pair["low"] > 0), ("below", pair["high"] < 0))
                if beyond.any()
            ]
            name = f"{model_label(a)} minus {model_label(b)}"
            if sides:
                away.append(f"the band of {name} {' and '.join(sides)}")
            elif pair["low"].isna().all():
                unknown.append(f"the band of {name} is not estimable")
        rest = len(pairs) - len(away) - len(unknown)
        which = "every band" if rest == len(pairs) else "every other band"
        within = [f"{which} includes zero at every threshold"] * bool(rest)
        sentences.append(f"In {where}: {'; '.join([*away, *unknown, *within])}.")
    return f"Differences in net benefit over threshold probabilities. {' '.join(sentences)}"


def confusion(frame: pd.DataFrame) -> str:
    """The four counts of each matrix, as found and missed patients."""
    sentences = []
    for where, rows in by_split(frame):
        if not in_full(frame, rows["split"].iloc[0]):
            found, spared = rows["tp"] / (rows["tp"] + rows["fn"]), rows["tn"] / (rows["tn"] + rows["fp"])
            sentences.append(f"In {where}: sensitivity {span(found)}, specificity {span(spared)}.")
            continue
        texts = []
        for label, panel in by_model(rows):
            one = panel.iloc[0]
            texts.append(
                f"{label} at {number(one['threshold'])}: {one['tp']:.0f} of {one['tp'] + one['fn']:.0f} positive and "
                f"{one['tn']:.0f} of {one['tn'] + one['fp']:.0f} negative patients called rightly"
            )
        sentences.append(f"In {where}: {'; '.join(texts)}.")
    return f"Confusion matrices. {' '.join(sentences)}"


def score_distribution(frame: pd.DataFrame) -> str:
    """Median and quartiles of the probabilities of positive and negative patients."""
    sentences = []
    for where, rows in by_split(frame):
        if not in_full(frame, rows["split"].iloc[0]):
            medians = rows.groupby(["label", "model"])["probability"].median()
            sides = [f"of {name} {span(medians[value])}" for name, value in CLASSES if value in medians.index]
            sentences.append(f"In {where}: medians {', '.join(sides)}.")
            continue
        texts = []
        for label, panel in by_model(rows):
            sides = []
            for name, value in CLASSES:
                scores = panel.loc[panel["label"] == value, "probability"]
                if len(scores):
                    low, median, high = scores.quantile([0.25, 0.5, 0.75])
                    sides.append(f"{name} {interval(median, low, high)}")
            texts.append(f"{label}, {', '.join(sides)}")
        sentences.append(f"In {where}: {'; '.join(texts)}.")
    return f"Histograms of predicted probabilities, told as median (quartiles) of each class. {' '.join(sentences)}"


def learning_curves(frame: pd.DataFrame) -> str:
    """How far the training loss fell, and the epoch that each fold kept."""
    texts = []
    for fold, rows in frame.groupby("fold"):
        rows = rows.sort_values("epoch")
        text = f"fold {fold + 1} from {number(rows['train_loss'].iloc[0])} to {number(rows['train_loss'].iloc[-1])}"
        kept = rows[rows["chosen"].astype(bool)]
        if len(kept):
            one = kept.iloc[0]
            text += f", kept epoch {one['epoch']:.0f} (inner loss {number(one['inner_loss'])}"
            text += f", inner AUC {number(one['inner_auc'])})" if pd.notna(one["inner_auc"]) else ")"
        texts.append(text)
    return f"Learning curves over {frame['epoch'].max():.0f} epochs. Training loss: {'; '.join(texts)}."
