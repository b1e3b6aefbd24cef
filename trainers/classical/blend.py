"""Several models as one, and honest probabilities: each only where it gains more than noise on rows it did not see.

Blending is greedy selection with replacement (Caruana et al. 2004) on the answers for unseen folds. One temperature for
all probabilities is the smallest calibration there is (Guo et al. 2017): it cannot change an order, nor overfit much.
Both are judged across folds: what is tested on a fold was fitted on the others.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.optimize import minimize_scalar

from trainers.common.metrics import METRICS, Floats
from trainers.common.policy import policy

_TINY = 1e-12


def blend_weights(
    answers: list[Floats], truth: Floats, classes: int, metric: str, counts: Floats | None = None
) -> Floats:
    """The share of each model in the blend with the smallest loss; small shares are dropped.

    The loss is a proper one whatever the metric: log loss for classes, absolute or squared error for numbers. `counts`
    [rows] is how much each row counts, here and below.
    """
    loss = loss_on(truth, classes, metric, counts)
    counts = np.zeros(len(answers))
    total = np.zeros_like(answers[0])
    best = np.inf
    rules = policy("classical")["blend"]
    for step in range(1, rules["steps"] + 1):
        tried = [loss((total + answer) / step) for answer in answers]
        pick = int(np.argmin(tried))
        if tried[pick] >= best - 1e-9:
            break
        best = tried[pick]
        counts[pick] += 1
        total = total + answers[pick]
    shares = counts / counts.sum()
    shares[shares < rules["least_share"]] = 0.0
    return np.asarray(shares / shares.sum())


def best_temperature(probabilities: Floats, truth: Floats, counts: Floats | None = None) -> float:
    """The power by which probabilities are flattened (above 1) or sharpened, at the smallest log loss."""

    def loss(logarithm: float) -> float:
        return log_loss(tempered(probabilities, float(np.exp(logarithm))), truth, counts)

    found = minimize_scalar(loss, bounds=(np.log(0.25), np.log(4.0)), method="bounded", options={"xatol": 1e-3})
    return float(np.exp(found.x))


def tempered(probabilities: Floats, temperature: float) -> Floats:
    """Probabilities to the power of 1 / `temperature`, each row summing to one again."""
    if temperature == 1.0:
        return probabilities
    raised = np.clip(probabilities, _TINY, 1.0) ** (1.0 / temperature)
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def more_than_noise(gains: Floats) -> bool:
    """Whether paired gains over folds are above zero by more than one standard error, where they are defined."""
    gains = gains[~np.isnan(gains)]
    if len(gains) < 2:
        return False
    return bool(gains.mean() > gains.std(ddof=1) / np.sqrt(len(gains)) and gains.mean() > 1e-9)


def log_loss(probabilities: Floats, truth: Floats, counts: Floats | None = None) -> float:
    """Mean log loss of class probabilities."""
    return loss_on(truth, probabilities.shape[1], "log_loss", counts)(probabilities)


def loss_on(truth: Floats, classes: int, metric: str, counts: Floats | None = None) -> Callable[[Floats], float]:
    """A proper loss whatever the metric: log loss for classes, absolute or squared error for numbers."""

    def mean(losses: Floats) -> float:
        return float(losses.mean() if counts is None else np.average(losses, weights=counts))

    if classes:
        rows = np.arange(len(truth)), truth.astype(int)
        return lambda answer: mean(-np.log(np.clip(answer[rows], _TINY, 1.0)))
    if metric == METRICS["mae"].name:
        return lambda answer: mean(np.abs(answer[:, 0] - truth))
    return lambda answer: mean((answer[:, 0] - truth) ** 2)
