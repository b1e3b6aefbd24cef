"""Which model does best on rows it has not seen: cross-validation within the training part, within a budget.

All candidates meet the first fold, for a part of the time; the simplest and the best go on to the others. Each
finished fit is kept on disk, so that a killed run goes on where it stopped. One thread a fit, one fit a processor, here
or on a Dask cluster (joblib's backends): the numbers do not depend on how busy the machine is.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed

from advisor.records.run import Score
from trainers.classical.blend import loss_on
from trainers.classical.candidates import Candidate
from trainers.classical.chunks import without_false_alarms
from trainers.classical.fitting import NONE, FoldAnswers, fit_fold, kept, read_kept
from trainers.classical.problem import Problem, fold_score, gains_of
from trainers.common.machine import processors
from trainers.common.metrics import Floats
from trainers.common.policy import policy
from trainers.common.runfolder import work_file
from trainers.contract import Progress

_FEWEST_KEPT = 2


@dataclass
class Tried:
    """One candidate's answers for rows it had not seen, by fold, and the seconds each fit took.

    `stages` holds how far off boosting was after each number of rounds; `answers` are those at the rounds taken, which
    for each fold the other folds choose. `rounds` is what all folds together choose; 0 where there is no choice.
    """

    candidate: Candidate
    answers: dict[int, Floats] = field(default_factory=dict)
    seconds: dict[int, float] = field(default_factory=dict)
    note: str = ""
    first: bool = False
    stages: dict[int, FoldAnswers] = field(default_factory=dict)
    rounds: int = 0

    def gains(self, problem: Problem) -> Floats:
        """The metric on each fold done, turned so that more is better."""
        return gains_of(self.answers, problem)

    def score(self, problem: Problem) -> Score:
        """The mean over folds with its interval by Student's t over folds."""
        return fold_score(problem, self.gains(problem), sum(len(self.answers[at]) for at in self.answers))


def search(problem: Problem, candidates: list[Candidate], run: Path, progress: Progress, seconds: float) -> list[Tried]:
    """Every candidate with the folds it was given; those left out early say so in `note`.

    A part of `seconds` is left to fit what is chosen. Runs under joblib's backend of the moment: threads of this
    process, unless the caller set another.
    """
    tried = [Tried(candidate) for candidate in candidates]
    in_turn = sorted(tried, key=lambda one: one.candidate.turn)
    in_turn[0].first = True
    shares = policy("classical")["budget"]
    seconds *= shares["choosing"]
    clock, first = _Clock(seconds), _Clock(seconds * shares["first_fold"])
    # A model that is slower than this could not meet all folds if it were alone; boosting ends there with what it has.
    longest = seconds * workers() / len(problem.folds)
    done = 0
    for competing, folds in _rounds(in_turn, problem, clock):
        total = done + len(competing) * len(folds)
        until = first if folds == [0] else clock
        for trial, fold in _finished(competing, folds, problem, run, until, longest):
            done += 1
            progress.step(
                done, total if fold else total * len(problem.folds), f"{trial.candidate.name}, fold {fold + 1}"
            )
        for trial in competing:
            choose_rounds(trial, problem)
    for one in tried:
        if not one.answers:
            one.note = one.note or "not tried: the time budget was used up"
        elif len(one.answers) < len(problem.folds):
            one.note = one.note or f"stopped after {len(one.answers)} of {len(problem.folds)} folds: out of time"
        elif cut := sum(found.cut for found in one.stages.values()):
            one.note = f"ended early on {cut} of {len(problem.folds)} folds, with what it had learnt: out of time"
    return tried


def _rounds(tried: list[Tried], problem: Problem, clock: _Clock) -> Iterator[tuple[list[Tried], list[int]]]:
    """First all on one fold; then, on the others, the simplest and as many of the best as the time may hold."""
    yield tried, [0]
    met = sorted((one for one in tried if one.answers), key=lambda one: -_mean(one.gains(problem)))
    others = list(range(1, len(problem.folds)))
    simplest = min(met, key=lambda one: one.candidate.simplicity, default=None)
    kept_on: list[Tried] = [] if simplest is None else [simplest]
    seconds = clock.left() * workers()
    for one in met:
        needed = sum(each.seconds[0] for each in {id(k): k for k in [*kept_on, one]}.values()) * len(others)
        if needed <= seconds or len(kept_on) < _FEWEST_KEPT:
            kept_on += [] if one in kept_on else [one]
        else:
            one.note = "left out after the first fold, to keep within the time"
    yield [one for one in met if one in kept_on], others


def _mean(gains: Floats) -> float:
    defined = gains[~np.isnan(gains)]
    return float(np.mean(defined)) if len(defined) else -np.inf


