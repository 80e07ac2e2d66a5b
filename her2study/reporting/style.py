"""The one place for colours, line styles and printed names; sizes and fonts are the journal's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import cycle

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from her2study.evaluation.wording import MODEL_LABELS, updated
from her2study.reporting.journals import ALWAYS_THERE, Journal, current, drawing_for, load_journal
from her2study.reporting.lettering import MM_PER_POINT, across, fit, text_width_mm
from her2study.words import spell

# Okabe and Ito's and Paul Tol's muted colours: told apart with any colour vision.
MODEL_COLOURS = {
    "dscore": "#0072B2",
    "clinical": "#E08A00",
    "combined": "#B22A55",
    "logistic_elastic_net": "#117733",
    "svm": "#332288",
    "random_forest": "#44AA99",
    "xgboost": "#882255",
    "lightgbm": "#999933",
    "knn": "#88CCEE",
    "mlp": "#AA4499",
    "oracle_combined": "#4D4D4D",
    "oracle_image": "#8C8C8C",
    "treat_all": "#6E6E6E",
    "treat_none": "#1A1A1A",
}
REFERENCES = ("treat_all", "treat_none")
"""What a decision curve compares models with."""

SPARE_COLOURS = (
    "#2F4B7C", "#D45087", "#4C9F70", "#8C510A", "#7A5195", "#5FA3DA", "#C9A227", "#661100", "#556B2F", "#B08BD0",
    "#AA8866", "#1B9E9E",
)  # fmt: skip
"""For models that are not named above, in the order of their names."""
CLASS_COLOURS = {0: "#7FA8BF", 1: "#B3412B"}
"""Outcome-negative and outcome-positive patients; one is lighter, for those who print without colour."""

ACCENT = "#7A5195"
"""For what is no model: a colour that no model of this package has."""

INK, GREY, PALE = "#222222", "#777777", "#E6E9EC"
SEQUENTIAL, DIVERGING = "cividis", "RdBu_r"
MODEL_DASHES = {
    "dscore": "--",
    "clinical": "-.",
    "combined": "-",
    "logistic_elastic_net": (0, (7, 2)),
    "svm": (0, (5, 1, 1, 1, 1, 1)),
    "random_forest": (0, (1, 1.2)),
    "xgboost": (0, (3, 1, 1, 1)),
    "lightgbm": (0, (9, 1.5, 2, 1.5)),
    "knn": (0, (4, 1.5, 4, 1.5, 1, 1.5)),
    "mlp": (0, (2, 2)),
    "oracle_combined": (0, (1, 3)),
    "oracle_image": (0, (9, 4)),
    "treat_all": (0, (4, 2)),
    "treat_none": "-",
}
"""So that curves stay apart in greyscale; the paper's models have the plainest."""

DASHES = tuple(MODEL_DASHES[model] for model in (
    "combined", "dscore", "clinical", "random_forest", "svm", "logistic_elastic_net", "xgboost", "lightgbm", "mlp",
))  # fmt: skip
"""For models that are not named above, in the order of their names."""

MODEL_SHORT = {
    "logistic_elastic_net": "Elastic net",
    "svm": "SVM",
    "knn": "k-NN",
    "mlp": "Perceptron",
    "oracle_combined": "Oracle, all",
    "oracle_image": "Oracle, image",
}
"""Names for legends, where the printed name is too long."""
UPDATE_SHORT = {"intercept": "interc.", "intercept and slope": "slope"}
SHORT_MM = 25
"""Width of a name in a legend, in the default journal's letters."""

SPLIT_LABELS = {
    "development": "Development (out-of-fold)",
    "internal": "Internal validation",
    "external": "External validation",
    "all": "All patients",
}
SIMULATED = "SIMULATED PATIENTS"
MARK_MM = 4.5
"""Height of the strip at the top of every figure that is kept free for the mark."""


