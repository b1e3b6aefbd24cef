"""A linear classifier as plain arrays: standardised features, one set of weights a class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression

from trainers.common.metrics import Floats, Integers


@dataclass(frozen=True)
class Linear:
    """`weights` [features, classes] and `start` [classes] on features freed of `middle` and `scale`."""

    middle: Floats
    scale: Floats
    weights: Floats
    start: Floats

    def probabilities(self, features: Floats) -> Floats:
        """[rows, classes]."""
        scores = (features - self.middle) / self.scale @ self.weights + self.start
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def fit_linear(features: Floats, truth: Integers, classes: int, strength: float = 0.1) -> Linear:
    """Logistic regression, held back. A class that no row has stays unlikely everywhere."""
    middle, scale = features.mean(axis=0), features.std(axis=0)
    scale = np.where(scale > 1e-9, scale, 1.0)
    model = LogisticRegression(C=strength, max_iter=300).fit((features - middle) / scale, truth)
    weights, start = np.zeros((features.shape[1], classes)), np.full(classes, -30.0)
    if len(model.classes_) == 2:
        one, two = model.classes_
        weights[:, two], start[[one, two]] = model.coef_[0], [0.0, model.intercept_[0]]
    else:
        weights[:, model.classes_], start[model.classes_] = model.coef_.T, model.intercept_
    return Linear(middle, scale, weights, start)
