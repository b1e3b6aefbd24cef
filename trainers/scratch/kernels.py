"""Signals by random convolutions: what nobody designed tells most patterns apart, and a linear model does the rest.

The idea of ROCKET (Dempster, Petitjean and Webb 2020): random kernels of random length, spread and threshold; of each
the share of places where it fires, and how strongly it fires at most.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trainers.common.metrics import Floats, Integers
from trainers.common.policy import policy

_WIDTH = 9
# So many numbers and kernels at once: signals × steps × kernels of one gap would be gigabytes for long signals.
_CELLS, _KERNELS = 8_000_000, 50


@dataclass(frozen=True)
class Kernels:
    """`weights` [kernels, 9], how far apart a kernel's points lie, and the threshold it must pass."""

    weights: Floats
    gaps: Integers
    thresholds: Floats

    def features(self, signals: Floats) -> Floats:
        """[rows, 2 × kernels] of signals [rows, steps], each first brought to mean 0 and spread 1."""
        spread = signals.std(axis=1, keepdims=True)
        steady = (signals - signals.mean(axis=1, keepdims=True)) / np.where(spread > 1e-9, spread, 1.0)
        found = np.empty((len(steady), 2 * len(self.gaps)))
        most = max(1, _CELLS // _KERNELS // steady.shape[1])
        for gap in np.unique(self.gaps):
            alike = np.flatnonzero(self.gaps == gap)
            for start in range(0, len(steady), most):
                rows = slice(start, start + most)
                self._fill(found[rows], steady[rows], int(gap), alike)
        return found

    def _fill(self, found: Floats, signals: Floats, gap: int, kernels: Integers) -> None:
        span = (_WIDTH - 1) * gap + 1
        windows = np.lib.stride_tricks.sliding_window_view(signals, span, axis=1)[:, :, ::gap]
        # As many kernels at once whatever the rows: the last bits of a product follow from how many share it.
        for start in range(0, len(kernels), _KERNELS):
            mine = kernels[start : start + _KERNELS]
            fired = windows @ self.weights[mine].T
            fired -= self.thresholds[mine]
            found[:, 2 * mine] = (fired > 0).mean(axis=1)
            found[:, 2 * mine + 1] = fired.max(axis=1)


def random_kernels(steps: int, seed: int, count: int | None = None) -> Kernels:
    """Kernels that fit signals of so many steps: `count` of them, or as many as the rules say."""
    generator = np.random.default_rng(seed)
    count = count or int(policy("scratch")["kernels"]["count"])
    weights = generator.normal(size=(count, _WIDTH))
    weights -= weights.mean(axis=1, keepdims=True)
    longest = max(0.0, np.log2((steps - 1) / (_WIDTH - 1)))
    gaps = np.maximum(1, np.floor(2 ** generator.uniform(0, longest, count))).astype(np.int64)
    return Kernels(weights, gaps, generator.uniform(-1, 1, count))
