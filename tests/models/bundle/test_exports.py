"""The D-score elsewhere: the ensemble, ONNX and MONAI give what the study's own inference gives."""

import json
import os

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from scipy.special import expit

from her2study.models.bundle.ensemble import DScoreEnsemble
from her2study.models.bundle.monai_export import to_monai
from her2study.models.bundle.onnx_export import to_onnx
from her2study.models.inference import predict_logits
from tests.models.bundle.making import IMAGING, SETTINGS, lesions, networks, small_bundle

INTERCEPT, SLOPE = 0.1, 2.0
SHAPE = (4, *IMAGING.crop_voxels)


@pytest.fixture(scope="module")
def images():
    """Five lesions: usual ones, one of a single voxel, one without a mask, one that fills the crop."""
    channels = lesions(5)
    channels[2:, 3] = 0
    channels[2, 3, 4, 5, 6] = 1
    channels[4, 3] = 1
    return channels


@pytest.fixture(scope="module")
def own(images):
    """The study's own inference: each mirror image, each network, the mean logit, the recalibration."""
    logits = [predict_logits(network, images, average_flips=True) for network in networks()]
    return expit(INTERCEPT + SLOPE * np.mean(logits, axis=0))


@pytest.fixture(scope="module")
def ensemble():
    return DScoreEnsemble(networks(), True, INTERCEPT, SLOPE)


@pytest.fixture(scope="module")
def exported(ensemble):
    return to_onnx(ensemble, SHAPE, {"patients": "SIMULATED"})


def test_the_ensemble_is_the_studys_inference(ensemble, images, own):
    assert np.ptp(own) > 0.05
    with torch.inference_mode():
        found = ensemble(torch.from_numpy(images).float()).numpy()
    np.testing.assert_allclose(found[:, 0], own, atol=1e-6)


@pytest.mark.parametrize("patients", [1, 2, 5])
def test_onnx_is_the_studys_inference_for_any_number_of_patients(exported, images, own, patients):
    session = onnxruntime.InferenceSession(exported)
    found = session.run(None, {"channels": images[:patients].astype(np.float32)})[0]
    assert found.shape == (patients, 1)
    np.testing.assert_allclose(found[:, 0], own[:patients], atol=1e-5)


def test_a_network_without_measurements_and_mirror_images_too_and_always_the_same_file(images):
    plain = SETTINGS.model_copy(update={"objective": "labels", "learned_share": 1.0, "average_flips": False})
    network = networks(1, plain)[0]
    ensemble = DScoreEnsemble([network], plain.average_flips, INTERCEPT, SLOPE)
    exported = to_onnx(ensemble, SHAPE, {})
    found = onnxruntime.InferenceSession(exported).run(None, {"channels": images.astype(np.float32)})[0][:, 0]
    own = expit(INTERCEPT + SLOPE * predict_logits(network, images, average_flips=False))
    np.testing.assert_allclose(found, own, atol=1e-5)
    assert to_onnx(ensemble, SHAPE, {}) == exported


def test_the_onnx_file_is_valid_says_whose_patients_and_tells_nothing_of_this_computer(exported):
    model = onnx.load_from_string(exported)
    onnx.checker.check_model(model, full_check=True)
    assert {item.key: item.value for item in model.metadata_props} == {"patients": "SIMULATED"}
    for told in (os.sep + "her2study", ".py", "site-packages"):
        assert told.encode() not in exported, told


@pytest.fixture(scope="module")
def monai_folder(ensemble, tmp_path_factory):
    folder = tmp_path_factory.mktemp("monai")
    for name, content in to_monai(small_bundle(), ensemble, "MIT").items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder / "monai"


@pytest.mark.filterwarnings(
    "ignore:parsing config_file:UserWarning"
)  # MONAI's, of every configuration: it may run code
def test_monai_runs_it_to_the_same_scores(monai_folder, images, own, tmp_path, monkeypatch):
    import monai.bundle

    for row, channels in enumerate(images):
        np.save(tmp_path / f"{row}.npy", channels.astype(np.float32))
    monkeypatch.chdir(monai_folder)
    files = {"meta_file": "configs/metadata.json", "config_file": "configs/inference.json"}
    monai.bundle.verify_net_in_out("network_def", **files, device="cpu")
    monai.bundle.run(**files, dataset_dir=str(tmp_path), output_dir=str(tmp_path / "out"))
    lines = (tmp_path / "out" / "dscore.csv").read_text().splitlines()
    found = [float(line.rsplit(",", 1)[1]) for line in sorted(lines)]
    np.testing.assert_allclose(found, own, atol=1e-5)


def test_monais_metadata_have_what_its_schema_requires(monai_folder):
    """Required by https://project-monai.github.io/schema/meta_schema_20240725.json."""
    told = json.loads((monai_folder / "configs" / "metadata.json").read_text())
    required = {"schema", "version", "monai_version", "pytorch_version", "numpy_version", "required_packages_version",
                "task", "description", "authors", "copyright", "network_data_format"}  # fmt: skip
    assert required <= set(told)
    tensor = {"type", "format", "num_channels", "spatial_shape", "dtype", "value_range"}
    for side in ("inputs", "outputs"):
        for described in told["network_data_format"][side].values():
            assert tensor <= set(described)
    assert "SIMULATED" in told["description"]
    assert not list(monai_folder.rglob("*.pt"))
