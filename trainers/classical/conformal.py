"""How far off may an answer be: intervals around numbers, or sets of classes, that hold the truth as often as asked.

Split conformal prediction (Vovk et al. 2005; Lei et al. 2018) with the answers for unseen folds as its calibration rows
(cross-conformal, Vovk 2015): rows like these are held at the share asked for; the sealed rows measure it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from trainers.common.intervals import wilson
from trainers.common.metrics import Floats, Output


@dataclass(frozen=True)
class Conformal:
    """`share` is how often the truth should be inside; `reach` how far off (number) or unlikely (class) it may be."""

    share: float
    reach: float

    def interval(self, numbers: Floats) -> tuple[Floats, Floats]:
        """The lower and upper end around each number."""
        return numbers - self.reach, numbers + self.reach

    def classes(self, probabilities: Floats) -> npt.NDArray[np.bool_]:
        """Which classes [rows, classes] cannot be ruled out; the likeliest one always stays."""
        inside = probabilities >= 1.0 - self.reach
        inside[np.arange(len(inside)), np.argmax(probabilities, axis=1)] = True
        return inside


def learn(share: float, truth: Floats, unseen: Floats, classes: int) -> Conformal:
    """The reach at which `share` of the unseen rows are held, with the correction for how few they are.

    `unseen` is [rows, classes] of probabilities, or [rows, 1] of numbers, for rows the models had not seen.
    """
    off = 1.0 - unseen[np.arange(len(truth)), truth.astype(int)] if classes else np.abs(unseen[:, 0] - truth)
    level = min(1.0, np.ceil((len(off) + 1) * share) / len(off))
    return Conformal(share, float(np.quantile(off, level, method="higher")))


def held(bounds: Conformal, truth: Floats, output: Output) -> dict[str, Any]:
    """On the sealed rows: how often the truth was inside, with its 95 % interval, and how wide the answers are."""
    if output.probabilities is not None:
        inside = bounds.classes(output.probabilities)
        hits = int(inside[np.arange(len(truth)), truth.astype(int)].sum())
        sizes = inside.sum(axis=1)
        width = {"classes_a_row": float(sizes.mean()), "one_class": float((sizes == 1).mean())}
    else:
        low, high = bounds.interval(np.asarray(output.numbers))
        hits, width = int(((low <= truth) & (truth <= high)).sum()), {"width": 2 * bounds.reach}
    low_share, high_share = wilson(hits, len(truth))
    return {"asked": bounds.share, "held": hits / len(truth), "low": low_share, "high": high_share, **width}


def told(found: dict[str, Any]) -> str:
    """The same as a sentence."""
    wide = (
        f"on average {found['classes_a_row']:.2f} classes a row, a single one for {found['one_class']:.0%} of the rows"
        if "classes_a_row" in found
        else f"each interval {found['width']:.4g} wide"
    )
    return (
        f"Asked to hold the truth {found['asked']:.0%} of the time, answers held it for {found['held']:.1%} of the "
        f"sealed rows ({found['low']:.1%} to {found['high']:.1%}), {wide}."
    )


def beside(bounds: Conformal, output: Output, classes: tuple[str, ...]) -> list[dict[str, Any]]:
    """What is told beside each answer: `low` and `high` of a number, or the `classes` that cannot be ruled out."""
    if output.probabilities is not None:
        inside = bounds.classes(output.probabilities)
        return [{"possible": [classes[code] for code in np.flatnonzero(row)]} for row in inside]
    low, high = bounds.interval(np.asarray(output.numbers))
    return [{"low": float(a), "high": float(b)} for a, b in zip(low, high, strict=True)]
