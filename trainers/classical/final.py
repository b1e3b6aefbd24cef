"""The chosen models fitted on all training rows: the model that will answer.

Trees that draw rows and columns at random are grown several times with other seeds and averaged while rows are few:
that takes chance out of the answer, costs little there, and needs no rows held back.
"""

from __future__ import annotations

import numpy as np
from joblib import Parallel, delayed

from trainers.classical.choose import Chosen
from trainers.classical.fitting import fit_rows
from trainers.classical.model_file import Member, Model
from trainers.classical.problem import Problem
from trainers.classical.search import workers
from trainers.common.decide import Cut
from trainers.common.metrics import Integers

# Below so many rows, so many copies: with more rows one draw hardly differs from another.
_COPIES = ((5_000, 3), (20_000, 2))


def fitted(problem: Problem, chosen: Chosen, cut: Cut, rows: Integers, seconds: float = 0.0) -> Model:
    """The chosen models, fitted on `rows`, as one. Copies of the random ones are grown while `seconds` allow."""
    copies = _copies(chosen, len(rows), seconds)
    pool = Parallel(n_jobs=workers(), prefer="threads", batch_size=1)
    jobs = [
        delayed(fit_rows)(one.candidate, problem, rows, one.rounds, copies if one.candidate.random else 1)
        for one, _ in chosen.members
    ]
    members = [
        Member(one.candidate.name, share, pipeline)
        for (one, share), pipeline in zip(chosen.members, pool(jobs), strict=True)
    ]
    low, high = float("-inf"), float("inf")
    if not problem.classes:
        seen = problem.truth[rows]
        margin = 0.5 * float(np.ptp(seen))
        low, high = float(seen.min()) - margin, float(seen.max()) + margin
    codes = tuple(map(str, range(problem.classes)))
    return Model(problem.setup.schema, codes, cut, tuple(members), low, high, chosen.temperature)


def _copies(chosen: Chosen, rows: int, seconds: float) -> int:
    wanted = next((copies for below, copies in _COPIES if rows < below), 1)
    each = 1.3 * sum(max(one.seconds.values(), default=0.0) for one, _ in chosen.members if one.candidate.random)
    return max(1, min(wanted, int(seconds * workers() / each))) if each and seconds else 1
