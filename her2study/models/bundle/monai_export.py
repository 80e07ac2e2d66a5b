"""The ensemble as a MONAI bundle: metadata, a configuration that scores lesions, and weights without a pickle.

https://docs.monai.io/en/stable/mb_specification.html; weights are safetensors where the specification has a pickled
``model.pt``, because loading a pickle may run anything.
"""

from __future__ import annotations

import importlib.metadata
import json
from typing import Any

import her2study
from her2study.models.bundle.contents import Bundle
from her2study.models.bundle.ensemble import DScoreEnsemble

WEIGHTS = "models/dscore.safetensors"

SCHEMA = "https://github.com/Project-MONAI/MONAI-extra-test-data/releases/download/0.8.1/meta_schema_20240725.json"

USE = "Research only: not for decisions about patients."

README = """\
# {name} as a MONAI bundle

{mark}The D-score of the study "{title}": channels of a lesion to the calibrated probability of being {outcome}. {use}

Input is a NumPy file a patient, `({channels}, z, y, x)` float32, its channels being {listed}, {spacing} mm a voxel and
{crop} voxels, as `her2study` prepares them. In this folder, with her2study installed:

    import monai.bundle
    monai.bundle.run(
        meta_file="configs/metadata.json", config_file="configs/inference.json", dataset_dir="FOLDER", output_dir="out"
    )

`out/dscore.csv` then has a line a file: name, D-score. From scans and masks as they leave the scanner,
`her2study predict` does the preparation as well.

Weights are safetensors; there is no `model.pt`, since loading a pickle may run anything. For programs without PyTorch
the same network lies beside this folder as `onnx/dscore.onnx`.
"""


def to_monai(bundle: Bundle, ensemble: DScoreEnsemble, licence: str) -> dict[str, bytes]:
    """Files of a MONAI bundle by name, all below ``monai/``."""
    from safetensors.torch import save

    assert bundle.imaging is not None
    mark = "**The patients of this study were simulated.** " if bundle.simulated else ""
    words = {
        "name": bundle.name, "title": bundle.title, "mark": mark, "outcome": bundle.outcome.label, "use": USE,
        "channels": len(bundle.channels), "listed": ", ".join(bundle.channels),
        "spacing": " x ".join(f"{mm:g}" for mm in bundle.imaging.spacing_mm),
        "crop": " x ".join(map(str, bundle.imaging.crop_voxels)),
    }  # fmt: skip
    files = {
        "configs/metadata.json": _json(_metadata(bundle)),
        "configs/inference.json": _json(_inference(bundle)),
        WEIGHTS: save({name: value.contiguous() for name, value in ensemble.state_dict().items()}),
        "docs/README.md": README.format(**words).encode(),
        "docs/license.txt": licence.encode(),
    }
    return {f"monai/{name}": content for name, content in files.items()}


def _metadata(bundle: Bundle) -> dict[str, Any]:
    simulated = "SIMULATED patients: no evidence about real ones. " if bundle.simulated else ""
    shape = list(bundle.imaging.crop_voxels) if bundle.imaging else []
    return {
        "schema": SCHEMA,
        "version": "1.0.0",
        "changelog": {"1.0.0": "as frozen by the study"},
        "monai_version": importlib.metadata.version("monai"),
        "pytorch_version": importlib.metadata.version("torch"),
        "numpy_version": importlib.metadata.version("numpy"),
        "required_packages_version": {
            "her2study": her2study.__version__,
            "safetensors": importlib.metadata.version("safetensors"),
        },
        "name": bundle.name,
        "task": f"Probability that a breast lesion is {bundle.outcome.label}, from dynamic contrast-enhanced MRI",
        "description": f"{simulated}D-score of: {bundle.title}. Mean of {bundle.folds} fold networks, recalibrated.",
        "authors": "The authors of the study",
        "copyright": "See docs/license.txt",
        "data_source": "Simulated on a computer" if bundle.simulated else "The patients of the study; not public here",
        "data_type": "NumPy arrays as her2study prepares them",
        "image_classes": "Channels in units of the lesion's own signal before contrast, and the lesion's mask",
        "pred_classes": f"Probability of being {bundle.outcome.label}",
        "intended_use": USE,
        "references": [bundle.citation] if bundle.citation else [],
        "network_data_format": {
            "inputs": {
                "image": {
                    "type": "image",
                    "format": "magnitude",
                    "modality": "MR",
                    "num_channels": len(bundle.channels),
                    "spatial_shape": shape,
                    "dtype": "float32",
                    "value_range": [],
                    "is_patch_data": False,
                    "channel_def": {str(place): name for place, name in enumerate(bundle.channels)},
                }
            },
            "outputs": {
                "pred": {
                    "type": "probabilities",
                    "format": "classes",
                    "num_channels": 1,
                    "spatial_shape": [],
                    "dtype": "float32",
                    "value_range": [0, 1],
                    "is_patch_data": False,
                    "channel_def": {"0": bundle.outcome.label},
                }
            },
        },
    }


def _inference(bundle: Bundle) -> dict[str, Any]:
    assert bundle.network is not None
    assert bundle.calibration is not None
    return {
        "imports": ["$import glob", "$import numpy", "$import os", "$import torch"],
        "bundle_root": ".",
        "dataset_dir": ".",
        "output_dir": "$os.path.join(@bundle_root, 'eval')",
        "device": "$torch.device('cuda' if torch.cuda.is_available() else 'cpu')",
        "network_def": {
            "_target_": "her2study.models.bundle.ensemble.load_ensemble",
            "weights": f"$os.path.join(@bundle_root, '{WEIGHTS}')",
            "network": bundle.network.model_dump(mode="json"),
            "channels": list(bundle.channels),
            "folds": bundle.folds,
        },
        "network": "$@network_def.to(@device)",
        "load": "$lambda name: torch.from_numpy(numpy.load(name)).float()[None]",
        "names": "$sorted(glob.glob(os.path.join(@dataset_dir, '*.npy')))",
        "saver": {"_target_": "CSVSaver", "output_dir": "@output_dir", "filename": "dscore.csv"},
        "run": [
            "$[@saver.save(@network(@load(name).to(@device)), {'filename_or_obj': name}) for name in @names]",
            "$@saver.finalize()",
        ],
    }


def _json(value: dict[str, Any]) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()
