"""LightGBM's trees in ONNX, alone or several as one: skl2onnx has no converter for them.

Written as the operator TreeEnsemble of ai.onnx.ml 5, which knows branches on sets of categories. What the leaves' sums
mean is written beside them, as in trainers/classical/sums.py.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from trainers.classical.boosting import LightBoosting, library
from trainers.classical.several import Several
from trainers.export.onnxnodes import nodes

_OPSET = 5
_LESS_OR_EQUAL, _MEMBER = 0, 6


def register() -> None:
    """Teach skl2onnx these models; calling it again changes nothing."""
    from skl2onnx import update_registered_converter

    update_registered_converter(LightBoosting, "LightBoosting", _shape, _convert)
    update_registered_converter(Several, "Several", _shape, _convert)


def declare(converted: Any) -> None:
    """Say in the file which version of ai.onnx.ml the trees need: skl2onnx writes at most 3 by itself."""
    if any(node.op_type == "TreeEnsemble" for node in converted.graph.node):
        for entry in converted.opset_import:
            if entry.domain == "ai.onnx.ml":
                entry.version = _OPSET


def _shape(operator: Any) -> None:
    from skl2onnx.common.data_types import FloatTensorType

    width = len(getattr(operator.raw_operator, "classes_", (0,)))
    operator.outputs[0].type = FloatTensorType([operator.inputs[0].type.shape[0], width])


def _convert(scope: Any, operator: Any, container: Any) -> None:
    model, node = operator.raw_operator, nodes(container)
    models, shares = (model.models_, model.shares) if isinstance(model, Several) else ([model], [1.0])
    total = None
    for one, share in zip(models, shares, strict=True):
        if not isinstance(one, LightBoosting):
            raise NotImplementedError(f"{type(one).__name__} has no converter beside others")
        part = node("Mul", _answer(node, operator.inputs[0], one), np.array([share]))
        total = part if total is None else node("Add", total, part)
    node("Identity", total, output_names=[operator.outputs[0]]).add_to(scope, container)
    # skl2onnx refuses what it does not know yet, so `declare` names the version when the file is whole.
    container.node_domain_version_pair_sets.discard(("ai.onnx.ml", _OPSET))
    container.node_domain_version_pair_sets.add(("ai.onnx.ml", 1))


def _answer(node: Any, given: Any, model: LightBoosting) -> Any:
    """Probabilities [rows, classes], or numbers [rows, 1]."""
    sums = node("TreeEnsemble", given, **_trees(model))
    if not model.classes:
        return node("Sub", node("Exp", sums), np.array([1.0])) if model.log else sums
    if len(model.classes_) == 2:
        second = node("Sigmoid", sums)
        return node("Concat", node("Sub", np.array([1.0]), second), second, axis=1)
    return node("Softmax", sums, axis=1)


def _trees(model: LightBoosting) -> dict[str, Any]:
    """The attributes of a TreeEnsemble that sums the leaves, by target where there are several."""
    from onnx import numpy_helper

    told = json.loads(json.dumps(library("lightgbm").Booster(model_str=model.text_).dump_model()))
    targets = int(told["num_tree_per_iteration"])
    grown = _Grown()
    for number, tree in enumerate(told["tree_info"]):
        grown.plant(tree["tree_structure"], number % targets)
    single = {"nodes_splits": grown.splits, "leaf_weights": grown.weights, "membership_values": grown.members}
    modes = np.array(grown.modes, dtype=np.uint8)
    return {
        "n_targets": targets,
        "aggregate_function": 1,
        "post_transform": 0,
        "nodes_modes": numpy_helper.from_array(modes, "modes"),
        **{name: numpy_helper.from_array(np.array(found, dtype=np.float32), name) for name, found in single.items()},
        "tree_roots": grown.roots,
        "nodes_featureids": grown.features,
        "nodes_truenodeids": grown.yes,
        "nodes_trueleafs": grown.yes_leaf,
        "nodes_falsenodeids": grown.no,
        "nodes_falseleafs": grown.no_leaf,
        "nodes_missing_value_tracks_true": grown.gaps,
        "leaf_targetids": grown.targets,
    }


class _Grown:
    """Nodes and leaves as lists, filled tree by tree."""

    def __init__(self) -> None:
        self.roots: list[int] = []
        self.modes: list[int] = []
        self.features: list[int] = []
        self.splits: list[float] = []
        self.members: list[float] = []
        self.yes: list[int] = []
        self.yes_leaf: list[int] = []
        self.no: list[int] = []
        self.no_leaf: list[int] = []
        self.gaps: list[int] = []
        self.weights: list[float] = []
        self.targets: list[int] = []

    def plant(self, tree: dict[str, Any], target: int) -> None:
        """Add a tree whose leaves count for `target`. One of a single leaf becomes a question with two equal ends."""
        self.roots.append(len(self.modes))
        if "leaf_value" in tree:
            same = {"split_feature": 0, "threshold": 0.0, "decision_type": "<=", "missing_type": "None"}
            tree = {**same, "left_child": tree, "right_child": tree}
        self._node(tree, target)

    def _node(self, tree: dict[str, Any], target: int) -> int:
        at, gaps = len(self.modes), tree["missing_type"]
        if gaps == "Zero":
            raise NotImplementedError("trees that take zero for a gap are not written")
        self.features.append(int(tree["split_feature"]))
        if tree["decision_type"] == "==":
            self.modes.append(_MEMBER)
            self.members += [*map(float, tree["threshold"].split("||")), np.nan]
            self.splits.append(0.0)
            self.gaps.append(0)
        else:
            threshold = float(tree["threshold"])
            self.modes.append(_LESS_OR_EQUAL)
            self.splits.append(_at_most(threshold))
            # Where no gap was met in learning, LightGBM takes zero for one.
            self.gaps.append(int(tree["default_left"] if gaps == "NaN" else threshold >= 0.0))
        for ends in (self.yes, self.yes_leaf, self.no, self.no_leaf):
            ends.append(0)
        self.yes[at], self.yes_leaf[at] = self._end(tree["left_child"], target)
        self.no[at], self.no_leaf[at] = self._end(tree["right_child"], target)
        return at

    def _end(self, tree: dict[str, Any], target: int) -> tuple[int, int]:
        if "leaf_value" not in tree:
            return self._node(tree, target), 0
        self.weights.append(float(tree["leaf_value"]))
        self.targets.append(target)
        return len(self.weights) - 1, 1


def _at_most(threshold: float) -> float:
    """The largest number of half the width that is no larger."""
    near = np.float32(threshold)
    return float(near if near <= threshold else np.nextafter(near, np.float32(-np.inf)))
