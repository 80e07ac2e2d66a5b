"""The explorer: parts of ``notebooks/explore.ipynb``, each a function that returns a widget.

What a part shows is computed by plain functions beside it, and one line below it does the same by hand.
"""

from her2study.reporting.explorer.chooser import choose_patient
from her2study.reporting.explorer.comparison import comparison
from her2study.reporting.explorer.patients import patient_table
from her2study.reporting.explorer.scan_part import show_scan
from her2study.reporting.explorer.scans import load_patient, patients_with_maps, region_curve
from her2study.reporting.explorer.shap_part import shap_waterfall, stored_explanation
from her2study.reporting.explorer.threshold_part import threshold_views
from her2study.reporting.explorer.whatif import what_if

__all__ = [
    "choose_patient",
    "comparison",
    "load_patient",
    "patient_table",
    "patients_with_maps",
    "region_curve",
    "shap_waterfall",
    "show_scan",
    "stored_explanation",
    "threshold_views",
    "what_if",
]
