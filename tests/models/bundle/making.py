"""A small bundle made by hand: one logistic model and two untrained networks on crops of 8 x 10 x 12 voxels."""

import numpy as np
import pandas as pd
import torch

from her2study.models.bundle import Bundle, seal
from her2study.models.network import DScoreNetwork, weights_to_arrays
from her2study.study import Centres, Imaging, Network, Outcome, Source, Statistics, Variable

CHANNELS = ("pre", "wash_in", "wash_out", "mask")
IMAGING = Imaging(crop_voxels=(8, 10, 12))
SETTINGS = Network(
    epochs=1, widths=(4, 4, 8, 8), layers=(1, 1, 1, 1), objective="measurements", learned_share=0.5, average_flips=True
)
ODD = 0.1 + 0.2
"""A number whose last digit is easily lost in print."""

FROZEN = {
    "model": "combined",
    "intercept": -1.25,
    "terms": [
        {"name": "logit(dscore)", "variable": "dscore", "kind": "logit", "label": "D-score", "levels": [],
         "level": None, "coefficient": 0.8},
        {"name": "rim=yes", "variable": "rim", "kind": "level", "label": "Rim: yes (v. no)", "levels": ["no", "yes"],
         "level": "yes", "coefficient": ODD},
    ],
    "covariance": [[0.1, 0.0, 0.0], [0.0, 0.1, 0.0], [0.0, 0.0, 0.1]],
    "variables": {
        "dscore": {"label": "D-score", "levels": [], "imputation": 0.25, "range": [0.02, 0.9]},
        "rim": {"label": "Rim", "levels": ["no", "yes"], "imputation": "no", "range": None},
    },
    "missing_values": "median of the training patients (numbers), their most frequent category (categories)",
    "null_model": False,
    "training": {"patients": 3, "positives": 1, "fingerprint": "none"},
    "thresholds": {"youden": ODD},
}  # fmt: skip


def small_bundle(folds: int = 2) -> Bundle:
    """Not sealed yet."""
    scores = pd.DataFrame(
        {"patient": [1, 2, 3], "model": "combined", "label": [0, 0, 1], "probability": [ODD, 1 / 3, 0.9], "fold": 0}
    )
    networks = {"imaging": IMAGING, "network": SETTINGS, "channels": CHANNELS, "folds": folds}
    return Bundle(
        name="small",
        title="A small study with ö",
        simulated=True,
        outcome=Outcome(column="her2", positive=("positive",), negative=("negative",), label="HER2-positive"),
        variables={
            "rim": Variable(type="binary", label="Rim", role="mri_reading", levels=("no", "yes")),
            "age_years": Variable(type="continuous", label="Age", unit="years", role="clinical"),
        },
        source=Source(kind="folder", table="clinical.csv"),
        centres=Centres(development=("A",), external=("B",)),
        statistics=Statistics(),
        logistic={"combined": FROZEN},
        thresholds={"dscore": {"youden": 0.4}, "combined": {"youden": ODD}},
        reference_scores=scores,
        case_mix=pd.DataFrame({"by": ["all"], "variable": ["age_years"], "level": [np.nan], "mean": [51.2]}),
        performance=pd.DataFrame({"split": ["external"], "model": ["combined"], "auc": [0.7]}),
        **(networks | {"calibration": {"intercept": 0.1, "slope": 2.0}} if folds else {}),
    )


def networks(folds: int = 2, settings: Network = SETTINGS) -> list[DScoreNetwork]:
    """Untrained, their every buffer another number than a new network's."""
    made = []
    for fold in range(folds):
        torch.manual_seed(fold)
        network = DScoreNetwork(settings, CHANNELS).eval()
        for name, value in network.state_dict().items():
            if value.is_floating_point() and not name.endswith(("running_var", "sd", "scale")):
                value.copy_(torch.randn_like(value) * 0.3)
        made.append(network)
    return made


def sealed(folds: int = 2, beside=None) -> dict[str, bytes]:
    """The files of the small bundle."""
    return seal(small_bundle(folds), [weights_to_arrays(network) for network in networks(folds)], beside)


def lesions(n: int, seed: int = 0) -> np.ndarray:
    """Channels ``(n, 4, 8, 10, 12)`` float16: noise and a ball."""
    rng = np.random.default_rng(seed)
    grid = np.meshgrid(*[np.arange(size) - (size - 1) / 2 for size in IMAGING.crop_voxels], indexing="ij")
    masks = np.stack([sum(axis**2 for axis in grid) < (1.5 + row / 2) ** 2 for row in range(n)])
    images = rng.normal(0.8, 0.3, (n, 3, *IMAGING.crop_voxels))
    return np.concatenate([images, masks[:, None]], axis=1).astype(np.float16)
