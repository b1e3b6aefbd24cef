"""Models that learn from windows of the past: a linear map from look-back to horizon, and boosted trees on lags.

Both see each window freed of its own level and the series' own scale, so that one model serves many series and a
trend carries on. Where all values are positive the same is tried on logarithms: growth in per cent becomes a sum.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge

from trainers.common.metrics import Floats, Integers
from trainers.common.policy import policy
from trainers.forecast.clock import Clock

_TINY = 1e-9


@dataclass(frozen=True)
class Shape:
    """What both kinds of model must know: horizon, seasons, and whether they work on logarithms."""

    horizon: int
    seasons: tuple[int, ...]
    logarithm: bool

    @property
    def look_back(self) -> int:
        """How many steps of the past a window holds: some seasons, or at least two horizons."""
        rules = policy("forecasting")["lags"]
        wanted = max(rules["look_back_seasons"] * self.seasons[0], 2 * self.horizon, rules["recent"])
        return int(min(wanted, rules["longest_look_back"]))

    def into(self, values: Floats) -> Floats:
        """Values as the model reads them."""
        return np.log(np.maximum(values, _TINY)) if self.logarithm else values

    def out_of(self, values: Floats) -> Floats:
        """The model's numbers as values."""
        return np.exp(values) if self.logarithm else values


@dataclass(frozen=True)
class Linear:
    """One linear map from the last `look_back` values to all steps ahead, with the last value taken out.

    The idea of NLinear (Zeng et al. 2023), held back by a ridge.
    """

    shape: Shape
    model: Any

    def __call__(self, history: Floats, moments: Integers) -> Floats:
        """Forecasts [series, horizon] from filled histories [series, steps]; `moments` are not looked at."""
        window = self.shape.into(history[:, -self.shape.look_back :])
        last = window[:, -1:]
        scale = _spread(window)
        return self.shape.out_of(np.asarray(self.model.predict((window - last) / scale)) * scale + last)


