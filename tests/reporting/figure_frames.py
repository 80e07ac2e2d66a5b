"""Fabricated frames, one for each figure, in the shape the chain stores them; no result of any study."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score, confusion_matrix, precision_recall_curve, roc_curve

BASELINES = ["logistic_elastic_net", "svm", "random_forest", "xgboost", "lightgbm", "knn", "mlp"]
READINGS = [
    ("dscore", "D-score"),
    ("rim_enhancement", "Rim enhancement"),
    ("largest_node_diameter_mm", "Largest axillary node diameter (mm)"),
    ("age_years", "Age (years)"),
    ("margin", "Margin"),
    ("peritumoural_oedema", "Peritumoural oedema"),
]


def figure_frames(
    n: int = 60,
    models: tuple[str, ...] = ("dscore", "clinical", "combined"),
    splits: tuple[str, ...] = ("development", "internal", "external"),
    features: int = 12,
    pictures: int = 12,
    folds: int = 5,
    seed: int = 1,
) -> dict[str, pd.DataFrame]:
    """Frames of all 26 figures for ``n`` patients a split."""
    rng = np.random.default_rng(seed)
    scores = _predictions(rng, n, models, splits)
    algorithms = _predictions(rng, n, (*BASELINES, *models[:1]), splits)
    return {
        "cohort_flow": _cohort_flow(splits),
        "workflow": _workflow(),
        "network": _network(),
        "montage": _pictures(rng, 2 * pictures).drop(columns=["gradcam", "occlusion", "probability", "title"]),
        "montage_all": _montage_page(rng, 5 * pictures),
        "learning_curves": _learning_curves(rng, folds),
        "algorithms_roc": _roc(algorithms),
        "roc": _roc(scores),
        "precision_recall": _precision_recall(scores),
        "calibration": _calibration(rng, scores),
        "decision_curve": _decision_curve(scores),
        "decision_difference": _decision_difference(_decision_curve(scores), models),
        "confusion": _confusion(scores),
        "score_distribution": scores,
        "forest": _forest(rng),
        "nomogram": _nomogram(),
        "correlation": _correlation(rng, features),
        "shap_summary": _shap_summary(rng, n),
        "shap_bar": _shap_bar(features),
        "shap_dependence": _shap_dependence(rng, n),
        "shap_cases": _shap_cases(rng),
        "gradcam": _pictures(rng, pictures),
        "saliency_sanity": _saliency_sanity(),
        "subgroups": _subgroups(rng, models, splits),
        "centres": centre_rows(rng, models),
        "failure_cases": _pictures(rng, min(pictures, 6)),
    }


def _predictions(rng, n, models, splits):
    parts = []
    for split in splits:
        label = np.r_[np.ones(max(2, n // 3), int), np.zeros(n - max(2, n // 3), int)]
        for strength, model in enumerate(models):
            logit = rng.normal(label * (0.5 + 0.2 * strength) - 0.9, 0.9)
            parts.append(pd.DataFrame({"split": split, "model": model, "label": label, "probability": _sigmoid(logit)}))
    return pd.concat(parts, ignore_index=True)


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


def _roc(scores):
    parts = []
    for (split, model), rows in scores.groupby(["split", "model"], sort=False):
        fpr, tpr, _ = roc_curve(rows["label"], rows["probability"])
        area = np.trapezoid(tpr, fpr)
        part = {"split": split, "model": model, "fpr": fpr, "tpr": tpr, "auc": area, "auc_low": area - 0.09}
        parts.append(pd.DataFrame({**part, "auc_high": min(1, area + 0.09)}))
    return pd.concat(parts, ignore_index=True)


def _precision_recall(scores):
    parts = []
    for (split, model), rows in scores.groupby(["split", "model"], sort=False):
        precision, recall, _ = precision_recall_curve(rows["label"], rows["probability"])
        precision[-1] = precision[-2]  # as the chain stores it: precision at recall 0 is not known to be 1
        area = average_precision_score(rows["label"], rows["probability"])
        part = {"split": split, "model": model, "recall": recall[::-1], "precision": precision[::-1]}
        part |= {"average_precision": area, "average_precision_low": area - 0.1}
        part |= {"average_precision_high": min(1, area + 0.1), "prevalence": rows["label"].mean()}
        parts.append(pd.DataFrame(part))
    return pd.concat(parts, ignore_index=True)


def _calibration(rng, scores):
    parts = []
    for (split, model), rows in scores.groupby(["split", "model"], sort=False):
        common = {"split": split, "model": model, "intercept": -0.12, "slope": 0.93}
        x = np.linspace(rows["probability"].min(), rows["probability"].max(), 50)
        curve = {
            "kind": "curve",
            "predicted": x,
            "observed": x**1.1,
            "low": x**1.1 * 0.7,
            "high": np.minimum(1, x * 1.3),
        }
        parts.append(pd.DataFrame({**common, **curve, "n": len(rows)}))
        ranked = rows.sort_values("probability").reset_index(drop=True)
        bins = ranked.groupby(np.minimum(ranked.index // max(1, len(ranked) // 5), 4))
        rate = bins["label"].mean()
        found = {"kind": "bin", "predicted": bins["probability"].mean(), "observed": rate}
        found |= {"low": (rate - 0.15).clip(0), "high": (rate + 0.15).clip(upper=1), "n": bins.size()}
        parts.append(pd.DataFrame({**common, **found}))
    return pd.concat(parts, ignore_index=True)


def _decision_curve(scores):
    thresholds = np.linspace(0.05, 0.8, 40)
    parts = []
    for split, here in scores.groupby("split", sort=False):
        prevalence = here["label"].mean()
        odds = thresholds / (1 - thresholds)
        for model, rows in here.groupby("model", sort=False):
            above = rows["probability"].to_numpy()[:, None] >= thresholds
            hit = (above * rows["label"].to_numpy()[:, None]).mean(0)
            benefit = hit - (above.mean(0) - hit) * odds
            parts.append((split, model, thresholds, benefit, benefit - 0.04, benefit + 0.04))
        everyone = prevalence - (1 - prevalence) * odds
        parts.append((split, "treat_all", thresholds, everyone, np.nan, np.nan))
        parts.append((split, "treat_none", thresholds, 0 * odds, np.nan, np.nan))
    names = ["split", "model", "threshold", "net_benefit", "low", "high"]
    return pd.concat([pd.DataFrame(dict(zip(names, part, strict=True))) for part in parts], ignore_index=True)


def _decision_difference(curves, models):
    wide = curves.pivot_table(index=["split", "threshold"], columns="model", values="net_benefit", sort=False)
    pairs = [(a, b) for place, a in enumerate(models) for b in models[:place]] or [(models[0], "treat_all")]
    parts = []
    for a, b in pairs:
        part = (wide[a] - wide[b]).rename("difference").reset_index()
        part = part.assign(model_a=a, model_b=b, low=part["difference"] - 0.03, high=part["difference"] + 0.03)
        parts.append(part)
    names = ["split", "model_a", "model_b", "threshold", "difference", "low", "high"]
    return pd.concat(parts, ignore_index=True)[names]


def _confusion(scores):
    rows = []
    for (split, model), here in scores.groupby(["split", "model"], sort=False):
        tn, fp, fn, tp = confusion_matrix(here["label"], here["probability"] > 0.35).ravel()
        rows.append((split, model, 0.35, tp, fp, fn, tn))
    return pd.DataFrame(rows, columns=["split", "model", "threshold", "tp", "fp", "fn", "tn"])


def _cohort_flow(splits):
    rows = [
        ("included", "Women screened", 521),
        ("excluded", "Neoadjuvant treatment before MRI", 24),
        ("excluded", "No contrast-enhanced series of diagnostic quality", 15),
        ("excluded", "No lesion mask", 9),
        ("excluded", "HER2 equivocal without in-situ hybridisation", 16),
        ("excluded", "HER2 not recorded", 7),
        ("included", "Women included", 450),
        *(("split", split, {"development": 248, "internal": 62, "external": 140}.get(split, 450)) for split in splits),
        *(("centre", f"Centre {name}", count) for name, count in zip("ABCD", (200, 110, 80, 60), strict=True)),
    ]
    return pd.DataFrame([(i, *row) for i, row in enumerate(rows)], columns=["order", "kind", "label", "n"])


def _workflow():
    rows = [
        ("Patients", "Cohort and splits", "521 screened, 450 included, four centres; splits made once"),
        ("Images", "Preprocessing", "Resampled to 1.5 mm, cropped around the lesion, normalised"),
        ("Images", "Radiomics", "Lesion features by MIRP, wash-in and wash-out maps"),
        ("Models", "D-score", "3D ResNet, 5-fold cross-fitting in development"),
        ("Models", "Baselines", "Seven conventional algorithms on the same folds"),
        ("Models", "Clinical model", "Univariable screen, multivariable logistic regression"),
        ("Models", "Combined model", "Out-of-fold D-score and independent predictors"),
        ("Judgement", "Evaluation", "Discrimination, calibration, net benefit, subgroups"),
        ("Judgement", "Explanation", "SHAP, Grad-CAM with sanity checks"),
        ("Judgement", "Claims", "Each claim of the paper: holds or does not hold"),
    ]
    return pd.DataFrame([(i, *row) for i, row in enumerate(rows)], columns=["order", "stage", "label", "detail"])


def _network():
    rows = [
        ("Input", "3 × 32 × 40 × 40", 0, "Pre-contrast, wash-in, wash-out"),
        ("Convolution 7³", "16 × 16 × 20 × 20", 16_464, "Stride 2, batch normalisation, ReLU"),
        ("Residual stage 1", "16 × 16 × 20 × 20", 27_776, "Two blocks"),
        ("Residual stage 2", "32 × 8 × 10 × 10", 97_536, "Two blocks, stride 2"),
        ("Residual stage 3", "64 × 4 × 5 × 5", 389_632, "Two blocks, stride 2"),
        ("Residual stage 4", "128 × 2 × 3 × 3", 1_557_504, "Two blocks, stride 2"),
        ("Global average pooling", "128", 0, ""),
        ("Dropout", "128", 0, "p = 0.2"),
        ("Linear", "1", 129, "Half of the logit"),
        ("Measurements", "9", 0, "Of the lesion in its mask"),
        ("Measured head", "1", 7, "Logistic regression; half of the logit"),
    ]
    branch = [0] + 8 * [1] + 2 * [2]
    names = ["order", "branch", "layer", "output", "parameters", "detail"]
    return pd.DataFrame([(i, branch[i], *row) for i, row in enumerate(rows)], columns=names)


def _montage_page(rng, n):
    """Four centres, in turn; the first patient of each has findings."""
    rows = []
    for place, row in enumerate(_pictures(rng, n).sort_values("centre", kind="stable").to_dict("records")):
        first = not rows or rows[-1]["centre"] != row["centre"]
        line = 0 if not rows else rows[-1]["row"] + (first or rows[-1]["column"] == 9)
        total = sum("ABCD"[i % 4] == row["centre"] for i in range(n))
        rows.append(
            {
                "patient_id": row["patient_id"] + "_with_a_long_name" * (place % 7 == 3),
                "centre": row["centre"],
                "heading": f"Centre {row['centre']}, {total} patients; with findings: 1",
                "row": line,
                "column": 0 if first or rows[-1]["column"] == 9 else rows[-1]["column"] + 1,
                "flag": ["pieces", "noisy, weak, moved, cut off"][place % 2] if first else "",
                "height": 40,
                "width": 40,
                "image": np.clip(255 * np.asarray(row["image"]), 0, 255).astype(int),
                "mask": row["mask"],
            }
        )
    return pd.DataFrame(rows)


def _pictures(rng, n):
    rows = []
    y, x = np.mgrid[0:40, 0:40]
    for i in range(n):
        radius = np.hypot(y - rng.uniform(15, 25), x - rng.uniform(15, 25))
        image = np.exp(-((radius / 9) ** 2)) + rng.normal(0.2, 0.08, (40, 40))
        heat = np.exp(-(np.hypot(y - 20, x - 14) ** 2) / 150)
        title = ["Confident and right", "Confident and wrong", "Undecided"][i % 3]
        picture = {
            "height": 40,
            "width": 40,
            "image": image.ravel(),
            "gradcam": heat.ravel(),
            "occlusion": -heat.ravel(),
        }
        person = {
            "patient_id": f"SIM_{i:04d}",
            "centre": "ABCD"[i % 4],
            "label": i % 2,
            "probability": 0.07 + 0.9 * i / n,
        }
        rows.append({**person, "title": title, **picture, "mask": (radius < 7).astype("uint8").ravel()})
    return pd.DataFrame(rows)


def _learning_curves(rng, folds):
    parts = []
    for fold in range(folds):
        epoch = np.arange(1, 41)
        noise = rng.normal(0, 0.02, 40)
        part = {
            "fold": fold,
            "epoch": epoch,
            "train_loss": 0.7 * np.exp(-epoch / 25) + noise,
            "chosen": epoch == 22 + fold,
        }
        part |= {
            "inner_loss": 0.62 + 0.1 * (epoch / 40 - 0.5) ** 2 + noise,
            "inner_auc": 0.55 + 0.2 * epoch / 40 + noise,
        }
        parts.append(pd.DataFrame(part))
    return pd.concat(parts, ignore_index=True)


def _forest(rng):
    labels = ["Age, per 10 years", "Postmenopausal", "Family history of breast cancer", "Palpable lump",
              "Largest lesion diameter, per 10 mm", "Lesion type: non-mass", "Shape: round", "Shape: irregular",
              "Margin: irregular", "Margin: spiculated", "Internal enhancement: heterogeneous", "Rim enhancement",
              "Kinetic curve, per step towards washout", "Multifocal disease", "Peritumoural oedema",
              "Largest axillary node diameter, per doubling"]  # fmt: skip
    rows = []
    for i, label in enumerate(labels):
        for analysis in ("univariable", "multivariable") if i % 3 == 2 else ("univariable",):
            ratio, spread = float(np.exp(rng.normal(0.2, 0.5))), rng.uniform(1.2, 2.2)
            rows.append((analysis, f"v{i}", label, ratio, ratio / spread, ratio * spread, rng.uniform(0, 0.2) ** 2))
    rows.append(("univariable", "v99", "Oedema beyond the breast", 31.0, 0.4, 2400.0, 0.12))
    rows.append(("univariable", "v98", "Separated by a single patient", np.nan, np.nan, np.nan, np.nan))
    names = ["analysis", "variable", "label", "odds_ratio", "odds_ratio_low", "odds_ratio_high", "p"]
    return pd.DataFrame(rows, columns=names)


def _nomogram():
    rows = [("dscore", "D-score", v, f"{v:.1f}", 100 * v) for v in np.arange(0, 1.01, 0.1)]
    rows += [("node", "Largest axillary node diameter (mm)", v, f"{v}", 55 * np.log(v / 4) / np.log(10)) for v in
             (4, 5, 6, 8, 10, 12, 14, 16, 20, 25, 30, 40)]  # fmt: skip
    rows += [("rim_enhancement", "Rim enhancement", 0, "no", 0), ("rim_enhancement", "Rim enhancement", 1, "yes", 31)]
    rows += [("margin", "Margin", i, text, p) for i, (text, p) in
             enumerate([("circumscribed", 3), ("irregular", 0), ("spiculated", 9)])]  # fmt: skip
    rows += [("total", "Probability of HER2-positive", p, f"{p:g}", 80 + 22 * np.log(p / (1 - p))) for p in
             (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)]  # fmt: skip
    return pd.DataFrame(rows, columns=["variable", "label", "value", "value_label", "points"])


def _correlation(rng, features):
    values = rng.normal(size=(50, features)) + rng.normal(size=(50, 1))
    r = np.corrcoef(values.T)
    names = [f"wash_in_cm_joint_maximum_{i}" if i % 3 else f"Feature {i}" for i in range(features)]
    rows = [(a, a, b, b, r[i, j]) for i, a in enumerate(names) for j, b in enumerate(names)]
    return pd.DataFrame(rows, columns=["feature_a", "label_a", "feature_b", "label_b", "r"])


def _shap_summary(rng, n):
    parts = []
    for model in ("combined", "random_forest"):
        for place, (feature, label) in enumerate(READINGS):
            value = rng.uniform(size=n) if place != 1 else rng.integers(0, 2, n).astype(float)
            part = {"model": model, "feature": feature, "label": label, "patient_id": [f"P{i}" for i in range(n)]}
            parts.append(pd.DataFrame({**part, "shap": (value - 0.5) * 2 / (place + 1), "value_scaled": value}))
    return pd.concat(parts, ignore_index=True)


def _shap_bar(features):
    rows = []
    for model, names in (
        ("combined", READINGS),
        ("random_forest", [(f"f{i}", f"Feature {i}") for i in range(features)]),
    ):
        for rank, (feature, label) in enumerate(names, 1):
            rows.append((model, feature, label, 1 / rank, 0.8 / rank, 1.25 / rank, rank))
    names = ["model", "feature", "label", "mean_abs_shap", "mean_abs_shap_low", "mean_abs_shap_high", "rank"]
    return pd.DataFrame(rows, columns=names)


def _shap_dependence(rng, n):
    parts = []
    for place, (feature, label) in enumerate(READINGS):
        value = rng.uniform(3, 40, n) if place != 1 else rng.integers(0, 2, n).astype(float)
        part = {"model": "combined", "feature": feature, "label": label, "value": value}
        part |= {"shap": np.log1p(value) / (place + 1) - 1, "centre": rng.choice(list("ABCD"), n)}
        parts.append(pd.DataFrame(part))
    return pd.concat(parts, ignore_index=True)


def _shap_cases(rng):
    rows = []
    cases = ["True positive", "True negative", "False positive", "False negative"]
    for place, case in enumerate(cases):
        for feature, label in READINGS:
            value_label = "spiculated" if feature == "margin" else f"{rng.uniform(0, 30):.1f}"
            head = (case, f"SIM_{place:04d}", int(place in (0, 3)), 0.31 + 0.1 * place, -0.85)
            rows.append((*head, feature, label, value_label, rng.normal(0, 0.5)))
    names = [
        "case",
        "patient_id",
        "label",
        "probability",
        "base_value",
        "feature",
        "feature_label",
        "value_label",
        "shap",
    ]
    return pd.DataFrame(rows, columns=names)


def _saliency_sanity():
    rows = [
        *[("randomisation", f"Grad-CAM: random head to stage {stage}", 0.21, 0.12, 0.30, 0) for stage in (4, 3, 2, 1)],
        ("randomisation", "Occlusion: random head to stem", 0.21, 0.12, 0.30, 0),
        ("repeatability", "Grad-CAM: two networks, same patient", 0.55, 0.43, 0.66, 0.3),
        ("repeatability", "Occlusion: two networks, same patient", 0.55, 0.43, 0.66, 0.3),
        ("agreement", "Grad-CAM: same patient by occlusion", -0.15, -0.33, 0.06, 0.1),
        ("lesion_overlap", "Grad-CAM: share of the evidence in the lesion", 0.38, 0.31, 0.45, 0.29),
        ("rim", "Grad-CAM: ring above core, 12 planted rims minus 30 others", 0.12, -0.4, 0.5, 0),
    ]
    frame = pd.DataFrame(rows, columns=["check", "label", "value", "low", "high", "reference"])
    return frame.assign(model="dscore", method=frame["label"].str.split(":").str[0].str.lower())


def _subgroups(rng, models, splits):
    rows = []
    levels = {"Centre": ["Centre A", "Centre B", "Centre C"], "Age": ["under 50 years", "50 years and over"],
              "Lesion type": ["mass", "non-mass"], "Field strength": ["1.5 T", "3 T"]}  # fmt: skip
    for split in splits:
        for model in models:
            for subgroup, names in levels.items():
                p = rng.uniform()
                for level in names:
                    area = rng.uniform(0.55, 0.9)
                    missing = level == "non-mass" and split == "internal"
                    low, high = (np.nan, np.nan) if missing else (area - 0.12, min(1, area + 0.12))
                    row = (
                        subgroup.lower(),
                        level,
                        level,
                        model,
                        split,
                        40,
                        12,
                        np.nan if missing else area,
                        low,
                        high,
                        p,
                    )
                    rows.append(row)
    names = ["subgroup", "level", "label", "model", "split", "n", "positives", "auc", "auc_low", "auc_high"]
    return pd.DataFrame(rows, columns=[*names, "p_interaction"])


def centre_rows(rng, models, centres=("Centre A", "Centre B", "Centre C", "Centre D")):
    """Each model's centres, the second without an interval, the pooled AUC and where a new centre may lie."""
    rows = []
    for model in models:
        for place, centre in enumerate(centres):
            area, reach = rng.uniform(0.55, 0.9), rng.uniform(0.05, 0.15)
            ends = (np.nan, np.nan, np.nan) if place == 1 else (area, area - reach, min(1, area + reach))
            rows.append((model, "all", centre, 60 + 7 * place, 20, *ends, "centre", np.nan, np.nan, np.nan, ""))
        size = (60 * len(centres), 20 * len(centres))
        if len(centres) > 2:
            rows.append((model, "all", "all centres", *size, 0.74, 0.68, 0.79, "pooled", 0.041, 0.32, 0.21, ""))
            ends, note = (0.74, 0.52, 0.88), ""
        else:
            note = "fewer than two centres can be pooled"
            lost = (np.nan,) * 3
            rows.append((model, "all", "all centres", *size, *lost, "pooled", *lost, note))
            ends = lost
        rows.append((model, "all", "a new centre", *size, *ends, "prediction", np.nan, np.nan, np.nan, note))
    names = ["model", "split", "centre", "n", "positives", "auc", "auc_low", "auc_high", "kind", "tau_squared"]
    return pd.DataFrame(rows, columns=[*names, "i_squared", "p_heterogeneity", "note"])
