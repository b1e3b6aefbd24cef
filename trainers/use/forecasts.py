"""Opens a forecasting run: rows without a value are foretold, from the run's own history and the rows before them.

Beside each forecast stand `low` and `high`, the ends of its interval; both are gaps where how far it may stray is not
known.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from threadpoolctl import threadpool_limits

from advisor.records.run import RunRecord
from trainers.forecast.ahead import answer, rehearse
from trainers.forecast.model_file import load_model
from trainers.use.answers import Answers
from trainers.use.inputs import InputColumn
from trainers.use.opened import Allowance, Backend


def open_forecasts(run: Path, record: RunRecord, allowance: Allowance) -> Backend:
    """The run's backend. It reads the target too: rows that hold a value carry the history on."""
    model = load_model(run)
    named = [*model.layout.time, *([model.layout.series] if model.layout.series else [])]
    columns = tuple(InputColumn(name, "any") for name in [*named, model.layout.target])

    def told(frame: pd.DataFrame) -> Answers:
        with threadpool_limits(1):
            ahead = answer(model, frame)
        return Answers(ahead.predictions.tolist(), extra_names=("low", "high"), extras=ahead.ends())

    def warm() -> None:
        with threadpool_limits(1):
            rehearse(model)

    return Backend(columns, (), told, together=True, warm=warm if model.fitted_anew else None)