def fit_linear(filled: Floats, known: Any, shape: Shape, strength: float) -> Linear:
    """The map fitted on every window of the histories; `known` tells values from filled gaps."""
    rows_of = policy("forecasting")["lags"]["rows"]
    origins = _origins(filled, shape.look_back, shape.horizon, rows_of // shape.horizon * 4)
    inputs, outputs = [], []
    values = shape.into(filled)
    for series in range(len(filled)):
        starts = origins[known[series, origins - 1]]
        window = np.lib.stride_tricks.sliding_window_view(values[series], shape.look_back)[starts - shape.look_back]
        future = np.lib.stride_tricks.sliding_window_view(values[series], shape.horizon)[starts]
        last, scale = window[:, -1:], _spread(window)
        inputs.append((window - last) / scale)
        outputs.append((future - last) / scale)
    model = Ridge(alpha=strength)
    model.fit(np.concatenate(inputs), np.concatenate(outputs))
    return Linear(shape, model)


@dataclass(frozen=True)
class Boosted:
    """Boosted trees that answer one step ahead at a time, told which step it is and which hour, day and month."""

    shape: Shape
    clock: Clock
    model: Any

    def __call__(self, history: Floats, moments: Integers) -> Floats:
        """Forecasts [series, horizon]; `moments` [horizon] are the step numbers ahead."""
        values = self.shape.into(history)
        ahead = np.arange(1, self.shape.horizon + 1)
        ends = np.full(len(ahead), history.shape[1])
        calendar = calendar_of(self.clock, moments, self.shape.seasons)
        series = np.repeat(np.arange(len(history)), len(ahead))
        ends, ahead = np.tile(ends, len(history)), np.tile(ahead, len(history))
        table, level, scale = _table(values, series, ends, ahead, self.shape)
        table = np.hstack([table, np.tile(calendar, (len(history), 1))])
        found = self.model.predict(table) * scale + level
        return self.shape.out_of(found.reshape(len(history), self.shape.horizon))


def fit_boosted(
    filled: Floats, known: Any, shape: Shape, clock: Clock, seed: int, rounds: int | None = None
) -> Boosted:
    """Trees fitted on (origin, step ahead) pairs drawn evenly over the histories; fewer `rounds` to time it."""
    most = policy("forecasting")["lags"]["rows"]
    values = shape.into(filled)
    start = _needed(shape)
    generator = np.random.default_rng(seed)
    origins = np.arange(start, filled.shape[1] - shape.horizon + 1)
    pairs = len(filled) * len(origins) * shape.horizon
    drawn = np.sort(generator.choice(pairs, most, replace=False)) if pairs > most else np.arange(pairs)
    series, rest = np.divmod(drawn, len(origins) * shape.horizon)
    at, ahead = np.divmod(rest, shape.horizon)
    ends, ahead = origins[at], ahead + 1
    target = ends + ahead - 1
    use = known[series, target]
    series, ends, ahead, target = series[use], ends[use], ahead[use], target[use]
    table, level, scale = _table(values, series, ends, ahead, shape)
    table = np.hstack([table, calendar_of(clock, target, shape.seasons)])
    model = HistGradientBoostingRegressor(
        loss="absolute_error",
        learning_rate=0.08,
        max_iter=rounds or policy("forecasting")["lags"]["rounds"],
        max_leaf_nodes=31,
        min_samples_leaf=max(5, min(40, len(table) // 200)),
        l2_regularization=1.0,
        max_features=0.6,
        early_stopping=False,
        random_state=seed,
    )
    model.fit(table, (values[series, target] - level) / scale)
    return Boosted(shape, clock, model)


def calendar_of(clock: Clock, steps: Integers, seasons: tuple[int, ...]) -> Floats:
    """What is known of each step beforehand: hour, weekday, day and month where there are dates, else the phase."""
    if not clock.dated:
        return np.stack([steps % season for season in seasons], axis=1).astype(np.float64)
    moments = clock.moment(steps)
    parts = [moments.hour + moments.minute / 60, moments.dayofweek, moments.day, moments.month]
    return np.stack([np.asarray(part, dtype=np.float64) for part in parts], axis=1)


def _needed(shape: Shape) -> int:
    """The shortest history a boosted row can be made from."""
    rules = policy("forecasting")["lags"]
    return int(max(shape.seasons[0], rules["recent"]) + 1)


def _table(
    values: Floats, series: Integers, ends: Integers, ahead: Integers, shape: Shape
) -> tuple[Floats, Floats, Floats]:
    """One row a pair: recent values, values of the same phase in earlier cycles, averages; and its level and scale.

    `ends` is the length of the history each row may see; nothing at or after it is read.
    """
    rules = policy("forecasting")["lags"]
    sums = np.concatenate([np.zeros((len(values), 1)), np.cumsum(values, axis=1)], axis=1)
    squares = np.concatenate([np.zeros((len(values), 1)), np.cumsum(values**2, axis=1)], axis=1)
    width = max(shape.seasons[0], rules["recent"])

    def mean(of: Floats, steps: int) -> Floats:
        low = np.maximum(ends - steps, 0)
        return np.asarray((of[series, ends] - of[series, low]) / np.maximum(ends - low, 1))

    level = mean(sums, width)
    longest = 2 * max(shape.seasons[-1], width)
    scale = np.sqrt(np.maximum(mean(squares, longest) - mean(sums, longest) ** 2, 0.0))
    scale = np.maximum(scale, 1e-3 * np.abs(level) + _TINY)
    columns = [ahead.astype(np.float64)]
    columns += [(values[series, np.maximum(ends - back, 0)] - level) / scale for back in range(1, rules["recent"] + 1)]
    for season in shape.seasons:
        if season == 1:
            continue
        phase = ahead - 1 - season * (-(-ahead // season))
        same = []
        for cycle in range(rules["same_phase"]):
            at = ends + phase - cycle * season
            cell = np.where(at >= 0, values[series, np.maximum(at, 0)], np.nan)
            same.append((cell - level) / scale)
        stacked = np.stack(same)
        there = np.isfinite(stacked).sum(axis=0)
        total = np.nan_to_num(stacked).sum(axis=0)
        columns += [*same, np.where(there > 0, total / np.maximum(there, 1), np.nan)]
        columns.append((mean(sums, season) - level) / scale)
    columns.append((mean(sums, 4 * width) - level) / scale)
    return np.stack(columns, axis=1), level, scale


def _spread(window: Floats) -> Floats:
    """The scale of each window: its standard deviation, never nothing."""
    spread = window.std(axis=1, keepdims=True)
    return np.asarray(np.maximum(spread, 1e-3 * np.abs(window).mean(axis=1, keepdims=True) + _TINY))


def _origins(filled: Floats, look_back: int, horizon: int, most: int) -> Integers:
    every = np.arange(look_back, filled.shape[1] - horizon + 1)
    most = max(200, most // len(filled))
    return every if len(every) <= most else every[np.linspace(0, len(every) - 1, most).round().astype(int)]
