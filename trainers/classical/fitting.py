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

from advisor.base.errors import BadInput
from advisor.base.files import write_atomically
from advisor.base.safetext import plain
from trainers.classical.candidates import Candidate
from trainers.classical.features import topic_count
from trainers.classical.model_file import never_impossible, raw_output, spread_over
from trainers.classical.problem import Problem
from trainers.classical.vocabulary import suited
from trainers.common.metrics import Floats, Integers
from trainers.common.policy import policy

_Answers = npt.NDArray[np.floating[Any]]
NOT_FITTED = "could not be fitted"
_TIMED = policy("classical")["timed_first"]
_PART, _FEWEST = int(_TIMED["part"]), int(_TIMED["fewest"])
NONE: _Answers = np.zeros((0, 0, 0))
_NOTHING = (np.zeros(0, dtype=np.int64), NONE)


@dataclass(frozen=True)
class FoldAnswers:
    """A candidate's answers [stages, rows, outputs] for rows it had not seen, and the seconds of the fit.

    A stage is a number of `rounds` of boosting that may be chosen; other models have one stage, of 0 rounds. `wrong`
    says why there is no answer; `cut` that the clock ended the fit, with the rounds that it had. A search holds the
    `losses` of the stages and the `path` of their answers, which would be hundreds of MiB for all models and folds.
    """

    rounds: Integers
    answers: _Answers
    seconds: float
    wrong: str = ""
    cut: bool = False
    losses: Floats | None = None
    path: Path | None = None

    def at_stage(self, stage: int) -> _Answers:
        """The answers [rows, outputs] after one stage, from the disk where they are not held."""
        if self.path is None:
            return np.asarray(self.answers[stage])
        stored = read_kept(self.path)
        if stored is None:
            raise BadInput(
                f"The answers of a finished fit are gone: {self.path.name}.",
                where=str(self.path.parent),
                why="They were deleted or changed while the run went on.",
                fix="Train again: train-or-not train CASE",
                code="work-gone",
            )
        return np.asarray(stored.answers[stage])


def fit_fold(
    candidate: Candidate, problem: Problem, fold: int, seconds: float = math.inf, until: float = math.inf
) -> FoldAnswers:
    """Fit on a fold's training rows and answer its unseen ones. A model that cannot read the rows says so.

    With a limit in `seconds`, a large fit is timed on an eighth of its rows first, and not begun where it would not do.
    Boosting that was begun ends when the clock (time.monotonic) passes `until`, with the rounds it has.
    """
    train, validate = problem.folds[fold]
    try:
        if np.isfinite(seconds) and _is_large(problem, len(train)):
            expected = _expected(candidate, problem, train, validate, seconds)
            if expected > seconds:
                return FoldAnswers(*_NOTHING, 0.0, f"it would take about {expected:.0f} s, more than is left")
        started = time.monotonic()
        with threadpool_limits(1):
            pipeline = _bounded(candidate.build(problem.setup), seconds / len(problem.folds))
            rounds, answers = _answers(pipeline, problem, train, validate, until)
    except Exception as error:  # each library fails in its own words
        # One model that cannot read these rows must not end the run: the others still can. It is told in the record.
        return FoldAnswers(*_NOTHING, 0.0, f"{NOT_FITTED}: {plain(error, 100)}")
    now = time.monotonic()
    return FoldAnswers(rounds, answers, now - started, cut=bool(rounds.any()) and now > until)


def _bounded(pipeline: Pipeline, seconds: float) -> Pipeline:
    """The pipeline, whose steps that can tell early how long they take give up where that is more than `seconds`."""
    told = [name for name in pipeline.get_params() if name.endswith("__within")]
    return pipeline.set_params(**dict.fromkeys(told, seconds)) if math.isfinite(seconds) else pipeline


def _is_large(problem: Problem, rows: int) -> bool:
    """Whether a fit may take long enough to be timed on fewer rows first. A text counts as the topics it makes."""
    schema = problem.setup.schema
    columns = len(schema.used()) - len(schema.of("text")) + topic_count(schema)
    return bool(rows >= _TIMED["rows"] or rows * columns >= _TIMED["cells"])


def _expected(candidate: Candidate, problem: Problem, train: Integers, validate: Integers, seconds: float) -> float:
    """The seconds of a fit on `train`, from one on an eighth of it: most fits take as long as they have rows.

    Boosting ends when `seconds` are up. Other models cannot, so they meet an eighth of that eighth first, and no more
    where the eighth alone would take all the time.
    """
    started = time.monotonic()
    whole = 0.0
    for share in [_PART] if hasattr(candidate.build(problem.setup)[-1], "stages") else [_PART**2, _PART]:
        if whole > _PART * seconds:
            break
        rows, begun = _part_of(problem, train, share), time.monotonic()
        unseen = validate[: max(1, len(validate) // share)]
        try:
            with threadpool_limits(1):
                _answers(candidate.build(problem.setup), problem, rows, unseen, started + seconds)
        except Exception:  # a few rows may be too few for what all of them can teach, and tell nothing of the time then
            return 0.0
        whole = (time.monotonic() - begun) * len(train) / len(rows)
    return whole + (time.monotonic() - started)


def _part_of(problem: Problem, train: Integers, share: int) -> Integers:
    """One in `share` of the rows, and a row of each class that is not among them."""
    drawn = np.random.default_rng(0).permutation(train)
    part = drawn[: max(_FEWEST, len(train) // share)]
    if problem.classes:
        met, first = np.unique(problem.truth[drawn], return_index=True)
        part = np.concatenate([part, drawn[first[~np.isin(met, problem.truth[part])]]])
    return part


def _answers(
    pipeline: Pipeline, problem: Problem, train: Integers, validate: Integers, until: float = math.inf
) -> tuple[Integers, _Answers]:
    seen, unseen = problem.prepared.iloc[train], problem.prepared.iloc[validate]
    pipeline = suited(pipeline, seen)
    if not hasattr(pipeline[-1], "stages"):
        pipeline.fit(seen, problem.target(train), **problem.learning(train))
        return np.zeros(1, dtype=np.int64), raw_output(pipeline, unseen, problem.classes)[None].astype(np.float32)
    features, model = pipeline[:-1], pipeline[-1]
    learnt_from = features.fit_transform(seen, problem.target(train))
    told_from = features.transform(unseen)
    weights = problem.learning(train).get("model__sample_weight")
    watch = (told_from, problem.target(validate), problem.counting(validate))
    model.fit(learnt_from, problem.target(train), weights, watch=watch, until=until)
    rounds, answers = [], []
    for count, answer in model.stages(told_from):
        rounds.append(count)
        answers.append(
            never_impossible(spread_over(answer, model.classes_, problem.classes)) if problem.classes else answer
        )
    # Kept for every stage of every model: half the width is digits enough to choose by.
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
