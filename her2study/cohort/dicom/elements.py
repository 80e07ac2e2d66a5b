"""Header values as plain numbers and codes, read straight from the bytes of a data set: thousands of files must do."""

from __future__ import annotations

import contextlib
import logging
import math
import re
import struct
import warnings
from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Any

from her2study.cohort.dicom.frames import SECONDS_A_DAY

if TYPE_CHECKING:
    from pydicom.dataset import Dataset


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without pydicom's remarks on files that break the standard; what matters of them becomes a finding."""
    loggers = [logging.getLogger(name) for name in ("pydicom", "highdicom")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


class Elements:
    """Values of one data set by tag; None or empty where absent or malformed."""

    def __init__(self, dataset: Dataset) -> None:
        self._items = dataset._dict  # raw elements: asking the data set would convert and validate each
        self._dataset = dataset

    def text(self, tag: int) -> str:
        """A code or identifier, stripped; several values stay joined by backslashes."""
        value = self._raw(tag)
        if isinstance(value, bytes):
            value = value.decode("latin-1")
        if isinstance(value, list | tuple) or (value is not None and hasattr(value, "append")):
            value = "\\".join(str(part) for part in value)
        return "" if value is None else str(value).strip(" \0\r\n\t")

    def decoded(self, keyword: str, tag: int) -> str:
        """Text in the character set that the file declares."""
        value = self._raw(tag)
        try:
            if not isinstance(value, bytes) or not value.isascii() or b"\x1b" in value:
                value = self._dataset.get(keyword)
            else:
                value = value.decode("ascii")
        except Exception:  # a broken character set must not lose the file
            return ""
        return "" if value is None else str(value).strip(" \0\r\n\t")

    def codes(self, tag: int) -> tuple[str, ...]:
        """Values of a code string."""
        text = self.text(tag)
        return tuple(part.strip().upper() for part in text.split("\\")) if text else ()

    def numbers(self, tag: int) -> tuple[float, ...] | None:
        """Values of a decimal or integer string, or of a binary number."""
        item = self._items.get(tag)
        value = getattr(item, "value", None)
        if value is None:
            return None
        try:
            if isinstance(value, bytes) and getattr(item, "VR", None) in ("US", "UL", "FD", "FL"):
                return self._binary(item)
            if isinstance(value, bytes):
                found = tuple(float(part) for part in value.decode("ascii").strip(" \0").split("\\"))
            elif isinstance(value, str | int | float) or not hasattr(value, "__iter__"):
                found = (float(value),)
            else:
                found = tuple(float(part) for part in value)
        except (ValueError, TypeError, UnicodeDecodeError, struct.error):
            return None
        return found if found and all(math.isfinite(part) for part in found) else None

    def number(self, tag: int) -> float | None:
        """The first value."""
        found = self.numbers(tag)
        return found[0] if found else None

    def whole(self, tag: int) -> int | None:
        """The first value as a whole number."""
        found = self.number(tag)
        return None if found is None else round(found)

    def unsigned(self, tag: int) -> int:
        """A 16-bit number; implicit files do not say that it is one. 0 if absent."""
        item = self._items.get(tag)
        value = getattr(item, "value", None)
        if isinstance(value, bytes):
            little = getattr(item, "is_little_endian", True)
            return int.from_bytes(value[:2], "little" if little else "big")
        return int(value) if isinstance(value, int) else 0

    def present(self) -> list[int]:
        """Tags that have a value."""
        return [tag for tag, item in self._items.items() if getattr(item, "value", None) not in (None, b"", "", [])]

    def _raw(self, tag: int) -> Any:
        return getattr(self._items.get(tag), "value", None)

    def _binary(self, item: Any) -> tuple[float, ...] | None:
        code = {"US": "H", "UL": "I", "FD": "d", "FL": "f"}[item.VR]
        count = len(item.value) // struct.calcsize(code)
        order = "<" if item.is_little_endian else ">"
        found = tuple(float(part) for part in struct.unpack(f"{order}{count}{code}", item.value))
        return found if found and all(math.isfinite(part) for part in found) else None


def moment(day: str, clock: str) -> float | None:
    """Seconds of a date and a time of day; without a date since midnight; None without a time.

    >>> moment("", "000130.5")
    90.5
    """
    found = re.fullmatch(r"(\d\d):?(\d\d)?:?(\d\d(?:\.\d*)?)?", clock.split("\\")[0].strip())
    if not found:
        return None
    hours, minutes, seconds = (float(part or 0) for part in found.groups())
    if hours > 23 or minutes > 59 or seconds >= 61:
        return None
    return _days(day) * SECONDS_A_DAY + hours * 3600 + minutes * 60 + seconds


def moment_of(stamp: str) -> float | None:
    """Seconds of a DICOM date-time, ``YYYYMMDDHHMMSS.ffffff&ZZXX``."""
    found = re.match(r"(\d{8})(\d{2,6}(?:\.\d+)?)", stamp.strip())
    return moment(found.group(1), found.group(2)) if found else None


def _days(day: str) -> int:
    digits = day.strip().replace(".", "").replace("-", "")
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:8])).toordinal()
    except ValueError:
        return 0
