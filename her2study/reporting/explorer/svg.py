"""Small plots as SVG text: a panel is made in a millisecond, which a figure of matplotlib is not.

For the explorer only, where a plot follows a slider. Figures of the paper are drawn by
:mod:`her2study.reporting.figures` from the same numbers and with the same colours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

import numpy as np
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from her2study.reporting.style import GREY, INK, PALE
from her2study.words import number

LEFT, RIGHT, TOP, BOTTOM = 54, 14, 30, 44
"""Margins of a panel, in pixels."""


@dataclass
class Plot:
    """One panel with linear axes; every method draws on top of what is there.

    Attributes
    ----------
    x, y : (low, high)
        Ranges of the data.
    xticks, yticks : mapping of float to str, optional
        Marks that stand for round numbers.
    """

    x: tuple[float, float]
    y: tuple[float, float]
    title: str = ""
    xlabel: str = ""
    ylabel: str = ""
    width: int = 310
    height: int = 280
    left: int = LEFT
    xticks: dict[float, str] | None = None
    yticks: dict[float, str] | None = None
    parts: list[str] = field(default_factory=list)

    def px(self, x: ArrayLike) -> np.ndarray:
        """Pixels from the left; data beyond the range stays at its edge."""
        low, high = self.x
        share = np.clip((np.asarray(x, float) - low) / (high - low), 0, 1)
        return self.left + share * (self.width - self.left - RIGHT)

    def py(self, y: ArrayLike) -> np.ndarray:
        """Pixels from the top."""
        low, high = self.y
        share = np.clip((np.asarray(y, float) - low) / (high - low), 0, 1)
        return self.height - BOTTOM - share * (self.height - TOP - BOTTOM)

    def line(self, x: ArrayLike, y: ArrayLike, colour: str, width: float = 2, dash: str = "") -> Plot:
        """A line through points."""
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        return self._add(
            f'<polyline points="{_pairs(self.px(x), self.py(y))}" fill="none" stroke="{colour}" '
            f'stroke-width="{width}" stroke-linejoin="round"{dashed}/>'
        )

    def band(self, x: ArrayLike, low: ArrayLike, high: ArrayLike, colour: str) -> Plot:
        """The area between two lines."""
        along, below, above = self.px(x), self.py(low), self.py(high)
        points = _pairs(np.r_[along, along[::-1]], np.r_[below, above[::-1]])
        return self._add(f'<polygon points="{points}" fill="{colour}" opacity="0.16"/>')

    def dots(self, x: ArrayLike, y: ArrayLike, colour: str, radius: float = 4) -> Plot:
        """Filled circles."""
        for a, b in zip(np.atleast_1d(self.px(x)), np.atleast_1d(self.py(y)), strict=True):
            self._add(f'<circle cx="{a:.1f}" cy="{b:.1f}" r="{radius}" fill="{colour}" stroke="white"/>')
        return self

    def box(self, x: tuple[float, float], y: tuple[float, float], colour: str) -> Plot:
        """A filled rectangle from corner to corner."""
        (left, right), (top, bottom) = sorted(self.px(x)), sorted(self.py(y))
        size = f'width="{max(right - left, 0.5):.1f}" height="{bottom - top:.1f}"'
        return self._add(f'<rect x="{left:.1f}" y="{top:.1f}" {size} fill="{colour}"/>')

    def upright(self, x: float, colour: str = GREY, dash: str = "4 3") -> Plot:
        """A vertical line over the whole panel."""
        return self.line([x, x], self.y, colour, 1.2, dash)

    def text(
        self, x: float, y: float, words: str, dx: float = 0, dy: float = 4, anchor: str = "start", **look: object
    ) -> Plot:
        """Words at a place of the data, moved by pixels."""
        more = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in look.items())
        place = f'x="{float(self.px(x)) + dx:.1f}" y="{float(self.py(y)) + dy:.1f}"'
        return self._add(f'<text {place} text-anchor="{anchor}"{more}>{escape(words)}</text>')

    def svg(self, said: str) -> str:
        """The panel as SVG; ``said`` is what it shows, for those who do not see it."""
        bottom, right = self.height - BOTTOM, self.width - RIGHT
        across = self.xticks if self.xticks is not None else _ticks(*self.x, most=5)
        up = self.yticks if self.yticks is not None else _ticks(*self.y, most=5)
        frame = [f'<path d="M{self.left} {TOP}V{bottom}H{right}" fill="none" stroke="{GREY}"/>']
        for at, label in across.items():
            x = float(self.px(at))
            frame.append(f'<path d="M{x:.1f} {bottom}v4" stroke="{GREY}"/>')
            frame.append(f'<text x="{x:.1f}" y="{bottom + 17}" text-anchor="middle">{escape(label)}</text>')
        for at, label in up.items():
            y = float(self.py(at))
            frame.append(f'<path d="M{self.left} {y:.1f}h-4" stroke="{GREY}"/>')
            frame.append(f'<text x="{self.left - 8}" y="{y + 4:.1f}" text-anchor="end">{escape(label)}</text>')
        middle = (self.left + right) / 2
        frame.append(f'<text x="{middle:.1f}" y="{self.height - 8}" text-anchor="middle">{escape(self.xlabel)}</text>')
        halfway = (TOP + bottom) / 2
        turned = f'transform="rotate(-90 13 {halfway:.1f})"'
        frame.append(
            f'<text x="13" y="{halfway + 4:.1f}" text-anchor="middle" {turned}>{escape(self.ylabel)}</text>'
            if self.ylabel
            else ""
        )
        frame.append(f'<text x="{min(self.left, 54)}" y="17" font-weight="600">{escape(self.title)}</text>')
        return (
            f'<svg role="img" aria-label="{escape(said, quote=True)}" width="{self.width}" height="{self.height}" '
            f'viewBox="0 0 {self.width} {self.height}" font-family="system-ui, sans-serif" font-size="12" '
            f'fill="{INK}">{"".join(frame)}{"".join(self.parts)}</svg>'
        )

    def _add(self, part: str) -> Plot:
        self.parts.append(part)
        return self


def diagonal(plot: Plot) -> Plot:
    """The line of chance of an ROC panel."""
    return plot.line([0, 1], [0, 1], PALE, 1.5)


def row(*panels: str) -> str:
    """Panels side by side, below each other where the page is narrow."""
    return f'<div class="her2-row">{"".join(panels)}</div>'


def _pairs(x: np.ndarray, y: np.ndarray) -> str:
    return " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(np.atleast_1d(x), np.atleast_1d(y), strict=True))


def _ticks(low: float, high: float, most: int) -> dict[float, str]:
    places: Sequence[float] = MaxNLocator(most, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    inside = [float(at) for at in places if low - 1e-9 <= at <= high + 1e-9]
    steps = np.diff(inside)
    decimals = 0 if not len(steps) or steps[0] >= 1 else 1 if np.isclose(steps[0] * 10 % 1, 0) else 2
    return {at: number(at, decimals) for at in inside}
