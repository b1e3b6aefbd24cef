"""Where forecasts are made from: rolling origins to choose by, then sealed ones, each awaited to its end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from advisor.base.errors import BadInput
from trainers.common.metrics import Integers
from trainers.common.policy import policy

_FEW = 8


@dataclass(frozen=True)
class Origins:
    """Step numbers at which the future begins. `fit_until` ends what models to be chosen from may learn from.

    `train_until` ends what the chosen model may learn from: from there on steps are sealed.
    """

    development: Integers
    sealed: Integers
    fit_until: int
    train_until: int
    horizon: int


def origins_of(steps: int, horizon: int, test_share: float) -> Origins:
    """Origins over `steps` steps; the sealed part is the latest `test_share`, and one horizon at least.

    Raises `BadInput` when the series is too short for that horizon.
    """
    rules = policy("forecasting")["origins"]
    if steps < 4 * horizon:
        raise BadInput(
            f"The series has {steps:,} steps; to look {horizon:,} steps ahead it needs at least {4 * horizon:,}.",
            where="plan.yaml: settings.horizon",
            why="Each sealed forecast must be awaited to its end, and so must those that choose.",
            fix=f"Look less far ahead: train-or-not plan CASE --setting horizon={max(1, steps // 12)}",
            code="horizon-too-long",
        )
    train_until = steps - max(horizon, int(steps * test_share) // horizon * horizon)
    train_until = max(train_until, 2 * horizon)
    fit_until = train_until - max(horizon, int(train_until * rules["development_share"]) // horizon * horizon)
    return Origins(
        _spread(fit_until, train_until, horizon, rules["development"]),
        _spread(train_until, steps, horizon, rules["sealed"]),
        fit_until,
        train_until,
        horizon,
    )


def _spread(start: int, end: int, horizon: int, most: int) -> Integers:
    """At most `most` origins, evenly from `start` on, the last one awaited by `end`.

    Windows stand side by side; where that gives fewer than eight they overlap, each a quarter of a horizon further.
    """
    every = np.arange(start, end - horizon + 1, horizon, dtype=np.int64)
    if len(every) < _FEW:
        every = np.arange(start, end - horizon + 1, max(1, horizon // 4), dtype=np.int64)
    if len(every) <= most:
        return every
    return np.asarray(every[np.linspace(0, len(every) - 1, most).round().astype(int)], dtype=np.int64)
