"""Which ways do best at the development origins, within the time; and whether a few together do better.

Every way's forecasts are kept on disk once made, so that a killed run goes on where it stopped.
"""

from __future__ import annotations

import io
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from advisor.base.errors import BudgetReached
from advisor.base.files import write_atomically
from advisor.base.safetext import plain
from trainers.common.metrics import Floats, Metric
from trainers.common.policy import policy
from trainers.common.runfolder import work_file
from trainers.contract import Progress
from trainers.forecast.candidates import Candidate, Forecaster, Problem
from trainers.forecast.measure import Windows, forecasts_at, scored, windows_of
from trainers.forecast.origins import Origins

_QUICK = 0.2


@dataclass
class Tried:
    """One way, its forecasts at the development origins, and the seconds they took; none when it was left out.

    `probing` are the seconds that finding out took whether it can be done in time.
    """

    candidate: Candidate
    forecasts: Floats | None = None
    seconds: float = 0.0
    note: str = ""
    probing: float = 0.0


@dataclass(frozen=True)
class Chosen:
    """The ways whose mean is the answer, each alike, and why."""

    members: tuple[Candidate, ...]
    forecasts: Floats
    reason: str

    @property
    def name(self) -> str:
        if len(self.members) == 1:
            return self.members[0].name
        return "blend of " + " and ".join(one.name for one in self.members)


def search(
    problem: Problem, origins: Origins, candidates: list[Candidate], run: Path, progress: Progress, seconds: float
) -> list[Tried]:
    """Every candidate with its forecasts, in order; what no longer fits the time says so in its note."""
    end = time.monotonic() + seconds
    tried: list[Tried] = []
    for done, candidate in enumerate(candidates):
        progress.step(done, len(candidates), candidate.name)
        tried.append(_tried(candidate, problem, origins, run, end, seconds, _likely_probing(candidate, tried)))
    return tried


def _likely_probing(candidate: Candidate, tried: list[Tried]) -> float:
    """How long it takes to time a way on one origin: a statistical one compiles first, as long as others did."""
    if candidate.kind != "statistical":
        return 0.0
    first = float(policy("forecasting")["statistical"]["first_seconds"])
    probes = [one.probing for one in tried if one.candidate.kind == candidate.kind and one.probing]
    return float(np.median(probes or [first]))


def _tried(
    candidate: Candidate, problem: Problem, origins: Origins, run: Path, end: float, whole: float, probing: float
) -> Tried:
    kept = work_file(run, f"{_slug(candidate.name)}.npz")
    found = _read_kept(kept)
    if found is not None:
        return Tried(candidate, *found)
    if candidate.simplicity > 1 and time.monotonic() > end:
        return Tried(candidate, note="not tried: the time budget was used up")
    if time.monotonic() + probing > end:
        return Tried(
            candidate, note=f"not tried: compiling it takes about {probing:.1f} s, more than the budget leaves"
        )
    started = time.monotonic()
    try:
        # Trees cannot be stopped while they grow.
        takes = _seconds_of_trees(candidate, problem, origins) if candidate.kind == "boosted" else 0.0
        if time.monotonic() + takes > min(end, started + policy("forecasting")["budget"]["one_model"] * whole):
            return Tried(candidate, note=f"left out: {takes:.0f} s to grow them is too slow for this budget")
        forecaster = candidate.fitted(problem, origins.fit_until)
        if not candidate.learns and candidate.simplicity > 1:
            # A local way is fitted anew at every origin, the sealed ones too: all of that must fit.
            each = candidate.kind == "statistical"
            once = _seconds_once(forecaster, problem, origins, each=each)
            probing = time.monotonic() - started
            allowed = min(end, started + probing + policy("forecasting")["budget"]["one_model"] * whole)
            if time.monotonic() + once * (len(origins.development) + len(origins.sealed)) > allowed:
                note = f"left out: {once:.1f} s for one origin is too slow for this budget"
                return Tried(candidate, note=note, probing=probing)
        forecasts = forecasts_at(forecaster, problem.filled, origins.development, problem.horizon)
    except (ValueError, ArithmeticError, MemoryError) as error:
        # One way that cannot read these series must not end the run: the others still can.
        return Tried(candidate, note=f"could not be fitted: {plain(error, 100)}")
    took = time.monotonic() - started
    if not np.isfinite(forecasts).all():
        return Tried(candidate, seconds=took, note="could not be fitted to every series")
    stream = io.BytesIO()
    np.savez(stream, forecasts=forecasts, seconds=np.array(took))
    write_atomically(kept, stream.getvalue())
    return Tried(candidate, forecasts, took, probing=probing)