def model_label(model: str) -> str:
    """The printed name of a model; one this package does not make keeps its author's capitals."""
    if recalibrated := updated(model):
        return f"{model_label(recalibrated[0])}, {recalibrated[1]} updated"
    return MODEL_LABELS.get(model, str(model).replace("_", " ").strip())


def model_short(model: str) -> str:
    """The name of a model in a legend; the middle of a long one goes first, since versions stand at the ends."""
    if recalibrated := updated(model):
        return f"{fit(model_short(recalibrated[0]), across(SHORT_MM - 11))}, {UPDATE_SHORT[recalibrated[1]]}"
    return fit(MODEL_SHORT.get(model, model_label(model)), across(SHORT_MM))


def model_shorts(models: Iterable[str]) -> dict[str, str]:
    """Names for the legend of one figure: as :func:`model_short`, numbered where two would look the same."""
    shorts, taken = {}, Counter()
    for model in model_order(models):
        short = model_short(model)
        taken[short] += 1
        shorts[model] = f"{fit(short, across(SHORT_MM - 4))} ({taken[short]})" if taken[short] > 1 else short
    return shorts


def split_label(split: str) -> str:
    """The printed name of a split."""
    return SPLIT_LABELS.get(split, spell(split))


def model_order(models: Iterable[str]) -> list[str]:
    """The distinct models: those of :data:`MODEL_LABELS` in that order, then others by name, treat all and none last.

    A recalibrated model stands behind the one it came from.
    """
    rank = {model: place for place, model in enumerate(MODEL_LABELS)}

    def place(model: str) -> tuple[bool, int, str, str]:
        base = (updated(model) or (model,))[0]
        return model in REFERENCES, rank.get(base, len(rank)), base, model

    return sorted(set(models), key=place)


def split_order(splits: Iterable[str]) -> list[str]:
    """The distinct splits in reading order, unknown ones last."""
    rank = {split: place for place, split in enumerate(SPLIT_LABELS)}
    return sorted(set(splits), key=lambda split: (rank.get(split, len(rank)), split))


def model_colours(models: Iterable[str]) -> dict[str, str]:
    """One colour a model, the same in every figure; unknown models take spare colours by name among those shown."""
    spare = cycle(SPARE_COLOURS)
    unknown = {model: next(spare) for model in sorted(set(models) - set(MODEL_COLOURS))}
    return {model: MODEL_COLOURS.get(model) or unknown[model] for model in model_order(models)}


def model_dashes(models: Iterable[str]) -> dict[str, object]:
    """One line style a model, the same in every figure; unknown models take by name what no shown one has."""
    shown = set(models)
    taken = {MODEL_DASHES[model] for model in shown & set(MODEL_DASHES) - set(REFERENCES)}
    spare = cycle(sorted(DASHES, key=lambda dash: dash in taken))  # free ones first
    unknown = {model: next(spare) for model in sorted(shown - set(MODEL_DASHES))}
    return {model: MODEL_DASHES.get(model) or unknown[model] for model in model_order(shown)}


def luminance(colour: object) -> float:
    """Relative luminance, 0 (black) to 1 (white), by the formula of WCAG 2."""
    parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in to_rgb(colour)]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True))


def legible_on(ground: object) -> str:
    """White or ink, whichever has more contrast with the ground."""
    bright = luminance(ground) + 0.05
    return "white" if 1.05 / bright > bright / (luminance(INK) + 0.05) else INK


