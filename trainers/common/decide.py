"""From probabilities to a class: where to cut, chosen on development rows only."""

from __future__ import annotations

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

    No `weights` means all alike. `ranked` classes have an order: said is the one nearest to the expected rank. `costs`
    [true class, said class] are what answers cost: said is the one that costs least on average (Elkan 2001).
    """

    threshold: float = 0.5
    weights: tuple[float, ...] = ()
    ranked: bool = False
    costs: tuple[tuple[float, ...], ...] = ()


def cut_told(cut: Cut) -> dict[str, object]:
    """How a class is taken, for those who do it without this program: what is not used is left out, or says nothing."""
    told: dict[str, object] = {"threshold": cut.threshold, "class_weights": list(cut.weights)}
    return told | ({"costs": [list(row) for row in cut.costs]} if cut.costs else {})


def labelled(probabilities: Floats, cut: Cut) -> Output:
    """Probabilities [rows, classes] with the class of each row."""
    if probabilities.shape[1] == 2:
        labels = (probabilities[:, 1] >= cut.threshold).astype(np.int64)
    elif cut.costs:
        labels = np.argmin(probabilities @ np.asarray(cut.costs), axis=1).astype(np.int64)
    elif cut.ranked:
        ranks = probabilities @ np.arange(probabilities.shape[1])
        labels = np.rint(ranks).astype(np.int64)
    else:
        weighted = probabilities * np.asarray(cut.weights) if cut.weights else probabilities
        labels = np.argmax(weighted, axis=1).astype(np.int64)
    return Output(probabilities=probabilities, labels=labels)


def best_cut(metric: Metric, truth: Floats, probabilities: Floats, counts: Floats | None = None) -> Cut:
    """The cut at which `metric` is best on these rows; the plain one where the metric does not ask for another.

    `counts` [rows] is how much each row counts.
    """
    if metric.name not in TUNED:
        return Cut()
    return (
        _best_threshold(metric, truth, probabilities, counts)
        if probabilities.shape[1] == 2
        else _best_weights(metric, truth, probabilities, counts)
    )


def cheapest_cut(truth: Floats, probabilities: Floats, costs: Floats, counts: Floats | None = None) -> Cut:
    """Where to cut when answers cost `costs` [true class, said class].

    Of two classes at the threshold with the smallest total cost on these rows. Of more, each row's answer is the one
    with the least expected cost: as many thresholds as there are classes would be chosen from too few rows.
    """
    if len(costs) > 2:
        return Cut(costs=tuple(tuple(map(float, row)) for row in costs))
    order = np.argsort(-probabilities[:, 1], kind="stable")
    scores, paid = probabilities[order, 1], costs[truth[order].astype(np.int64)]
    if counts is not None:
        paid = paid * counts[order, None]
    # Said "yes" for the first k rows, k from 0 to all: they cost what a yes costs, and those below what a no costs.
    yes, no = (np.concatenate([[0.0], np.cumsum(paid[:, said])]) for said in (1, 0))
    total = yes + no[-1] - no
    whole = np.concatenate([[True], np.diff(scores) != 0, [True]])  # rows of one score cannot be told apart
    at = int(np.flatnonzero(whole)[np.argmin(total[whole])])
    if at == 0:
        return Cut(float(np.nextafter(scores[0], np.inf)))
    return Cut(float((scores[at - 1] + scores[at]) / 2) if at < len(scores) else 0.0)


def _best_threshold(metric: Metric, truth: Floats, probabilities: Floats, counts: Floats | None) -> Cut:
    """Cuts lie halfway between neighbouring probabilities, at most 200 of them; of equally good ones, the middle."""
    scores = np.unique(probabilities[:, 1])
    if len(scores) > _MOST_CUTS:
        scores = np.unique(np.quantile(scores, np.linspace(0, 1, _MOST_CUTS)))
    cuts = [Cut(float(at)) for at in np.concatenate([[scores[0]], (scores[1:] + scores[:-1]) / 2])]
    gains = np.array([metric.gain(metric.value(truth, labelled(probabilities, cut), counts), 0.0) for cut in cuts])
    best = np.flatnonzero(gains >= np.nanmax(gains) - 1e-12)
    return cuts[int(best[len(best) // 2])]


def _best_weights(metric: Metric, truth: Floats, probabilities: Floats, counts: Floats | None) -> Cut:
    """Each class weighted by its share to the power of minus 0, ¼, ½, ¾ or 1: how far rare classes are lifted."""
    shares = np.bincount(truth.astype(int), counts, minlength=probabilities.shape[1])
    shares = np.maximum(shares / shares.sum(), 1 / len(truth))
    cuts = [Cut(weights=tuple(map(float, shares**-lift))) if lift else Cut() for lift in _LIFTS]
    if metric.name == "quadratic_kappa":  # distances between ranks count, so the middle of doubt may be the best answer
        cuts.append(Cut(ranked=True))
    gains = [metric.gain(metric.value(truth, labelled(probabilities, cut), counts), 0.0) for cut in cuts]
    return cuts[int(np.nanargmax(gains))]
