"""The volume viewer: three planes drawn in the browser, from bytes that are sent once a patient.

Scrolling, overlay and brightness need no answer of the kernel, and no graphics card: it also works where WebGL does
not, offline, and with the keyboard.
"""

from __future__ import annotations

from pathlib import Path

import anywidget
import numpy as np
import traitlets
from numpy.typing import NDArray

from her2study.reporting.explorer.scans import MAPS, PatientScan
from her2study.words import number

HERE = Path(__file__).resolve().parent

BRIGHTEST = 99
"""Percentile of the lesion in its brightest phase that is shown white in all, so that phases can be compared."""


class Viewer(anywidget.AnyWidget):
    """Volumes as bytes ``(series, z, y, x)``; ``place`` is the voxel ``(z, y, x)`` under the cross."""

    _esm = HERE / "viewer.js"
    _css = HERE / "viewer.css"

    volumes = traitlets.Bytes().tag(sync=True)
    names = traitlets.List(traitlets.Unicode()).tag(sync=True)
    shape = traitlets.List(traitlets.Int(), default_value=[0, 0, 0]).tag(sync=True)
    mask = traitlets.Bytes().tag(sync=True)
    maps = traitlets.Bytes(help="signed, -127 to 127").tag(sync=True)
    map_names = traitlets.List(traitlets.Unicode()).tag(sync=True)
    shown = traitlets.Int(0).tag(sync=True)
    map_shown = traitlets.Int(-1, help="-1: none").tag(sync=True)
    opacity = traitlets.Float(0.6).tag(sync=True)
    outlined = traitlets.Bool(True).tag(sync=True)
    place = traitlets.List(traitlets.Int(), default_value=[0, 0, 0]).tag(sync=True)
    radius = traitlets.Float(3.0, help="of the region, in voxels").tag(sync=True)
    loaded = traitlets.Int(0, help="counts patients: changes last, when all bytes are there").tag(sync=True)

    def load(self, scan: PatientScan) -> None:
        """Show a patient, the cross in the slice where the lesion is largest."""
        names, volumes = series(scan)
        with self.hold_sync():
            self.shape, self.names = list(scan.views.shape[1:]), names
            self.volumes, self.mask = volumes.tobytes(), scan.view_mask.astype(np.uint8).tobytes()
            self.map_names = [MAPS[method] for method in scan.maps]
            self.maps = b"".join(signed_bytes(heat).tobytes() for heat in scan.maps.values())
            self.shown, self.map_shown = scan.early, 0 if scan.maps else -1
            self.place, self.loaded = list(lesion_middle(scan.view_mask)), self.loaded + 1


def series(scan: PatientScan) -> tuple[list[str], NDArray[np.uint8]]:
    """What can be shown, with names: every phase on one scale of grey, then wash-in and wash-out."""
    names = [phase_words(scan, phase) for phase in range(len(scan.views))]
    white = max(float(np.percentile(view[scan.view_mask], BRIGHTEST)) for view in scan.views)
    wash_in = scan.views[scan.early] - scan.views[0]
    wash_out = scan.views[scan.early] - scan.views[scan.late]
    most = float(np.percentile(wash_in[scan.view_mask], BRIGHTEST))
    gains = [_grey(wash_in, most), _grey(wash_out, most / 2)]
    names += ["Wash-in: early minus before", "Loss: early minus late"]
    return names, np.stack([*(_grey(view, white) for view in scan.views), *gains])


def phase_words(scan: PatientScan, phase: int) -> str:
    """``Phase 2: 97 s (early)``."""
    known = np.isfinite(scan.seconds[phase])
    when = "before contrast" if phase == 0 else f"{number(scan.seconds[phase], 0)} s" if known else "time not recorded"
    role = " (early)" if phase == scan.early else " (late)" if phase == scan.late else ""
    return f"Phase {phase}: {when}{role}"


def signed_bytes(heat: NDArray[np.floating]) -> NDArray[np.int8]:
    """A map from -127 (speaks most against) to 127 (most for), scaled by its own largest value."""
    peak = float(np.abs(heat).max())
    return np.round(heat / peak * 127).astype(np.int8) if peak > 0 else np.zeros(heat.shape, np.int8)


def lesion_middle(mask: NDArray[np.bool_]) -> tuple[int, int, int]:
    """The voxel ``(z, y, x)`` in the middle of the lesion on its largest slice."""
    z = int(mask.sum(axis=(1, 2)).argmax())
    y, x = (int(np.round(np.mean(along))) for along in np.nonzero(mask[z]))
    return z, y, x


def _grey(view: NDArray[np.floating], white: float) -> NDArray[np.uint8]:
    return np.clip(255 * view / max(white, 1e-6), 0, 255).astype(np.uint8)
