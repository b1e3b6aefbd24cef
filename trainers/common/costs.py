"""What answers cost a row, at stated costs of errors: a measure like any other, so that its interval is drawn alike."""

from __future__ import annotations

import numpy as np

from advisor.records.judging import COST
from trainers.common.metrics import Floats, Integers, Metric, Output


def cost_metric(costs: Floats) -> Metric:
    """The mean cost a row; `costs` are [true class, said class], in the unit in which they were stated."""

    def compute(truth: Floats, output: Output, weights: Floats) -> Floats:
        labels: Integers = np.asarray(output.labels)
        return np.asarray(weights @ costs[truth.astype(np.int64), labels] / weights.sum(axis=1))

    return Metric(COST, "cost a row", False, ("binary", "multiclass"), "labels", compute)


def cheapest_answer(truth: Floats, costs: Floats, counts: Floats | None = None) -> int:
    """The one class that costs least when it is said of all these rows; `counts` [rows] is how much each counts."""
    met = np.bincount(truth.astype(np.int64), counts, minlength=len(costs))
    return int(np.argmin(met @ costs))
