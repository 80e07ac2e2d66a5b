"""What the columns of tables mean, in the words of footnotes, and what abbreviations stand for."""

from __future__ import annotations

RATE = (
    "Patients whose probability is at least the threshold are called positive; the threshold was chosen on "
    "development patients and then kept. Wilson's interval."
)
COMPOSITE = "Interval by a bootstrap stratified by outcome."
DELONG = "Interval by DeLong's method."
DISTANCE = "Distance between predicted and observed probability on a flexible calibration curve; bootstrap interval."
NET = "Interval by the bootstrap of patients."
COUNTED = "Patients at the threshold."
RECLASSIFIED = "Above 0 favours the new model; bootstrap interval."

PLAIN = frozenset(
    "also analysis available caveat centre characteristic check claim criterion degrees_of_freedom detail file group "
    "here kind label level measure met method model model_a model_b model_new model_old models n note part patient_id "
    "published quantity reason required rule source split statistic subgroup term test unit value variable "
    "verdict".split()
)
"""Columns whose head says it all."""

COLUMN_NOTES = {
    "accuracy": RATE,
    "agreement": "Of the statistic named beside it.",
    "apparent": "On the patients on whom the model was developed.",
    "auc": DELONG,
    "auc_a": DELONG,
    "auc_b": DELONG,
    "average_precision": "Area under the precision-recall steps; a model without information has the prevalence. "
    "Interval by a bootstrap stratified by outcome.",
    "balanced_accuracy": f"Mean of sensitivity and specificity. {COMPOSITE}",
    "bias": "Mean of second minus first reader, in the unit of the variable.",
    "brier": "Mean squared error of the probabilities; 0 is perfect. Bootstrap interval.",
    "chi_squared": "Statistic of the test.",
    "corrected": "Apparent performance minus optimism; interval of the apparent performance, moved.",
    "coverage_percent": "Part of the lesion inside the image region that is analysed.",
    "difference": "First model minus second.",
    "doubts": "What a person should look at; nobody is excluded for it.",
    "e50": f"{DISTANCE} E50: median over patients; E90: 90th percentile; Emax: largest.",
    "e90": f"{DISTANCE} E50: median over patients; E90: 90th percentile; Emax: largest.",
    "early": "Number of the post-contrast phase read as early, and as late.",
    "early_seconds": "Time of the phase after injection.",
    "emax": f"{DISTANCE} E50: median over patients; E90: 90th percentile; Emax: largest.",
    "enhancement_ratio": "Median signal of the lesion in the early phase over that before contrast.",
    "f1": f"Harmonic mean of sensitivity and PPV. {COMPOSITE}",
    "findings": "What is unusual about the scan; nobody is excluded for it.",
    "fn": COUNTED,
    "fp": COUNTED,
    "frequency": "Of the resamples in which a model could be fitted; Wilson's interval, for the noise of resampling.",
    "how": "What is re-estimated: the intercept alone, or intercept and slope.",
    "i_squared": "Share of the variation between centres that chance does not explain.",
    "ici": f"Mean over patients. {DISTANCE}",
    "identical_percent": "Of all pairs of readings; categories only.",
    "idi": f"Mean rise of probability in events minus that in non-events. {RECLASSIFIED}",
    "agreement_limit": "Bias ± 1.96 SD of the differences (Bland and Altman).",
    "intercept": "Calibration in the large, in log odds: 0 is perfect, above 0 the outcome is more frequent than "
    "predicted. Wald interval.",
    "interventions_avoided": "Unnecessary treatments avoided compared with treating all, net of cases missed; below 0, "
    f"more of them. {NET}",
    "knots": "Of the restricted cubic spline.",
    "late": "Number of the post-contrast phase read as early, and as late.",
    "late_seconds": "Time of the phase after injection.",
    "lesion_voxels": "On the scanner's grid.",
    "mask_components": "Connected pieces of the lesion mask.",
    "mcc": f"From −1 to 1; 0 is no better than chance. {COMPOSITE}",
    "mean_abs_shap": "Mean over the explained patients of the absolute contribution to a prediction, on the scale "
    "named; interval by the bootstrap of these patients, the model kept.",
    "mend": "What would make the scan usable.",
    "missing": "Patients without a recorded value.",
    "motion_mm": "Largest shift of the breast between the phases that are read.",
    "n_with_findings": "Scans with anything unusual; nobody is excluded for it.",
    "net_benefit": "True positives minus false positives, these weighted by the odds of the threshold probability, per "
    f"patient. {NET}",
    "npv": RATE,
    "nri_events": f"Patients with the outcome moved up minus moved down, as a share of them. {RECLASSIFIED}",
    "nri_non_events": f"Patients without the outcome moved down minus moved up, as a share of them. {RECLASSIFIED}",
    "odds_ratio": "Wald interval; where the outcome is separated, Firth's penalised estimate with its profile "
    "interval.",
    "odds_ratio_profile": "Profile likelihood interval of the same odds ratio.",
    "only_a": "Patients called rightly by one of the two models alone.",
    "only_b": "Patients called rightly by one of the two models alone.",
    "optimism": "Mean over bootstrap resamples, in which the whole development was repeated, of the performance in the "
    "resample minus that on the original patients.",
    "orientation": "Where the axes of the file point: left (L) or right (R), anterior (A) or posterior (P), superior "
    "(S) or inferior (I).",
    "p": "Two-sided.",
    "p_heterogeneity": "Cochran's Q.",
    "p_holm": "Adjusted for the tests in the same cohort by Holm's method.",
    "p_hosmer_lemeshow": "For readers who ask: it depends on how patients are grouped.",
    "p_interaction": "Likelihood-ratio test whether the score works differently in the levels of the subgroup.",
    "p_likelihood_ratio": "Takes the place of DeLong's test for nested models on the patients of their development.",
    "p_lrt": "Of the variable as a whole, all its levels together.",
    "p_spiegelhalter": "Test that the probabilities are perfectly calibrated.",
    "positives": "Patients with the outcome.",
    "ppv": RATE,
    "prevalence": "Share of patients with the outcome.",
    "rank": "1 is the most influential; interval by the bootstrap of the explained patients.",
    "reference": "What a map without information about the patient would have.",
    "resamples": "Bootstrap samples of patients.",
    "scaled_brier": "1 is perfect, 0 as good as giving everyone the prevalence, below 0 worse. Bootstrap interval.",
    "selected": "Whether the variable is in the multivariable model.",
    "sensitivity": RATE,
    "signal_to_noise": "Median signal of the lesion before contrast over the noise of its surroundings.",
    "slope": "1 is perfect, below 1 predictions are too extreme. Wald interval.",
    "smd": "Largest absolute standardised mean difference between two of the groups.",
    "specificity": RATE,
    "spiegelhalter_z": "Test that the probabilities are perfectly calibrated.",
    "standardised_net_benefit": f"Net benefit over the prevalence; 1 is the most that can be had. {NET}",
    "tau_squared": "Variance between centres, of the logit of the AUC.",
    "threshold": "Chosen on development patients' out-of-fold probabilities by Youden's index, and then kept.",
    "tn": COUNTED,
    "tp": COUNTED,
    "vif": "Of the terms of the multivariable model.",
    "z": "Paired DeLong test.",
}
"""A footnote for a column wherever it stands; the same words share one footnote."""

