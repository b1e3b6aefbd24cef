"""From probabilities to a class: where to cut, chosen on development rows only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from trainers.common.metrics import Floats, Metric, Output

# Accuracy, like the probabilities' own metrics, is best served by the likelier class. These are not: with a rare
# class their best cut lies well below one half.
TUNED = ("f1", "balanced_accuracy", "macro_f1", "quadratic_kappa")
_MOST_CUTS = 200
_LIFTS = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True)
class Cut:
    """Of two classes, the second is said from `threshold` on. Of more, the one with the largest probability × weight.

    No `weights` means all alike. `ranked` classes have an order: said is the one nearest to the expected rank.
    """

    threshold: float = 0.5
    weights: tuple[float, ...] = ()
    ranked: bool = False


def labelled(probabilities: Floats, cut: Cut) -> Output:
    """Probabilities [rows, classes] with the class of each row."""
    if probabilities.shape[1] == 2:
        labels = (probabilities[:, 1] >= cut.threshold).astype(np.int64)
    elif cut.ranked:
        ranks = probabilities @ np.arange(probabilities.shape[1])
        labels = np.rint(ranks).astype(np.int64)
    else:
        weighted = probabilities * np.asarray(cut.weights) if cut.weights else probabilities
        labels = np.argmax(weighted, axis=1).astype(np.int64)
    return Output(probabilities=probabilities, labels=labels)


def best_cut(metric: Metric, truth: Floats, probabilities: Floats) -> Cut:
    """The cut at which `metric` is best on these rows; the plain one where the metric does not ask for another."""
    if metric.name not in TUNED:
        return Cut()
    return (
        _best_threshold(metric, truth, probabilities)
        if probabilities.shape[1] == 2
        else _best_weights(metric, truth, probabilities)
    )


def cheapest_cut(truth: Floats, probabilities: Floats, missed: float, false_alarm: float) -> Cut:
    """The threshold with the smallest total cost on these rows, for what one missed case and one false alarm cost."""
    order = np.argsort(-probabilities[:, 1], kind="stable")
    scores, actual = probabilities[order, 1], truth[order]
    # Said "yes" for the first k rows, k from 0 to all: what is missed below, and what is a false alarm above.
    misses = actual.sum() - np.concatenate([[0.0], np.cumsum(actual)])
    alarms = np.concatenate([[0.0], np.cumsum(1 - actual)])
    costs = missed * misses + false_alarm * alarms
    whole = np.concatenate([[True], np.diff(scores) != 0, [True]])  # rows of one score cannot be told apart
    at = int(np.flatnonzero(whole)[np.argmin(costs[whole])])
    if at == 0:
        return Cut(float(np.nextafter(scores[0], np.inf)))
    return Cut(float((scores[at - 1] + scores[at]) / 2) if at < len(scores) else 0.0)


def costs_per_row(truth: Floats, answers: Mapping[str, Output], missed: float, false_alarm: float) -> dict[str, float]:
    """What the errors of each way cost on average, by name; a way that gives no labels is left out."""
    costs = {}
    for name, answer in answers.items():
        if answer.labels is not None:
            misses, alarms = (truth == 1) & (answer.labels == 0), (truth == 0) & (answer.labels == 1)
            costs[name] = float((missed * misses + false_alarm * alarms).mean())
    return costs


def _best_threshold(metric: Metric, truth: Floats, probabilities: Floats) -> Cut:
    """Cuts lie halfway between neighbouring probabilities, at most 200 of them; of equally good ones, the middle."""
    scores = np.unique(probabilities[:, 1])
    if len(scores) > _MOST_CUTS:
        scores = np.unique(np.quantile(scores, np.linspace(0, 1, _MOST_CUTS)))
    cuts = [Cut(float(at)) for at in np.concatenate([[scores[0]], (scores[1:] + scores[:-1]) / 2])]
    gains = np.array([metric.gain(metric.value(truth, labelled(probabilities, cut)), 0.0) for cut in cuts])
    best = np.flatnonzero(gains >= np.nanmax(gains) - 1e-12)
    return cuts[int(best[len(best) // 2])]


def _best_weights(metric: Metric, truth: Floats, probabilities: Floats) -> Cut:
    """Each class weighted by its share to the power of minus 0, ¼, ½, ¾ or 1: how far rare classes are lifted."""
    shares = np.bincount(truth.astype(int), minlength=probabilities.shape[1]) / len(truth)
    shares = np.maximum(shares, 1 / len(truth))
    cuts = [Cut(weights=tuple(map(float, shares**-lift))) if lift else Cut() for lift in _LIFTS]
    if metric.name == "quadratic_kappa":  # distances between ranks count, so the middle of doubt may be the best answer
        cuts.append(Cut(ranked=True))
    gains = [metric.gain(metric.value(truth, labelled(probabilities, cut)), 0.0) for cut in cuts]
    return cuts[int(np.nanargmax(gains))]
