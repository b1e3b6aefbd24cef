"""What a person wants to know of a forecast besides its score: would a longer past help, and what of it counts.

All of it is measured at the development origins, except what only the sealed windows can tell.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np

from trainers.common.account import shares_of
from trainers.common.intervals import bootstrap, percentile
from trainers.common.metrics import Floats, Metric, Output
from trainers.common.policy import policy
from trainers.forecast.candidates import Forecaster, Problem
from trainers.forecast.intervals import coverage, widths
from trainers.forecast.measure import Windows, awaited, flat, forecasts_at, scored, units_of, windows_of
from trainers.forecast.origins import Origins
from trainers.forecast.search import Chosen, Together, Tried

_TIME_IS_UP = "The time was up before it could be measured."
_PROMISES = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)


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
    found: dict[str, Any] = {}
    curve = _curve(problem, origins, windows, scale, metric, chosen, took, end)
    if len(curve) > 1:
        found["learning_curve"] = curve
    if time.monotonic() + took > end:
        return found, dict.fromkeys(("learning_curve", "train_validation_gap", "importance"), _TIME_IS_UP)
    together = Together(tuple(one.fitted(problem, origins.fit_until) for one in chosen.members))
    if any(one.learns for one in chosen.members):
        found["train_validation_gap"] = _gap(problem, origins, windows, scale, metric, chosen, together)
    found["importance"] = _leans_on(problem, origins, windows, scale, metric, chosen, together, end)
    short = "The history is too short to do with less of it."
    return found, {"learning_curve": short, "importance": "Too few origins to exchange parts of the past between them."}


def _curve(
    problem: Problem,
    origins: Origins,
    windows: Windows,
    scale: Floats,
    metric: Metric,
    chosen: Chosen,
    took: float,
    end: float,
) -> list[dict[str, float]]:
    """The score when no more than so many of the latest steps are learnt from and looked at."""
    points = []
    for steps in shares_of(origins.fit_until, int(policy("forecasting")["limits"]["fewest_steps"])):
        if time.monotonic() + took > end:
            break
        forecasts = _with_less(problem, origins, chosen, steps)
        if forecasts is not None:
            points.append(_point(steps, windows, forecasts, scale, metric, problem.seed))
    return [*points, _point(origins.fit_until, windows, chosen.forecasts, scale, metric, problem.seed)]


def _with_less(problem: Problem, origins: Origins, chosen: Chosen, steps: int) -> Floats | None:
    """Forecasts at the development origins by ways that know the latest `steps` steps alone; None if one cannot."""
    start = origins.fit_until - steps
    clock = problem.clock
    if clock.dated:
        clock = replace(clock, start=float(clock.moment(np.array([start]))[0].timestamp()))
    less = replace(problem, filled=problem.filled[:, start:], values=problem.values[:, start:], clock=clock)
    try:
        together = Together(tuple(one.fitted(less, steps) for one in chosen.members))
        forecasts = np.stack(
            [
                together(problem.filled[:, at - steps : at], np.arange(at, at + problem.horizon) - start)
                for at in origins.development
            ]
        )
    except (ValueError, ArithmeticError, IndexError):
        return None  # too short for one of them: a season longer than that, say
    return forecasts if np.isfinite(forecasts).all() else None


def _point(
    steps: int, windows: Windows, forecasts: Floats, scale: Floats, metric: Metric, seed: int
) -> dict[str, float]:
    truth, said = flat(windows, forecasts, scale, metric)
    output = Output(numbers=said)
    values = bootstrap(metric, truth, {"it": output}, units_of(windows, scale), seed, 400)["it"]
    low, high = percentile(values, 0.95)
    return {"rows": float(steps), "value": metric.value(truth, output), "low": low, "high": high}


def _gap(
    problem: Problem,
    origins: Origins,
    windows: Windows,
    scale: Floats,
    metric: Metric,
    chosen: Chosen,
    together: Together,
) -> dict[str, float]:
    """The score on the past that the ways learnt from, and on what came after it."""
    last = origins.fit_until - problem.horizon
    known = np.unique(np.linspace(last // 2, last, len(origins.development)).astype(np.int64))
    forecasts = forecasts_at(together, problem.filled, known, problem.horizon)
    train = scored(windows_of(problem.values, known, problem.horizon), forecasts, scale, metric)
    unseen = scored(windows, chosen.forecasts, scale, metric)
    return {"train": train, "validation": unseen, "gap": metric.gain(train, unseen)}


def _leans_on(
    problem: Problem,
    origins: Origins,
    windows: Windows,
    scale: Floats,
    metric: Metric,
    chosen: Chosen,
    together: Forecaster,
    end: float,
) -> list[dict[str, Any]]:
    """How much worse the forecasts get when a part of the past, or the calendar, is that of another origin."""
    whole = scored(windows, chosen.forecasts, scale, metric)
    others = np.roll(origins.development, len(origins.development) // 2)
    if len(others) < 2:
        return []
    parts: list[tuple[str, int, int]] = list(_parts(problem.seasons[0], origins.fit_until))
    if problem.clock.dated and any(one.kind == "boosted" for one in chosen.members):
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
        fall = metric.gain(whole, scored(windows, np.stack(forecasts), scale, metric))
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
