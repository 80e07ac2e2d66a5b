"""The ensemble as ONNX, for programs without PyTorch."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterator, Mapping

import torch

from her2study.models.bundle.ensemble import DScoreEnsemble

FILE = "onnx/dscore.onnx"

OPSET = 18

INPUT, OUTPUT = "channels", "dscore"


def to_onnx(ensemble: DScoreEnsemble, shape: tuple[int, int, int, int], told: Mapping[str, str]) -> bytes:
    """The network as one ONNX file, from ``channels`` (any number of lesions, ``shape``) to ``dscore`` ``(n, 1)``.

    Parameters
    ----------
    shape : tuple of int
        ``(channel, z, y, x)`` of one lesion.
    told : mapping
        What the file says of itself; nothing else stands in it, no path of this computer and no date.
    """
    example = torch.rand(3, *shape, generator=torch.Generator().manual_seed(0))
    many = {0: torch.export.Dim("patients", min=1, max=2**16)}
    with _quiet(), torch.no_grad():
        program = torch.export.export(ensemble, (example,), dynamic_shapes=(many,), strict=False)
        exported = torch.onnx.export(
            program,
            input_names=[INPUT],
            output_names=[OUTPUT],
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    model = exported.model_proto
    model.producer_name, model.producer_version, model.doc_string = "her2study", "", ""
    for message in (model, model.graph, *model.graph.node, *model.graph.input, *model.graph.output,
                    *model.graph.value_info, *model.graph.initializer, *model.functions):  # fmt: skip
        del message.metadata_props[:]  # the exporter notes file names of this computer
    del model.graph.value_info[:]
    for tensor in (*model.graph.input, *model.graph.output):
        tensor.type.tensor_type.shape.dim[0].dim_param = "patients"
    for name, value in told.items():
        model.metadata_props.add(key=name, value=value)
    return model.SerializeToString(deterministic=True)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without the exporter's remarks on packages that are not installed and on its own future."""
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)
