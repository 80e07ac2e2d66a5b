"""Weights from a file: taken when they fit, refused by name when they do not."""

import pytest
import torch
from safetensors.torch import save_file

from her2study.models.network import DScoreNetwork
from her2study.models.pretrained import Pretrained, read_pretrained, start_from, weights_files
from her2study.store import file_hash
from her2study.types import StudyError
from tests.models.toy import SETTINGS, toy_fit


def tensors_of(seed):
    torch.manual_seed(seed)
    return {name: value.contiguous().clone() for name, value in DScoreNetwork(SETTINGS).state_dict().items()}


def given(tensors):
    return Pretrained(tensors, "brain.safetensors", "abc")


def test_nothing_is_read_unless_the_settings_say_so(tmp_path):
    assert read_pretrained(tmp_path, SETTINGS) is None
    assert weights_files(tmp_path, SETTINGS) == []


def test_file_is_read_relative_to_the_study(tmp_path):
    (tmp_path / "weights").mkdir()
    path = tmp_path / "weights" / "brain.safetensors"
    save_file(tensors_of(1), path)
    settings = SETTINGS.model_copy(update={"weights": "weights/brain.safetensors"})
    found = read_pretrained(tmp_path, settings)
    assert weights_files(tmp_path, settings) == [path]
    assert (found.file, found.sha256) == ("weights/brain.safetensors", file_hash(path))
    network = DScoreNetwork(SETTINGS)
    start_from(network, found)
    for name, value in network.state_dict().items():
        assert torch.equal(value, tensors_of(1)[name]), name
    assert network.backbone.layer2[0].conv1.weight.is_contiguous(memory_format=torch.channels_last_3d)


def test_a_missing_or_foreign_file_is_refused(tmp_path):
    settings = SETTINGS.model_copy(update={"weights": "brain.safetensors"})
    with pytest.raises(StudyError, match=r"network.weights: .*brain.safetensors does not exist"):
        read_pretrained(tmp_path, settings)
    (tmp_path / "brain.safetensors").write_bytes(b"\x80\x04 a pickle")
    with pytest.raises(StudyError, match="no safetensors file"):
        read_pretrained(tmp_path, settings)


def test_the_head_may_be_missing_and_standardisation_is_ours():
    tensors = tensors_of(1)
    del tensors["head.weight"], tensors["head.bias"]
    tensors["channel_mean"] += 9
    network = DScoreNetwork(SETTINGS)
    before = network.head.weight.clone()
    start_from(network, given(tensors))
    assert torch.equal(network.head.weight, before)
    assert network.channel_mean.abs().max() == 0
    assert torch.equal(network.backbone.conv1.weight, tensors["backbone.conv1.weight"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.pop("backbone.bn1.weight"), r"lacks the tensor 'backbone.bn1.weight' 4;"),
        (
            lambda t: t.update({"backbone.conv7.weight": torch.ones(1)}),
            r"holds 'backbone.conv7.weight', unknown to the network; did you mean",
        ),
        (
            lambda t: t.update({"backbone.conv1.weight": torch.ones(4, 1, 3, 3, 3)}),
            r"'backbone.conv1.weight' is 4 x 1 x 3 x 3 x 3 and must be 4 x 3 x 3 x 3 x 3",
        ),
        (lambda t: t["head.bias"].fill_(torch.nan), r"'head.bias' holds values that are not finite"),
    ],
)
def test_the_first_tensor_that_does_not_fit_is_named(change, message):
    tensors = tensors_of(1)
    change(tensors)
    with pytest.raises(StudyError, match=r"network.weights: brain.safetensors: .*" + message):
        start_from(DScoreNetwork(SETTINGS), given(tensors))


def test_training_starts_from_them(monkeypatch, tmp_path):
    monkeypatch.setenv("HER2STUDY_PROGRESS", str(tmp_path / "progress.json"))
    started = toy_fit(pretrained=given(tensors_of(1)), epochs=1)
    random = toy_fit(epochs=1)
    same = toy_fit(pretrained=given(tensors_of(1)), epochs=1)
    stem = [fit.network.backbone.conv1.weight for fit in (started, random, same)]
    assert torch.equal(stem[0], stem[2])
    assert not torch.equal(stem[0], stem[1])
    near, far = ((weight - tensors_of(1)["backbone.conv1.weight"]).abs().mean() for weight in stem[:2])
    assert near < far
