"""Which rows to label: a test part at random, then rows a model is unsure of, unlike each other, rare kinds first.

Rows for the test are drawn at random, for a test of chosen rows measures the choice. Uncertainty is the margin between
the two likeliest classes (Scheffer, Decomain and Wrobel 2001); among unsure rows the spread is by farthest-first
traversal (Gonzalez 1985; core-set, Sener and Savarese 2018). Without labels rows are spread over all there is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

from trainers.common.metrics import Floats, Integers
from trainers.common.policy import policy


@dataclass(frozen=True)
class Picked:
    """Row numbers with why each was taken, and what the model expects of it (empty without a model)."""

    rows: Integers
    why: tuple[str, ...]
    guess: tuple[str, ...]


@dataclass(frozen=True)
class Teacher:
    """A quick model on the labels there are: the probabilities of every row, and its score on rows it had not seen."""

    probabilities: Floats
    classes: tuple[str, ...]
    score: float


def learn_quickly(features: Floats, labels: Any, seed: int) -> Teacher | None:
    """A linear model of the labelled rows; None when there are too few, or only one class."""
    rules = policy("labelling")["learn_from"]
    known = np.array([bool(label) for label in labels])
    classes, counts = np.unique(labels[known].astype(str), return_counts=True)
    common = classes[counts >= rules["per_class"]]
    if known.sum() < rules["labels"] or len(common) < 2:
        return None
    use = known & np.isin(labels.astype(str), common)
    model = LogisticRegression(C=1.0, max_iter=500, random_state=seed)
    said = cross_val_predict(model, features[use], labels[use].astype(str), cv=rules["folds"])
    model.fit(features[use], labels[use].astype(str))
    score = float((said == labels[use].astype(str)).mean())
    return Teacher(model.predict_proba(features), tuple(map(str, model.classes_)), score)


def pick(
    features: Floats, labels: Any, test: int, more: int, teacher: Teacher | None, seed: int, both: int = 0
) -> Picked:
    """`test` random rows, the first `both` of them as random; then `more` that teach most; of rows without a label."""
    generator = np.random.default_rng(seed)
    free = np.flatnonzero([not label for label in labels])
    drawn = generator.permutation(free)
    # Those that everybody labels are drawn too: the first of the file may all be old, or of one class.
    for_test = np.concatenate([np.sort(drawn[: min(both, test)]), np.sort(drawn[min(both, test) : test])])
    rest = np.sort(drawn[test:])
    at_random = round(more * policy("labelling")["round"]["random_share"])
    chance = np.sort(generator.permutation(rest)[:at_random])
    pool = np.setdiff1d(rest, chance)
    if len(pool) > policy("labelling")["spread"]["rows"]:
        pool = np.sort(generator.permutation(pool)[: policy("labelling")["spread"]["rows"]])
    chosen = _teaching(features, pool, more - len(chance), teacher, np.concatenate([for_test, chance]))
    why = ["test: drawn at random"] * len(for_test) + ["learn: drawn at random"] * len(chance)
    word = "learn: unlike the others" if teacher is None else "learn: the model is unsure"
    why += [word] * len(chosen)
    rows = np.concatenate([for_test, chance, chosen]).astype(np.int64)
    guess = [""] * len(rows)
    if teacher is not None:
        guess = [teacher.classes[at] for at in teacher.probabilities[rows].argmax(axis=1)]
    return Picked(rows, tuple(why), tuple(guess))


def _teaching(features: Floats, pool: Integers, count: int, teacher: Teacher | None, taken: Integers) -> Integers:
    """The rows of the pool that teach most: unsure and perhaps rare first, then spread out."""
    if count <= 0 or not len(pool):
        return np.zeros(0, dtype=np.int64)
    if teacher is not None:
        pool = pool[np.argsort(_sureness(teacher, pool), kind="stable")]
        pool = pool[: count * policy("labelling")["spread"]["times"]]
    return np.sort(pool[farthest_first(features[pool], features[taken], min(count, len(pool)))])


def _sureness(teacher: Teacher, rows: Integers) -> Floats:
    """The margin of each row, made smaller where a rare class is likely: such rows are wanted first."""
    shares = np.sort(teacher.probabilities[rows], axis=1)
    margin = shares[:, -1] - shares[:, -2]
    said = teacher.probabilities.argmax(axis=1)
    common = np.bincount(said, minlength=len(teacher.classes)) / len(said)
    rarity = teacher.probabilities[rows] @ (1 - common)
    return np.asarray(margin * (1 - 0.5 * rarity))


def farthest_first(features: Floats, taken: Floats, count: int) -> Integers:
    """Positions of `count` rows, each the farthest from all taken before it; the first from those `taken` already."""
    start = features.mean(axis=0, keepdims=True) if not len(taken) else taken
    distance = np.full(len(features), np.inf)
    for row in start:
        distance = np.minimum(distance, ((features - row) ** 2).sum(axis=1))
    found = []
    for _ in range(count):
        at = int(np.argmax(distance))
        found.append(at)
        distance = np.minimum(distance, ((features - features[at]) ** 2).sum(axis=1))
        distance[at] = -1.0
    return np.array(found, dtype=np.int64)
