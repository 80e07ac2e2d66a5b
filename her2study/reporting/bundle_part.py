"""What a model card says when it travels in a bundle."""

from __future__ import annotations

from collections.abc import Sequence

from her2study.reporting.sheets import Sheet
from her2study.reporting.style import model_label
from her2study.words import listing


def add_bundle_part(sheet: Sheet, name: str, models: Sequence[str], networks: bool, profile: str) -> None:
    """How to use the bundle, what lies in it, and what it tells of the patients it was made from."""
    sheet.add(
        "In this bundle",
        f"Frozen models: {listing([model_label(model) for model in models])}. Nothing that reads the bundle can fit "
        "them again.",
        None if profile == "full" else f"**Made from the trial run {profile!r}, which is no study: to see it work.**",
        [
            f"`her2study predict {name}.her2study.zip FOLDER`: probabilities of new patients, with intervals, the "
            "frozen thresholds' verdicts, and every doubt.",
            f"`her2study validate-external {name}.her2study.zip FOLDER`: the models judged on patients whose outcome "
            "is known; recalibrated versions have names of their own.",
            f"`her2study.load_bundle('{name}.her2study.zip').predict_proba(table, images)`: the same from Python.",
            "`template.csv` and `codebook.md` say what a table of new patients must hold.",
            *(["`onnx/dscore.onnx` and `monai/` hold the D-score for programs without this one."] if networks else []),
        ],
        "Told of the patients it was made from: out-of-fold scores with outcome and fold, without identifiers and in "
        "no order of theirs; means, counts and ranges. Who knows a patient's predictors can compute her score and may "
        "find her row: give the bundle only to whom you would give such a table.",
        "`SIGNATURE.json` holds the SHA-256 of every file, and reading checks them all. The fingerprint in it is worth "
        "as much as the place where you learned it: compare it with the one that the authors published.",
    )
