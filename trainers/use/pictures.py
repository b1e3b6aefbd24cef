"""Opens a run on pictures or signals: each row read whole, answered with the probability of each class."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from threadpoolctl import threadpool_limits

from advisor.records.run import RunRecord
from trainers.scratch.model_file import load_seer
from trainers.use.answers import Answers
from trainers.use.inputs import InputColumn
from trainers.use.opened import Allowance, Backend


def open_pictures(run: Path, record: RunRecord, allowance: Allowance) -> Backend:
    """The run's backend."""
    seer = load_seer(run)
    columns = tuple(InputColumn(name, "number") for name in seer.shape.columns)

    def answer(frame: pd.DataFrame) -> Answers:
        with threadpool_limits(1):
            shares = seer.probabilities(frame)
        return Answers([seer.classes[at] for at in shares.argmax(axis=1)], seer.classes, shares)

    return Backend(columns, seer.classes, answer)
