"""Steps of a pipeline that skl2onnx writes not at all or not whole: curves, codes, marks of gaps, logarithms.

The basis of a curve is built up by degree, as Cox and de Boor do (de Boor, A Practical Guide to Splines, 1978, chapter
IX); beyond the outermost knots it goes on in a straight line.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.compose import TransformedTargetRegressor
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, SplineTransformer, TargetEncoder

from trainers.classical.pairs import DIFFERENCE, PRODUCT, RATIO, PairsOfNumbers
from trainers.export.onnxnodes import as_numbers, nodes

_Array = NDArray[np.float64]
_UNSEEN = "\x00 no category of the training rows"


def register() -> None:
    """Teach skl2onnx these steps; calling it again changes nothing."""
    from skl2onnx import update_registered_converter

    update_registered_converter(SplineTransformer, "Curves", _curves_shape, _curves)
    update_registered_converter(SimpleImputer, "FilledNumbers", _filled_shape, _filled)
    update_registered_converter(TransformedTargetRegressor, "LearntAsLogarithm", _numbers_shape, _from_logarithm)
    update_registered_converter(OneHotEncoder, "ColumnsByCategory", _coded_shape, _one_hot)
    update_registered_converter(PairsOfNumbers, "PairsOfNumbers", _pairs_shape, _pairs)
    for encoder in (OrdinalEncoder, TargetEncoder):
        update_registered_converter(encoder, f"Coded{encoder.__name__}", _coded_shape, _coded)


def _filled_shape(operator: Any) -> None:
    given, filling = operator.inputs[0].type, operator.raw_operator
    marks = len(filling.indicator_.features_) if filling.add_indicator else 0
    operator.outputs[0].type = type(given)([given.shape[0], len(filling.statistics_) + marks])


def _filled(scope: Any, operator: Any, container: Any) -> None:
    """Gaps filled, and a mark for each gap beside them: skl2onnx's own converter leaves the marks out."""
    filling, node = operator.raw_operator, nodes(container)
    values = np.nan_to_num(np.asarray(filling.statistics_, dtype=np.float64))[None]
    if not filling.keep_empty_features and np.isnan(filling.statistics_).any():
        raise NotImplementedError("columns without any number are not written")
    gaps = node("IsNaN", operator.inputs[0])
    filled = node("Where", gaps, values, operator.inputs[0])
    if not filling.add_indicator:
        node("Identity", filled, output_names=[operator.outputs[0]]).add_to(scope, container)
        return
    marked = node("Gather", gaps, np.asarray(filling.indicator_.features_, dtype=np.int64), axis=1)
    node("Concat", filled, as_numbers(node, marked), axis=1, output_names=[operator.outputs[0]]).add_to(
        scope, container
    )


def _curves_shape(operator: Any) -> None:
    given = operator.inputs[0].type
    operator.outputs[0].type = type(given)([given.shape[0], operator.raw_operator.n_features_out_])


def _curves(scope: Any, operator: Any, container: Any) -> None:
    curves, node = operator.raw_operator, nodes(container)
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
    return as_numbers(node, node("And", above, below))


def _slopes(knots: _Array, order: int) -> tuple[_Array, _Array]:
    """One over the width that each basis rises and falls on; zero where knots are equal, and so no basis is."""
    rise = knots[:, order:-1] - knots[:, : -order - 1]
    fall = knots[:, order + 1 :] - knots[:, 1:-order]
    with np.errstate(divide="ignore"):
        rising, falling = 1 / rise, 1 / fall
    return np.where(rise > 0, rising, 0.0), np.where(fall > 0, falling, 0.0)


def _pairs_shape(operator: Any) -> None:
    given = operator.inputs[0].type
    operator.outputs[0].type = type(given)([given.shape[0], len(operator.raw_operator.way_)])


def _pairs(scope: Any, operator: Any, container: Any) -> None:
    """Each kind of pair for all its columns at once, put back into the order that the trees know."""
    pairs, node = operator.raw_operator, nodes(container)
    gap = np.array([[np.nan]])
    made, order = [], []
    for way, kind in ((PRODUCT, "Mul"), (RATIO, "Div"), (DIFFERENCE, "Sub")):
        places = np.flatnonzero(pairs.way_ == way)
        if not len(places):
            continue
        left, right = (
            node("Gather", operator.inputs[0], side[places], axis=1) for side in (pairs.first_, pairs.second_)
        )
        values = node(kind, left, right)
        if way == RATIO:
            values = node("Where", node("Equal", right, np.array([[0.0]])), gap, values)
        made.append(node("Where", node("IsInf", values), gap, values))
        order.append(places)
    back = np.argsort(np.concatenate(order)).astype(np.int64)
    node("Gather", node("Concat", *made, axis=1), back, axis=1, output_names=[operator.outputs[0]]).add_to(
        scope, container
    )