@contextmanager
def journal_style(journal: Journal | None = None) -> Iterator[Journal]:
    """Fonts, sizes, line widths and file options of a journal, by default of none, for the block only.

    The default font is the one that ships with matplotlib, so that figures are the same on every machine.
    Fonts are embedded as TrueType in PDF, and text is kept as text in SVG.
    """
    journal = journal or load_journal()
    sizes, lines = journal.sizes_pt, journal.lines_pt
    settings = {
        "font.family": list(dict.fromkeys([journal.font, ALWAYS_THERE])),
        "font.size": sizes.text,
        "axes.titlesize": sizes.title,
        "axes.titleweight": "regular",
        "axes.titlelocation": "left",
        "axes.labelsize": sizes.label,
        "axes.labelcolor": INK,
        "axes.edgecolor": GREY,
        "axes.linewidth": lines.axis,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.unicode_minus": True,
        "text.hinting": "no_hinting",  # else text is wider at low resolutions than the layout allows for
        "xtick.labelsize": sizes.text,
        "ytick.labelsize": sizes.text,
        "xtick.color": INK,
        "ytick.color": INK,
        "xtick.major.width": lines.axis,
        "ytick.major.width": lines.axis,
        "xtick.major.size": 2.5,
        "ytick.major.size": 2.5,
        "legend.fontsize": sizes.text,
        "legend.frameon": False,
        "legend.handlelength": 2.2,
        "legend.borderaxespad": 0.3,
        "lines.linewidth": lines.curve,
        "text.color": INK,
        "image.interpolation": "nearest",
        "pdf.fonttype": 42,
        "svg.fonttype": "none",
        "svg.hashsalt": "her2study",
        "path.simplify": True,
        "figure.dpi": 100,
    }
    everything = {**mpl.rcParamsDefault, **settings} | {"backend": mpl.rcParams["backend"]}
    with mpl.rc_context(everything), drawing_for(journal):
        yield journal


def new_figure(height_mm: float, width_mm: float | None = None) -> Figure:
    """An empty figure with room for the SIMULATED mark above its panels.

    As wide as the page unless a width is given, which a journal may widen to one of its columns;
    never higher than the journal allows: panels shrink.
    """
    width = current().column_mm(width_mm or current().width_mm) / 25.4
    height = min(height_mm + MARK_MM, current().height_mm) / 25.4
    figure = Figure(figsize=(width, height), facecolor="white")
    figure.set_layout_engine("constrained", rect=(0, 0, 1, 1 - MARK_MM / 25.4 / height), w_pad=0.04, h_pad=0.04)
    return figure


def room_mm() -> float:
    """Height that the journal leaves for the content of a figure."""
    return current().height_mm - MARK_MM


def mark_simulated(figure: Figure) -> None:
    """Tag the top right margin: these are not patients."""
    height_mm = figure.get_size_inches()[1] * 25.4
    figure.text(
        1 - 0.6 / (figure.get_size_inches()[0] * 25.4),
        1 - MARK_MM / 2 / height_mm,
        SIMULATED,
        ha="right",
        va="center",
        fontsize=current().sizes_pt.small,
        color="white",
        weight="bold",
        bbox={"facecolor": GREY, "edgecolor": "none", "boxstyle": "square,pad=0.25"},
        gid="simulated-mark",
    )


def letter(axes: Axes, text: str, title: str = "") -> None:
    """Put a panel letter, as the journal writes it, and the panel's title above the left end of a panel."""
    sizes = current().sizes_pt
    lines, larger = title.count("\n"), sizes.letter - sizes.label
    indent = 0.0
    if text and larger:  # on the title's first line, whatever its size
        indent = letter_on(axes, text, 4 + 1.15 * sizes.label * lines - 0.21 * larger, va="bottom")
    elif text:
        indent = letter_on(axes, text, 4, below="\n" * lines, va="bottom")
    if title:
        look = {"xycoords": "axes fraction", "textcoords": "offset points", "va": "bottom"}
        axes.annotate(title, (0, 1), (indent, 4), fontsize=sizes.label, **look)


def letter_on(axes: Axes, text: str, up: float, below: str = "", va: str = "baseline") -> float:
    """Put a panel letter so many points above a panel; returns the indent of what follows it, in points."""
    size, form = current().sizes_pt.letter, current().letters
    look = {"fontsize": size, "weight": "bold" if form.bold else "normal", "va": va}
    text = form.format(text)
    axes.annotate(text + below, (0, 1), (0, up), xycoords="axes fraction", textcoords="offset points", **look)
    return max(11, text_width_mm(text, size, look["weight"]) / MM_PER_POINT + 3)
