"""The chosen models fitted on all training rows: the model that will answer.

Boosted trees draw rows and columns at random. While rows are few they are grown several times with other seeds and
averaged: that takes chance out of the answer, costs little there, and needs no rows held back. Members that read the
columns alike become one member, so that the columns are encoded once for all of them, here and at each answer.
"""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from trainers.classical.choose import Chosen
from trainers.classical.model_file import Member, Model
from trainers.classical.problem import Problem
from trainers.classical.search import Tried, workers
from trainers.classical.several import Several, copies_of, timed
from trainers.classical.vocabulary import suited
from trainers.common.decide import Cut
from trainers.common.metrics import Integers
from trainers.common.policy import policy


def fitted_in_time(problem: Problem, chosen: Chosen, cut: Cut, rows: Integers, left: float) -> tuple[Model, str]:
    """The same as `fitted` when `left` seconds of the budget are left, and a note where boosting had to end early."""
    shares = policy("classical")["budget"]
    until = time.monotonic() + max(shares["first_fit_seconds"], shares["refit"] * left)
    model = fitted(problem, chosen, cut, rows, shares["fitting"] * left, until)
    return model, _ended_early(model) if time.monotonic() > until else ""


def _ended_early(model: Model) -> str:
    last = [member.pipeline[-1] for member in model.members]
    grown = [one for step in last for one in getattr(step, "models_", [step]) if hasattr(one, "stages")]
    least = min(grown, key=lambda one: one.rounds_ / one.rounds, default=None)
    if least is None or least.rounds_ >= least.rounds:
        return ""
    return (
        f"The time was up during the last fit: it ended after {least.rounds_:,} of {least.rounds:,} rounds, "
        "and may do worse than it did when it was chosen."
    )


def fitted(
    problem: Problem, chosen: Chosen, cut: Cut, rows: Integers, seconds: float = 0.0, until: float = math.inf
) -> Model:
    """The chosen models, fitted on `rows`, as one. Copies of the random ones are grown while `seconds` allow.

    Boosting ends when the clock (time.monotonic) passes `until`, with the rounds it has.
    """
    copies = _copies(chosen, len(rows), seconds)
    views: dict[str, list[tuple[Tried, float]]] = {}
    for one, share in chosen.members:
        views.setdefault(one.candidate.view or one.candidate.name, []).append((one, share))
    count = workers()
    pool = Parallel(n_jobs=count, prefer="threads", pre_dispatch=count, batch_size=1)
    # Told as seconds that are left: another machine of a cluster has another clock.
    members = pool(delayed(_member)(problem, alike, rows, copies, until - time.monotonic()) for alike in views.values())
    low, high = float("-inf"), float("inf")
    if not problem.classes:
        seen = problem.truth[rows]
        margin = 0.5 * float(np.ptp(seen))
        low, high = float(seen.min()) - margin, float(seen.max()) + margin
    codes = tuple(map(str, range(problem.classes)))
    return Model(problem.setup.schema, codes, cut, tuple(members), low, high, chosen.temperature)


def _member(problem: Problem, alike: list[tuple[Tried, float]], rows: Integers, copies: int, left: float) -> Member:
    """Models that read the columns alike, fitted as one pipeline."""
    until = time.monotonic() + left
    total, seen = sum(share for _, share in alike), problem.prepared.iloc[rows]
    models: list[Any] = []
    shares: list[float] = []
    for one, share in alike:
        pipeline = suited(one.candidate.build(problem.setup), seen)
        if one.rounds:
            pipeline[-1].set_params(rounds=one.rounds)
        count = copies if one.candidate.random else 1
        models += copies_of(pipeline[-1], count)
        shares += [share / total / count] * count
    model = models[0] if len(models) == 1 else Several(models, shares)
    whole = Pipeline([*pipeline.steps[:-1], ("model", model)])
    with threadpool_limits(1):
        told = {f"model__{name}": value for name, value in timed(model, until).items()}
        whole.fit(seen, problem.target(rows), **problem.learning(rows), **told)
    return Member(" and ".join(one.candidate.name for one, _ in alike), total, whole)


def _copies(chosen: Chosen, rows: int, seconds: float) -> int:
    """How many copies: with more rows one draw hardly differs from another, and each copy takes a fit's time."""
    wanted = int(next((one["copies"] for one in policy("classical")["copies"] if rows < one["below_rows"]), 1))
    each = 1.3 * sum(max(one.seconds.values(), default=0.0) for one, _ in chosen.members if one.candidate.random)
    return max(1, min(wanted, int(seconds * workers() / each))) if each and seconds else 1
