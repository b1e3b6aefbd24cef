"""What sums over boosted trees mean: class codes or a logarithm before learning, probabilities or numbers after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from trainers.common.metrics import Floats

# Between neighbouring stages the loss hardly differs; each is a number of rounds that may be chosen.
STAGES = (10, 16, 25, 40, 63, 100, 160, 250, 400, 630, 1000)


def learnt_from(target: Any, classes: int, log: bool) -> tuple[Any, Any]:
    """The target as the trees learn it, and the classes met [0 where it is numbers]."""
    if classes:
        met, codes = np.unique(target, return_inverse=True)
        return codes, met
    return (np.log1p(target) if log else target), np.empty(0)


def answers_of(sums: Floats, met: Any, log: bool) -> Floats:
    """Numbers [rows, 1], or the probabilities [rows, classes met] that sums [rows, 1 or classes met] stand for."""
    if not len(met):
        return np.expm1(sums) if log else sums
    if len(met) == 2:
        second = 1.0 / (1.0 + np.exp(-sums[:, 0]))
        return np.column_stack([1.0 - second, second])
    raised = np.exp(sums - sums.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def likeliest(answers: Floats, met: Any) -> Floats:
    """Numbers [rows], or the codes of the likeliest classes."""
    return np.asarray(met[np.argmax(answers, axis=1)], dtype=np.float64) if len(met) else answers[:, 0]


def sums_by_stage(part: Callable[[int, int], Floats], last: int) -> Iterator[tuple[int, Floats]]:
    """The sums after each number of rounds in `STAGES` that was reached, and after the `last` round.

    `part` gives the sums over the rounds from one number up to another.
    """
    total: Floats | None = None
    done = 0
    for rounds in [*(one for one in STAGES if one < last), last]:
        found = part(done, rounds)
        total, done = found if total is None else total + found, rounds
        yield rounds, total
