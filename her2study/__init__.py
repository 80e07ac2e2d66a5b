"""her2study: a reproducible, multicentre imaging-AI study from raw MRI to every table and figure."""

from her2study.store import open_study

__all__ = ["open_study"]
__version__ = "0.1.0"
