"""One patient on one page: the answer first, then what it rests on, the pictures, and what to doubt."""

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from her2study.reporting.lettering import fit, shortened
from her2study.reporting.patient_sheet.content import Content
from her2study.reporting.patient_sheet.page import (
    HEIGHT_MM,
    INSIDE_MM,
    MARGIN_MM,
    WIDTH_MM,
    box,
    heading,
    line_mm,
    new_page,
    panel,
    paragraph,
    sheet_style,
    writable,
    write,
)
from her2study.reporting.patient_sheet.panels import draw_drivers, draw_picture, draw_place
from her2study.reporting.style import GREY, INK, SIMULATED
from her2study.store import write_atomically
from her2study.words import number

NAMES_MM = 50.0
"""Room for the names of predictors beside their bars."""

LEFT, RIGHT = MARGIN_MM, MARGIN_MM + INSIDE_MM / 2 + 4
HALF_MM = INSIDE_MM / 2 - 4

WARNING_FACE, WARNING_EDGE = "#FFF4DC", "#C98A00"
FINE_FACE, FINE_EDGE = "#EEF5EF", "#5B8C6A"

MAP_NOTE = (
    "Wash-in with the lesion's outline; beside it, and in the other planes, the Grad-CAM map: orange speaks for, blue "
    "against. It shows what moved this network's score, not biology, and has a scale of its own in each patient."
)

FOOT = (
    "Research use only: not a medical device, and no substitute for immunohistochemistry or in-situ hybridisation. The "
    "models were frozen before this patient was seen; nothing was fitted to these data. Intervals hold the uncertainty "
    "of the models' coefficients (D-score: the spread of its networks), not that of a single patient's biology."
)


def write_sheet(content: Content, path: Path) -> None:
    """Write the sheet as a PDF of one A4 page; the same content gives the same bytes."""
    with sheet_style():
        figure = draw_sheet(content)
        about = {"CreationDate": None, "Title": f"{content.patient}: {content.title}", "Subject": content.predicted}
        write_atomically(path, lambda part: figure.savefig(part, format="pdf", metadata=about))


def draw_sheet(content: Content) -> Figure:
    """The page as a figure; call it within :func:`~her2study.reporting.patient_sheet.page.sheet_style`."""
    figure, board = new_page()
    top = _head(board, content)
    top = _answer(figure, board, content, top)
    top = _evidence(figure, board, content, top)
    if content.planes:
        top = _pictures(figure, board, content, top)
    _doubts(board, content, top)
    _foot(board, content)
    return figure


def _head(board: Axes, content: Content) -> float:
    if content.simulated:
        mark = {"facecolor": GREY, "edgecolor": "none", "boxstyle": "square,pad=0.3"}
        board.text(WIDTH_MM - MARGIN_MM, 11.5, f"MODEL OF {SIMULATED}", fontsize=7, color="white", weight="bold",
                   ha="right", va="center", bbox=mark)  # fmt: skip
    top = write(board, LEFT, 8, fit(content.title, INSIDE_MM - 52, 8), 8, color=GREY)
    name, centre = writable(content.patient), writable(content.centre)
    weight = {"weight": "bold"} if name.isascii() else {}  # fonts for other scripts have no bold letters
    top = write(board, LEFT, top + 0.6, shortened(f"Patient {name}", 40), 16, **weight)
    centre = "" if content.centre == "new" else f"Centre {shortened(centre, 40)}.  "
    return write(board, LEFT, top, f"{centre}Model fingerprint {content.fingerprint[:16]}", 7.5, color=GREY) + 3


def _answer(figure: Figure, board: Axes, content: Content, top: float) -> float:
    below = heading(board, LEFT, top, INSIDE_MM, f"Probability of {content.outcome}")
    answer, y = content.answer, below
    if answer is None:
        y = write(board, LEFT, y, "No answer", 22, weight="bold")
        return paragraph(board, LEFT, y + 1, INSIDE_MM, f"No model could answer: {content.reason}", 9) + 4
    y = write(board, LEFT, y + 0.5, f"{number(answer.probability, 0, percent=True)}%", 30, weight="bold")
    bounds = f"{number(answer.low, 0, percent=True)}% to {number(answer.high, 0, percent=True)}%"
    y = write(board, LEFT, y, f"{bounds} ({answer.note})", 9)
    y = write(board, LEFT, y, answer.label, 9) + 1.6
    for verdict in content.verdicts:
        side = "at or above" if verdict.positive else "below"
        colour = {"weight": "bold"} if verdict.positive else {}
        sign = "▲" if verdict.positive else "▽"
        text = f"{sign} {side} {number(verdict.threshold, 0, percent=True)}%"
        write(board, LEFT, y, text, 8.5, **colour)
        y = paragraph(board, LEFT + 34, y + 0.2, HALF_MM - 30, verdict.rule, 7, color=GREY) + 0.8
    draw_place(panel(figure, RIGHT + 2, below + 4.5, HALF_MM - 5, 36), content)
    y = max(y, below + 50)
    return paragraph(board, LEFT, y, INSIDE_MM, content.accuracy, 7.5, color=GREY) + 3.5


