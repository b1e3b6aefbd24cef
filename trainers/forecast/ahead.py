"""Answers of a forecasting run: the rows of a file whose value is empty are forecast, from all that came before them.

The run keeps the latest stretch of each series; rows of the file with a value carry that history on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from advisor.base.errors import BadInput
from advisor.base.safetext import one_of, plain
from trainers.common.labels import label_text
from trainers.common.metrics import Floats, Integers
from trainers.forecast.clock import steps_of
from trainers.forecast.model_file import ForecastModel
from trainers.forecast.panel import ONE, filled_from_the_past, make_panel


@dataclass(frozen=True)
class Ahead:
    """One number a row: the value it has, or its forecast between `low` and `high`.

    Both are not-a-number for a series that never changed while it was learnt from: how far it may stray is not known.
    """

    predictions: Floats
    low: Floats
    high: Floats

    def ends(self) -> list[dict[str, float | None]]:
        """`low` and `high` of each row, None where they are not known."""
        both = zip(self.low.tolist(), self.high.tolist(), strict=True)
        return [{"low": low, "high": high} if low <= high else {"low": None, "high": None} for low, high in both]


def answer(model: ForecastModel, frame: pd.DataFrame) -> Ahead:
    """A number for each row of `frame`, which holds the target column, empty where it is to be foretold.

    Raises `BadInput` for a series never met or ended before what the run keeps, for a gap longer than the horizon, and
    when nothing is to be foretold.
    """
    steps, code = _places(model, frame)
    numbers = _target(model, frame)
    last = model.start + model.tail.shape[1]
    end = max(last, int(steps.max()) + 1)
    values = np.full((len(model.names), end - model.start), np.nan)
    values[:, : model.tail.shape[1]] = model.tail
    given = np.isfinite(numbers) & (steps >= model.start)
    values[code[given], steps[given] - model.start] = numbers[given]
    wanted = np.flatnonzero(~np.isfinite(numbers))
    predictions, low, high = numbers.copy(), numbers.copy(), numbers.copy()
    for at in np.unique(code[wanted]):
        rows = wanted[code[wanted] == at]
        known = np.flatnonzero(np.isfinite(values[at]))
        name = str(model.names[at])
        if not len(known):
            raise BadInput(
                f"The latest values{_of(name)} are older than all that the run keeps of the past.",
                where=plain(model.layout.target, 60),
                why=f"It keeps the last {model.tail.shape[1]:,} steps, and this series ended before them.",
                fix="Add its values since then to the file, or leave its rows out.",
                code="too-far-ahead",
            )
        origin = int(known[-1]) + 1
        ahead = steps[rows] - model.start - origin
        _check_reach(model, name, ahead)
        history = filled_from_the_past(values[at : at + 1, :origin])
        moments = np.arange(origin, origin + model.horizon) + model.start
        found = model.forecaster(history, moments)[0]
        scale = model.scale[at]
        predictions[rows] = found[ahead]
        # What was never below zero, as sales, is not foretold to fall below it; a forecast is left as it was measured.
        least = np.minimum(found[ahead], 0.0) if np.nanmin(values[at]) >= 0 else -np.inf
        low[rows] = np.maximum(found[ahead] - model.half[ahead] * scale, least)
        high[rows] = found[ahead] + model.half[ahead] * scale
    return Ahead(predictions, low, high)


def rehearse(model: ForecastModel) -> None:
    """Foretell one series from the run's own history: what compiles itself on first use then has done so."""
    fullest = int(np.isfinite(model.tail).sum(axis=1).argmax())
    end = int(np.flatnonzero(np.isfinite(model.tail[fullest]))[-1]) + 1
    moments = np.arange(end, end + model.horizon) + model.start
    model.forecaster(filled_from_the_past(model.tail[fullest : fullest + 1, :end]), moments)


def _places(model: ForecastModel, frame: pd.DataFrame) -> tuple[Integers, Integers]:
    """The step number and the series of each row."""
    labels = frame[model.layout.series].map(label_text) if model.layout.series else pd.Series(ONE, frame.index)
    at = {name: code for code, name in enumerate(model.names)}
    strange = sorted({str(label) for label in labels if str(label) not in at})
    if strange:
        raise BadInput(
            f"The run has never met {len(strange):,} of these series: {one_of(strange, 5)}.",
            where=plain(model.layout.series, 60),
            why="A forecast carries on a history that the run has learnt from.",
            fix="Leave these rows out, or train again on data that holds them.",
            code="new-series",
        )
    if not model.layout.time:
        rows = np.arange(len(frame), dtype=np.int64) + model.start + model.tail.shape[1]
        return rows, np.asarray(labels.map(at), dtype=np.int64)
    return steps_of(frame, model.clock), np.asarray(labels.map(at), dtype=np.int64)


def _target(model: ForecastModel, frame: pd.DataFrame) -> Floats:
    """The target as numbers, not-a-number where it is to be foretold."""
    panel = make_panel(frame.reset_index(drop=True), model.layout, model.clock, model.names)
    numbers = np.full(len(frame), np.nan)
    held = panel.rows >= 0
    numbers[panel.rows[held]] = panel.values[held]
    return numbers


def _of(name: str) -> str:
    return "" if name == ONE else f" of {plain(name, 40)}"


def _check_reach(model: ForecastModel, name: str, ahead: Integers) -> None:
    which = _of(name)
    if (ahead >= model.horizon).any():
        raise BadInput(
            f"A row{which} lies {int(ahead.max()) + 1:,} steps after the last known value; the run looks "
            f"{model.horizon:,} ahead.",
            where=plain(model.layout.target, 60),
            why="Further ahead nothing was measured.",
            fix="Add the values since then to the file, or plan with a longer one: --setting horizon=N",
            code="too-far-ahead",
        )
    if (ahead < 0).any():
        raise BadInput(
            f"A row{which} without a value lies before the last known value.",
            where=plain(model.layout.target, 60),
            why="A forecast looks ahead; a gap in the past is another question.",
            fix="Leave out the empty rows that lie before the last known value.",
            code="not-ahead",
        )
