"""One fit of one candidate: its answers for a fold's unseen rows, kept for a run that goes on later."""

from __future__ import annotations

import io
import math
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from advisor.base.files import write_atomically
from advisor.base.safetext import plain
from trainers.classical.candidates import Candidate
from trainers.classical.model_file import never_impossible, raw_output, spread_over
from trainers.classical.problem import Problem
from trainers.common.metrics import Integers

_Answers = npt.NDArray[np.floating[Any]]
_LARGE = 5_000
_PART = 8
_NOTHING = (np.zeros(0, dtype=np.int64), np.zeros((0, 0, 0)))


@dataclass(frozen=True)
class FoldAnswers:
    """A candidate's answers [stages, rows, outputs] for rows it had not seen, and the seconds of the fit.

    A stage is a number of `rounds` of boosting that may be chosen; other models have one stage, of 0 rounds. `wrong`
    says why there is no answer; `cut` that the clock ended the fit, with the rounds that it had.
    """

    rounds: Integers
    answers: _Answers
    seconds: float
    wrong: str = ""
    cut: bool = False


def fit_fold(
    candidate: Candidate, problem: Problem, fold: int, seconds: float = math.inf, until: float = math.inf
) -> FoldAnswers:
    """Fit on a fold's training rows and answer its unseen ones. A model that cannot read the rows says so.

    With a limit in `seconds`, a large fit is timed on an eighth of its rows first, and not begun where it would not do.
    Boosting that was begun ends when the clock (time.monotonic) passes `until`, with the rounds it has.
    """
    train, validate = problem.folds[fold]
    try:
        if len(train) >= _LARGE and np.isfinite(seconds):
            expected = _expected(candidate, problem, train, validate)
            if expected > seconds:
                return FoldAnswers(*_NOTHING, 0.0, f"it would take about {expected:.0f} s, more than is left")
        started = time.monotonic()
        with threadpool_limits(1):
            rounds, answers = _answers(candidate.build(problem.setup), problem, train, validate, until)
    except (ValueError, ArithmeticError, MemoryError) as error:
        # One model that cannot read these rows must not end the run: the others still can. It is told in the record.
        return FoldAnswers(*_NOTHING, 0.0, f"could not be fitted: {plain(error, 100)}")
    now = time.monotonic()
    return FoldAnswers(rounds, answers, now - started, cut=bool(rounds.any()) and now > until)


def _expected(candidate: Candidate, problem: Problem, train: Integers, validate: Integers) -> float:
    """The seconds of a fit on `train`, from one on an eighth of it: most fits take as long as they have rows."""
    part = np.random.default_rng(0).permutation(train)[: len(train) // _PART]
    if problem.classes and len(np.unique(problem.truth[part])) < len(np.unique(problem.truth[train])):
        return 0.0
    started = time.monotonic()
    with threadpool_limits(1):
        _answers(candidate.build(problem.setup), problem, part, validate[: len(validate) // _PART])
    return _PART * (time.monotonic() - started)


def _answers(
    pipeline: Pipeline, problem: Problem, train: Integers, validate: Integers, until: float = math.inf
) -> tuple[Integers, _Answers]:
    seen, unseen = problem.prepared.iloc[train], problem.prepared.iloc[validate]
    if not hasattr(pipeline[-1], "stages"):
        pipeline.fit(seen, problem.target(train), **problem.learning(train))
        return np.zeros(1, dtype=np.int64), raw_output(pipeline, unseen, problem.classes)[None].astype(np.float32)
    features, model = pipeline[:-1], pipeline[-1]
    learnt_from = features.fit_transform(seen, problem.target(train))
    told_from = features.transform(unseen)
    weights = problem.learning(train).get("model__sample_weight")
    model.fit(learnt_from, problem.target(train), weights, watch=(told_from, problem.target(validate)), until=until)
    rounds, answers = [], []
    for count, answer in model.stages(told_from):
        rounds.append(count)
        answers.append(
            never_impossible(spread_over(answer, model.classes_, problem.classes)) if problem.classes else answer
        )
    # Held for every stage of every model at once: half the width is digits enough to choose by.
    return np.array(rounds, dtype=np.int64), np.stack(answers).astype(np.float32)


def kept(path: Path, found: FoldAnswers) -> None:
    """Keep a finished fit, so that a killed run need not do it again."""
    stream = io.BytesIO()
    seconds, cut = np.array(found.seconds), np.array(found.cut)
    np.savez(stream, rounds=found.rounds, answers=found.answers, seconds=seconds, cut=cut)
    write_atomically(path, stream.getvalue())


def read_kept(path: Path) -> FoldAnswers | None:
    """A finished fit from an earlier attempt, or None."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            answers = np.asarray(stored["answers"])
            rounds = np.asarray(stored["rounds"], dtype=np.int64)
            if answers.ndim != 3 or answers.dtype.kind != "f" or len(rounds) != len(answers) or not len(rounds):
                return None
            return FoldAnswers(rounds, answers, float(stored["seconds"]), cut=bool(stored["cut"]))
    except (OSError, EOFError, ValueError, KeyError, AttributeError, TypeError, zipfile.BadZipFile):
        return None  # not there, or not what was written: it is fitted again
