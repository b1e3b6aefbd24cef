"""A few small neural networks over scaled columns, averaged: products of columns, which trees only draw in steps.

scikit-learn learns the weights; only they are kept, as plain arrays. A row's sums are taken in one order whatever rows
stand beside it, which a product of whole matrices does not promise to the last bit.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.neural_network import MLPClassifier, MLPRegressor

from trainers.classical.sums import answers_of, learnt_from, likeliest
from trainers.common.metrics import Floats
from trainers.common.policy import policy


class SmallNetworks(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """`count` networks that differ by their seed; `classes` is 0 for numbers, `log` learns their logarithm."""

    def __init__(self, classes: int = 0, count: int = 2, log: bool = False, seed: int = 0) -> None:
        self.classes, self.count, self.log, self.seed = classes, count, log, seed

    def fit(self, features: Any, target: Any, sample_weight: Any = None) -> SmallNetworks:
        """Learn for as many passes as make the rules' number of rows seen; the answers of all are averaged."""
        rules = policy("classical")["networks"]
        table, rows = _dense(features), features.shape[0]
        truth, met = learnt_from(target, self.classes, self.log)
        self.middle_, self.scale_ = 0.0, 1.0
        if self.classes:
            self.classes_ = met
        else:
            self.middle_, self.scale_ = float(np.mean(truth)), float(np.std(truth)) or 1.0
            truth = (truth - self.middle_) / self.scale_
        passes = int(np.clip(rules["rows_seen"] / rows, rules["passes"]["fewest"], rules["passes"]["most"]))
        kind = MLPClassifier if self.classes else MLPRegressor
        self.layers_ = []
        for at in range(self.count):
            network = kind(
                hidden_layer_sizes=tuple(rules["units"]),
                alpha=rules["penalty"],
                learning_rate_init=rules["rate"],
                batch_size=min(rows, rules["batch"]["few" if rows < rules["batch"]["few_rows"] else "many"]),
                random_state=self.seed + at,
            )
            # Pass by pass: `fit` would warn people that the number of passes, bounded on purpose, was reached.
            first = {"classes": np.arange(len(met))} if self.classes else {}
            for _ in range(passes):
                network.partial_fit(table, truth, sample_weight=sample_weight, **first)
            self.layers_.append(list(zip(network.coefs_, network.intercepts_, strict=True)))
        return self

    def predict(self, features: Any) -> Floats:
        """Numbers [rows], or the class codes with the largest probability."""
        return likeliest(self.predict_proba(features), self.classes_ if self.classes else np.empty(0))

    def predict_proba(self, features: Any) -> Floats:
        """Probabilities [rows, classes met]; numbers [rows, 1] where there are no classes."""
        table, met = _dense(features), self.classes_ if self.classes else np.empty(0)
        found = [answers_of(self._scaled(_sums(table, layers)), met, self.log) for layers in self.layers_]
        return np.asarray(np.mean(found, axis=0))

    def _scaled(self, sums: Floats) -> Floats:
        return sums if self.classes else sums * self.scale_ + self.middle_


def _sums(table: Floats, layers: list[tuple[Floats, Floats]]) -> Floats:
    """What the last layer says [rows, outputs], before it is turned into probabilities."""
    *hidden, (weights, start) = layers
    for inner, begin in hidden:
        table = np.maximum(np.einsum("ri,io->ro", table, inner) + begin, 0.0)
    return np.asarray(np.einsum("ri,io->ro", table, weights) + start)


def _dense(features: Any) -> Floats:
    return np.asarray(features.toarray() if hasattr(features, "toarray") else features, dtype=np.float64)
