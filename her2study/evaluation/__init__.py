"""How good a model is, for whom, and how sure that is: plain functions on arrays, each with an oracle.

``labels`` are 0 and 1, ``scores`` and ``probabilities`` have one row a patient; results come as an estimate with its
interval. Every name below is compared with R or a well-known library by the tests: ``docs/statistics.md`` says which.
Tables and figure data of a whole study are made from these by the modules of this package.
"""

from her2study.evaluation.agreement import icc, kappa
from her2study.evaluation.bootstrap import bootstrap
from her2study.evaluation.calibration_line import calibration_intercept, calibration_slope
from her2study.evaluation.calibration_scores import brier_scores, hosmer_lemeshow, spiegelhalter
from her2study.evaluation.compare import holm
from her2study.evaluation.confusion import rates
from her2study.evaluation.cutpoints import threshold_at_sensitivity, threshold_at_specificity, youden_threshold
from her2study.evaluation.flexible import calibration_curve, calibration_errors
from her2study.evaluation.intervals import Interval, wilson
from her2study.evaluation.nested import likelihood_ratio_test
from her2study.evaluation.optimism import harrell
from her2study.evaluation.paired import mcnemar
from her2study.evaluation.pooling import random_effects
from her2study.evaluation.precision import average_precision
from her2study.evaluation.prevalence import predictive_values
from her2study.evaluation.recalibration import recalibrate
from her2study.evaluation.reclassification import reclassification
from her2study.evaluation.roc import auc, auc_interval, delong, delong_global, delong_test, delong_unpaired
from her2study.evaluation.sample_size import auc_interval_width, riley_sample_size
from her2study.evaluation.subgroups import interaction_p
from her2study.evaluation.usefulness import interventions_avoided, net_benefit, standardised_net_benefit
from her2study.models.firth import fit_firth
from her2study.models.logistic import fit_logit, variance_inflation
from her2study.models.profile import profile_intervals
from her2study.models.splines import spline_basis

__all__ = [
    "Interval",
    "auc",
    "auc_interval",
    "auc_interval_width",
    "average_precision",
    "bootstrap",
    "brier_scores",
    "calibration_curve",
    "calibration_errors",
    "calibration_intercept",
    "calibration_slope",
    "delong",
    "delong_global",
    "delong_test",
    "delong_unpaired",
    "fit_firth",
    "fit_logit",
    "harrell",
    "holm",
    "hosmer_lemeshow",
    "icc",
    "interaction_p",
    "interventions_avoided",
    "kappa",
    "likelihood_ratio_test",
    "mcnemar",
    "net_benefit",
    "predictive_values",
    "profile_intervals",
    "random_effects",
    "rates",
    "recalibrate",
    "reclassification",
    "riley_sample_size",
    "spiegelhalter",
    "spline_basis",
    "standardised_net_benefit",
    "threshold_at_sensitivity",
    "threshold_at_specificity",
    "variance_inflation",
    "wilson",
    "youden_threshold",
]
