"""What all parts of the explorer have: a title, the mark of simulated patients, an answer, and a line to copy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from html import escape
from pathlib import Path

import anywidget
import ipywidgets as widgets
import traitlets

from her2study.reporting.style import SIMULATED
from her2study.types import StudyError
from her2study.words import number

LOOK = """<style>
.her2 { border: 1px solid #d5dade; border-radius: 6px; padding: 10px 14px; background: #fff; max-width: 1060px;
  color: #222; color-scheme: light; /* plots are dark on white, so a part stays light in a dark JupyterLab */
  --jp-content-font-color1: #222; --jp-ui-font-color1: #222; --jp-layout-color1: #fff; --jp-layout-color2: #eee;
  --jp-layout-color3: #bdbdbd; --jp-layout-color4: #757575; --jp-border-color1: #aaa; --jp-widgets-color: #222;
  --jp-widgets-label-color: #222; --jp-widgets-readout-color: #222; --jp-widgets-input-color: #222;
  --jp-widgets-input-background-color: #fff; --jp-widgets-input-border-color: #aaa; }
.her2 .widget-html-content { color: #222; line-height: 1.45; white-space: normal; }
.her2-head { display: flex; gap: 12px; align-items: center; justify-content: space-between; }
.her2-head b { font-size: 15px; }
.her2-mark { background: #777; color: #fff; font: 600 11px system-ui, sans-serif; padding: 2px 7px; border-radius: 3px;
  white-space: nowrap; }
.her2-said { color: #9b1c1c; }
.her2-copy { display: flex; gap: 8px; align-items: baseline; border-top: 1px solid #e6e9ec; padding-top: 6px; }
.her2-copy span { color: #666; font-size: 12px; white-space: nowrap; }
.her2-copy code { user-select: all; white-space: pre-wrap; overflow-wrap: anywhere; font-size: 12px; color: #222;
  background: #f3f5f7; padding: 1px 5px; border-radius: 3px; }
.her2-row { display: flex; flex-wrap: wrap; gap: 8px 14px; align-items: flex-start; }
.her2 table.her2-table { border-collapse: collapse; font-size: 12.5px; }
.her2 table.her2-table td, .her2 table.her2-table th { padding: 1px 14px 1px 0; text-align: left; font-weight: 400;
  line-height: 1.5; vertical-align: top; }
.her2 table.her2-table th { color: #666; }
.her2-big { font-size: 30px; font-weight: 600; }
</style>"""


class Names(anywidget.AnyWidget):
    """Shows nothing: names the sliders of its part for screen readers."""

    _esm = Path(__file__).resolve().parent / "names.js"


class Part(widgets.VBox):
    """A part of the explorer. ``code`` is the line below it; it works in the notebook as it stands."""

    code = traitlets.Unicode("", help="the line that does by hand what is shown").tag(sync=False)

    def __init__(self, title: str, children: Sequence[widgets.Widget], simulated: bool) -> None:
        mark = f'<span class="her2-mark">{SIMULATED}</span>' if simulated else ""
        head = widgets.HTML(f'{LOOK}<div class="her2-head"><b>{escape(title)}</b>{mark}</div>')
        self._said, self._line = widgets.HTML(), widgets.HTML()
        self._said.layout.display = self._line.layout.display = "none"
        super().__init__([head, *children, self._said, self._line, Names()])
        self.add_class("her2")

    @property
    def said(self) -> str:
        """What the library refused, in words; empty if it did not."""
        return self._said.value

    @contextmanager
    def answering(self) -> Iterator[None]:
        """What the library refuses is said in the part itself: elsewhere nobody would read it."""
        message = ""
        try:
            yield
        except StudyError as error:
            message = f'<div class="her2-said" role="alert">{escape(str(error))}</div>'
        self._said.value = message
        self._said.layout.display = None if message else "none"

    @traitlets.observe("code")
    def _show_code(self, change: dict) -> None:
        line = f'<div class="her2-copy"><span>To do it yourself:</span><code>{escape(change["new"])}</code></div>'
        self._line.value, self._line.layout.display = line, None


def threshold_words(threshold: float) -> str:
    """A threshold in print; one that three decimals would make zero keeps two digits."""
    return number(threshold, 3) if threshold >= 0.001 else f"{threshold:.2g}"


def absent(title: str, why: str, simulated: bool) -> Part:
    """A part that this study cannot have, and why."""
    return Part(title, [widgets.HTML(f"<div>{escape(why)}</div>")], simulated)