class _Clock:
    """Says whether a fit that is likely to take so long may still start."""

    def __init__(self, seconds: float) -> None:
        self.end = time.monotonic() + seconds

    def left(self) -> float:
        return max(0.0, self.end - time.monotonic())

    def allows(self, seconds: float) -> bool:
        return time.monotonic() + seconds <= self.end


def _finished(
    tried: list[Tried], folds: list[int], problem: Problem, run: Path, clock: _Clock, longest: float
) -> Iterator[tuple[Tried, int]]:
    """Fit every pair of candidate and fold, several at a time; pairs that no longer fit the budget are passed over."""
    jobs = [(one, fold) for fold in folds for one in tried]
    missing = []
    for one, fold in jobs:
        found = read_kept(_path(run, one, fold))
        if found is None:
            missing.append((one, fold))
        else:
            _take(one, fold, found, problem, run)
            yield one, fold

    def begun() -> Iterator[Any]:
        # Read by joblib only when a processor is free, so that the clock is asked when the fit would start.
        for at, (one, fold) in enumerate(missing):
            expected = 1.2 * max(one.seconds.values(), default=0.0)
            # The model whose turn is first always gets one fold: a run must end with an answer, even a late one.
            if not one.note and (clock.allows(expected) or (fold == 0 and one.first)):
                limit = math.inf if one.seconds or one.first else clock.left()
                least = policy("classical")["budget"]["first_fit_seconds"] if one.first else 0.0
                left = max(least, min(clock.left(), longest))
                yield delayed(_numbered)(at, one.candidate, problem, fold, limit, left)

    count = workers()
    pool = Parallel(n_jobs=count, prefer="threads", pre_dispatch=count, batch_size=1, return_as="generator_unordered")
    with without_false_alarms():
        for at, found in pool(begun()):
            one, fold = missing[at]
            if found.wrong:
                one.note = found.wrong
                continue
            kept(_path(run, one, fold), found)
            _take(one, fold, found, problem, run)
            yield one, fold


def _numbered(
    at: int, candidate: Candidate, problem: Problem, fold: int, limit: float, left: float
) -> tuple[int, FoldAnswers]:
    # Told as seconds that are left: another machine of a cluster has another clock.
    return at, fit_fold(candidate, problem, fold, limit, time.monotonic() + left)


def _take(one: Tried, fold: int, found: FoldAnswers, problem: Problem, run: Path) -> None:
    one.stages[fold] = replace(found, answers=NONE, losses=_losses(found, fold, problem), path=_path(run, one, fold))
    one.seconds[fold] = found.seconds
    one.answers[fold] = np.asarray(found.answers[-1], dtype=np.float64)


def _losses(found: FoldAnswers, fold: int, problem: Problem) -> Floats:
    """The loss after each stage; a model without stages is not asked for it."""
    if not found.rounds.any():
        return np.zeros(len(found.rounds))
    loss = loss_on(problem.truth_of([fold]), problem.classes, problem.metric.name, problem.counts_of([fold]))
    return np.array([loss(answer) for answer in found.answers])


def choose_rounds(one: Tried, problem: Problem) -> None:
    """How many rounds of boosting: by the loss on all folds; for a fold's own answers, on all the others."""
    grid = np.unique(np.concatenate([found.rounds for found in one.stages.values()] or [np.zeros(1, dtype=np.int64)]))
    if not grid.max():
        return
    # A fold that stopped early stays where it stopped: what it answers after more rounds is not known.
    at = {fold: np.minimum(np.searchsorted(f.rounds, grid), len(f.rounds) - 1) for fold, f in one.stages.items()}
    losses = {}
    for fold, found in one.stages.items():
        each = _losses(found, fold, problem) if found.losses is None else found.losses
        losses[fold] = each[at[fold]]
    for fold, found in one.stages.items():
        others = [losses[other] for other in losses if other != fold] or [losses[fold]]
        taken = at[fold][int(np.argmin(np.mean(others, axis=0)))]
        one.answers[fold] = np.asarray(found.at_stage(int(taken)), dtype=np.float64)
    one.rounds = int(grid[int(np.argmin(np.mean(list(losses.values()), axis=0)))])


def workers() -> int:
    """How many fits run at once: one a processor here, or as many as the cluster that the caller set has."""
    backend, jobs = _active_backend()
    return max(1, jobs) if backend else processors()


def _active_backend() -> tuple[bool, int]:
    from joblib.parallel import get_active_backend

    backend, jobs = get_active_backend()
    elsewhere = type(backend).__name__ == "DaskDistributedBackend"
    return elsewhere, int(backend.effective_n_jobs(jobs or -1)) if elsewhere else 0


def _path(run: Path, one: Tried, fold: int) -> Path:
    name = "".join(c if c.isalnum() else " " for c in one.candidate.name.lower())
    return work_file(run, f"{'-'.join(name.split())}-{fold}.npz")
