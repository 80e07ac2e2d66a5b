"""Licence and environment of a bundle."""

from __future__ import annotations

import importlib.metadata
import platform
import re
import sys
from pathlib import Path

import her2study

LICENCE = "LICENCE"

DEFAULT = """\
This bundle is given under the licence of the software that made it, which follows. Whoever owns the study can choose
another: a file {name} beside its study.yml takes the place of this text.

"""


def licence_text(study_folder: Path) -> str:
    """The study's own licence, else the software's."""
    own = study_folder / LICENCE
    if own.is_file():
        return own.read_text(encoding="utf-8")
    beside = Path(her2study.__file__).resolve().parent.parent / "LICENSE"
    if beside.is_file():
        software = beside.read_text(encoding="utf-8")
    else:
        software = importlib.metadata.distribution("her2study").read_text("licenses/LICENSE") or "MIT\n"
    return DEFAULT.format(name=LICENCE) + software


def environment() -> str:
    """Versions with which the bundle was made and checked, as a requirements file."""
    pins = [f"{name}=={importlib.metadata.version(name).partition('+')[0]}" for name in runtime_packages()]
    head = [
        "# What the bundle was made and checked with; applying it needs no more than this.",
        f"# Python {sys.version.split()[0]}, {platform.system()} {platform.machine()}",
        f"# her2study {her2study.__version__}",
    ]
    return "\n".join([*head, *pins]) + "\n"


def runtime_packages() -> list[str]:
    """Packages that applying a bundle needs: the dependencies of her2study that belong to no extra."""
    stated = importlib.metadata.requires("her2study") or []
    names = (re.match(r"[\w.-]+", line) for line in stated if "extra ==" not in line)
    return sorted((name.group() for name in names if name), key=str.lower)
