"""Ways that need no library: the last value, the last season, a drift, the theta method. Each in a few lines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from trainers.common.metrics import Floats, Integers

# A way to forecast: history [series, steps] without gaps, and steps ahead; gives [series, ahead].
Way = Callable[[Floats, int], Floats]
_STRENGTHS = np.linspace(0.05, 0.95, 19)


def naive(history: Floats, ahead: int) -> Floats:
    """The last value, again and again."""
    return np.repeat(history[:, -1:], ahead, axis=1)


def drift(history: Floats, ahead: int) -> Floats:
    """The straight line from the first value to the last, drawn on."""
    slope = (history[:, -1:] - history[:, :1]) / max(1, history.shape[1] - 1)
    return np.asarray(history[:, -1:] + slope * np.arange(1, ahead + 1))


@dataclass(frozen=True)
class Seasonal:
    """The value one season before, averaged over the last `cycles` seasons."""

    season: int
    cycles: int = 1

    def __call__(self, history: Floats, ahead: int) -> Floats:
        if history.shape[1] < self.season:
            return naive(history, ahead)
        cycles = max(1, min(self.cycles, history.shape[1] // self.season))
        last = history[:, -cycles * self.season :].reshape(len(history), cycles, self.season).mean(axis=1)
        return np.asarray(np.tile(last, -(-ahead // self.season))[:, :ahead])


@dataclass(frozen=True)
class Theta:
    """The theta method: half a straight line, half exponential smoothing, on values freed of their season.

    Assimakopoulos and Nikolopoulos 2000; equal to smoothing with drift (Hyndman and Billah 2003). The season is
    divided out where all values are positive (`multiplicative`), else subtracted.
    """

    season: int
    multiplicative: bool

    def __call__(self, history: Floats, ahead: int) -> Floats:
        index, position = self._index(history)
        freed = history / index[:, position] if self.multiplicative else history - index[:, position]
        steps = np.arange(history.shape[1], dtype=np.float64)
        slope = np.polyfit(steps, freed.T, 1)[0][:, None]
        level, strength = _smoothed(freed)
        # Smoothing with half the trend as drift, and what the start-up of the smoothing leaves of it.
        forgotten = (1 - (1 - strength) ** history.shape[1]) / strength
        line = level + 0.5 * slope * (np.arange(ahead) + forgotten)
        future = (history.shape[1] + np.arange(ahead)) % self.season
        return np.asarray(line * index[:, future] if self.multiplicative else line + index[:, future])

    def _index(self, history: Floats) -> tuple[Floats, Integers]:
        """How each phase of the season differs from the others, by centred moving averages; and each step's phase."""
        position: Integers = np.asarray(np.arange(history.shape[1]) % self.season)
        neutral = np.ones if self.multiplicative else np.zeros
        if self.season == 1 or history.shape[1] < 2 * self.season:
            return neutral((len(history), self.season)), position
        width = self.season
        kernel = np.r_[0.5, np.ones(width - 1), 0.5] / width if width % 2 == 0 else np.ones(width) / width
        trend = np.array([np.convolve(row, kernel, mode="valid") for row in history])
        start = len(kernel) // 2
        middle = history[:, start : start + trend.shape[1]]
        ratio = middle / trend if self.multiplicative else middle - trend
        phase = position[start : start + trend.shape[1]]
        index = np.stack([ratio[:, phase == at].mean(axis=1) for at in range(width)], axis=1)
        mean = index.mean(axis=1, keepdims=True)
        return np.asarray(index / mean if self.multiplicative else index - mean), position


def _smoothed(values: Floats) -> tuple[Floats, Floats]:
    """The last level of simple exponential smoothing and its strength, the one whose one-step errors are least."""
    levels = np.repeat(values[:, :1, None], len(_STRENGTHS), axis=2)[:, 0]
    errors = np.zeros_like(levels)
    for step in range(1, values.shape[1]):
        off = values[:, step, None] - levels
        errors += off**2
        levels = levels + _STRENGTHS * off
    best = errors.argmin(axis=1)
    rows = np.arange(len(values))
    return levels[rows, best][:, None], _STRENGTHS[best][:, None]
