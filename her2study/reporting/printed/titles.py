"""What each table is called in print."""

from __future__ import annotations

from her2study.words import spell

TITLES = {
    "agreement": "Agreement between two readers",
    "algorithms": "Discrimination of conventional algorithms and of the deep network",
    "assumptions": "Assumptions of the study and their sources",
    "audit": "Audit: checks against leakage, confounding and chance",
    "baseline": "Characteristics of the patients",
    "calibration": "Calibration of the models",
    "calibration_recalibrated": "Calibration of the models after updating",
    "centre_only": "Discrimination of the models beside that of the centre alone, development patients",
    "centres": "Discrimination in each centre and pooled over centres",
    "claims": "Claims of the paper and what became of them in this study",
    "cohort_flow": "Flow of patients through the study",
    "decision": "Net benefit of acting on the models",
    "delong": "Pairwise differences in discrimination between models",
    "delong_global": "Test that all models discriminate equally well",
    "doubts": "Scans in use that a person should look at",
    "inclusion": "How often each candidate predictor was selected in bootstrap resamples",
    "leave_one_centre_out": "Discrimination in centres that the model has never seen",
    "linearity": "Test of linearity of continuous predictors, development patients",
    "logistic": "Univariable and multivariable logistic regression, development patients",
    "logistic_combined": "Coefficients of the combined model, development patients",
    "mcnemar": "Differences in classification between models at their thresholds",
    "missingness": "Missing values by variable and centre",
    "mri_protocol": "MRI protocol by centre",
    "operating_points": "Classification at thresholds chosen by three rules",
    "optimism_clinical": "Apparent and optimism-corrected performance of the clinical model",
    "optimism_combined": "Apparent and optimism-corrected performance of the combined model",
    "performance": "Performance of all models",
    "predictive_values": "Predictive values at other prevalences",
    "quality": "Quality of the scans by centre",
    "recalibration": "Updates of the calibration, estimated on development patients",
    "reclassification": "Reclassification of patients by one model against another",
    "saliency_sanity": "Sanity checks of the saliency maps",
    "sample_size": "Sample size required and available",
    "scan_quality": "Quality of each scan",
    "shap_ranking": "Predictors by influence on the models' predictions",
    "subgroups": "Discrimination in subgroups of patients",
    "unfit_scans": "Patients excluded because scans or mask are unfit for use",
}


def table_title(name: str) -> str:
    """The title of a table in a paper's words; a table unknown here is called by its name."""
    return TITLES.get(name) or spell(name)
