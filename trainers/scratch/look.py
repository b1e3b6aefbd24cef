"""What a person wants to know of a model of pictures or signals besides its score, on the rows held back from it.

Would more examples help, does it know its own rows by heart, and which part of a picture or signal does it look at.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from trainers.common.account import shares_of, time_is_up
from trainers.common.intervals import rough_interval
from trainers.common.metrics import Floats, Integers, Metric
from trainers.common.policy import policy
from trainers.scratch.beside import output_of
from trainers.scratch.linear import fit_linear
from trainers.scratch.model_file import Seer
from trainers.scratch.network import SmallNetwork, best_of, learn_again, probabilities
from trainers.scratch.timed import drawn

# From values [rows, values] to probabilities [rows, classes], all at once: the last bits do not matter here.
Answer = Callable[[Floats], Floats]


@dataclass(frozen=True)
class Looked:
    """What is looked at: all `values` and `truth`, which rows were learnt from and which held back, and the model."""

    values: Floats
    truth: Integers
    train: Integers
    held: Integers
    metric: Metric
    answer: Answer
    seed: int

    def score(self, answer: Answer, rows: Integers) -> dict[str, float]:
        """The metric on some rows, with its interval."""
        truth, output, units = self.truth[rows].astype(np.float64), output_of(answer(self.values[rows])), len(rows)
        return rough_interval(self.metric, truth, output, np.arange(units), self.seed)


def look(
    looked: Looked, side: int, fit: Callable[[Integers], Answer], a_fit: float, seconds: float
) -> tuple[dict[str, Any], dict[str, str]]:
    """Learning curve, train-validation gap and the parts it looks at; and for what is lacking the reason.

    `fit` makes the same kind of model from some rows only, in at most `a_fit` seconds.
    """
    end = time.monotonic() + seconds
    end_of_parts = time.monotonic() + policy("scratch")["look"]["share_of_parts"] * seconds
    importance = _parts_looked_at(looked, side, end_of_parts)
    found = {**gap_and_curve(looked, fit, a_fit, end), "importance": importance}
    return found, time_is_up("learning_curve", "importance")


def gap_and_curve(looked: Looked, fit: Callable[[Integers], Answer], a_fit: float, end: float) -> dict[str, Any]:
    """The train-validation gap, and the learning curve where a point of it besides the last is done by `end`.

    `fit` makes the same kind of model from some rows only, in at most `a_fit` seconds; `end` is of `time.monotonic`.
    """
    some = drawn(looked.truth[looked.train], looked.seed)[: policy("scratch")["look"]["rows"]]
    train = looked.score(looked.answer, looked.train[np.sort(some)])["value"]
    whole = looked.score(looked.answer, looked.held)
    gap = {"train": train, "validation": whole["value"], "gap": looked.metric.gain(train, whole["value"])}
    curve = [*_curve(looked, fit, a_fit, end), {"rows": float(len(looked.train)), **whole}]
    return {"train_validation_gap": gap} | ({"learning_curve": curve} if len(curve) > 1 else {})


def _curve(looked: Looked, fit: Callable[[Integers], Answer], a_fit: float, end: float) -> list[dict[str, float]]:
    order = drawn(looked.truth[looked.train], looked.seed)
    points = []
    for count in reversed(shares_of(len(order), int(policy("classical")["curve"]["fewest_rows"]))):
        if time.monotonic() + a_fit > end:
            break
        answer = fit(looked.train[np.sort(order[:count])])
        points.append({"rows": float(count), **looked.score(answer, looked.held)})
    return points[::-1]


def _parts_looked_at(looked: Looked, side: int, end: float) -> list[dict[str, Any]]:
    """How far the score falls when one part of each row is that of another row, largest fall first."""
    rows = looked.held[: policy("scratch")["look"]["rows"]]
    values, truth = looked.values[rows], looked.truth[rows].astype(np.float64)
    whole = looked.metric.value(truth, output_of(looked.answer(values)))
    other = np.random.default_rng(looked.seed).permutation(len(rows))
    found: list[dict[str, Any]] = []
    longest = 0.0
    for name, part in _parts(values.shape[1], side, int(policy("scratch")["look"]["parts"])):
        if time.monotonic() + longest > end:
            return []  # of some parts only, the largest would mean nothing
        started = time.monotonic()
        exchanged = values.copy()
        exchanged[:, part] = values[other][:, part]
        fall = looked.metric.gain(whole, looked.metric.value(truth, output_of(looked.answer(exchanged))))
        found.append({"column": name, "fall": float(fall), "spread": 0.0})
        longest = max(longest, time.monotonic() - started)
    return sorted(found, key=lambda one: -one["fall"])


def _parts(values: int, side: int, parts: int) -> list[tuple[str, Integers]]:
    """Stretches of a signal, or squares of a picture, with their names; counted from 1, as people do."""
    positions = np.arange(values)
    if not side:
        return [
            (f"values {part[0] + 1} to {part[-1] + 1}", part) for part in np.array_split(positions, parts) if len(part)
        ]
    square = positions.reshape(side, side)
    edges = np.array_split(np.arange(side), max(1, round(parts**0.5)))
    return [
        (
            f"rows {down[0] + 1} to {down[-1] + 1}, columns {across[0] + 1} to {across[-1] + 1}",
            square[np.ix_(down, across)].ravel(),
        )
        for down in edges
        for across in edges
        if len(down) and len(across)
    ]


def ways_of(
    seer: Seer, values: Floats, truth: Integers, rounds: list[dict[str, float]], learnt_from: int, seed: int
) -> tuple[Callable[[Integers], Answer], Answer]:
    """How the same kind of model is made from some rows, and how this one answers many rows at once."""
    count, side = len(seer.classes), seer.shape.side
    kernels, linear = seer.kernels, seer.linear
    if kernels is None or linear is None:
        network = seer.network
        if network is None:
            raise TypeError("a model of pictures needs a network")
        best = best_of(rounds) + 1

        def again(rows: Integers) -> Answer:
            # As many steps as the whole took: a curve over rows must not be one over time spent as well.
            longer = round(best * learnt_from / len(rows))
            return partial(_seen_by, learn_again(values[rows], truth[rows], count, side, longer, seed), side)

        return again, partial(_seen_by, network, side)

    def fitted(rows: Integers) -> Answer:
        less = fit_linear(kernels.features(values[rows]), truth[rows], count)
        return lambda asked: less.probabilities(kernels.features(asked))

    return fitted, lambda asked: linear.probabilities(kernels.features(asked))


def _seen_by(network: SmallNetwork, side: int, values: Floats) -> Floats:
    return probabilities(network, values, side)
