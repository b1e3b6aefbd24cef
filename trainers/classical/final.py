"""The chosen models fitted on all training rows: the model that will answer.

Boosted trees draw rows and columns at random. While rows are few they are grown several times with other seeds and
averaged: that takes chance out of the answer, costs little there, and needs no rows held back. Members that read the
columns alike become one member, so that the columns are encoded once for all of them, here and at each answer.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from joblib import Parallel, delayed
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from trainers.classical.choose import Chosen
from trainers.classical.model_file import Member, Model
from trainers.classical.problem import Problem
from trainers.classical.search import Tried, workers
from trainers.classical.several import Several, copies_of
from trainers.common.decide import Cut
from trainers.common.metrics import Integers
from trainers.common.policy import policy


def fitted(problem: Problem, chosen: Chosen, cut: Cut, rows: Integers, seconds: float = 0.0) -> Model:
    """The chosen models, fitted on `rows`, as one. Copies of the random ones are grown while `seconds` allow."""
    copies = _copies(chosen, len(rows), seconds)
    views: dict[str, list[tuple[Tried, float]]] = {}
    for one, share in chosen.members:
        views.setdefault(one.candidate.view or one.candidate.name, []).append((one, share))
    pool = Parallel(n_jobs=workers(), prefer="threads", batch_size=1)
    members = pool(delayed(_member)(problem, alike, rows, copies) for alike in views.values())
    low, high = float("-inf"), float("inf")
    if not problem.classes:
        seen = problem.truth[rows]
        margin = 0.5 * float(np.ptp(seen))
        low, high = float(seen.min()) - margin, float(seen.max()) + margin
    codes = tuple(map(str, range(problem.classes)))
    return Model(problem.setup.schema, codes, cut, tuple(members), low, high, chosen.temperature)


def _member(problem: Problem, alike: list[tuple[Tried, float]], rows: Integers, copies: int) -> Member:
    """Models that read the columns alike, fitted as one pipeline."""
    total = sum(share for _, share in alike)
    models: list[Any] = []
    shares: list[float] = []
    for one, share in alike:
        pipeline = one.candidate.build(problem.setup)
        if one.rounds:
            pipeline[-1].set_params(rounds=one.rounds)
        count = copies if one.candidate.random else 1
        models += copies_of(pipeline[-1], count)
        shares += [share / total / count] * count
    model = models[0] if len(models) == 1 else Several(models, shares)
    whole = Pipeline([*pipeline.steps[:-1], ("model", model)])
    with threadpool_limits(1):
        whole.fit(problem.prepared.iloc[rows], problem.target(rows), **problem.learning(rows))
    return Member(" and ".join(one.candidate.name for one, _ in alike), total, whole)


def _copies(chosen: Chosen, rows: int, seconds: float) -> int:
    """How many copies: with more rows one draw hardly differs from another, and each copy takes a fit's time."""
    wanted = int(next((one["copies"] for one in policy("classical")["copies"] if rows < one["below_rows"]), 1))
    each = 1.3 * sum(max(one.seconds.values(), default=0.0) for one, _ in chosen.members if one.candidate.random)
    return max(1, min(wanted, int(seconds * workers() / each))) if each and seconds else 1
