"""Vendor-like DICOM of the simulated cohort: what Siemens, GE and Philips scanners would export.

It exists to show that ``her2study import-dicom`` gives back what was written and drops every planted name, date and
number; the people in the headers are invented. ``identity`` invents them, ``grid`` reads a patient's NIfTI files,
``header`` is common to all objects, ``vendors`` writes classic images, ``enhanced`` multi-frame ones, ``masks``
lesions, ``distractors`` all else that lies in an export.
"""

from her2study.cohort.simulated.dicom.distractors import DISTRACTORS
from her2study.cohort.simulated.dicom.identity import PlantedIdentity, planted_identity
from her2study.cohort.simulated.dicom.masks import MASKS
from her2study.cohort.simulated.dicom.write import STYLES, write_dicom, write_sample

__all__ = ["DISTRACTORS", "MASKS", "STYLES", "PlantedIdentity", "planted_identity", "write_dicom", "write_sample"]
