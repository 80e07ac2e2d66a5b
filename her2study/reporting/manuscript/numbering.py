"""Numbers of tables and figures, in the order in which the text first mentions them."""

from __future__ import annotations

from collections.abc import Collection

from her2study import words
from her2study.study import nearest
from her2study.types import StudyError


class Numbering:
    """Which tables and figures a text has mentioned so far, and so which number each has."""

    def __init__(self, figures: Collection[str], tables: Collection[str]) -> None:
        self._known = {"figure": figures, "table": tables}
        self.mentioned: dict[str, list[str]] = {"figure": [], "table": []}
        self.looked_up: set[str] = set()

    def figures(self, *names: str) -> str:
        """``Figure 2``, or ``Figures 2 and 3``."""
        return self._refer("figure", names)

    def tables(self, *names: str) -> str:
        """``Table 1``, or ``Tables 1 and 4``."""
        return self._refer("table", names)

    def number(self, kind: str, name: str) -> int:
        """The number that a figure or table got."""
        return self.mentioned[kind].index(name) + 1

    def _refer(self, kind: str, names: tuple[str, ...]) -> str:
        if not names:
            raise StudyError(f"name a {kind}")
        for name in names:
            if name not in self._known[kind]:
                raise StudyError(
                    f"this study has no {kind} {name!r}{nearest(name, self._known[kind])} If it only sometimes exists, "
                    f"put the sentence between {{% if has.{kind}({name!r}) %}} and {{% endif %}}."
                )
            if name not in self.mentioned[kind]:
                self.mentioned[kind].append(name)
        numbers = [str(self.number(kind, name)) for name in names]
        return f"{kind.capitalize()}{'s' if len(names) > 1 else ''}\u00a0{words.listing(numbers)}"
