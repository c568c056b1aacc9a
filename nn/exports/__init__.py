"""Models for other frameworks: PyTorch, and ONNX with all that reads it.

What is exported is a chain of the modules of ``nn.layers``; each gets its counterpart, and every tensor the name that
it has in the model's state, so that weights go to and fro by safetensors files.
"""

from .onnx import to_onnx as to_onnx
from .pytorch import to_torch as to_torch
