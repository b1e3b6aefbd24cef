"""How good is it, by which measure: each metric by name, with its direction, weighted so that it can be bootstrapped.

A metric maps (truth, output, weights) to values. `weights` is a matrix [resamples, rows] of how often each row counts;
one row of ones gives the plain value. So the value and its interval come from one formula. Each is tested against
scikit-learn. Truth is class codes 0…k-1 (for two classes 1 is the case that matters) or numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from advisor.base.errors import BadInput, did_you_mean

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
_TINY = 1e-15


@dataclass(frozen=True)
class Output:
    """What a model says about rows: `numbers`; or `probabilities` [rows, classes] and the class codes `labels`."""

    numbers: Floats | None = None
    probabilities: Floats | None = None
    labels: Integers | None = None

    def of(self, rows: Integers | npt.NDArray[np.bool_]) -> Output:
        """The same for some of the rows."""
        return Output(
            None if self.numbers is None else self.numbers[rows],
            None if self.probabilities is None else self.probabilities[rows],
            None if self.labels is None else self.labels[rows],
        )


@dataclass(frozen=True)
class Metric:
    """A measure of quality. `uses` is what it reads of an output: numbers, probabilities or labels."""

    name: str
    title: str
    greater_is_better: bool
    tasks: tuple[str, ...]
    uses: str
    compute: Callable[[Floats, Output, Floats], Floats]

    def value(self, truth: Floats, output: Output, counts: Floats | None = None) -> float:
        """The value over all rows; NaN when it is undefined there (one class only, say).

        `counts` [rows] says how much each row counts; without it all count the same.
        """
        return float(self.values(truth, output, np.ones((1, len(truth))) if counts is None else counts[None])[0])

    def values(self, truth: Floats, output: Output, weights: Floats) -> Floats:
        """One value for each row of `weights`."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.compute(truth, output, weights)

    def gain(self, ours: float, theirs: float) -> float:
        """How much better ours is: positive is better, whatever the direction of the metric."""
        return ours - theirs if self.greater_is_better else theirs - ours


def metric_by_name(name: str, task: str) -> Metric:
    """The metric of that name. Raises `BadInput` when there is none, or it does not fit the task."""
    plain = name.strip().lower().replace("-", "_").replace(" ", "_")
    metric = METRICS.get(ALIASES.get(plain, plain))
    fitting = [one.name for one in METRICS.values() if task in one.tasks]
    if metric is None:
        raise BadInput(
            f"There is no metric {name!r}.",
            where="plan.yaml: metric",
            fix=did_you_mean(plain, METRICS) or f"For {task}: {', '.join(fitting)}.",
            code="no-metric",
        )
    if task not in metric.tasks:
        raise BadInput(
            f"{metric.name} does not measure a {task} task.",
            where="plan.yaml: metric",
            fix=f"Choose one of: {', '.join(fitting)}.",
            code="metric-task",
        )
    return metric


def _mean(per_row: Floats, weights: Floats) -> Floats:
    return np.asarray(weights @ per_row / weights.sum(axis=1))


def _labels(output: Output) -> Integers:
    if output.labels is None:
        raise TypeError("this metric reads labels")
    return output.labels


def _probabilities(output: Output) -> Floats:
    if output.probabilities is None:
        raise TypeError("this metric reads probabilities")
    return output.probabilities


def _numbers(output: Output) -> Floats:
    if output.numbers is None:
        raise TypeError("this metric reads numbers")
    return output.numbers


def _accuracy(truth: Floats, output: Output, weights: Floats) -> Floats:
    return _mean((_labels(output) == truth).astype(float), weights)


def _counts(truth: Floats, labels: Integers, code: int, weights: Floats) -> tuple[Floats, Floats, Floats]:
    """True positives, actual positives and predicted positives of one class."""
    actual, predicted = truth == code, labels == code
    return weights @ (actual & predicted), weights @ actual.astype(float), weights @ predicted.astype(float)


def _precision(truth: Floats, output: Output, weights: Floats) -> Floats:
    hits, _, predicted = _counts(truth, _labels(output), 1, weights)
    return np.where(predicted > 0, hits / predicted, 0.0)


def _recall(truth: Floats, output: Output, weights: Floats) -> Floats:
    hits, actual, _ = _counts(truth, _labels(output), 1, weights)
    return np.asarray(hits / actual)


def _f1_of(truth: Floats, labels: Integers, code: int, weights: Floats) -> Floats:
    hits, actual, predicted = _counts(truth, labels, code, weights)
    return np.where(actual + predicted > 0, 2 * hits / (actual + predicted), 0.0)


def _f1(truth: Floats, output: Output, weights: Floats) -> Floats:
    return _f1_of(truth, _labels(output), 1, weights)


def _macro_f1(truth: Floats, output: Output, weights: Floats) -> Floats:
    labels = _labels(output)
    codes = np.union1d(np.unique(truth), np.unique(labels)).astype(int)
    return np.asarray(np.mean([_f1_of(truth, labels, code, weights) for code in codes], axis=0))


def _balanced_accuracy(truth: Floats, output: Output, weights: Floats) -> Floats:
    labels = _labels(output)
    recalls = []
    for code in np.unique(truth).astype(int):
        hits, actual, _ = _counts(truth, labels, code, weights)
        recalls.append(np.where(actual > 0, hits / actual, np.nan))
    stacked = np.asarray(recalls)
    return np.asarray(np.nansum(stacked, axis=0) / (~np.isnan(stacked)).sum(axis=0))


