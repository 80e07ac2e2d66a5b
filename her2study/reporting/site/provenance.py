"""What the report was made from and with: steps, times, versions, settings."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import yaml

from her2study.reporting.site.content import Content, Step


def gather(content: Content) -> dict[str, Any]:
    """Everything the provenance page shows."""
    packages: dict[str, set[str]] = {}
    for step in content.steps:
        for name, version in step.packages.items():
            packages.setdefault(name, set()).add(version)
    return {
        "steps": [_row(step) for step in content.steps],
        "total": clock(sum(step.seconds for step in content.steps)),
        "packages": [(name, ", ".join(sorted(packages[name]))) for name in sorted(packages, key=str.lower)],
        "settings": settings_text(content),
        "files": sum(len(step.written) for step in content.steps),
        "source_files": max((step.source_files for step in content.steps), default=0),
        "code": _digest([step.code for step in content.steps]),
        "modules": len({module for step in content.steps for module in step.code}),
    }


def settings_text(content: Content) -> str:
    """The settings of the study and profile, defaults included, as YAML."""
    return yaml.safe_dump(json.loads(json.dumps(content.settings)), sort_keys=False, allow_unicode=True, width=100)


def clock(seconds: float) -> str:
    """Seconds as ``0:07`` or ``1:02:03``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _row(step: Step) -> dict[str, Any]:
    return {
        "name": step.name,
        "label": step.label,
        "url": f"notebooks/{step.name}.html" if step.notebook else "",
        "started": step.started.replace("T", " ").removesuffix("+00:00"),
        "time": clock(step.seconds),
        "seconds": step.seconds,
        "memory_mb": step.memory_mb,
        "written": len(step.written),
        "ran": bool(step.started),
    }


def _digest(parts: Any) -> str:
    """One short name for the code of all steps."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=dict).encode()).hexdigest()[:16]
