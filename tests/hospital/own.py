"""The breast unit's table without scans, with its own features and scores beside it."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tests.hospital.scans import SETTINGS, patients, table


class Own:
    """Settings, features and scores before they are written, to be spoilt."""

    def __init__(self) -> None:
        rng = np.random.default_rng(3)
        names = patients()
        self.study: dict[str, Any] = copy.deepcopy(SETTINGS)
        self.study["source"] |= {"features": ["features.csv"], "scores": "scores.csv"}
        self.features = pd.DataFrame({"patient_id": names}).astype("object")
        for feature in ("sphericity", "entropy", "contrast"):
            self.features[feature] = rng.normal(size=len(names)).round(4)
        self.scores = pd.DataFrame({"patient_id": names, "probability": rng.uniform(0.05, 0.95, len(names)).round(4)})
        self.scores["fold"] = [place % 3 if int(name[1:]) <= 20 or 31 <= int(name[1:]) <= 35 else -1
                               for place, name in enumerate(names)]  # fmt: skip

    def write(self, data: Path) -> None:
        """The three tables."""
        data.mkdir(parents=True, exist_ok=True)
        (data / "patients.csv").write_text(table(), encoding="utf-8")
        self.features.to_csv(data / "features.csv", index=False)
        self.scores.to_csv(data / "scores.csv", index=False)
