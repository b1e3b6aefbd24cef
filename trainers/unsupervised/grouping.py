"""Groups by k-means; how many by which number two halves of the rows agree on most, beyond what chance gives.

Reads features [rows, features]. Agreement is measured on rows that neither half has seen, and the same is done with
every column shuffled by itself: only what the real rows agree on beyond that speaks for groups.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from sklearn.cluster import KMeans

from trainers.common.metrics import Floats, Integers
from trainers.contract import Progress
from trainers.unsupervised.halves import agreement, halves, shuffled


@dataclass(frozen=True)
class Tried:
    """One number of groups: the mean agreement between halves, the same with columns shuffled, and their spreads."""

    count: int
    agreed: tuple[float, ...]
    by_chance: tuple[float, ...]
    seconds: float

    @property
    def beyond(self) -> float:
        """How much better than shuffled columns, as a share of what there was to gain (like Cohen's kappa)."""
        chance = float(np.mean(self.by_chance))
        return (float(np.mean(self.agreed)) - chance) / max(1e-9, 1 - chance)


def centres_of(features: Floats, count: int, seed: int, starts: int) -> Floats:
    """The centres of `count` groups."""
    return np.asarray(KMeans(count, n_init=starts, random_state=seed).fit(features).cluster_centers_)


def nearest(features: Floats, centres: Floats) -> Integers:
    """The nearest centre of each row."""
    distance = (centres**2).sum(axis=1) - 2 * features @ centres.T
    return np.asarray(distance.argmin(axis=1), dtype=np.int64)


def try_counts(features: Floats, rules: dict[str, int], seed: int, progress: Progress, seconds: float) -> list[Tried]:
    """Every number of groups in turn, until the time is used up; one at least, held against chance once at least."""
    end = time.monotonic() + seconds
    tried: list[Tried] = []
    counts = [count for count in range(rules["fewest"], rules["most"] + 1) if 6 * count <= len(features)]
    for done, count in enumerate(counts):
        if done and time.monotonic() + tried[-1].seconds > end:
            break
        started = time.monotonic()
        agreed, chance = [], []
        for repeat in range(rules["halves"]):
            if repeat and time.monotonic() > end:
                break
            agreed.append(float(stability(features, count, seed + repeat, rules["starts"]).mean()))
            torn = shuffled(features, seed + 1000 + repeat)
            chance.append(float(stability(torn, count, seed + repeat, rules["starts"]).mean()))
        tried.append(Tried(count, tuple(agreed), tuple(chance), time.monotonic() - started))
        progress.step(done + 1, len(counts), f"{count} groups")
    return tried


def stability(features: Floats, count: int, seed: int, starts: int) -> Integers:
    """Whether two halves put each row of a third part together alike."""
    order = np.random.default_rng(seed).permutation(len(features))
    asked, rest = features[order[: len(order) // 3]], features[order[len(order) // 3 :]]
    first, second = halves(len(rest), seed)
    groupings = [nearest(asked, centres_of(rest[half], count, seed, starts)) for half in (first, second)]
    return agreement(groupings[0], groupings[1], count)


def chosen_count(tried: list[Tried], margin: float) -> Tried:
    """The most groups among those within `margin` of the best: as fine as is still found again."""
    best = max(one.beyond for one in tried)
    return max((one for one in tried if one.beyond >= best - margin), key=lambda one: one.count)


def left_within(features: Floats, count: int, seed: int, draws: int) -> tuple[float, Floats]:
    """The share of the spread left within `count` groups of `features` [rows, columns], and of one cloud [draws].

    The cloud has the rows' own covariance (SigClust: Liu, Hayes, Nobel and Marron 2008). Groups that leave no less than
    such a cloud does are stretches of one whole.
    """
    generator = np.random.default_rng(seed)
    middle, spread = features.mean(axis=0), np.cov(features, rowvar=False).reshape(features.shape[1], -1)
    clouds = [generator.multivariate_normal(middle, spread, len(features), method="eigh") for _ in range(draws)]
    return _left(features, count, seed), np.array([_left(cloud, count, seed) for cloud in clouds])


def _left(features: Floats, count: int, seed: int) -> float:
    within = float(KMeans(count, n_init=1, random_state=seed).fit(features).inertia_)
    return within / max(float(((features - features.mean(axis=0)) ** 2).sum()), 1e-12)
