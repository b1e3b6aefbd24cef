"""The ways that are tried, simplest first; each is described by a few words, so that it can be written down as JSON."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from trainers.common.metrics import Floats, Integers
from trainers.common.policy import policy
from trainers.forecast.clock import Clock
from trainers.forecast.lags import Shape, fit_boosted, fit_linear
from trainers.forecast.simple import Seasonal, Theta, Way, drift, naive
from trainers.forecast.statistical import Statistical, is_installed

# A forecaster: filled histories [series, steps] and the step numbers ahead [horizon]; gives [series, horizon].
Forecaster = Callable[[Floats, Integers], Floats]


@dataclass(frozen=True)
class Problem:
    """What is to be forecast: filled and true values, which are known, the seasons and the horizon."""

    filled: Floats
    values: Floats
    seasons: tuple[int, ...]
    horizon: int
    clock: Clock
    seed: int

    @property
    def positive(self) -> bool:
        return bool(np.nanmin(self.values) > 0)


@dataclass(frozen=True)
class Candidate:
    """One way by name. `kind` and `settings` say how to build it again; `learns` when it is fitted once for all."""

    name: str
    simplicity: int
    kind: str
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def learns(self) -> bool:
        return self.kind in ("linear", "boosted")

    def fitted(self, problem: Problem, until: int, rounds: int | None = None) -> Forecaster:
        """The way made ready with what is known before step `until`; trees in fewer `rounds` where they are timed."""
        if not self.learns:
            return local(self.kind, self.settings, problem.horizon)
        shape = Shape(problem.horizon, problem.seasons, bool(self.settings["logarithm"]))
        filled, known = problem.filled[:, :until], np.isfinite(problem.values[:, :until])
        if self.kind == "linear":
            return fit_linear(filled, known, shape, float(self.settings["strength"]))
        return fit_boosted(filled, known, shape, problem.clock, problem.seed, rounds)


@dataclass(frozen=True)
class Local:
    """A way applied to the latest stretch of each history, on logarithms where asked."""

    way: Way
    longest: int
    horizon: int
    logarithm: bool

    def __call__(self, history: Floats, moments: Integers) -> Floats:
        """Forecasts [series, horizon]; `moments` are not looked at."""
        recent = history[:, -self.longest :]
        if not self.logarithm:
            return self.way(recent, self.horizon)
        return np.asarray(np.exp(self.way(np.log(np.maximum(recent, 1e-9)), self.horizon)))


def local(kind: str, settings: dict[str, Any], horizon: int) -> Local:
    """A local way from its description. `longest` bounds the history it reads."""
    season = int(settings.get("season", 1))
    ways: dict[str, Callable[[], Way]] = {
        "naive": lambda: naive,
        "drift": lambda: drift,
        "seasonal": lambda: Seasonal(season, int(settings["cycles"])),
        "theta": lambda: Theta(season, bool(settings["multiplicative"])),
        "statistical": lambda: Statistical(str(settings["model"]), tuple(map(int, settings["seasons"]))),
    }
    return Local(ways[kind](), int(settings["longest"]), horizon, bool(settings.get("logarithm", False)))


def baselines(problem: Problem) -> list[Candidate]:
    """The naive ways: the last value, and the last season for each season there is."""
    longest = _longest(problem)
    found = [Candidate("the last value", 0, "naive", {"longest": longest})]
    for season in problem.seasons:
        if season > 1:
            settings = {"season": season, "cycles": 1, "longest": max(longest, season)}
            found.append(Candidate(f"the value {season} steps before", 0, "seasonal", settings))
    return found


def portfolio(problem: Problem, until: int) -> list[Candidate]:
    """Everything beyond the naive ways that fits these series, simplest first. `until` is what may be learnt from."""
    longest, season = _longest(problem), problem.seasons[0]
    settings: dict[str, Any] = {"longest": longest}
    found = [Candidate("drift", 1, "drift", settings)]
    for one in problem.seasons:
        if one > 1 and 4 * one <= until:
            settings = {"season": one, "cycles": 4, "longest": max(longest, 4 * one)}
            found.append(Candidate(f"mean of the last 4 cycles of {one}", 1, "seasonal", settings))
    kinds = [(False, False), (True, False), (False, True)] if problem.positive else [(False, False)]
    if 2 * season + 4 <= until:
        for multiplicative, logarithm in kinds:
            words = "theta" + (", seasons multiply" if multiplicative else "") + (", logarithm" if logarithm else "")
            settings = {"season": season, "multiplicative": multiplicative, "logarithm": logarithm, "longest": longest}
            found.append(Candidate(words, 2, "theta", settings))
    for logarithm in (False, True) if problem.positive else (False,):
        words = ", logarithm" if logarithm else ""
        shape = Shape(problem.horizon, problem.seasons, logarithm)
        if until >= 2 * shape.look_back + problem.horizon:
            settings = {"strength": 1.0, "logarithm": logarithm}
            found.append(Candidate(f"linear map of the past{words}", 3, "linear", settings))
    found += _statistical(problem, longest, until)
    # Trees read the last values as columns of their own and need no logarithm to bend.
    if until >= 2 * season + problem.horizon + 30:
        found.append(Candidate("boosted trees on lags", 5, "boosted", {"logarithm": False}))
    return found


def _statistical(problem: Problem, longest: int, until: int) -> list[Candidate]:
    rules = policy("forecasting")["statistical"]
    season = problem.seasons[0]
    if not is_installed() or len(problem.filled) > rules["series"] or until < 2 * season + 10:
        return []
    models = ["AutoTheta", "DynamicOptimizedTheta"]
    models += ["AutoETS"] if season <= rules["ets_season"] else []
    models += ["MSTL"] if season > 1 and until >= 3 * problem.seasons[-1] else []
    models += ["AutoARIMA"] if season <= rules["arima_season"] else []
    found = []
    for model in models:
        seasons = problem.seasons if model == "MSTL" else (season,)
        reach = rules["arima_steps"] if model == "AutoARIMA" else max(longest, 3 * seasons[-1])
        for logarithm in (False, True) if problem.positive and season > 1 else (False,):
            settings = {"model": model, "seasons": list(seasons), "longest": reach, "logarithm": logarithm}
            found.append(Candidate(f"{model}{', logarithm' if logarithm else ''}", 4, "statistical", settings))
    return found


def _longest(problem: Problem) -> int:
    rules = policy("forecasting")["history"]
    return int(min(rules["steps"], max(rules["seasons"] * problem.seasons[0], 4 * problem.horizon, 60)))
