"""A linear margin between classes with honest probabilities, quick where words are many and classes are dozens."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import LinearSVC

from trainers.common.metrics import Floats

_PARTS = 4


class SoftMargins(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """One linear margin a class against all others; their softmax, at one sharpness, is the probability.

    The sharpness is the one with the smallest log loss on a part held back, from margins that did not see it (one
    number cannot overfit; Platt's sigmoid a class needs as many fits as parts).
    """

    def __init__(self, strength: float = 0.5, seed: int = 0) -> None:
        self.strength, self.seed = strength, seed

    def fit(self, features: Any, target: Any, sample_weight: Any = None) -> SoftMargins:
        """Learn the sharpness on one part of four, then the margins on all rows."""
        target, counted = np.asarray(target), np.ones(len(target)) if sample_weight is None else sample_weight
        self.classes_ = np.unique(target)
        codes = np.searchsorted(self.classes_, target)
        self.sharpness_ = 4.0
        if np.bincount(codes).min() >= _PARTS:
            parts = StratifiedKFold(_PARTS, shuffle=True, random_state=self.seed)
            seen, held = next(iter(parts.split(codes, codes)))
            margins = self._margins(self._fresh().fit(features[seen], codes[seen], counted[seen]), features[held])
            self.sharpness_ = _best_sharpness(margins, codes[held], counted[held])
        self.model_ = self._fresh().fit(features, codes, counted)
        return self

    def predict_proba(self, features: Any) -> Floats:
        """Probabilities [rows, classes met]."""
        return np.asarray(softmax(self.sharpness_ * self._margins(self.model_, features), axis=1))

    def predict(self, features: Any) -> Any:
        """The class with the largest margin."""
        return self.classes_[np.argmax(self._margins(self.model_, features), axis=1)]

    def _fresh(self) -> LinearSVC:
        return LinearSVC(C=self.strength, random_state=self.seed)

    def _margins(self, model: LinearSVC, features: Any) -> Floats:
        margins = np.asarray(model.decision_function(features), dtype=np.float64)
        return margins if margins.ndim == 2 else np.column_stack([-margins, margins]) / 2


def _best_sharpness(margins: Floats, codes: Any, counted: Floats) -> float:
    rows = np.arange(len(codes)), codes

    def loss(logarithm: float) -> float:
        return float(np.average(-log_softmax(np.exp(logarithm) * margins, axis=1)[rows], weights=counted))

    found = minimize_scalar(loss, bounds=(np.log(0.2), np.log(60.0)), method="bounded", options={"xatol": 1e-2})
    return float(np.exp(found.x))
