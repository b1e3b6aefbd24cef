"""Old texts and new ones: can a classifier tell them apart better than it tells any random halves apart.

A ridge classifier on word weights, or on vectors of meaning, scored on folds it did not see. For fixed folds its scores
are a fixed matrix times the labels, so the labels can be shuffled hundreds of times for the price of one matrix
product: the p-value is exact
(Phipson and Smyth 2010), where the usual test on cross-validated scores raises false alarms.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from scipy import stats
from sklearn.feature_extraction.text import TfidfVectorizer

Floats = npt.NDArray[np.float64]
Vectors = Callable[[Sequence[str]], npt.NDArray[np.float32]]


def told_apart(
    old: Sequence[str],
    new: Sequence[str],
    *,
    permutations: int,
    folds: int,
    ridge: float,
    seed: int,
    vectors: Vectors | None = None,
) -> tuple[float, float]:
    """p, and the area under the curve with which unseen texts are told apart (0.5: not at all).

    Texts are alike as their words are, or, where `vectors` are given, as their meanings are.
    """
    draw = np.random.default_rng(seed)
    if vectors is not None:
        meanings = np.asarray(vectors([*old, *new]), dtype=np.float64)
        # Around their common middle: all sentences point about the same way, and only the rest tells them apart.
        meanings -= meanings.mean(axis=0)
        likeness = meanings @ meanings.T
    else:
        try:
            seen = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), max_features=20_000)
            words = seen.fit_transform([*old, *new])
        except ValueError:  # not one word in them
            return 1.0, 0.5
        likeness = np.asarray((words @ words.T).todense(), dtype=np.float64)
    labels = np.concatenate([np.zeros(len(old)), np.ones(len(new))])
    # Every fold holds both in proportion, and labels change places within a fold only: otherwise how well the folds
    # happen to be balanced would be told apart, not the texts.
    fold = np.concatenate([draw.permutation(len(part)) % folds for part in (old, new)])
    shuffled = np.repeat(labels[:, None], permutations + 1, axis=1)
    for number in range(folds):
        rows = np.flatnonzero(fold == number)
        shuffled[rows, 1:] = draw.permuted(shuffled[rows, 1:], axis=0)
    areas = _areas(_answers(likeness, fold, ridge) @ (shuffled - labels.mean()), shuffled > 0)
    return float((areas >= areas[0] - 1e-12).sum() / len(areas)), float(areas[0])


def _answers(likeness: Floats, fold: npt.NDArray[np.int64], ridge: float) -> Floats:
    """The matrix that turns labels into scores for rows of unseen folds: kernel ridge, one solve a fold."""
    matrix = np.zeros_like(likeness)
    for number in np.unique(fold):
        out, rest = np.flatnonzero(fold == number), np.flatnonzero(fold != number)
        inner = likeness[np.ix_(rest, rest)] + ridge * np.eye(len(rest))
        matrix[np.ix_(out, rest)] = np.linalg.solve(inner, likeness[np.ix_(rest, out)]).T
    return matrix


def _areas(scores: Floats, positive: npt.NDArray[np.bool_]) -> Floats:
    ranks = stats.rankdata(scores, axis=0)
    wins = np.where(positive, ranks, 0.0).sum(axis=0)
    count = positive.sum(axis=0)
    return np.asarray((wins - count * (count + 1) / 2) / (count * (len(scores) - count)))