def _seconds_of_trees(candidate: Candidate, problem: Problem, origins: Origins) -> float:
    """How long all rounds take, by the first few."""
    rules = policy("forecasting")["lags"]
    before = time.monotonic()
    candidate.fitted(problem, origins.fit_until, rules["timed_rounds"])
    return (time.monotonic() - before) * float(rules["rounds"] / rules["timed_rounds"])


def _seconds_once(forecaster: Forecaster, problem: Problem, origins: Origins, *, each: bool) -> float:
    """How long one origin takes: the second time counts, for the first compiles what it needs.

    A way that is fitted to `each` series by itself is timed on one of them: on all it may take the whole budget.
    """
    filled = problem.filled[:1] if each else problem.filled
    took = 0.0
    for _ in range(2):
        before = time.monotonic()
        forecasts_at(forecaster, filled, origins.development[-1:], problem.horizon)
        took = time.monotonic() - before
        if took < _QUICK / len(problem.filled) * len(filled):
            break
    return took * len(problem.filled) / len(filled)


def choose(
    tried: list[Tried], problem: Problem, origins: Origins, scale: Floats, metric: Metric, seconds: float
) -> Chosen:
    """The mean of the best few, as many as do best together at the development origins.

    As many, too, as can answer at the sealed origins within `seconds`: a blend takes as long as all of its members.
    """
    windows = windows_of(problem.values, origins.development, problem.horizon)
    ranked = sorted(
        (one for one in tried if one.forecasts is not None),
        key=lambda one: (scored(windows, one.forecasts, scale, metric), one.candidate.simplicity),  # type: ignore[arg-type]  # None was left out
    )
    if not ranked:
        raise BudgetReached(
            "The budget ended before one way was tried.",
            fix="Give it more time: train-or-not train CASE --budget-seconds 300",
            code="no-time",
        )
    best = _mean_of(ranked, 1)
    errors = {1: scored(windows, best, scale, metric)}
    taken = [one.seconds * again_for(one, origins) for one in ranked]
    for count in range(2, min(policy("forecasting")["blend"]["most"], len(ranked)) + 1):
        if sum(taken[:count]) > seconds:
            break
        errors[count] = scored(windows, _mean_of(ranked, count), scale, metric)
    count = min(errors, key=lambda many: (errors[many], many))
    members = tuple(one.candidate for one in ranked[:count])
    reason = f"{members[0].name} did best at {len(origins.development)} development origins"
    if count > 1:
        reason = (
            f"The mean of the best {count} did better than the best alone ({errors[count]:.3g}, and {errors[1]:.3g})"
        )
    return Chosen(members, _mean_of(ranked, count), reason)


def again_for(one: Tried, origins: Origins) -> float:
    """How many times as long as so far a way takes for the sealed part: one that learns learns once more."""
    return 1.0 if one.candidate.learns else len(origins.sealed) / len(origins.development)


def best_seasonal(tried: list[Tried], windows: Windows, scale: Floats, metric: Metric) -> Candidate:
    """Of the naive ways the best but the last value; the last value itself where there is no season."""
    naive = [one for one in tried if one.candidate.simplicity == 0 and one.forecasts is not None]
    seasonal = [one for one in naive if one.candidate.kind == "seasonal"] or naive
    return min(seasonal, key=lambda one: scored(windows, one.forecasts, scale, metric)).candidate  # type: ignore[arg-type]  # None was left out


@dataclass(frozen=True)
class Together:
    """The mean of some forecasters."""

    members: tuple[Forecaster, ...]

    def __call__(self, history: Floats, moments: np.typing.NDArray[np.int64]) -> Floats:
        """Forecasts [series, horizon]."""
        return np.asarray(np.mean([member(history, moments) for member in self.members], axis=0))


def _mean_of(ranked: list[Tried], count: int) -> Floats:
    return np.asarray(np.mean([one.forecasts for one in ranked[:count] if one.forecasts is not None], axis=0))


def _read_kept(path: Path) -> tuple[Floats, float] | None:
    try:
        with np.load(path, allow_pickle=False) as kept:
            return np.asarray(kept["forecasts"], dtype=np.float64), float(kept["seconds"])
    except (OSError, EOFError, ValueError, KeyError, AttributeError, TypeError, zipfile.BadZipFile):
        return None  # not there, or not what was written: it is made again


def _slug(name: str) -> str:
    return "-".join("".join(c if c.isalnum() else " " for c in name.lower()).split())
