"""Whether the body of an image model stays as it is or is tuned: what a plan may ask, and what the run then takes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from advisor.base.errors import BadInput, did_you_mean
from advisor.base.safetext import plain
from advisor.records.plan import Plan
from advisor.records.run import Score
from trainers.common.intervals import ROUGH, bootstrap
from trainers.common.metrics import Floats, Integers, Metric
from trainers.common.policy import policy
from trainers.scratch.beside import output_of, score_of
from trainers.scratch.linear import Linear, fit_linear

AUTO, FROZEN, TUNED = METHODS = ("auto", "frozen", "tuned")
NAMES = {
    FROZEN: "the pretrained image model and a linear one",
    TUNED: "the tuned image model and a linear one",
}


@dataclass(frozen=True)
class Way:
    """One way: what its body sees in the rows that were read, and the linear model of all of them.

    `unseen` are the probabilities [rows held back, classes] of the same model without those rows, and `score` theirs.
    """

    method: str
    features: Floats
    linear: Linear
    strength: float
    part: Linear
    unseen: Floats
    score: Score


def method_of(plan: Plan) -> str:
    """The method that a plan asks for. Raises `BadInput` for one that does not exist."""
    setting = plan.settings.get("method")
    value = AUTO if setting is None else setting.value
    if value not in METHODS:
        said = plain(value, 40)
        raise BadInput(
            f"There is no method {said!r}: frozen leaves the saved model as it is, tuned teaches it your images, and "
            "auto compares both.",
            where="plan.yaml: settings.method",
            fix=f"{did_you_mean(said, METHODS)} train-or-not plan CASE --setting method=auto".strip(),
            code="no-method",
        )
    return str(value)


def fit_way(
    method: str, features: Floats, truth: Integers, held: NDArray[np.bool_], classes: int, metric: Metric, seed: int
) -> Way:
    """The linear model of all rows that were read [rows, width], as strong as the `held` ones of them choose."""
    found: dict[float, tuple[Score, Linear, Floats]] = {}
    for strength in policy("backbone")["strengths"]:
        part = fit_linear(features[~held], truth[~held], classes, strength)
        unseen = part.probabilities(features[held])
        found[strength] = score_of(metric, truth[held], unseen, seed), part, unseen
    best = max(found, key=lambda strength: metric.gain(found[strength][0].value, 0.0))
    score, part, unseen = found[best]
    return Way(method, features, fit_linear(features, truth, classes, best), best, part, unseen, score)


def nothing_to_gain(way: Way, truth: Integers, metric: Metric) -> bool:
    """Whether certain and right answers on all rows held back, `truth`, would score no better."""
    perfect = np.eye(way.unseen.shape[1])[truth]
    return metric.gain(metric.value(truth.astype(np.float64), output_of(perfect)), way.score.value) <= 1e-9


def simplest(frozen: Way, tuned: Way, truth: Integers, metric: Metric, seed: int) -> tuple[Way, str]:
    """Which of the two stays, and why: the tuned one where it gains more than one standard error on `truth` [held].

    The standard error is that of the paired difference over bootstrap resamples of these rows (Efron and Tibshirani
    1993; the rule of Breiman et al. 1984).
    """
    outputs = {way.method: output_of(way.unseen) for way in (frozen, tuned)}
    drawn = bootstrap(metric, truth.astype(np.float64), outputs, np.arange(len(truth)), seed, ROUGH)
    error = float(np.nanstd(drawn[TUNED] - drawn[FROZEN]))
    gain = metric.gain(tuned.score.value, frozen.score.value)
    told = (
        f"on {len(truth):,} rows held back tuning took {metric.title} from {frozen.score.value:.3g} to "
        f"{tuned.score.value:.3g}, "
    )
    if gain > max(error, 1e-9):
        return tuned, f"{told}more than one standard error ({error:.2g})"
    return (
        frozen,
        f"{told}no gain beyond one standard error ({error:.2g}), so the model as it is, which is simpler, stays",
    )
