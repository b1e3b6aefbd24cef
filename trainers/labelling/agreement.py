"""How far several people agree on the same rows, beyond chance.

Cohen's kappa for two people who labelled the same rows (1960), Fleiss' kappa for more (1971), Krippendorff's alpha for
any number with gaps (Content Analysis, chapter 11; nominal distance). Answers are codes 0…k-1, -1 for none.

Where everybody gave one and the same answer all three are not-a-number: people who never say anything else agree by
habit as much as by judgement, and nothing tells which.
"""

from __future__ import annotations

import numpy as np

from trainers.common.intervals import percentile, resamples, wilson
from trainers.common.metrics import Floats, Integers


def cohen(first: Integers, second: Integers) -> float:
    """Agreement of two people over what their own habits would give by chance."""
    both = (first >= 0) & (second >= 0)
    if not both.any():
        return float("nan")
    one, two = first[both], second[both]
    kinds = int(max(one.max(), two.max())) + 1
    seen = float((one == two).mean())
    shares = [np.bincount(answers, minlength=kinds) / len(answers) for answers in (one, two)]
    chance = float(shares[0] @ shares[1])
    return (seen - chance) / (1 - chance) if chance < 1 else float("nan")


def fleiss(answers: Integers) -> float:
    """Agreement of several people [rows, people] over chance; rows that somebody left out are passed over."""
    whole = answers[(answers >= 0).all(axis=1)]
    if not len(whole) or whole.shape[1] < 2:
        return float("nan")
    people, kinds = whole.shape[1], int(whole.max()) + 1
    table = np.stack([(whole == kind).sum(axis=1) for kind in range(kinds)], axis=1).astype(np.float64)
    seen = float((((table**2).sum(axis=1) - people) / (people * (people - 1))).mean())
    chance = float(((table.sum(axis=0) / table.sum()) ** 2).sum())
    return (seen - chance) / (1 - chance) if chance < 1 else float("nan")


def krippendorff(answers: Integers) -> float:
    """Alpha of [rows, people] with gaps: one less the disagreement seen by that expected by chance."""
    return float(alphas(answers, np.ones((1, len(answers))))[0])


def krippendorff_interval(answers: Integers, seed: int, confidence: float = 0.95) -> tuple[float, float]:
    """The interval of alpha, by drawing rows again, and no narrower than so few rows allow."""
    units = np.arange(len(answers))
    values = np.concatenate([alphas(answers, weights) for weights in resamples(units, seed, 2_000)])
    low, high = percentile(values, confidence)
    return min(low, _lowest(answers, confidence)), high


def _lowest(answers: Integers, confidence: float) -> float:
    """Alpha, had as many rows been in conflict as the conflicts seen leave open.

    Rows drawn again from rows without a conflict never hold one, and would call three rows alike certain agreement.
    """
    table, given = _paired(answers)
    unlike = (given**2 - (table**2).sum(axis=1)) / (given * (given - 1))
    conflicts = int((unlike > 0).sum())
    severity = float(unlike.sum()) / conflicts if conflicts else 1.0
    most = wilson(conflicts, len(table), confidence)[1] * severity
    total = float(given.sum())
    expected = (total**2 - float((table.sum(axis=0) ** 2).sum())) / (total * (total - 1))
    return max(-1.0, 1 - most / expected) if expected > 0 else float("nan")


def alphas(answers: Integers, weights: Floats) -> Floats:
    """Alpha for each row of `weights` [resamples, rows], which says how often a row counts."""
    table, given = _paired(answers)
    if not len(table):
        return np.full(len(weights), np.nan)
    counted = weights[:, (answers >= 0).sum(axis=1) >= 2]
    # Pairs of unlike answers within a row, and among all answers.
    unlike = (given**2 - (table**2).sum(axis=1)) / (given - 1)
    seen = counted @ unlike
    totals = counted @ table
    everything = totals.sum(axis=1)
    expected = (everything**2 - (totals**2).sum(axis=1)) / np.maximum(everything - 1, 1)
    return np.where(expected > 0, 1 - seen / np.where(expected > 0, expected, 1), np.nan)


def _paired(answers: Integers) -> tuple[Floats, Floats]:
    """How often each answer was given [rows, answers], and how many answers, of rows with two or more."""
    kinds = int(answers.max(initial=0)) + 1
    table = np.stack([(answers == kind).sum(axis=1) for kind in range(kinds)], axis=1).astype(np.float64)
    given = table.sum(axis=1)
    paired = given >= 2  # an answer that nobody can be compared with says nothing
    return table[paired], given[paired]