def _evidence(figure: Figure, board: Axes, content: Content, top: float) -> float:
    """What drove the answer, and what the other models say."""
    drivers = len(content.drivers)
    y = heading(board, RIGHT, top, HALF_MM, "All models")
    for estimate in (*((content.answer,) if content.answer else ()), *content.others):
        bold = {"weight": "bold"} if estimate is content.answer else {}
        write(board, RIGHT, y, estimate.label, 8.5, **bold)
        board.text(RIGHT + HALF_MM, y + line_mm(8.5) / 2, estimate.words, fontsize=8.5, ha="right",
                   va="center_baseline", color=INK, **bold)  # fmt: skip
        y = write(board, RIGHT, y + line_mm(8.5), estimate.remark, 6.8, color=GREY) + 1
    if not drivers:
        return y + 3
    left = heading(board, LEFT, top, HALF_MM, "What drove the answer")
    height = 7.5 * min(drivers, 8) + 3
    draw_drivers(panel(figure, LEFT + NAMES_MM, left + 1, HALF_MM - NAMES_MM - 2, height), content)
    typical = number(content.typical, 0, percent=True)
    note = f"Compared with a typical training patient (median or most frequent values), who is given {typical}%."
    left = paragraph(board, LEFT, left + height + 9.5, HALF_MM, note, 7, color=GREY)
    return max(y, left) + 3.5


def _pictures(figure: Figure, board: Axes, content: Content, top: float) -> float:
    y = heading(board, LEFT, top, INSIDE_MM, "Where the D-score looks")
    shown = [(content.planes[0], False), *((plane, True) for plane in content.planes)]
    gap = 2.0
    width = (INSIDE_MM - gap * (len(shown) - 1)) / len(shown)
    tallest = max(p.image.shape[0] * p.spacing_mm[0] / (p.image.shape[1] * p.spacing_mm[1]) for p, _ in shown)
    height = min(width * tallest, 50.0)
    for place, (plane, with_heat) in enumerate(shown):
        left = LEFT + place * (width + gap)
        name = f"{plane.name.capitalize()}, {'Grad-CAM' if with_heat else 'wash-in'}"
        write(board, left, y, name, 7.5)
        draw_picture(panel(figure, left, y + 4, width, height), plane, with_heat, scale_bar=place == 0)
    return paragraph(board, LEFT, y + height + 5.5, INSIDE_MM, MAP_NOTE, 7, color=GREY) + 3


def _doubts(board: Axes, content: Content, top: float) -> None:
    """Flags, as many as there is room for; and why some model is silent."""
    told = [("not scored by every model", content.reason)] if content.reason and content.answer else []
    told += list(content.flags)
    y = heading(board, LEFT, top, INSIDE_MM, "Flags" if told else "Flags: none")
    bottom = HEIGHT_MM - 29
    if not told:
        box(board, LEFT, y, INSIDE_MM, 7, FINE_FACE, FINE_EDGE)
        words = "Every predictor is known and inside the training range" + (
            ", and the scan is like the training scans." if content.planes else "."
        )
        write(board, LEFT + 2.5, y + 1.5, words, 8)
        return
    start, y = y, y + 1.5
    for place, (kind, text) in enumerate(told):
        needed = line_mm(7.6) * (1 + len(text) // 120)
        if y + needed > bottom - (line_mm(7.6) if place < len(told) - 1 else 0):
            y = write(board, LEFT + 2.5, y, f"… and {len(told) - place} more, see flags.csv", 7.6, weight="bold")
            break
        y = paragraph(board, LEFT + 2.5, y, INSIDE_MM - 5, f"{kind[:1].upper()}{kind[1:]}: {writable(text)}", 7.6) + 0.5
    box(board, LEFT, start, INSIDE_MM, y - start + 1, WARNING_FACE, WARNING_EDGE)


def _foot(board: Axes, content: Content) -> None:
    top = HEIGHT_MM - 24
    board.plot([LEFT, LEFT + INSIDE_MM], [top, top], color=GREY, linewidth=0.6)
    top = paragraph(board, LEFT, top + 1.5, INSIDE_MM, FOOT, 7, color=GREY)
    if content.simulated:
        words = "The models were trained on SIMULATED patients: no probability on this page means anything clinically."
        write(board, LEFT, top + 0.4, words, 7, weight="bold")
