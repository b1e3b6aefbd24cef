"""What is to be learnt, and how answers for unseen rows are measured on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from advisor.records.run import Score
from trainers.classical.pipelines import Setup
from trainers.common.decide import Cut, best_cut, cheapest_cut, labelled
from trainers.common.intervals import WEIGHTED
from trainers.common.metrics import Floats, Integers, Metric, Output

# A cut that did best on fewer rows is noise.
_FEWEST_TO_CUT = 100


@dataclass(frozen=True)
class Problem:
    """Prepared rows, truth, folds within the training part, and the measure.

    `costs` [true class, said class] are what answers cost, where that was stated; `weights` how much each row counts
    while learning, and `counts` in every measure; `notes` tell what is unusual about the folds.
    """

    prepared: pd.DataFrame
    truth: Floats
    classes: int
    folds: list[tuple[Integers, Integers]]
    metric: Metric
    setup: Setup
    costs: Floats | None = None
    weights: Floats | None = None
    notes: tuple[str, ...] = ()
    counts: Floats | None = None

    def learning(self, rows: Integers) -> dict[str, Floats]:
        """What `fit` is told besides: how much each of these rows counts, where that was asked for."""
        return {} if self.weights is None else {"model__sample_weight": self.weights[rows]}

    def target(self, rows: Integers) -> Integers | Floats:
        """The target of some rows as scikit-learn wants it: whole-number codes, or numbers."""
        return self.truth[rows].astype(np.int64) if self.classes else self.truth[rows]

    def truth_of(self, folds: list[int]) -> Floats:
        """The truth on the unseen rows of some folds, one after the other."""
        return np.asarray(self.truth[self._unseen(folds)])

    def counts_of(self, folds: list[int]) -> Floats | None:
        """How much each of those rows counts; None where all count the same."""
        return self.counting(self._unseen(folds))

    def counting(self, rows: Integers) -> Floats | None:
        """How much each of some rows counts in a measure; None where all count the same."""
        return None if self.counts is None else self.counts[rows]

    def value(self, rows: Integers, output: Output) -> float:
        """The metric of an output for some rows."""
        return self.metric.value(self.truth[rows], output, self.counting(rows))

    def _unseen(self, folds: list[int]) -> Integers:
        return np.concatenate([self.folds[at][1] for at in folds])


def cut_of(answers: dict[int, Floats], problem: Problem) -> Cut:
    """Where to cut between classes, by the answers for unseen folds."""
    if not problem.classes:
        return Cut()
    truth, unseen = problem.truth_of(sorted(answers)), np.concatenate([answers[at] for at in sorted(answers)])
    counts = problem.counts_of(sorted(answers))
    if problem.costs is not None:
        return cheapest_cut(truth, unseen, problem.costs, counts)
    return Cut() if len(truth) < _FEWEST_TO_CUT else best_cut(problem.metric, truth, unseen, counts)


def gains_of(answers: dict[int, Floats], problem: Problem, cut: Cut | None = None) -> Floats:
    """The metric on each fold's rows, turned so that more is better; the cut is these answers' own unless given."""
    where = cut_of(answers, problem) if cut is None else cut
    values = [problem.value(problem.folds[at][1], as_output(answers[at], problem, where)) for at in sorted(answers)]
    return np.array([problem.metric.gain(value, 0.0) for value in values])


def as_output(answer: Floats, problem: Problem, cut: Cut) -> Output:
    """Raw numbers or probabilities as an output."""
    return labelled(answer, cut) if problem.classes else Output(numbers=answer[:, 0])


def fold_score(problem: Problem, gains: Floats, rows: int, confidence: float = 0.95) -> Score:
    """Mean over folds; folds share training rows, so the interval is somewhat too narrow, and is called rough.

    A fold on which the metric is not defined (one class only, say) is left out, and the score says so.
    """
    metric = problem.metric
    sign = 1.0 if metric.greater_is_better else -1.0
    every, gains = len(gains), gains[~np.isnan(gains)]
    mean, count = float(np.mean(gains)) if len(gains) else float("nan"), len(gains)
    folds = f"{count} folds" if count == every else f"the {count} of {every} folds where it is defined"
    half = 0.0
    if count > 1:
        half = float(stats.t.ppf((1 + confidence) / 2, count - 1) * np.std(gains, ddof=1) / np.sqrt(count))
    low, high = sorted((sign * (mean - half), sign * (mean + half)))
    method = f"mean of {folds}, rough t interval" + (" of rows" + WEIGHTED) * (problem.counts is not None)
    return Score(metric.name, sign * mean, low, high, rows, confidence, method)
