"""A trained model on disk: skops files and plain JSON, read back against a fixed list of types. No pickle anywhere."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from advisor.records.plain import to_plain
from trainers.classical.blend import tempered
from trainers.classical.chunks import in_chunks
from trainers.classical.columns import Column, Schema, prepare
from trainers.classical.conformal import Conformal
from trainers.common.decide import Cut, labelled
from trainers.common.metrics import Floats, Output
from trainers.common.model_files import read_fitted, read_model, steps_of, told_as_damage, write_fitted, write_model

# What skops does not know by itself and our pipelines need: arrays, splines, trees, calibration. Never taken from the
# file. A spline of scipy 1.17 keeps the function `asarray` of its array library inside itself.
# Boosting over categories keeps a `partial` of `check_array` inside itself; a `partial` is built here, not called, and
# what it holds must be on this list too.
TRUSTED = (
    "functools.partial",
    "numpy.dtype",
    "scipy._lib.array_api_compat.numpy._aliases.asarray",
    "scipy.interpolate._bsplines.BSpline",
    "scipy.sparse._csr.csr_matrix",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.model_selection._split.KFold",
    "sklearn.tree._tree.Tree",
    "sklearn.utils.validation.check_array",
    "trainers.classical.blocks.TwoBlocks",
    "trainers.classical.boosting.LightBoosting",
    "trainers.classical.boosting.OrderedBoosting",
    "trainers.classical.contrast.TunedSentences",
    "trainers.classical.margins.SoftMargins",
    "trainers.classical.pairs.PairsOfNumbers",
    "trainers.classical.sentences.SentenceVectors",
    "trainers.classical.several.Several",
)
_FORM = 1
SHARED_OUT = 1e-3


@dataclass(frozen=True)
class Member:
    """One fitted pipeline and its share in the answer."""

    name: str
    weight: float
    pipeline: Pipeline


@dataclass(frozen=True)
class Model:
    """What answers for a run: its columns, its classes (none for numbers), its members and the cut between two classes.

    `low` and `high` bound a number to what was seen in training, widened by half its range on each side: a linear
    model's extrapolation must not answer with minus a million. `temperature` flattens probabilities that were too sure;
    `conformal` bounds each answer, where that was asked for.
    """

    schema: Schema
    classes: tuple[str, ...]
    cut: Cut
    members: tuple[Member, ...]
    low: float = float("-inf")
    high: float = float("inf")
    temperature: float = 1.0
    conformal: Conformal | None = None

    def packages(self) -> tuple[str, ...]:
        """What answering needs beside what every classical model does."""
        needed: dict[str, tuple[str, ...]] = {
            "LightBoosting": ("lightgbm",),
            "OrderedBoosting": ("catboost",),
            "SentenceVectors": ("torch", "transformers"),
            "TunedSentences": ("torch", "transformers"),
        }
        held = {type(step).__name__ for member in self.members for step in steps_of(member.pipeline)}
        return tuple(name for kind, names in needed.items() if kind in held for name in names)

    def answer(self, frame: pd.DataFrame) -> Output:
        """The output for rows as they stand in a file. Raises `BadInput` when a column is missing."""
        return self.answer_prepared(prepare(frame, self.schema))

    def answer_prepared(self, prepared: pd.DataFrame) -> Output:
        """The output for rows that were already read by the schema."""
        total = in_chunks(self._total, prepared)
        if not self.classes:
            return Output(numbers=np.clip(total[:, 0], self.low, self.high))
        return labelled(tempered(total, self.temperature), self.cut)

    def _total(self, prepared: pd.DataFrame) -> Floats:
        parts = [raw_output(member.pipeline, prepared, len(self.classes)) * member.weight for member in self.members]
        return np.asarray(np.sum(parts, axis=0))


def raw_output(pipeline: Pipeline, prepared: pd.DataFrame, classes: int) -> Floats:
    """Probabilities [rows, classes], or numbers [rows, 1].

    No class is ever called impossible: a forest that never saw one among some rows says 0, and one such row would
    outweigh thousands in the log loss. A thousandth is shared out among all classes; no order of rows changes.
    """
    if not classes:
        return np.asarray(pipeline.predict(prepared), dtype=np.float64).reshape(-1, 1)
    return never_impossible(spread_over(pipeline.predict_proba(prepared), pipeline.classes_, classes))


def spread_over(probabilities: Floats, met: Any, classes: int) -> Floats:
    """Probabilities of the class codes that were met, as probabilities [rows, classes] of all."""
    every = np.zeros((len(probabilities), classes))
    every[:, np.asarray(met, dtype=np.int64)] = probabilities
    return every


def never_impossible(probabilities: Floats) -> Floats:
    """Probabilities [rows, classes] with `SHARED_OUT` of the whole spread over all classes."""
    spread: Floats = (1 - SHARED_OUT) * probabilities + SHARED_OUT / probabilities.shape[1]
    return spread


def save_model(run: Path, model: Model) -> None:
    """Write the model into a run folder."""
    members = []
    for number, member in enumerate(model.members, start=1):
        name = f"model-{number}.skops"
        write_fitted(run, name, member.pipeline)
        members.append({"name": member.name, "weight": member.weight, "file": name})
    content = {
        "classes": list(model.classes),
        "cut": to_plain(model.cut),
        "bounds": [model.low, model.high] if np.isfinite([model.low, model.high]).all() else None,
        "temperature": model.temperature,
        "conformal": to_plain(model.conformal) if model.conformal else None,
        "members": members,
        "columns": to_plain(model.schema)["columns"],
    }
    write_model(run, _FORM, content)
    # A model that cannot be read back is no model: better to know now than when somebody needs it.
    load_model(run)


def load_model(run: Path) -> Model:
    """The model of a run. The caller has verified the run's files against their hashes."""
    with told_as_damage(run):
        content = read_model(run, _FORM)
        schema = Schema(tuple(Column(**column) for column in content["columns"]))
        members = tuple(
            Member(str(one["name"]), float(one["weight"]), read_fitted(run, str(one["file"]), TRUSTED))
            for one in content["members"]
        )
        low, high = content["bounds"] or (float("-inf"), float("inf"))
        kept_cut = content["cut"]
        weights = tuple(map(float, kept_cut["weights"]))
        costs = tuple(tuple(map(float, row)) for row in kept_cut.get("costs", ()))
        cut = Cut(float(kept_cut["threshold"]), weights, bool(kept_cut.get("ranked", False)), costs)
        classes, temperature = tuple(map(str, content["classes"])), float(content["temperature"])
        bounds = content.get("conformal")
        conformal = Conformal(float(bounds["share"]), float(bounds["reach"])) if bounds else None
        return Model(schema, classes, cut, members, float(low), float(high), temperature, conformal)