def _coded_shape(operator: Any) -> None:
    from skl2onnx.common.data_types import FloatTensorType

    width = len(operator.raw_operator.get_feature_names_out())
    operator.outputs[0].type = FloatTensorType([operator.inputs[0].type.shape[0], width])


def _coded(scope: Any, operator: Any, container: Any) -> None:
    """Each category by a table of what the encoder gives for it: rare ones together, and one figure for unseen ones."""
    encoder, node = operator.raw_operator, nodes(container)
    usual = [known[0] for known in encoder.categories_]
    width = len(encoder.get_feature_names_out()) // len(usual)
    columns = []
    for at, known in enumerate(encoder.categories_):
        asked = np.array([usual] * (len(known) + 1), dtype=object)
        asked[:-1, at], asked[-1, at] = known, _UNSEEN
        given = np.asarray(encoder.transform(asked), dtype=np.float64)[:, at * width : (at + 1) * width]
        column = _column(node, operator, at)
        for figures in given.T:
            *known_figures, unseen = map(float, figures)
            table = {"keys_strings": list(map(str, known)), "values_floats": known_figures, "default_float": unseen}
            columns.append(node("LabelEncoder_2", column, **table))
    node("Concat", *columns, axis=1, output_names=[operator.outputs[0]]).add_to(scope, container)


def _column(node: Any, operator: Any, at: int) -> Any:
    """One of the columns that a step reads: skl2onnx hands them over apart, or as one table."""
    if len(operator.inputs) > 1:
        return operator.inputs[at]
    return node("Gather", operator.inputs[0], np.array([at], dtype=np.int64), axis=1)


def _one_hot(scope: Any, operator: Any, container: Any) -> None:
    """A column a category; rare ones share the last, which unseen ones fall into where it is there."""
    encoder, node = operator.raw_operator, nodes(container)
    if encoder.handle_unknown == "error" or encoder.drop is not None:
        raise NotImplementedError("only a column for each category, none dropped and unseen ones allowed, is written")
    joined = encoder.handle_unknown == "infrequent_if_exist"
    grouped = encoder.min_frequency is not None or encoder.max_categories is not None
    rarest: list[Any] = encoder.infrequent_categories_ if grouped else [None] * len(encoder.categories_)
    columns = []
    for at, known in enumerate(encoder.categories_):
        rare = set(rarest[at]) if rarest[at] is not None else set()
        kept = [one for one in known if one not in rare]
        width = len(kept) + bool(rare)
        places = [kept.index(one) if one in kept else len(kept) for one in known]
        unseen = len(kept) if rare and joined else -1
        table = {"keys_strings": list(map(str, known)), "values_floats": list(map(float, places))}
        place = node("LabelEncoder_2", _column(node, operator, at), **table, default_float=float(unseen))
        columns.append(as_numbers(node, node("Equal", place, np.arange(float(width)))))
    node("Concat", *columns, axis=1, output_names=[operator.outputs[0]]).add_to(scope, container)


def _numbers_shape(operator: Any) -> None:
    given = operator.inputs[0].type
    operator.outputs[0].type = type(given)([given.shape[0], 1])


def _from_logarithm(scope: Any, operator: Any, container: Any) -> None:
    from skl2onnx.algebra.onnx_operator import OnnxSubEstimator

    model, node = operator.raw_operator, nodes(container)
    if model.func is not np.log1p or model.inverse_func is not np.expm1:
        raise NotImplementedError("only a target learnt as its logarithm is written")
    told = OnnxSubEstimator(model.regressor_, operator.inputs[0], op_version=container.target_opset)
    raised = node("Exp", node("Reshape", told, np.array([-1, 1], dtype=np.int64)))
    node("Sub", raised, np.array([1.0]), output_names=[operator.outputs[0]]).add_to(scope, container)
