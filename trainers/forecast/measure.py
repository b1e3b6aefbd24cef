"""How far off forecasts are: MASE, or the miss in the series' own units, over windows that were awaited."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from advisor.base.errors import BadInput, did_you_mean
from advisor.base.safetext import plain
from trainers.common.metrics import METRICS, Floats, Integers, Metric, Output

# MASE divides each miss by the series' own scale; after that it is the mean absolute error.
FORECAST_METRICS = {
    "mase": Metric("mase", "MASE", False, ("forecast",), "numbers", METRICS["mae"].compute),
    "mae": METRICS["mae"],
    "rmse": METRICS["rmse"],
}


def forecast_metric(name: str) -> Metric:
    """The metric of that name. Raises `BadInput` for one that does not measure forecasts."""
    metric = FORECAST_METRICS.get(name.strip().lower())
    if metric is None:
        raise BadInput(
            f"{plain(name, 40)!r} does not measure a forecast.",
            where="plan.yaml: metric",
            fix=did_you_mean(name, FORECAST_METRICS) or f"Choose one of: {', '.join(FORECAST_METRICS)}.",
            code="no-metric",
        )
    return metric


@dataclass(frozen=True)
class Windows:
    """Awaited windows: `truth` [windows, series, horizon], not-a-number where nothing was measured; their `origins`."""

    truth: Floats
    origins: Integers


def windows_of(values: Floats, origins: Integers, horizon: int) -> Windows:
    """What really came after each origin, of series that had begun by then: nothing foretells a first value."""
    begun = [np.isfinite(values[:, :at]).any(axis=1, keepdims=True) for at in origins]
    came = [np.where(there, values[:, at : at + horizon], np.nan) for there, at in zip(begun, origins, strict=True)]
    return Windows(np.stack(came), origins)


def forecasts_at(
    forecaster: Callable[[Floats, Integers], Floats], filled: Floats, origins: Integers, horizon: int
) -> Floats:
    """Forecasts [windows, series, horizon], each from what was known at its origin."""
    return np.stack([forecaster(filled[:, :at], np.arange(at, at + horizon)) for at in origins])


def scored(windows: Windows, forecasts: Floats, scale: Floats, metric: Metric) -> float:
    """The metric over all awaited values; infinite when a forecast is missing."""
    truth, said = flat(windows, forecasts, scale, metric)
    if not np.isfinite(said).all():
        return float("inf")
    return metric.value(truth, Output(numbers=said))


def flat(windows: Windows, forecasts: Floats, scale: Floats, metric: Metric) -> tuple[Floats, Floats]:
    """Truth and forecasts of all awaited values in one line, in units of the metric."""
    use = awaited(windows, scale)
    by = scale[None, :, None] if metric.name == "mase" else np.ones((1, 1, 1))
    return (windows.truth / by)[use], (forecasts / by)[use]


def awaited(windows: Windows, scale: Floats) -> np.typing.NDArray[np.bool_]:
    """Which values count: those that came, of series that change at all."""
    return np.isfinite(windows.truth) & np.isfinite(scale)[None, :, None]


def values_in(windows: Windows, scale: Floats) -> int:
    """How many values of the series count in these windows; one that several windows hold counts once."""
    _, series, horizon = windows.truth.shape
    steps = windows.origins[:, None, None] + np.arange(horizon)
    each = np.broadcast_to(steps * series + np.arange(series)[:, None], windows.truth.shape)
    return len(np.unique(each[awaited(windows, scale)]))


def check_awaited(windows: Windows, scale: Floats, target: str, use: str) -> None:
    """Raise `BadInput` when no value counts in these windows: every series constant before the sealed part, say."""
    if awaited(windows, scale).any():
        return
    constant = not np.isfinite(scale).any()
    raise BadInput(
        f"Column {plain(target, 60)} never changes over a season before the sealed part."
        if constant
        else f"No value of {plain(target, 60)} was measured in the steps that forecasts are {use}.",
        where=plain(target, 60),
        why="How far a forecast may be off cannot be measured on it, and nothing can be learnt from it.",
        fix="Collect a history in which it varies, or leave out the series and steps in which it does not.",
        code="one-value" if constant else "too-few-rows",
    )


def units_of(windows: Windows, scale: Floats) -> Integers:
    """Values that belong together: those of one stretch of time, a horizon long; of a short time, √n steps long.

    Neighbours in time share their misses, so whole stretches are drawn (moving-block idea, Künsch 1989).
    """
    horizon = windows.truth.shape[2]
    first = windows.origins - windows.origins.min()
    step = np.broadcast_to(first[:, None, None] + np.arange(horizon), windows.truth.shape)
    spanned = int(first.max()) + horizon
    length = horizon if spanned >= 20 * horizon else max(1, min(horizon, round(spanned**0.5)))
    units = (step // length)[awaited(windows, scale)]
    return np.asarray(np.unique(units, return_inverse=True)[1], dtype=np.int64)
