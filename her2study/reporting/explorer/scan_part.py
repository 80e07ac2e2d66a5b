"""The chosen patient's scan, and the enhancement curve of the region under the cross."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

import ipywidgets as widgets
import numpy as np
import pandas as pd

from her2study.reporting.explorer.chooser import Chooser
from her2study.reporting.explorer.part import Part, absent
from her2study.reporting.explorer.scans import VIEW_MM, PatientScan, curve_words, lesion_curve, region_curve
from her2study.reporting.explorer.svg import Plot, row
from her2study.reporting.explorer.viewer import Viewer
from her2study.reporting.style import GREY, INK
from her2study.words import number

TITLE = "The scan, and what contrast does in a region"
NO_MAP = "no saliency map is stored for this patient; sort by “Saliency map stored” to find those who have one"
REGION_COLOUR = "#B8860B"
ABOUT = (
    "A click chooses a region. Scroll with the sliders below the pictures; after a click, with the wheel or the arrow "
    "keys. Overlay: orange speaks for {outcome}, blue against, on the map's own scale; the map ends with the network's "
    "crop."
)


class ScanPart(Part):
    """Three planes of the chosen patient and the curve of a region; ``viewer`` and ``radius`` steer it."""

    def __init__(self, chooser: Chooser, read: Callable[[str], PatientScan], outcome: str, simulated: bool) -> None:
        self.read, self.scan = read, None
        self.viewer = Viewer()
        self.radius = widgets.FloatSlider(
            value=3, min=1, max=10, step=0.5, description="Region radius (mm)", readout_format=".1f",
            style={"description_width": "150px"}, layout={"width": "420px"},
        )  # fmt: skip
        self.about = widgets.HTML(f"<div>{escape(ABOUT.format(outcome=outcome))}</div>")
        self.patient, self.curve = widgets.HTML(), widgets.HTML()
        super().__init__(
            TITLE,
            [self.patient, self.viewer, self.about, self.radius, self.curve],
            simulated,
        )
        chooser.observe(lambda change: self.show(change["new"]), "value")
        self.viewer.observe(self._draw, "place")
        self.radius.observe(self._draw, "value")
        self.show(chooser.value)

    def show(self, patient_id: str) -> None:
        """Read and show a patient; what cannot be read is said."""
        with self.answering():
            scan = self.scan = self.read(patient_id)
            maps = "" if scan.maps else f" · {NO_MAP}"
            self.patient.value = f"<div><b>{escape(patient_id)}</b>{maps}</div>"
            self.viewer.load(scan)
            self._draw()

    def _draw(self, _: object = None) -> None:
        if self.scan is None:
            return
        with self.answering():
            self.viewer.radius = self.radius.value / VIEW_MM
            point = self.scan.point_mm(tuple(self.viewer.place))
            self.code = curve_line(self.scan.patient_id, point, self.radius.value)
            curve = region_curve(self.scan, point, self.radius.value)
            words = curve_words(curve, self.scan.early, self.scan.late)
            self.curve.value = enhancement(self.scan, curve, lesion_curve(self.scan), words)


def show_scan(chooser: Chooser, read: Callable[[str], PatientScan] | None, outcome: str, simulated: bool) -> Part:
    """The chosen patient's scan.

    Parameters
    ----------
    read : callable, optional
        From a patient's name to her scan: :func:`~her2study.reporting.explorer.scans.load_patient` with its folders.
        None where the study has no images.
    """
    if read is None:
        return absent(TITLE, "This study has no images: there is no scan to scroll and no curve to draw.", simulated)
    return ScanPart(chooser, read, outcome, simulated)


def curve_line(patient_id: str, point_mm: tuple[float, float, float], radius_mm: float) -> str:
    """The line that measures the same region."""
    return f"region_curve(read({patient_id!r}), point_mm={point_mm}, radius_mm={radius_mm:g})"


def enhancement(scan: PatientScan, curve: pd.DataFrame, lesion: pd.DataFrame, words: str) -> str:
    """The region's curve with its spread, beside the whole lesion's, and the numbers."""
    timed = bool(np.isfinite(curve["seconds"]).all())
    x = curve["seconds"] if timed else curve["phase"]
    low, high = curve["signal"] - curve["signal_sd"], curve["signal"] + curve["signal_sd"]
    top = 1.08 * float(max(high.max(), lesion["signal"].max(), 1e-6))
    plot = Plot(
        (float(x.min()), float(x.max())), (min(0.0, float(low.min())), top), "Signal in the region",
        "Seconds after injection" if timed else "Phase (times were not recorded)", "Signal (scanner units)",
        width=470, height=270,
        xticks=None if timed else {float(phase): str(phase) for phase in curve["phase"]},
    )  # fmt: skip
    for role, phase in (("early", scan.early), ("late", scan.late)):
        plot.upright(float(x.iloc[phase])).text(float(x.iloc[phase]), top, role, dx=-4, dy=10, anchor="end", fill=GREY)
    plot.band(x, low, high, REGION_COLOUR).line(x, lesion["signal"], GREY, 1.5, "5 3")
    plot.line(x, curve["signal"], REGION_COLOUR, 2.4).dots(x, curve["signal"], REGION_COLOUR)
    end = {"anchor": "end", "dx": -10}
    plot.text(plot.x[1], plot.y[0], "● region, ± 1 SD of its voxels", dy=-24, fill=REGION_COLOUR, **end)
    plot.text(plot.x[1], plot.y[0], "╌ whole lesion", dy=-8, fill=INK, **end)
    lines = "".join(
        f"<tr><td>{r.phase}</td><td>{number(r.seconds, 0)}</td><td>{number(r.signal, 0)}</td>"
        f"<td>{number(r.enhancement_percent, 0)}%</td></tr>"
        for r in curve.itertuples()
    )
    head = "<tr><th>Phase</th><th>Seconds</th><th>Signal</th><th>Enhancement</th></tr>"
    voxels = int(curve["voxels"].iloc[0])
    counted = f"{voxels} {'voxel' if voxels == 1 else 'voxels'} of the scanner"
    table = f'<table class="her2-table">{head}{lines}</table>'
    told = f"<div><p>{escape(words)}</p>{table}<p>{counted}.</p></div>"
    return row(plot.svg(f"Enhancement curve. {words}"), told)