TABLE_NOTES = {
    ("algorithms", "difference"): f"AUC of the model minus that of the model it is compared with. {DELONG}",
    ("algorithms", "p"): "Paired DeLong test of the same AUC, two-sided.",
    ("audit", "value"): "With its interval where the check has one; what is counted or estimated is said under detail.",
    ("audit", "verdict"): "“Attention” asks a person to look and is no failure by itself.",
    ("baseline", "p"): "Of the difference between the groups, two-sided, by the test that the letter names; all "
    "patients are not a group.",
    ("centre_only", "difference"): f"AUC of the model minus that of the centre alone. {DELONG}",
    ("centre_only", "p"): "Paired DeLong test of the same AUC, two-sided.",
    ("centres", "auc"): "Centres: DeLong's interval. All centres: random effects on the logit scale, with Hartung and "
    "Knapp's interval. A new centre: where its AUC is expected (prediction interval).",
    ("claims", "verdict"): "Decided by the interval: a published value must lie inside it; a claimed difference must "
    "exclude 0.",
    ("decision", "threshold"): "Probability from which a patient would be treated.",
    ("delong", "difference"): f"AUC of the first model minus that of the second. {DELONG}",
    ("delong", "p"): "Paired DeLong test of the same AUC, two-sided.",
    ("delong_global", "chi_squared"): "DeLong's test that all models have the same AUC.",
    ("delong_global", "p"): "DeLong's test that all models have the same AUC.",
    ("inclusion", "selected"): "Resamples in which the variable entered the model.",
    ("linearity", "chi_squared"): "Likelihood-ratio test of a restricted cubic spline against a straight line.",
    ("linearity", "p"): "Likelihood-ratio test of a restricted cubic spline against a straight line.",
    ("logistic", "p"): "Wald test, two-sided.",
    ("logistic_combined", "p"): "Wald test, two-sided.",
    ("mcnemar", "difference"): "First model minus second, as a share of patients; Newcombe's interval.",
    ("mcnemar", "p"): "McNemar's test, two-sided.",
    ("mcnemar", "statistic"): "Of the chi-squared test; the exact test has none.",
    ("operating_points", "threshold"): "Chosen on development patients' out-of-fold probabilities by the rule above "
    "the rows, and then kept.",
    ("predictive_values", "npv"): "By Bayes' rule, sensitivity and specificity taken to hold; logit interval.",
    ("predictive_values", "ppv"): "By Bayes' rule, sensitivity and specificity taken to hold; logit interval.",
    ("predictive_values", "prevalence"): "For which the predictive values are restated.",
    ("recalibration", "intercept"): "In log odds, estimated on development patients' out-of-fold probabilities; Wald "
    "interval.",
    ("recalibration", "slope"): "1 where only the intercept is updated. Wald interval.",
    ("saliency_sanity", "value"): "Rank correlation over voxels, or share of the map, as the row says; mean over "
    "patients with bootstrap interval.",
    ("unfit_scans", "value"): "As found in the file.",
}  # fmt: skip
"""Footnotes of a column in one table, where it means something else than in others."""
TABLE_NOTES |= {("leave_one_centre_out", "auc"): TABLE_NOTES["centres", "auc"]}

