"""Opens a classical run: its columns with the categories met in training, its classes, its answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
from threadpoolctl import ThreadpoolController

from advisor.records.run import RunRecord
from trainers.classical import conformal, sentences
from trainers.classical.columns import MISSING
from trainers.classical.model_file import Model, load_model
from trainers.common.metrics import Output
from trainers.use.answers import Answers
from trainers.use.cells import truths_as_trained
from trainers.use.inputs import InputColumn
from trainers.use.opened import Allowance, Backend

_TRUTHS = ("False", "True")


def open_tables(run: Path, record: RunRecord, allowance: Allowance) -> Backend:
    """The run's backend. One processor thread a call, as in training: sums of floats depend on their order."""
    model = load_model(run)
    # Looking for the thread pools takes longer than answering a row, so they are looked for once.
    pools = ThreadpoolController()
    columns = _columns(model)
    # Ordered boosting keeps no list of its categories: two may have been truths to pandas, which spells them so.
    two = {column.name for column in model.schema.of("category") if column.distinct == 2}
    known = [replace(one, categories=_TRUTHS) if one.name in two and not one.categories else one for one in columns]
    spelled = truths_as_trained(known)

    def answer(frame: pd.DataFrame) -> Answers:
        with pools.limit(limits=1):
            output = model.answer(spelled(frame))
            answers = as_answers(output, model.classes)
            if model.conformal is None:
                return answers
            extras = conformal.beside(model.conformal, output, model.classes)
            names = ("possible",) if model.classes else ("low", "high")
            return replace(answers, extra_names=names, extras=extras)

    return Backend(columns, model.classes, answer, warm=sentences.rehearse if "torch" in model.packages() else None)


def as_answers(output: Output, classes: tuple[str, ...]) -> Answers:
    """An output of class codes or numbers, in words."""
    if output.labels is not None and output.probabilities is not None:
        return Answers([classes[code] for code in output.labels.tolist()], classes, output.probabilities)
    return Answers([] if output.numbers is None else output.numbers.tolist())


def _columns(model: Model) -> tuple[InputColumn, ...]:
    met = {name: values for member in model.members for name, values in _categories(member.pipeline)}
    return tuple(
        InputColumn(column.name, column.kind, met.get(column.name, ()), column.form)
        for column in model.schema.columns
        if column.kind != "unused"
    )


def _categories(fitted: Any) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each category column with the values its encoder met, wherever in the fitted steps it stands."""
    for _, step in getattr(fitted, "steps", ()):
        yield from _categories(step)
    for _, transformer, names in getattr(fitted, "transformers_", ()):
        found = getattr(transformer, "categories_", None)
        if found is not None and not isinstance(names, str):
            for name, values in zip(names, found, strict=True):
                yield str(name), tuple(str(value) for value in values if value != MISSING)
