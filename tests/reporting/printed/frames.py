"""Small tables as a study stores them."""

import numpy as np
import pandas as pd

PERFORMANCE = pd.DataFrame(
    {
        "split": ["external", "external", "development", "development"],
        "model": ["svm", "combined", "combined", "svm"],
        "n": [140, 140, 248, 248],
        "positives": [47, 47, 80, 80],
        "auc": [0.7, 0.8149, 0.9, np.nan],
        "auc_low": [0.6, 0.7302, 0.85, np.nan],
        "auc_high": [0.8, 0.8905, 0.95, np.nan],
        "brier": [0.21, 0.17, 0.15, 0.2],
        "brier_low": [0.18, 0.14, 0.12, 0.17],
        "brier_high": [0.25, 0.2, 0.18, 0.23],
        "threshold": [0.41, 0.0002, 0.0002, 0.41],
        "tp": [20, 40, 70, 60],
    }
)

DELONG = pd.DataFrame(
    {
        "split": ["development", "development", "external"],
        "model_a": ["combined", "combined", "combined"],
        "model_b": ["clinical", "svm", "clinical"],
        "difference": [0.05, 0.02, 0.0573],
        "difference_low": [np.nan, -0.01, -0.0256],
        "difference_high": [np.nan, 0.05, 0.1402],
        "p": [np.nan, 0.2, 0.00004],
        "note": ["not tested: nested", "p too small", None],
    }
)

BASELINE = pd.DataFrame(
    [
        (by, group, n, variable, label, unit, level, known, n - known, text, summary, test, p, smd)
        for by, group, n in (("all", "all", 10), ("split", "development", 6), ("split", "external", 4))
        for variable, label, unit, level, known, text, summary, test, p, smd in (
            ("age_years", "Age", "years", None, n, f"{n}.0 (2.0)", "mean (SD)", "Welch's t", 0.2, 0.3),
            ("lump", "Lump", None, "no", n - 1, f"{n - 3} (50.0%)", "n (%)", "Fisher's exact", 0.0004, 0.1),
            ("lump", "Lump", None, "yes", n - 1, "2 (50.0%)", "n (%)", "Fisher's exact", 0.0004, 0.1),
        )
    ],
    columns=("by group group_n variable label unit level n missing text summary test p smd".split()),
)

ODD = pd.DataFrame({"variable": ["50% of #1 & x_y {z} \\ ~^$ <b> “q” − ²", "[a] *b* |c| τ"], "value": [1.5, -0.25]})
"""Text with everything that has a meaning in some format."""
