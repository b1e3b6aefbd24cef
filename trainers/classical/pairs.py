"""Products, ratios and differences of two columns: what trees only draw in steps, such as power from torque and speed.

Which pairs are worth a column is told by a short boosting over all of them, fitted inside the fold on training rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from advisor.base.safetext import plain
from trainers.classical.boosting import LightBoosting
from trainers.common.metrics import Floats, Integers
from trainers.common.policy import policy

PRODUCT, RATIO, DIFFERENCE = 0, 1, 2
_SIGNS = ("×", "/", "−")


class PairsOfNumbers(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """New columns from two numbers each; `classes` is 0 for numbers, `log` says that their logarithm is learnt.

    After `fit`, `first_`, `second_` and `way_` [pairs] tell which columns each is made of, and how; `gains_` how much
    the short boosting used it.
    """

    def __init__(self, classes: int = 0, log: bool = False, seed: int = 0) -> None:
        self.classes, self.log, self.seed = classes, log, seed

    def fit(self, table: Any, target: Any) -> PairsOfNumbers:
        """Keep the columns of `table` [rows, columns] that boosting uses most, then the pairs it uses beside them."""
        rules = policy("classical")["pairs"]
        numbers, truth = np.asarray(table, dtype=np.float64), np.asarray(target)
        if len(numbers) > rules["rows"]:
            drawn = np.random.default_rng(self.seed).choice(len(numbers), rules["rows"], replace=False)
            numbers, truth = numbers[drawn], truth[drawn]
        columns = np.arange(numbers.shape[1])
        if len(columns) > rules["columns"]:
            columns = _most_used(self._gains(numbers, truth), rules["columns"])
        first, second = (columns[side] for side in np.triu_indices(len(columns), 1))
        way = np.repeat([PRODUCT, RATIO, DIFFERENCE], len(first))
        first, second = np.tile(first, 3), np.tile(second, 3)
        gains = self._gains(np.hstack([numbers[:, columns], _made(numbers, first, second, way)]), truth)
        gains = gains[len(columns) :]
        kept = _most_used(gains, rules["kept"])
        self.first_, self.second_, self.way_, self.gains_ = first[kept], second[kept], way[kept], gains[kept]
        return self

    def fit_transform(self, table: Any, target: Any) -> Floats:
        """Choose the pairs and give their columns [rows, pairs]."""
        return self.fit(table, target).transform(table)

    def transform(self, table: Any) -> Floats:
        """The columns [rows, pairs]; a gap where either number is one, and for a ratio to zero."""
        return _made(np.asarray(table, dtype=np.float64), self.first_, self.second_, self.way_)

    def _gains(self, numbers: Floats, truth: Any) -> Floats:
        grown = {**policy("classical")["pairs"]["boosting"], "classes": self.classes, "log": self.log}
        return LightBoosting(**grown, seed=self.seed).fit(numbers, truth).gains()


def pairs_told(readings: Iterable[Any]) -> list[str]:
    """A note of the pairs that were used most, `torque × speed`, where a model's columns are read with pairs."""
    notes, count = [], policy("classical")["pairs"]["told"]
    for _, step, names in (one for reading in readings for one in getattr(reading, "transformers_", ())):
        if isinstance(step, PairsOfNumbers):
            best = np.argsort(-step.gains_, kind="stable")[:count]
            made = zip(step.first_[best], step.way_[best], step.second_[best], strict=True)
            told = [f"{plain(names[one], 40)} {_SIGNS[way]} {plain(names[other], 40)}" for one, way, other in made]
            notes.append(f"It also reads columns made of two; the most telling: {', '.join(told)}.")
    return notes


def _most_used(gains: Floats, count: int) -> Integers:
    """The places of the `count` largest gains, in their order; the first place where nothing gained."""
    best = np.argsort(-gains, kind="stable")[:count]
    used = best[gains[best] > 0]
    return np.sort(used if len(used) else best[:1])


def _made(numbers: Floats, first: Integers, second: Integers, way: Integers) -> Floats:
    """In floats of half the width, as ONNX computes: a file that is exported must cut where the model cuts."""
    ratios, products, differences = way == RATIO, way == PRODUCT, way == DIFFERENCE
    with np.errstate(over="ignore", invalid="ignore"):
        halved = numbers.astype(np.float32)
        left, right = halved[:, first], halved[:, second]
        made = np.full_like(left, np.nan)
        made[:, products] = left[:, products] * right[:, products]
        made[:, differences] = left[:, differences] - right[:, differences]
        below = right[:, ratios]
        made[:, ratios] = np.divide(left[:, ratios], below, out=made[:, ratios], where=below != 0)
    made[~np.isfinite(made)] = np.nan
    return made.astype(np.float64)
