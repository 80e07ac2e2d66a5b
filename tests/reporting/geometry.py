"""Where the text of a drawn figure lies: what a careful author checks with the eye, as numbers."""

from __future__ import annotations

from unittest.mock import patch

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Affine2D, Bbox

from her2study.reporting.journals import Journal
from her2study.reporting.style import journal_style

TOLERANCE_POINTS = 1.2
"""Line boxes include ascender and descender, so neighbours may share this much without touching."""


def drawn_texts(figure: Figure, journal: Journal | None = None) -> list[tuple[str, Bbox]]:
    """Every text that is really drawn, with its box in points."""
    return [(text.get_text(), box) for text, box in drawn_artists(figure, journal).items()]


def drawn_artists(figure: Figure, journal: Journal | None = None) -> dict[Text, Bbox]:
    """The artists of these texts, each with its box in points."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    drawn: list[Text] = []
    draw = Text.draw

    def record(text, *args, **kwargs):
        drawn.append(text)
        return draw(text, *args, **kwargs)

    with journal_style(journal), patch.object(Text, "draw", record):
        figure.draw(renderer)
    to_points = Affine2D().scale(72 / figure.dpi)
    return {
        text: text.get_window_extent(renderer).transformed(to_points)
        for text in drawn
        if text.get_text().strip() and text.get_visible()
    }


def clipped(figure: Figure, texts: list[tuple[str, Bbox]]) -> list[str]:
    """Texts that stick out of the figure."""
    width, height = figure.get_size_inches() * 72
    return [
        text for text, box in texts if box.x0 < -0.5 or box.y0 < -0.5 or box.x1 > width + 0.5 or box.y1 > height + 0.5
    ]


def overlapping(texts: list[tuple[str, Bbox]]) -> list[tuple[str, str]]:
    """Pairs of texts that touch."""
    pairs = []
    for place, (text, box) in enumerate(texts):
        for other_text, other in texts[place + 1 :]:
            across = min(box.x1, other.x1) - max(box.x0, other.x0)
            upwards = min(box.y1, other.y1) - max(box.y0, other.y0)
            if min(across, upwards) > TOLERANCE_POINTS:
                pairs.append((text, other_text))
    return pairs
