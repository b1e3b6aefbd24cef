"""What repeats in a series, and how far ahead to look: from the length of its step, or read off the values."""

from __future__ import annotations

import numpy as np

from trainers.common.metrics import Floats
from trainers.common.policy import policy
from trainers.forecast.panel import Panel


def seasons_of(panel: Panel, until: int) -> tuple[tuple[int, ...], str]:
    """The seasons in steps, shortest first, and why. `until` bounds what is read of the values."""
    for line in policy("forecasting")["seasons"]:
        if panel.clock.dated and str(line["seconds"]) == panel.clock.step:
            fitting = tuple(season for season in line["seasons"] if 3 * season <= until)
            if fitting and fitting[0] > 1:
                return fitting, f"A step is {_words(panel.clock.step)}, so these many make a natural cycle."
            return (1,), "Steps this long have no shorter cycle, or the series is too short to show it."
    found = _by_autocorrelation(panel.filled[:, :until])
    if found == 1:
        return (1,), "No cycle shows in the values."
    return (found,), "The values repeat most strongly after so many steps."


def horizon_for(panel: Panel) -> int:
    """How many steps ahead to look when nobody says."""
    rules = policy("forecasting")
    named = [line["horizon"] for line in rules["seasons"] if str(line["seconds"]) == panel.clock.step]
    wanted = named[0] if panel.clock.dated and named else rules["unlisted"]["horizon"]
    return int(max(1, min(wanted, panel.steps // 12)))


def _words(step: str) -> str:
    return f"a {step}" if step.isalpha() else f"{float(step):,.0f} seconds"


def _by_autocorrelation(values: Floats) -> int:
    """The lag at which changes from step to step repeat most strongly; 1 when none is strong."""
    rules = policy("forecasting")["unlisted"]
    longest = min(int(rules["longest_season"]), values.shape[1] // 3)
    if longest < 2:
        return 1
    strengths = np.zeros(longest + 1)
    counted = 0
    for row in values[:50]:
        changes = np.diff(row)
        changes = changes - changes.mean()
        power = float(changes @ changes)
        if power <= 0:
            continue
        counted += 1
        strengths[2:] += [float(changes[lag:] @ changes[:-lag]) / power for lag in range(2, longest + 1)]
    if not counted:
        return 1
    strengths /= counted
    # Of a cycle and its multiples the shortest that is nearly as strong.
    best = strengths.max()
    if best < rules["strength"]:
        return 1
    return int(np.flatnonzero(strengths >= 0.9 * best)[0])


def scales(values: Floats, season: int) -> Floats:
    """The mean absolute change over a season of each series: what MASE divides by (Hyndman and Koehler 2006).

    Not-a-number for a series in which nothing changes.
    """
    change = np.abs(values[:, season:] - values[:, :-season])
    counted = np.isfinite(change).sum(axis=1)
    total = np.nansum(change, axis=1)
    return np.where((counted > 0) & (total > 0), total / np.maximum(counted, 1), np.nan)
