"""Whether a bundle gives the study's own probabilities, before anybody else gets it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from her2study.store import Run
from her2study.types import StudyError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from her2study.models.bundle import Bundle

SCANS = 8
"""So many patients go through the networks in each of their forms: seconds, not minutes."""

EXACT, NETWORK = 1e-9, 1e-5
"""Largest difference of a probability: of logistic models, which are a sum, and of networks."""


def check_bundle(bundle: Bundle, run: Run) -> dict[str, float]:
    """Largest difference between bundle and study, by what was compared.

    Every internal and external patient goes through the logistic models, a few of them through the networks: as they
    are in the bundle, as ONNX and as MONAI bundle. In a study without such patients, the exports are compared with the
    networks on development patients.

    Raises
    ------
    StudyError
        A difference is too large: the results are not of one piece.
    """
    predictions = run.load_frame("predictions")
    new = predictions[predictions["split"] != "development"]
    found = {**_logistic(bundle, run, new), **(_networks(bundle, run, new) if bundle.folds else {})}
    for what, difference in found.items():
        if not difference <= (EXACT if what in bundle.logistic else NETWORK):
            raise StudyError(
                f"{run.folder}: {what}: the bundle's probabilities differ from the study's by up to {difference:.1e}: "
                "its results are not of one piece; make them again (make reproduce) and freeze again"
            )
    return found


def _logistic(bundle: Bundle, run: Run, new: pd.DataFrame) -> dict[str, float]:
    from her2study.models.frozen import predict_frozen

    cohort = run.load_frame("cohort")
    dscore = new[new["model"] == "dscore"].set_index("patient_id")["probability"]
    cohort["dscore"] = cohort["patient_id"].map(dscore)
    found = {}
    for name, frozen in bundle.logistic.items():
        theirs = new[new["model"] == name].set_index("patient_id")["probability"]
        patients = cohort[cohort["patient_id"].isin(theirs.index)]
        if len(patients):
            ours = predict_frozen(frozen, patients)
            found[name] = float(abs(ours - theirs.loc[patients["patient_id"]].to_numpy()).max())
    return found


def _networks(bundle: Bundle, run: Run, new: pd.DataFrame) -> dict[str, float]:
    import numpy as np
    from scipy.special import expit

    from her2study.models.inference import predict_logits
    from her2study.models.network import with_mask

    index, volumes = run.load_frame("volume_index"), run.map_arrays("volumes")
    theirs = new[new["model"] == "dscore"].set_index("patient_id")["probability"]
    known = index["patient_id"].isin(theirs.index).to_numpy()
    rows = np.flatnonzero(known) if known.any() else np.arange(len(index))
    rows = rows[np.linspace(0, len(rows) - 1, min(SCANS, len(rows))).astype(int)]
    channels = with_mask(volumes["channels"][rows], volumes["mask"][rows])
    assert bundle.network is not None
    assert bundle.calibration is not None
    logits = [predict_logits(network, channels, bundle.network.average_flips) for network in bundle.networks()]
    ours = expit(bundle.calibration["intercept"] + bundle.calibration["slope"] * np.mean(logits, axis=0))
    found = {}
    if known.any():
        found["dscore"] = float(abs(ours - theirs.loc[index["patient_id"].iloc[rows]].to_numpy()).max())
    images = channels.astype(np.float32)
    found["dscore as ONNX"] = float(abs(_by_onnx(bundle, images) - ours).max())
    found["dscore as MONAI bundle"] = float(abs(_by_monai(bundle, images) - ours).max())
    return found


def _by_onnx(bundle: Bundle, images: np.ndarray) -> np.ndarray:
    import onnxruntime

    from her2study.models.bundle.onnx_export import FILE, INPUT

    session = onnxruntime.InferenceSession(bundle.files[FILE])
    return session.run(None, {INPUT: images})[0][:, 0]


def _by_monai(bundle: Bundle, images: np.ndarray) -> np.ndarray:
    import json
    import tempfile
    from pathlib import Path

    import torch

    from her2study.models.bundle.ensemble import load_ensemble
    from her2study.models.bundle.monai_export import WEIGHTS

    told = json.loads(bundle.files["monai/configs/inference.json"])["network_def"]
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        weights = Path(folder) / "weights.safetensors"
        weights.write_bytes(bundle.files[f"monai/{WEIGHTS}"])
        settings = {name: value for name, value in told.items() if name not in ("_target_", "weights")}
        return load_ensemble(str(weights), **settings)(torch.from_numpy(images)).numpy()[:, 0]
