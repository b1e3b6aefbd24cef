"""One fit of one candidate: its answers for a fold's unseen rows, kept for a run that goes on later."""

from __future__ import annotations

import io
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from advisor.base.files import write_atomically
from advisor.base.safetext import plain
from trainers.classical.candidates import Candidate
from trainers.classical.model_file import never_impossible, raw_output, spread_over
from trainers.classical.problem import Problem
from trainers.classical.several import Several
from trainers.common.metrics import Floats, Integers

_LARGE = 5_000
_PART = 8
_NOTHING = (np.zeros(0, dtype=np.int64), np.zeros((0, 0, 0)))


@dataclass(frozen=True)
class FoldAnswers:
    """A candidate's answers [stages, rows, outputs] for rows it had not seen, and the seconds of the fit.

    A stage is a number of `rounds` of boosting that may be chosen; other models have one stage, of 0 rounds. `wrong`
    says why there is no answer.
    """

    rounds: Integers
    answers: Floats
    seconds: float
    wrong: str = ""


def fit_fold(candidate: Candidate, problem: Problem, fold: int, seconds: float = float("inf")) -> FoldAnswers:
    """Fit on a fold's training rows and answer its unseen ones. A model that cannot read the rows says so.

    With a limit in `seconds`, a large fit is timed on an eighth of its rows first, and not begun where it would not do.
    """
    train, validate = problem.folds[fold]
    try:
        if len(train) >= _LARGE and np.isfinite(seconds):
            expected = _expected(candidate, problem, train, validate)
            if expected > seconds:
                return FoldAnswers(*_NOTHING, 0.0, f"it would take about {expected:.0f} s, more than is left")
        started = time.monotonic()
        with threadpool_limits(1):
            rounds, answers = _answers(candidate.build(problem.setup), problem, train, validate)
    except (ValueError, ArithmeticError, MemoryError) as error:
        # One model that cannot read these rows must not end the run: the others still can. It is told in the record.
        return FoldAnswers(*_NOTHING, 0.0, f"could not be fitted: {plain(error, 100)}")
    return FoldAnswers(rounds, answers, time.monotonic() - started)


def _expected(candidate: Candidate, problem: Problem, train: Integers, validate: Integers) -> float:
    """The seconds of a fit on `train`, from one on an eighth of it: most fits take as long as they have rows."""
    part = np.random.default_rng(0).permutation(train)[: len(train) // _PART]
    if problem.classes and len(np.unique(problem.truth[part])) < len(np.unique(problem.truth[train])):
        return 0.0
    started = time.monotonic()
    with threadpool_limits(1):
        _answers(candidate.build(problem.setup), problem, part, validate[: len(validate) // _PART])
    return _PART * (time.monotonic() - started)


def _answers(pipeline: Pipeline, problem: Problem, train: Integers, validate: Integers) -> tuple[Integers, Floats]:
    seen, unseen = problem.prepared.iloc[train], problem.prepared.iloc[validate]
    if not hasattr(pipeline[-1], "stages"):
        pipeline.fit(seen, problem.target(train), **problem.learning(train))
        return np.zeros(1, dtype=np.int64), raw_output(pipeline, unseen, problem.classes)[None]
    features, model = pipeline[:-1], pipeline[-1]
    learnt_from = features.fit_transform(seen, problem.target(train))
    told_from = features.transform(unseen)
    weights = problem.learning(train).get("model__sample_weight")
    model.fit(learnt_from, problem.target(train), weights, watch=(told_from, problem.target(validate)))
    rounds, answers = [], []
    for count, answer in model.stages(told_from):
        rounds.append(count)
        answers.append(
            never_impossible(spread_over(answer, model.classes_, problem.classes)) if problem.classes else answer
        )
    return np.array(rounds, dtype=np.int64), np.stack(answers)


def fit_rows(candidate: Candidate, problem: Problem, rows: Integers, rounds: int, copies: int) -> Pipeline:
    """The candidate fitted on `rows`, with that many rounds where it boosts, and that many copies by other seeds."""
    with threadpool_limits(1):
        pipeline = candidate.build(problem.setup)
        if rounds:
            pipeline[-1].set_params(rounds=rounds)
        if copies > 1:
            pipeline = Pipeline([*pipeline.steps[:-1], ("model", Several(pipeline[-1], copies))])
        return pipeline.fit(problem.prepared.iloc[rows], problem.target(rows), **problem.learning(rows))


def kept(path: Path, found: FoldAnswers) -> None:
    """Keep a finished fit, so that a killed run need not do it again."""
    stream = io.BytesIO()
    np.savez(stream, rounds=found.rounds, answers=found.answers, seconds=np.array(found.seconds))
    write_atomically(path, stream.getvalue())


def read_kept(path: Path) -> FoldAnswers | None:
    """A finished fit from an earlier attempt, or None."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            answers = np.asarray(stored["answers"], dtype=np.float64)
            rounds = np.asarray(stored["rounds"], dtype=np.int64)
            if answers.ndim != 3 or len(rounds) != len(answers) or not len(rounds):
                return None
            return FoldAnswers(rounds, answers, float(stored["seconds"]))
    except (OSError, EOFError, ValueError, KeyError, AttributeError, TypeError, zipfile.BadZipFile):
        return None  # not there, or not what was written: it is fitted again
