"""scikit-learn pipelines as ONNX, kept only when they answer development rows as the run does.

skl2onnx cannot convert every step, and what it converts works in floats of half the width; so each file is run by
onnxruntime on rows of the training part and compared before anybody may rely on it.
"""

from __future__ import annotations

import copy
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse
from sklearn.base import is_classifier
from sklearn.preprocessing import FunctionTransformer

from advisor.base.errors import EnvironmentMissing
from advisor.base.safetext import plain
from trainers.classical.blend import tempered
from trainers.classical.columns import prepare
from trainers.classical.model_file import SHARED_OUT, Member, Model, never_impossible
from trainers.common.decide import cut_told, labelled
from trainers.common.metrics import Floats, Output

_OPSET = 17


@dataclass(frozen=True)
class Converted:
    """The ONNX files by name, how they are put together, and how far their answers are from the run's."""

    files: dict[str, bytes]
    recipe: dict[str, Any]
    rows: int
    largest_difference: float


@dataclass(frozen=True)
class NotConverted:
    """Why there is no ONNX file, in a sentence."""

    reason: str


def convert(model: Model, rows: pd.DataFrame, tolerance: float) -> Converted | NotConverted:
    """The model as ONNX, checked on `rows` (development rows as they stand in a file)."""
    try:
        import onnxruntime
        import skl2onnx  # noqa: F401  both are needed, and said together
    except ImportError as error:
        raise EnvironmentMissing(
            f"Writing ONNX needs {error.name}.",
            fix='pip install "train-or-not[export]", or leave ONNX out: --no-onnx',
            code="extra-missing",
        ) from error
    prepared = prepare(rows, model.schema)
    files, parts = {}, []
    for number, member in enumerate(model.members, 1):
        try:
            content = _onnx(member, prepared)
            session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
            parts.append(_answer(session, prepared, member, len(model.classes)) * member.weight)
        except Exception as error:  # converters and runtimes fail in their own ways; each means: not this model
            step = plain(str(error).replace("\n", " "), 160)
            return NotConverted(f"{member.name} cannot be converted: {type(error).__name__}: {step}")
        files[f"model-{number}.onnx"] = content
    theirs, ours = _combined(model, np.sum(parts, axis=0)), model.answer_prepared(prepared)
    difference, same = _compare(ours, theirs, tolerance)
    if not same:
        return NotConverted(
            f"the converted model does not answer as the run does: up to {difference:.2g} apart on "
            f"{len(prepared):,} development rows"
        )
    return Converted(files, _recipe(model, prepared, list(files)), len(prepared), difference)


def _onnx(member: Member, prepared: pd.DataFrame) -> bytes:
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType, StringTensorType

    from trainers.export import onnxsteps, onnxtrees

    onnxsteps.register()
    onnxtrees.register()
    types = [
        (name, StringTensorType([None, 1]) if prepared[name].dtype == object else FloatTensorType([None, 1]))
        for name in prepared.columns
    ]
    options = {"zipmap": False} if is_classifier(member.pipeline) else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        converted = to_onnx(_without_casts(member.pipeline), initial_types=types, options=options, target_opset=_OPSET)
    onnxtrees.declare(converted)
    _as_columns_are_called(converted.graph, list(prepared.columns))
    return bytes(converted.SerializeToString())


def _as_columns_are_called(graph: Any, columns: list[str]) -> None:
    """Give inputs the columns' own names: skl2onnx writes `Air_temperature` for `Air temperature`."""
    changed = {one.name: name for one, name in zip(graph.input, columns, strict=True) if one.name != name}
    for one in graph.input:
        one.name = changed.get(one.name, one.name)
    for node in graph.node:
        for at, name in enumerate(node.input):
            node.input[at] = changed.get(name, name)


def _without_casts(pipeline: Any) -> Any:
    """The pipeline without the steps that only make a matrix sparse: they change no number, and have no converter."""
    changed = copy.deepcopy(pipeline)
    for step in (step for _, step in changed.steps):
        for _, transformer, _ in getattr(step, "transformers_", ()):
            if hasattr(transformer, "steps"):
                transformer.steps = [one for one in transformer.steps if not _only_casts(one[1])]
    return changed


def _only_casts(step: Any) -> bool:
    return isinstance(step, FunctionTransformer) and step.func is scipy.sparse.csr_matrix


def _answer(session: Any, prepared: pd.DataFrame, member: Member, classes: int) -> Floats:
    given = {
        name: prepared[[name]].to_numpy(dtype=object if prepared[name].dtype == object else np.float32)
        for name in prepared.columns
    }
    outputs = session.run(None, given)
    if not classes:
        return np.asarray(outputs[0], dtype=np.float64).reshape(-1, 1)
    scores = np.zeros((len(prepared), classes))
    scores[:, np.asarray(member.pipeline.classes_, dtype=np.int64)] = outputs[-1]
    return never_impossible(scores)


def _combined(model: Model, total: Floats) -> Output:
    if not model.classes:
        return Output(numbers=np.clip(total[:, 0], model.low, model.high))
    return labelled(tempered(total, model.temperature), model.cut)


def _compare(ours: Output, theirs: Output, tolerance: float) -> tuple[float, bool]:
    """The largest difference (of scores, or of numbers as a share of their spread), and whether it is small enough."""
    if ours.probabilities is None or theirs.probabilities is None:
        numbers, others = np.asarray(ours.numbers), np.asarray(theirs.numbers)
        difference = float(np.abs(numbers - others).max() / max(float(np.std(numbers)), 1e-12))
        return difference, difference <= tolerance
    difference = float(np.abs(ours.probabilities - theirs.probabilities).max())
    changed = np.asarray(ours.labels) != np.asarray(theirs.labels)
    return difference, difference <= tolerance and float(changed.mean()) <= tolerance


def _recipe(model: Model, prepared: pd.DataFrame, files: list[str]) -> dict[str, Any]:
    """What a program without this tool has to do with the files' outputs."""
    return {
        "inputs": [
            {"name": name, "type": "string" if prepared[name].dtype == object else "float32", "shape": [None, 1]}
            for name in prepared.columns
        ],
        "gaps": "NaN for numbers, '(missing)' for categories, '' for texts; dates as day, month, weekday, hour",
        "output": "the last one of each file: probabilities by class, or one number, for each row",
        "members": [{"file": file, "weight": one.weight} for file, one in zip(files, model.members, strict=True)],
        "classes": list(model.classes),
        "shared_out": SHARED_OUT,
        "temperature": model.temperature,
        **cut_told(model.cut),
        **({} if model.classes else {"low": model.low, "high": model.high}),
    }
