"""Would more rows make it firmer? What two halves agree on when fewer rows are used, while there is time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np

from trainers.common.account import shares_of
from trainers.common.policy import policy

LACKING = {"learning_curve": "The time was up before it could be measured, or there are too few rows to do with less."}


def curve_of(
    agree: Callable[[int], Sequence[float]], rows: int, fewest: int, a_point: float, seconds: float
) -> list[dict[str, float]]:
    """The points before the last of a curve: `agree` gives the scores of so many rows, in at most `a_point` seconds."""
    end = time.monotonic() + seconds
    points = []
    for count in shares_of(rows, max(fewest, int(policy("classical")["curve"]["fewest_rows"]))):
        if time.monotonic() + a_point > end:
            break
        points.append(point(count, agree(count)))
    return points


def point(count: int, scores: Sequence[float]) -> dict[str, float]:
    """One point: the mean of several pairs of halves, and their range."""
    return {"rows": float(count), "value": float(np.mean(scores)), "low": min(scores), "high": max(scores)}