def _quadratic_kappa(truth: Floats, output: Output, weights: Floats) -> Floats:
    """Agreement for ordered classes: one less the squared distance, against that of independent marginals."""
    labels = _labels(output)
    codes = range(int(max(truth.max(), labels.max())) + 1)
    seen = weights @ ((truth - labels) ** 2)
    actual = np.stack([weights @ (truth == code).astype(float) for code in codes], axis=1)
    predicted = np.stack([weights @ (labels == code).astype(float) for code in codes], axis=1)
    distance = np.array([[(i - j) ** 2 for j in codes] for i in codes], dtype=float)
    expected = np.einsum("bi,ij,bj->b", actual, distance, predicted) / weights.sum(axis=1)
    return np.asarray(1 - seen / expected)


def _log_loss(truth: Floats, output: Output, weights: Floats) -> Floats:
    probabilities = _probabilities(output)
    given = probabilities[np.arange(len(truth)), truth.astype(int)]
    return _mean(-np.log(np.clip(given, _TINY, 1.0)), weights)


def _brier(truth: Floats, output: Output, weights: Floats) -> Floats:
    probabilities = _probabilities(output)
    if probabilities.shape[1] == 2:
        return _mean((probabilities[:, 1] - truth) ** 2, weights)
    actual = np.eye(probabilities.shape[1])[truth.astype(int)]
    return _mean(((probabilities - actual) ** 2).sum(axis=1), weights)


def _by_score(actual: npt.NDArray[np.bool_], scores: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Weight of positives and negatives at each distinct score, scores descending: [resamples, scores]."""
    order = np.argsort(-scores, kind="stable")
    sorted_scores = scores[order]
    starts = np.concatenate([[0], np.flatnonzero(np.diff(sorted_scores)) + 1])
    sorted_weights = weights[:, order]
    positives = np.add.reduceat(sorted_weights * actual[order], starts, axis=1)
    return positives, np.add.reduceat(sorted_weights, starts, axis=1) - positives


def _auc(actual: npt.NDArray[np.bool_], scores: Floats, weights: Floats) -> Floats:
    """The chance that a positive scores above a negative, ties counting half (Mann-Whitney)."""
    positives, negatives = _by_score(actual, scores, weights)
    below = negatives.sum(axis=1, keepdims=True) - np.cumsum(negatives, axis=1)
    won = (positives * (below + 0.5 * negatives)).sum(axis=1)
    return np.asarray(won / (positives.sum(axis=1) * negatives.sum(axis=1)))


def _roc_auc(truth: Floats, output: Output, weights: Floats) -> Floats:
    probabilities = _probabilities(output)
    if probabilities.shape[1] == 2:
        return _auc(truth == 1, probabilities[:, 1], weights)
    present = np.unique(truth).astype(int)
    each = np.asarray([_auc(truth == code, probabilities[:, code], weights) for code in present])
    return np.asarray(np.nansum(each, axis=0) / (~np.isnan(each)).sum(axis=0))


def _average_precision(truth: Floats, output: Output, weights: Floats) -> Floats:
    """Precision averaged over the steps of recall."""
    positives, negatives = _by_score(truth == 1, _probabilities(output)[:, 1], weights)
    found, seen = np.cumsum(positives, axis=1), np.cumsum(positives + negatives, axis=1)
    precision = np.divide(found, seen, out=np.zeros_like(found), where=seen > 0)
    return np.asarray((precision * positives).sum(axis=1) / positives.sum(axis=1))


def _mae(truth: Floats, output: Output, weights: Floats) -> Floats:
    return _mean(np.abs(truth - _numbers(output)), weights)


def _rmse(truth: Floats, output: Output, weights: Floats) -> Floats:
    return np.sqrt(_mean((truth - _numbers(output)) ** 2, weights))


def _r2(truth: Floats, output: Output, weights: Floats) -> Floats:
    # From the first value on: the squares of large numbers that lie close together (moments, prices) would cancel out.
    near = truth - (truth[0] if len(truth) else 0.0)
    square = _mean(near**2, weights)
    spread = square - _mean(near, weights) ** 2
    varies = spread > 1e-12 * square
    return np.asarray(1 - _mean((truth - _numbers(output)) ** 2, weights) / np.where(varies, spread, np.nan))


_TWO, _ANY = ("binary",), ("binary", "multiclass")
METRICS = {
    metric.name: metric
    for metric in (
        Metric("roc_auc", "ROC-AUC", True, _ANY, "probabilities", _roc_auc),
        Metric("average_precision", "average precision", True, _TWO, "probabilities", _average_precision),
        Metric("log_loss", "log loss", False, _ANY, "probabilities", _log_loss),
        Metric("brier", "Brier score", False, _ANY, "probabilities", _brier),
        Metric("accuracy", "accuracy", True, _ANY, "labels", _accuracy),
        Metric("balanced_accuracy", "balanced accuracy", True, _ANY, "labels", _balanced_accuracy),
        Metric("f1", "F1", True, _TWO, "labels", _f1),
        Metric("precision", "precision", True, _TWO, "labels", _precision),
        Metric("recall", "recall", True, _TWO, "labels", _recall),
        Metric("macro_f1", "macro-F1", True, _ANY, "labels", _macro_f1),
        Metric("quadratic_kappa", "quadratic kappa", True, _ANY, "labels", _quadratic_kappa),
        Metric("mae", "mean absolute error", False, ("regression",), "numbers", _mae),
        Metric("rmse", "root mean squared error", False, ("regression",), "numbers", _rmse),
        Metric("r2", "R²", True, ("regression",), "numbers", _r2),
    )
}
ALIASES = {
    "auc": "roc_auc",
    "pr_auc": "average_precision",
    "ap": "average_precision",
    "logloss": "log_loss",
    "f1_macro": "macro_f1",
    "mean_absolute_error": "mae",
    "root_mean_squared_error": "rmse",
    "r_squared": "r2",
}
