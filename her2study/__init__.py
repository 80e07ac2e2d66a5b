"""her2study: a reproducible, multicentre imaging-AI study from raw MRI to every table and figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from her2study.store import open_study

if TYPE_CHECKING:
    from her2study.models.apply import load_bundle

__all__ = ["load_bundle", "open_study"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """``load_bundle`` brings torch along, and is imported by whoever asks for it."""
    if name == "load_bundle":
        from her2study.models.apply import load_bundle

        return load_bundle
    raise AttributeError(f"module 'her2study' has no attribute {name!r}")
