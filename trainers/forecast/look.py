"""What a person wants to know of a forecast besides its score: would a longer past help, and what of it counts.

All of it is measured at the development origins, except what only the sealed windows can tell.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from trainers.common.account import shares_of, time_is_up
from trainers.common.intervals import rough_interval
from trainers.common.metrics import Floats, Metric, Output
from trainers.common.policy import policy
from trainers.forecast.candidates import Forecaster, Problem
from trainers.forecast.intervals import coverage, widths
from trainers.forecast.measure import Windows, awaited, flat, forecasts_at, scored, units_of, windows_of
from trainers.forecast.origins import Origins
from trainers.forecast.search import Chosen, Together, Tried

_PROMISES = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)


@dataclass(frozen=True)
class _Looked:
    """What is looked at: the model that was `chosen`, and what is known at its development origins (`windows`)."""

    problem: Problem
    origins: Origins
    windows: Windows
    scale: Floats
    metric: Metric
    chosen: Chosen

    def score(self, forecasts: Floats) -> float:
        """The metric of forecasts at the development origins."""
        return scored(self.windows, forecasts, self.scale, self.metric)

    def point(self, steps: int, forecasts: Floats) -> dict[str, float]:
        """A point of the learning curve: so many steps known, the metric and its interval."""
        truth, said = flat(self.windows, forecasts, self.scale, self.metric)
        units = units_of(self.windows, self.scale)
        shown = rough_interval(self.metric, truth, Output(numbers=said), units, self.problem.seed)
        return {"rows": float(steps), **shown}


def look(
    problem: Problem,
    origins: Origins,
    scale: Floats,
    metric: Metric,
    chosen: Chosen,
    tried: list[Tried],
    seconds: float,
) -> tuple[dict[str, Any], dict[str, str]]:
    """Learning curve, train-validation gap and what the forecast leans on; and for what is lacking the reason.

    Nothing is begun that `seconds` do not hold by what the search took.
    """
    end = time.monotonic() + seconds
    took = sum(one.seconds for one in tried if one.candidate in chosen.members)
    windows = windows_of(problem.values, origins.development, problem.horizon)
    looked = _Looked(problem, origins, windows, scale, metric, chosen)
    found: dict[str, Any] = {}
    curve = _curve(looked, took, end)
    if len(curve) > 1:
        found["learning_curve"] = curve
    if time.monotonic() + took > end:
        return found, time_is_up("learning_curve", "train_validation_gap", "importance")
    together = Together(tuple(one.fitted(problem, origins.fit_until) for one in chosen.members))
    if any(one.learns for one in chosen.members):
        found["train_validation_gap"] = _gap(looked, together)
    found["importance"] = _leans_on(looked, together, end)
    short = "The history is too short to do with less of it."
    return found, {"learning_curve": short, "importance": "Too few origins to exchange parts of the past between them."}


def _curve(looked: _Looked, took: float, end: float) -> list[dict[str, float]]:
    """The score when no more than so many of the latest steps are learnt from and looked at."""
    points, whole = [], looked.origins.fit_until
    for steps in shares_of(whole, int(policy("forecasting")["limits"]["fewest_steps"])):
        if time.monotonic() + took > end:
            break
        forecasts = _with_less(looked, steps)
        if forecasts is not None:
            points.append(looked.point(steps, forecasts))
    return [*points, looked.point(whole, looked.chosen.forecasts)]


def _with_less(looked: _Looked, steps: int) -> Floats | None:
    """Forecasts at the development origins by ways that know the latest `steps` steps alone; None if one cannot."""
    problem, start = looked.problem, looked.origins.fit_until - steps
    clock = problem.clock
    if clock.dated:
        clock = replace(clock, start=float(clock.moment(np.array([start]))[0].timestamp()))
    less = replace(problem, filled=problem.filled[:, start:], values=problem.values[:, start:], clock=clock)
    try:
        together = Together(tuple(one.fitted(less, steps) for one in looked.chosen.members))
        forecasts = np.stack(
            [
                together(problem.filled[:, at - steps : at], np.arange(at, at + problem.horizon) - start)
                for at in looked.origins.development
            ]
        )
    except (ValueError, ArithmeticError, IndexError):
        return None  # too short for one of them: a season longer than that, say
    return forecasts if np.isfinite(forecasts).all() else None


def _gap(looked: _Looked, together: Together) -> dict[str, float]:
    """The score on the past that the ways learnt from, and on what came after it."""
    problem, origins = looked.problem, looked.origins
    last = origins.fit_until - problem.horizon
    known = np.unique(np.linspace(last // 2, last, len(origins.development)).astype(np.int64))
    forecasts = forecasts_at(together, problem.filled, known, problem.horizon)
    train = scored(windows_of(problem.values, known, problem.horizon), forecasts, looked.scale, looked.metric)
    unseen = looked.score(looked.chosen.forecasts)
    return {"train": train, "validation": unseen, "gap": looked.metric.gain(train, unseen)}


def _leans_on(looked: _Looked, together: Forecaster, end: float) -> list[dict[str, Any]]:
    """How much worse the forecasts get when a part of the past, or the calendar, is that of another origin."""
    problem, origins = looked.problem, looked.origins
    whole = looked.score(looked.chosen.forecasts)
    others = np.roll(origins.development, len(origins.development) // 2)
    if len(others) < 2:
        return []
    parts: list[tuple[str, int, int]] = list(_parts(problem.seasons[0], origins.fit_until))
    if problem.clock.dated and any(one.kind == "boosted" for one in looked.chosen.members):
        parts.append(("the calendar", 0, 0))
    found, longest = [], 0.0
    for name, near, far in parts:
        if time.monotonic() + longest > end:
            break
        started = time.monotonic()
        forecasts = []
        for at, other in zip(origins.development.tolist(), others.tolist(), strict=True):
            past, ahead = problem.filled[:, :at].copy(), np.arange(at, at + problem.horizon)
            reach = min(far, at, other)
            if reach > near:
                past[:, at - reach : at - near] = problem.filled[:, other - reach : other - near]
            forecasts.append(together(past, ahead if far else ahead - at + other))
        longest = max(longest, time.monotonic() - started)
        fall = looked.metric.gain(whole, looked.score(np.stack(forecasts)))
        if np.isfinite(fall):
            found.append({"column": name, "fall": float(fall), "spread": 0.0})
    return sorted(found, key=lambda one: -one["fall"])


def _parts(season: int, steps: int) -> tuple[tuple[str, int, int], ...]:
    """Stretches of the past by name, as numbers of steps back from now: from, to."""
    if season == 1:
        return ("the last value", 0, 1), ("2 to 12 steps back", 1, 12), ("further back", 12, steps)
    rest = f"the rest of the last season of {season}"
    return (
        ("the last value", 0, 1),
        (rest, 1, season),
        ("the season before", season, 2 * season),
        ("further back", 2 * season, steps),
    )


def promises(known: Windows, chosen: Chosen, sealed: Windows, ours: Floats, scale: Floats) -> list[dict[str, float]]:
    """For intervals of several promised shares, learnt at the development origins: the share of sealed values held."""
    rows = float(awaited(sealed, scale).sum())
    return [
        {
            "said": share,
            "happened": coverage(sealed, ours, scale, widths(known, chosen.forecasts, scale, share)),
            "rows": rows,
        }
        for share in _PROMISES
    ]


def worst_series(names: tuple[str, ...], misses: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A table of the series with the largest misses, where there is more than one."""
    if len(names) < 2:
        return []
    rows = [[one["series"], round(one["mase"], 4)] for one in misses[:10]]
    return [
        {"title": "Series that are forecast worst", "columns": ["Series", "MASE on the sealed windows"], "rows": rows}
    ]
