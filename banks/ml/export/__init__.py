"""A model as an ONNX file that scores alike in any ONNX runtime."""

from banks.ml.export.onnx_file import to_onnx

__all__ = ["to_onnx"]