ABBREVIATIONS = {
    "AIC": "Akaike information criterion",
    "ANOVA": "analysis of variance",
    "AUC": "area under the receiver operating characteristic curve",
    "CI": "confidence interval",
    "D-score": "probability of the outcome from the deep network that reads the images",
    "DCE": "dynamic contrast-enhanced",
    "ER": "oestrogen receptor",
    "FISH": "fluorescence in situ hybridisation",
    "Grad-CAM": "gradient-weighted class activation mapping",
    "HER2": "human epidermal growth factor receptor 2",
    "HR": "hormone receptor",
    "ICC": "intraclass correlation coefficient",
    "ICI": "integrated calibration index",
    "IDI": "integrated discrimination improvement",
    "IHC": "immunohistochemistry",
    "IQR": "interquartile range",
    "MCC": "Matthews correlation coefficient",
    "MRI": "magnetic resonance imaging",
    "NPV": "negative predictive value",
    "NRI": "net reclassification improvement",
    "OR": "odds ratio",
    "PPV": "positive predictive value",
    "PR": "progesterone receptor",
    "ROC": "receiver operating characteristic",
    "SD": "standard deviation",
    "SHAP": "Shapley additive explanations",
    "SMD": "standardised mean difference",
    "T1": "longitudinal relaxation time",
    "T2": "transverse relaxation time",
    "VIF": "variance inflation factor",
}
"""Spelt out below a table that uses them."""

KNOWN = frozenset(
    "I II III IV V A B C D E F G T P K E50 E90 F1 PMID GE DUKE ISPY1 ISPY2 NACT LPS PIL RAS SIMULATED PATIENTS DeLong "
    "McNemar XGBoost LightGBM SPY BreastDCEDL".split()
)
"""Capitals that need no spelling out: numbers, units, names of persons, makers, programs and centres, directions."""


def column_note(table: str, column: str) -> str:
    """The footnote of a column in a table, empty if its head says it all or nothing is known of it."""
    return TABLE_NOTES.get((table, column), COLUMN_NOTES.get(column, ""))


def is_explained(table: str, column: str) -> bool:
    """Whether a printed column is plain or has a footnote."""
    return (table, column) in TABLE_NOTES or column in COLUMN_NOTES or column in PLAIN
