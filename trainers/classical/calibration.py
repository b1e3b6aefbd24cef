"""Can its scores be read as chances: what was announced for rows it had not seen, and how often it came true.

Of two classes, the chance of the case that matters. Of more, two readings: of the likeliest class alone (top-label
reliability, Guo et al. 2017, On Calibration of Modern Neural Networks), and of each class against the rest with its
mean gap (classwise calibration error, Kull et al. 2019, Beyond temperature scaling). Costs lean on the second; the
first says nothing of the chances of the other classes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from advisor.base.safetext import plain
from trainers.common.metrics import Floats, Integers

_BINS = 10


def calibration_of(
    truth: Floats, probabilities: Floats, classes: tuple[str, ...], counts: Floats | None
) -> dict[str, Any]:
    """`calibration` in bins; beyond two classes also `calibration_of` and `calibration_by_class`.

    `truth` [rows] is class codes, `probabilities` [rows, classes]; `counts` [rows] is how much each row counts.
    """
    each = np.ones(len(truth)) if counts is None else counts
    if len(classes) == 2:
        return {"calibration": calibration_bins(truth, probabilities[:, 1], each)}
    likeliest = np.argmax(probabilities, axis=1)
    sure = probabilities[np.arange(len(truth)), likeliest]
    by_class = [
        _of_class(plain(name, 60), truth == code, probabilities[:, code], each) for code, name in enumerate(classes)
    ]
    return {
        "calibration": calibration_bins((truth == likeliest).astype(np.float64), sure, each),
        "calibration_of": "likeliest class",
        "calibration_by_class": by_class,
    }


def _of_class(name: str, actual: Any, scores: Floats, counts: Floats) -> dict[str, Any]:
    bins, happened = calibration_bins(actual.astype(np.float64), scores, counts), np.average(actual, weights=counts)
    gaps = [abs(one["said"] - one["happened"]) for one in bins]
    return {
        "class": name,
        "rows": float(actual.sum()),
        "said": float(np.average(scores, weights=counts)),
        "happened": float(happened),
        "gap": float(np.average(gaps, weights=[one["rows"] for one in bins])),
        "bins": bins,
    }


def calibration_bins(truth: Floats, scores: Floats, counts: Floats) -> list[dict[str, float]]:
    """In ten bins of equally many rows: what was said, and what happened. All arrays [rows]; `counts` weighs them."""
    order: Integers = np.argsort(scores, kind="stable")
    bins = [chunk for chunk in np.array_split(order, min(_BINS, len(order))) if len(chunk)]
    return [
        {
            "said": float(np.average(scores[rows], weights=counts[rows])),
            "happened": float(np.average(truth[rows], weights=counts[rows])),
            "rows": float(len(rows)),
        }
        for rows in bins
    ]
