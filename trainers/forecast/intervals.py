"""How far a forecast may be off: conformal widths from the misses at the development origins.

The misses are divided by how misses grow with the steps ahead, pooled, and the quantile that holds the wanted share
of them is multiplied back (split conformal prediction, Vovk 2005; adaptive over the horizon). Misses of neighbouring
steps depend on each other, so the promise is one about the long run; the coverage on sealed windows is told beside it.
"""

from __future__ import annotations

import numpy as np

from trainers.common.metrics import Floats
from trainers.forecast.measure import Windows, awaited


def widths(windows: Windows, forecasts: Floats, scale: Floats, share: float) -> Floats:
    """Half the interval for each step ahead [horizon], in units of a series' scale."""
    misses = np.abs(windows.truth - forecasts) / scale[None, :, None]
    misses[~awaited(windows, scale)] = np.nan
    growth = _growth(misses)
    pooled = (misses / growth)[np.isfinite(misses)]
    rank = min(1.0, np.ceil((len(pooled) + 1) * share) / max(1, len(pooled)))
    return np.asarray(np.quantile(pooled, rank) * growth)


def coverage(windows: Windows, forecasts: Floats, scale: Floats, half: Floats) -> float:
    """The share of awaited values that fell inside."""
    inside = np.abs(windows.truth - forecasts) <= half[None, None, :] * scale[None, :, None]
    return float(inside[awaited(windows, scale)].mean())


def _growth(misses: Floats) -> Floats:
    """How large misses are at each step ahead: a straight line through their means, nowhere below a third of them."""
    known = np.isfinite(misses)
    mean = np.nan_to_num(misses).sum(axis=(0, 1)) / np.maximum(known.sum(axis=(0, 1)), 1)
    overall = max(float(mean.mean()), 1e-12)
    if len(mean) < 3:
        return np.full(len(mean), overall)
    steps = np.arange(len(mean), dtype=np.float64)
    slope, start = np.polyfit(steps, mean, 1)
    return np.asarray(np.maximum(start + slope * steps, overall / 3))
