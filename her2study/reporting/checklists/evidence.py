"""Where an item may be answered: artefacts, settings and files, whether they exist and what they are called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from her2study.reporting.legends import figure_title
from her2study.reporting.printed import table_title
from her2study.types import StudyError

IMAGES = ("records/02_imaging.json", "notebooks/02_imaging.ipynb", "qc.parquet")
"""Any of these says that the study has images; one alone may be missing and the item is then open, not inapplicable."""

PAGES = {
    "model card": ("model-card.html", "frozen/clinical.json"),
    "data sheet": ("data-sheet.html", "splits.parquet"),
    "calculator": ("calculator.html", "frozen/clinical.json"),
}
"""Pages of the report that are made while the checklists are: their address, and the artefact that they need."""


@dataclass(frozen=True)
class Evidence:
    """What a study has to show.

    Parameters
    ----------
    results : Path
        ``results/<study>``.
    settings : mapping
        ``study.yml`` as plain values (``study.model_dump()``).
    study_folder : Path or None
        The folder of ``study.yml``; the repository is two above it. Without it their files do not exist.
    """

    results: Path
    settings: Mapping[str, Any]
    study_folder: Path | None = None

    @property
    def simulated(self) -> bool:
        """Whether the patients are simulated."""
        return self.settings.get("source", {}).get("kind") == "simulated"

    @cached_property
    def conditions(self) -> dict[str, bool]:
        """Facts on which the applicability of an item may depend."""
        return {"images": any((self.results / name).is_file() for name in IMAGES)}

    def exists(self, place: str) -> bool:
        """Whether a place (``table:baseline``) is there; see the top of ``tripod_ai.yml``.

        Raises
        ------
        StudyError
            The place is of no known kind.
        """
        kind, name = _parts(place)
        return KINDS[kind](self, name)

    def label(self, place: str) -> str:
        """A place in print: ``table “Characteristics of the patients”``."""
        kind, name = _parts(place)
        if kind == "table":
            return f"table “{table_title(name)}”"
        if kind == "figure":
            return f"figure “{figure_title(name)}”"
        if kind == "study":
            return f"papers/{self.study_folder.name if self.study_folder else 'STUDY'}/{name}"
        return {"notebook": f"notebook {name}", "setting": f"setting {name} of study.yml"}.get(kind, name)

    def address(self, place: str) -> str:
        """Where the report shows a place, relative to its first page; empty if it has no page of its own."""
        kind, name = _parts(place)
        if kind == "table":
            return f"tables/{name}.html"
        if kind == "page":
            return PAGES[name][0]
        if kind == "figure":
            pages = self._figures(name)
            return f"figures/{pages[0].stem}.html" if pages else ""
        if kind == "notebook":
            pages = self._notebooks(name)
            return f"notebooks/{pages[0].stem}.html" if pages else ""
        return ""

    def _figures(self, name: str) -> list[Path]:
        folder = self.results / "figure_data"
        return [*folder.glob(f"{name}.parquet"), *sorted(folder.glob(f"{name}_[0-9]*.parquet"))]

    def _notebooks(self, name: str) -> list[Path]:
        folder = self.results / "notebooks"
        return [*folder.glob(f"{name}.ipynb"), *sorted(folder.glob(f"{name}_[0-9]*.ipynb"))]

    def _setting(self, name: str) -> bool:
        found: Any = self.settings
        for key in name.split("."):
            if not isinstance(found, Mapping) or key not in found:
                return False
            found = found[key]
        return found is not None and found not in ("", (), [], {})

    def _beside(self, name: str, up: int) -> bool:
        folder = self.study_folder
        return folder is not None and (folder.resolve().parents[up - 1] if up else folder).joinpath(name).is_file()


KINDS: Mapping[str, Callable[[Evidence, str], bool]] = {
    "table": lambda here, name: (here.results / "tables" / f"{name}.csv").is_file(),
    "figure": lambda here, name: bool(here._figures(name)),
    "notebook": lambda here, name: bool(here._notebooks(name)),
    "page": lambda here, name: name in PAGES and (here.results / PAGES[name][1]).is_file(),
    "file": lambda here, name: (here.results / name).is_file(),
    "setting": lambda here, name: here._setting(name),
    "study": lambda here, name: here._beside(name, 0),
    "project": lambda here, name: here._beside(name, 2),
}


def _parts(place: str) -> tuple[str, str]:
    kind, _, name = place.partition(":")
    if kind not in KINDS or not name:
        raise StudyError(f"{place!r} is no place of a checklist; one is KIND:NAME with KIND of {', '.join(KINDS)}")
    return kind, name
