"""Would the same be found again? Two halves of the rows are worked on apart, and asked about rows neither has seen.

What is not in the data but in the method comes out differently in each half; chance alone agrees as often as the sizes
of the groups make it. Stability as a choice of the number of groups: Ben-Hur, Elisseeff and Guyon 2002.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment

from trainers.common.metrics import METRICS, Floats, Integers, Metric

# Of rows that both halves say something about: the share put together alike, or F1 of those called odd.
SAME_GROUP = Metric("agreement", "agreement between halves", True, (), "labels", METRICS["accuracy"].compute)
SAME_ODD = Metric("agreement", "agreement between halves", True, (), "labels", METRICS["f1"].compute)


def halves(rows: int, seed: int) -> tuple[Integers, Integers]:
    """Two halves of the row positions, drawn by `seed`."""
    order = np.random.default_rng(seed).permutation(rows)
    return np.sort(order[: rows // 2]), np.sort(order[rows // 2 :])


def matched(first: Integers, second: Integers, count: int) -> Integers:
    """`second` with its groups renamed to those of `first` they share most rows with (Hungarian method)."""
    table = np.zeros((count, count), dtype=np.int64)
    np.add.at(table, (second, first), 1)
    rows, names = linear_sum_assignment(-table)
    renamed = np.zeros(count, dtype=np.int64)
    renamed[rows] = names
    return np.asarray(renamed[second], dtype=np.int64)


def agreement(first: Integers, second: Integers, count: int) -> Integers:
    """1 for each row that both groupings put together alike, 0 for the others."""
    return np.asarray(matched(first, second, count) == first, dtype=np.int64)


def shuffled(features: Floats, seed: int) -> Floats:
    """The same columns, each in an order of its own: what belongs together is torn apart, all else is kept."""
    generator = np.random.default_rng(seed)
    return np.stack([generator.permutation(features[:, at]) for at in range(features.shape[1])], axis=1)
