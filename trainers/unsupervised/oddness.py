"""How odd a row is, in four ways; each says which share of the training rows is less odd, so that they can be averaged.

Isolation forest (Liu, Ting and Zhou 2008); tails of each column, after ECOD (Li et al. 2022); distance to the
neighbours (Ramaswamy, Rastogi and Shim 2000); the most extreme single column by median and quartiles.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import NearestNeighbors

from trainers.common.metrics import Floats
from trainers.common.policy import policy

WAYS = ("forest", "tails", "neighbours", "extreme")
WORDS = {
    "forest": "isolation forest",
    "tails": "tails of each column",
    "neighbours": "distance to neighbours",
    "extreme": "the most extreme column",
}


@dataclass(frozen=True)
class Detector:
    """Fitted to training features: the forest, sorted columns, a sample of rows, and each way's sorted own scores."""

    forest: Any
    columns: Floats
    sample: Floats
    known: dict[str, Floats]

    def raw(self, features: Floats, way: str) -> Floats:
        """The way's own score, larger is odder."""
        if way == "forest":
            return np.asarray(-self.forest.score_samples(features))
        if way == "tails":
            return tails(features, self.columns)
        if way == "neighbours":
            return _distance(features, self.sample)
        return np.asarray(np.abs(features).max(axis=1))

    def score(self, features: Floats, ways: tuple[str, ...]) -> Floats:
        """The mean, over the ways, of the share of training rows that are less odd: 0 … 1."""
        shares = [self._share(self.raw(features, way), self.known[way]) for way in ways]
        return np.asarray(np.mean(shares, axis=0))

    @staticmethod
    def _share(raw: Floats, known: Floats) -> Floats:
        """Rank among the training scores; beyond the oddest of them it goes on rising, below 1 always."""
        left = np.searchsorted(known, raw, side="left")
        right = np.searchsorted(known, raw, side="right")
        share = (left + right) / 2 / (len(known) + 1)
        beyond = np.maximum(raw - known[-1], 0.0) / max(float(np.ptp(known)), 1e-12)
        return np.asarray(share + (1 - share) * beyond / (1 + beyond))


def fit_detector(features: Floats, seed: int) -> Detector:
    """All four ways fitted to the same rows."""
    rules = policy("discovering")["oddities"]
    trees, rows = rules["trees"], min(256, len(features))
    forest = IsolationForest(n_estimators=trees, max_samples=rows, random_state=seed, n_jobs=1)
    forest.fit(features)
    generator = np.random.default_rng(seed)
    size = min(rules["sample"], len(features))
    sample = features[np.sort(generator.choice(len(features), size, replace=False))]
    found = Detector(forest, np.sort(features, axis=0), sample, {})
    known = {way: np.sort(found.raw(features, way)) for way in WAYS}
    return Detector(forest, found.columns, sample, known)


def tails(features: Floats, columns: Floats) -> Floats:
    """The sum over columns of minus the logarithm of the share of training rows at least as far out on that side."""
    rows, total = len(columns), np.zeros(len(features))
    for at in range(features.shape[1]):
        below = np.searchsorted(columns[:, at], features[:, at], side="right")
        above = rows - np.searchsorted(columns[:, at], features[:, at], side="left")
        total += -np.log(np.maximum(np.minimum(below, above), 1) / rows)
    return total


def _distance(features: Floats, sample: Floats) -> Floats:
    """The mean distance to the nearest rows of the sample; a row's own place in it does not count."""
    count = min(policy("discovering")["oddities"]["neighbours"] + 1, len(sample))
    found, _ = NearestNeighbors(n_neighbors=count, n_jobs=1).fit(sample).kneighbors(features)
    nearest = np.where(found[:, 0] == 0, found[:, 1:].sum(axis=1), found[:, :-1].sum(axis=1))
    return np.asarray(nearest / max(1, count - 1))
