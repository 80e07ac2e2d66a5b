"""Checks of a clinical table against the settings of its study: everything that is wrong, in one go.

Each module looks at one thing and returns findings (:mod:`her2study.cohort.findings`); none of them stops at the
first. What they call an error is what :mod:`her2study.cohort.schema` refuses, by the same functions.
"""
