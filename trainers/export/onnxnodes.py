"""How the operators of an ONNX graph are put down one by one, for steps that skl2onnx does not know."""

from __future__ import annotations

from typing import Any

import numpy as np


def nodes(container: Any) -> Any:
    """Makes an operator of ONNX from its name and inputs; arrays of numbers become constants of half the width."""
    from skl2onnx.algebra import onnx_ops

    def node(kind: str, *inputs: Any, **options: Any) -> Any:
        make = getattr(onnx_ops, f"Onnx{kind}")
        return make(*map(_single, inputs), op_version=container.target_opset, **options)

    return node


def as_numbers(node: Any, yes: Any) -> Any:
    """One for yes, zero for no."""
    from onnx import TensorProto

    return node("Cast", yes, to=TensorProto.FLOAT)


def _single(value: Any) -> Any:
    return value.astype(np.float32) if isinstance(value, np.ndarray) and value.dtype == np.float64 else value
