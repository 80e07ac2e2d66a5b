"""What a journal asks of figures: widths, fonts, sizes and files, read from ``journals/<name>.yml``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from her2study.study import Section, nearest
from her2study.types import StudyError

DEFAULT = "default"
ALWAYS_THERE = "DejaVu Sans"
"""Ships with matplotlib; the last resort, also for letters that another font lacks."""

Points = Annotated[float, Field(ge=3, le=24)]
Dpi = Annotated[int, Field(ge=72, le=1200)]


class Sizes(Section):
    """Font sizes in points, by what a text is for; nothing is smaller than ``smallest``."""

    smallest: Points
    small: Points
    text: Points
    label: Points
    title: Points
    letter: Points

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        order = ("smallest", "small", "text", "label", "title")
        for less, more in pairwise(order):
            if getattr(self, less) > getattr(self, more):
                raise ValueError(f"{less} ({getattr(self, less):g}) must not be larger than {more}")
        if self.letter < self.smallest:
            raise ValueError(f"letter ({self.letter:g}) must not be smaller than smallest")
        return self


class Lines(Section):
    """Line widths in points; nothing is drawn thinner than ``thinnest``."""

    thinnest: float = Field(gt=0, le=1)
    axis: float = Field(gt=0, le=2)
    curve: float = Field(gt=0, le=4)


class Letters(Section):
    """How panels are lettered."""

    form: Literal["A", "a", "(A)", "(a)", "A)", "a)"]
    bold: bool = True

    def format(self, letter: str) -> str:
        """``B`` as the journal writes it, for example ``(b)``."""
        return self.form.replace("A", letter.upper()).replace("a", letter.lower())


class Journal(Section):
    """One journal; every field stands in its YAML file, with where it is known from."""

    name: str
    columns_mm: tuple[Annotated[float, Field(ge=40, le=300)], ...] = Field(min_length=1)
    exact_columns: bool = True
    height_mm: float = Field(ge=80, le=400)
    fonts: tuple[str, ...] = Field(min_length=1)
    sizes_pt: Sizes
    lines_pt: Lines
    letters: Letters
    vector: tuple[Literal["pdf", "svg"], ...] = ()
    raster_dpi: dict[Literal["png", "tiff"], Dpi] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if list(self.columns_mm) != sorted(set(self.columns_mm)):
            raise ValueError("columns_mm must rise from the narrowest to the widest")
        if self.columns_mm[-1] < 150:
            raise ValueError("the last of columns_mm must be at least 150: some figures need the whole page")
        if not (self.vector or self.raster_dpi):
            raise ValueError("vector or raster_dpi must name a kind of file, or nothing would be written")
        return self

    @property
    def width_mm(self) -> float:
        """Width of a figure over all columns."""
        return self.columns_mm[-1]

    @property
    def font(self) -> str:
        """The first wanted font that is installed here."""
        return installed_font(self.fonts)

    def column_mm(self, needed_mm: float) -> float:
        """The narrowest column that is wide enough; the needed width itself where any width will do."""
        if not self.exact_columns:
            return min(needed_mm, self.width_mm)
        return next((column for column in self.columns_mm if column >= needed_mm - 0.5), self.width_mm)


def journal_names() -> list[str]:
    """Journals of the package."""
    return sorted(path.name.removesuffix(".yml") for path in _folder().iterdir() if path.name.endswith(".yml"))


def load_journal(name: str = DEFAULT) -> Journal:
    """Read a journal of the package by name, or any file that ends in ``.yml``.

    Raises
    ------
    StudyError
        Unknown journal (with the nearest name), or a file with an unknown key, a missing key or a wrong value.
    """
    if name.endswith((".yml", ".yaml")):
        path: Any = Path(name)
        if not path.is_file():
            raise StudyError(f"{path} does not exist; copy one of {_folder()} there and change it")
        return _read(path)
    path = _folder() / f"{name}.yml"
    if not path.is_file():
        known = journal_names()
        raise StudyError(
            f"unknown journal {name!r}{nearest(name.lower(), known)} Known journals: {', '.join(known)}; "
            "or give a .yml file of your own"
        )
    return _packaged(name)


@cache
def installed_font(families: tuple[str, ...]) -> str:
    """The first of these fonts that matplotlib can embed as TrueType, else the one that ships with it."""
    from matplotlib.font_manager import fontManager

    installed = {font.name for font in fontManager.ttflist if font.fname.lower().endswith(".ttf")}
    return next((family for family in families if family in installed), ALWAYS_THERE)


def font_notice(journal: Journal) -> str:
    """One line where the font a journal wants is not installed; else nothing."""
    wanted, used = journal.fonts[0], journal.font
    if wanted == used:
        return ""
    return f"{journal.name} asks for {wanted}, which is not installed here; its figures are set in {used}"


_current: ContextVar[Journal | None] = ContextVar("journal", default=None)
"""Like matplotlib's own settings, which it complements: what is drawn inside a block is drawn for this journal."""


@contextmanager
def drawing_for(journal: Journal) -> Iterator[Journal]:
    """Draw for a journal within the block."""
    token = _current.set(journal)
    try:
        yield journal
    finally:
        _current.reset(token)


def current() -> Journal:
    """The journal that is drawn for; outside :func:`drawing_for` the default one."""
    return _current.get() or _packaged(DEFAULT)


def _folder() -> Any:
    return files("her2study.reporting") / "journals"


@cache
def _packaged(name: str) -> Journal:
    return _read(_folder() / f"{name}.yml")


def _read(path: Any) -> Journal:
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise StudyError(f"{path}: not valid YAML: {error}") from None
    if not isinstance(raw, dict):
        raise StudyError(f"{path}: must be a mapping of keys, as in {_folder() / 'default.yml'}")
    try:
        return Journal(**raw)
    except ValidationError as error:
        raise StudyError(f"{path}: {_explain(error)}") from None


def _explain(error: ValidationError) -> str:
    """The first finding: key, rule and value."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        section = {"sizes_pt": Sizes, "lines_pt": Lines, "letters": Letters}.get(str(first["loc"][0]), Journal)
        known = list(section.model_fields)
        return f"unknown key {where!r}{nearest(str(first['loc'][-1]), known)} Known here: {', '.join(known)}."
    if first["type"] == "missing":
        return f"the key {where!r} is missing; add it"
    rule = first["msg"].removeprefix("Value error, ")
    if isinstance(first["input"], dict):
        return f"{where}: {rule}" if where else rule
    return f"{where}: {rule} (found {first['input']!r})"
