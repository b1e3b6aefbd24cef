"""Opens a run that found groups or oddities: new rows get their group, or how odd they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from advisor.records.run import RunRecord
from trainers.classical.columns import MISSING
from trainers.unsupervised.lenses import SeriesLens, TableLens
from trainers.unsupervised.model_file import load_found
from trainers.use.answers import Answers
from trainers.use.cells import truths_as_trained
from trainers.use.inputs import InputColumn
from trainers.use.opened import Allowance, Backend

_CLASSES = ("usual", "odd")


def open_discoveries(run: Path, record: RunRecord, allowance: Allowance) -> Backend:
    """The run's backend: names of groups, or `usual` and `odd` with their scores."""
    found = load_found(run)
    columns = tuple(InputColumn(name, "any") for name in found.lens.columns())
    if isinstance(found.lens, TableLens):
        columns = columns_of_lens(found.lens)
    spelled = truths_as_trained(columns)

    def answer(frame: pd.DataFrame) -> Answers:
        frame = spelled(frame)
        with threadpool_limits(1):
            if found.detector is None:
                return Answers(found.groups(frame))
            odd = found.oddness(frame)
            said = [_CLASSES[int(score >= found.line)] for score in odd.tolist()]
            return Answers(said, _CLASSES, np.stack([1 - odd, odd], axis=1))

    steps = isinstance(found.lens, SeriesLens)
    return Backend(columns, () if found.detector is None else _CLASSES, answer, together=steps)


def columns_of_lens(lens: TableLens) -> tuple[InputColumn, ...]:
    """The columns that a table's features rest on, with the categories met in training."""
    kinds = {column.name: column for column in lens.schema.columns}
    met = {name: tuple(one for one in values if one != MISSING) for name, values, _ in lens.encoder.categories}
    return tuple(
        InputColumn(name, kinds[name].kind, met.get(name, ()), kinds[name].form)  # type: ignore[arg-type]  # unused columns are not read
        for name in lens.columns()
    )
