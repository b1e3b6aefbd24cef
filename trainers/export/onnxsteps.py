"""Steps of a pipeline that skl2onnx writes not at all or not whole: smooth curves, and numbers with marks of gaps.

The basis of a curve is built up by degree, as Cox and de Boor do (de Boor, A Practical Guide to Splines, 1978, chapter
IX); beyond the outermost knots it goes on in a straight line.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import SplineTransformer

_Array = NDArray[np.float64]


def register() -> None:
    """Teach skl2onnx these steps; calling it again changes nothing."""
    from skl2onnx import update_registered_converter

    update_registered_converter(SplineTransformer, "Curves", _curves_shape, _curves)
    update_registered_converter(SimpleImputer, "FilledNumbers", _filled_shape, _filled)


def _filled_shape(operator: Any) -> None:
    given, filling = operator.inputs[0].type, operator.raw_operator
    marks = len(filling.indicator_.features_) if filling.add_indicator else 0
    operator.outputs[0].type = type(given)([given.shape[0], len(filling.statistics_) + marks])


def _filled(scope: Any, operator: Any, container: Any) -> None:
    """Gaps filled, and a mark for each gap beside them: skl2onnx's own converter leaves the marks out."""
    filling, node = operator.raw_operator, _nodes(container)
    values = np.nan_to_num(np.asarray(filling.statistics_, dtype=np.float64))[None]
    if not filling.keep_empty_features and np.isnan(filling.statistics_).any():
        raise NotImplementedError("columns without any number are not written")
    gaps = node("IsNaN", operator.inputs[0])
    filled = node("Where", gaps, values, operator.inputs[0])
    if not filling.add_indicator:
        node("Identity", filled, output_names=[operator.outputs[0]]).add_to(scope, container)
        return
    marked = node("Gather", gaps, np.asarray(filling.indicator_.features_, dtype=np.int64), axis=1)
    node("Concat", filled, _as_numbers(node, marked), axis=1, output_names=[operator.outputs[0]]).add_to(
        scope, container
    )


def _curves_shape(operator: Any) -> None:
    given = operator.inputs[0].type
    operator.outputs[0].type = type(given)([given.shape[0], operator.raw_operator.n_features_out_])


def _curves(scope: Any, operator: Any, container: Any) -> None:
    curves, node = operator.raw_operator, _nodes(container)
    if curves.extrapolation != "linear" or not curves.include_bias:
        raise NotImplementedError("only splines that go on in a straight line, with all their bases, are written")
    degree = curves.degree
    knots = np.stack([one.t for one in curves.bsplines_])
    low, high = knots[:, degree : degree + 1], knots[:, -degree - 1 : -degree]

    given = node("Reshape", operator.inputs[0], np.array([-1, len(knots), 1], dtype=np.int64))
    inside = node("Min", node("Max", given, low), high)
    basis = _first(node, inside, knots, degree)
    for order in range(1, degree + 1):
        rising, falling = _slopes(knots, order)
        here = np.arange(knots.shape[1] - order - 1, dtype=np.int64)
        before, after = node("Gather", basis, here, axis=2), node("Gather", basis, here + 1, axis=2)
        up = node("Mul", node("Mul", node("Sub", inside, knots[:, : -order - 1]), rising), before)
        down = node("Mul", node("Mul", node("Sub", knots[:, order + 1 :], inside), falling), after)
        basis = node("Add", up, down)
    for end in (low, high):
        slope = np.stack([one(edge, nu=1)[0] for one, edge in zip(curves.bsplines_, end, strict=True)])
        beyond = node("Sub", given, node("Max" if end is low else "Min", given, end))
        basis = node("Add", basis, node("Mul", beyond, slope))
    flat = np.array([-1, curves.n_features_out_], dtype=np.int64)
    node("Reshape", basis, flat, output_names=[operator.outputs[0]]).add_to(scope, container)


def _first(node: Any, inside: Any, knots: _Array, degree: int) -> Any:
    """One in the interval between knots that holds the number, else zero; the outermost ones reach to infinity."""
    count = knots.shape[1] - 1
    left, right = knots[:, :-1].copy(), knots[:, 1:].copy()
    left[:, :degree], right[:, :degree] = np.inf, -np.inf
    left[:, count - degree :], right[:, count - degree :] = np.inf, -np.inf
    left[:, degree], right[:, count - degree - 1] = -np.inf, np.inf
    above, below = node("GreaterOrEqual", inside, left), node("Less", inside, right)
    return _as_numbers(node, node("And", above, below))


def _slopes(knots: _Array, order: int) -> tuple[_Array, _Array]:
    """One over the width that each basis rises and falls on; zero where knots are equal, and so no basis is."""
    rise = knots[:, order:-1] - knots[:, : -order - 1]
    fall = knots[:, order + 1 :] - knots[:, 1:-order]
    with np.errstate(divide="ignore"):
        rising, falling = 1 / rise, 1 / fall
    return np.where(rise > 0, rising, 0.0), np.where(fall > 0, falling, 0.0)


def _nodes(container: Any) -> Any:
    """Makes an operator of ONNX from its name and inputs; arrays of numbers become constants of half the width."""
    from skl2onnx.algebra import onnx_ops

    def node(kind: str, *inputs: Any, **options: Any) -> Any:
        make = getattr(onnx_ops, f"Onnx{kind}")
        return make(*map(_single, inputs), op_version=container.target_opset, **options)

    return node


def _as_numbers(node: Any, yes: Any) -> Any:
    from onnx import TensorProto

    return node("Cast", yes, to=TensorProto.FLOAT)


def _single(value: Any) -> Any:
    return value.astype(np.float32) if isinstance(value, np.ndarray) and value.dtype == np.float64 else value
