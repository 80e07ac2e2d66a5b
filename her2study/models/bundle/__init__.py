"""A frozen study in one folder or one archive: what another hospital needs to apply and to judge its models.

``contents`` says what a bundle holds, ``signature`` and ``archive`` see that not a byte of it changes, ``files``
writes and reads it, ``ensemble`` joins its networks into one, ``onnx_export`` and ``monai_export`` give that network
to other programs. Nothing here can fit a model.
"""

from her2study.models.bundle.contents import Bundle
from her2study.models.bundle.files import read_bundle, seal, write_bundle

__all__ = ["Bundle", "read_bundle", "seal", "write_bundle"]
