"""The cheaper rungs of a table: always the same answer, and the best rule on one column.

Both are learnt on the training part only, are told in a sentence, and need no model to run: a rule that does as well
as training is the better answer.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.feature_selection import chi2, f_regression
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from advisor.base.safetext import plain
from trainers.common.costs import cost_metric
from trainers.common.decide import Cut, best_cut, cheapest_cut, labelled
from trainers.common.metrics import Floats, Integers, Metric, Output

_LEAVES = 4
_MOST_CATEGORIES = 20
_FINALISTS = 5
_FEWEST_IN_BIN = 5
# Pulls a bin's shares towards the overall ones by so many rows, so that a bin of five is never certain.
_PRIOR_ROWS = 2.0
_CHANCE = -1
_GUESSES = 20
_MOST_WORDS = 3_000
_WORD = r"\b\w\w+\b"


@dataclass(frozen=True)
class OneRule:
    """One column cut into bins, and an answer for each: by `edges` for numbers, by `categories`, by a `word` in a text.

    `answers` has a row per bin, then one for missing or unseen cells, or for texts without the word: class shares, or
    one number.
    """

    column: str
    edges: tuple[float, ...]
    categories: tuple[str, ...]
    answers: tuple[tuple[float, ...], ...]
    word: str = ""
    cut: Cut = field(default_factory=Cut)

    def apply(self, frame: pd.DataFrame) -> Output:
        """The rule's answer for each row."""
        answers = np.asarray(self.answers)[_bins(frame[self.column], self)]
        return labelled(answers, self.cut) if answers.shape[1] > 1 else Output(numbers=answers[:, 0])

    def text(self, classes: tuple[str, ...]) -> str:
        """The rule in words."""
        name = plain(self.column, 40)
        if self.word:
            whens = [f"{name} holds the word {plain(self.word, 30)!r}", "it does not"]
        elif self.categories:
            whens = [f"{name} = {plain(category, 30)}" for category in self.categories]
        else:
            ends = [f"{edge:.4g}" for edge in self.edges]
            whens = [f"{name} ≤ {ends[0]}"] if ends else [f"{name} known"]
            whens += [f"{low} < {name} ≤ {high}" for low, high in itertools.pairwise(ends)]
            whens += [f"{name} > {ends[-1]}"] if ends else []
        given = [self._answer(answer, classes) for answer in self.answers]
        if classes:  # where the rule is cut so that it does not say the likeliest class, that is told
            shares = np.asarray(self.answers)
            codes = labelled(shares, self.cut).labels
            for at, code in enumerate([] if codes is None else codes.tolist()):
                given[at] += f", so {plain(classes[code], 30)}" if shares[at, code] < shares[at].max() else ""
        said = [f"{when}: {answer}" for when, answer in zip(whens, given, strict=False)]
        return "; ".join(said[:6]) + ("; …" if len(said) > 6 else "") + "."

    def _answer(self, answer: tuple[float, ...], classes: tuple[str, ...]) -> str:
        if len(answer) == 1:
            return f"{answer[0]:.4g}"
        best = len(answer) - 1 if len(answer) == 2 else int(np.argmax(answer))
        return f"{plain(classes[best], 30)} {answer[best]:.0%}"


def trivial(metric: Metric, truth: Floats, classes: int, rows: int, counts: Floats | None = None) -> Output:
    """The answer without looking that does best by `metric` on `truth`, given to `rows` rows.

    Always one class, or a blind guess: under macro-F1 guessing beats any one class, and a model must beat guessing.
    `counts` is how much each row of `truth` counts.
    """
    if not classes:
        return Output(numbers=np.full(rows, _middle(truth, counts) if metric.name == "mae" else _mean(truth, counts)))
    shares = _shares(truth, classes, counts)
    probabilities = np.tile(shares, (len(truth), 1))
    generator = np.random.default_rng(0)

    def gain(said: Integers) -> float:
        return metric.gain(metric.value(truth, Output(None, probabilities, said), counts), 0.0)

    constant = [gain(np.full(len(truth), code, dtype=np.int64)) for code in range(classes)]
    best = max(range(classes), key=lambda code: (constant[code], float(shares[code])))
    guesses = np.array([gain(generator.integers(0, classes, len(truth))) for _ in range(_GUESSES)])
    if guesses.mean() - 2 * guesses.std() > constant[best]:
        best = _CHANCE
    labels = generator.integers(0, classes, rows) if best == _CHANCE else np.full(rows, best, dtype=np.int64)
    return Output(probabilities=np.tile(shares, (rows, 1)), labels=labels)


def guessed(metric: Metric, constant: Output) -> tuple[str, ...]:
    """A note for people where the trivial answer is a blind guess, and so not always the same."""
    if constant.labels is None or len(constant.labels) < 2 or not np.ptp(constant.labels):
        return ()
    better = f"by {metric.title} it does better than any one class does"
    return (f"In place of always the same answer stands a blind guess among the classes: {better}.",)


def _mean(values: Floats, counts: Floats | None) -> float:
    return float(np.average(values, weights=counts))


def _middle(values: Floats, counts: Floats | None) -> float:
    """The median; with `counts` the smallest value that half of the weight lies at or below."""
    if counts is None:
        return float(np.median(values))
    return float(np.quantile(values, 0.5, weights=counts, method="inverted_cdf"))


def _shares(truth: Floats, classes: int, counts: Floats | None) -> Floats:
    found = np.bincount(truth.astype(int), counts, minlength=classes)
    return np.asarray(found / found.sum(), dtype=np.float64)


def best_rule(
    metric: Metric,
    frame: pd.DataFrame,
    truth: Floats,
    classes: int,
    folds: list[tuple[Integers, Integers]],
    texts: tuple[str, ...] = (),
    counts: Floats | None = None,
    costs: Floats | None = None,
) -> OneRule | None:
    """The rule on one column that does best in cross-validation; None when no column can carry one.

    With `costs` [true class, said class] that is the one whose answers cost least, each rule cut where it is cheapest.

    `texts` names the columns of free text: a rule there is whether a text holds a word. `counts` [rows] is how much
    each row counts.
    Every column is screened on the first fold; the best few are then compared on all folds.
    """
    names = list(map(str, frame.columns))
    each = np.ones(len(truth)) if counts is None else counts
    measure = metric if costs is None else cost_metric(costs)

    def cut(truth: Floats, probabilities: Floats, counts: Floats) -> Cut:
        if costs is not None:
            return cheapest_cut(truth, probabilities, costs, counts)
        return best_cut(metric, truth, probabilities, counts)

    def loss(name: str, on: list[tuple[Integers, Integers]]) -> float:
        return _loss(measure, cut, frame[name], truth, classes, on, each, prose=name in texts)

    screened = sorted((loss(name, folds[:1]), name) for name in names)
    finalists = [name for loss, name in screened[:_FINALISTS] if np.isfinite(loss)]
    if not finalists:
        return None
    losses = {name: loss(name, folds) for name in finalists}
    chosen = min(finalists, key=lambda name: losses[name])
    rows = np.unique(np.concatenate([np.concatenate(fold) for fold in folds]))
    rule = _learn(frame[chosen].iloc[rows], truth[rows], classes, each[rows], prose=chosen in texts)
    if not classes:
        return rule
    output = rule.apply(frame.iloc[rows])
    if output.probabilities is None:
        return rule
    return replace(rule, cut=cut(truth[rows], output.probabilities, each[rows]))


def _loss(
    metric: Metric,
    cut_by: Callable[[Floats, Floats, Floats], Cut],
    column: pd.Series[Any],
    truth: Floats,
    classes: int,
    folds: list[tuple[Integers, Integers]],
    counts: Floats,
    *,
    prose: bool,
) -> float:
    """Mean loss over folds: smaller is better, whatever the metric's direction."""
    losses = []
    for train, validate in folds:
        rule = _learn(column.iloc[train], truth[train], classes, counts[train], prose=prose)
        output = rule.apply(column.iloc[validate].to_frame())
        if output.probabilities is not None:
            on_train = rule.apply(column.iloc[train].to_frame()).probabilities
            cut = cut_by(truth[train], on_train, counts[train]) if on_train is not None else Cut()
            output = labelled(output.probabilities, cut)
        losses.append(-metric.gain(metric.value(truth[validate], output, counts[validate]), 0.0))
    # Where a fold holds one class only the metric may be undefined; the other folds still tell.
    defined = [loss for loss in losses if np.isfinite(loss)]
    return float(np.mean(defined)) if defined else float("inf")


def _learn(column: pd.Series[Any], truth: Floats, classes: int, counts: Floats, *, prose: bool) -> OneRule:
    rule = OneRule(str(column.name), (), (), ())
    if prose:
        rule = replace(rule, word=_best_word(column, truth, classes))
    elif pd.api.types.is_numeric_dtype(column):
        rule = replace(rule, edges=_cuts(column.to_numpy(dtype=np.float64, na_value=np.nan), truth, classes, counts))
    else:
        met = column.value_counts()
        common = met[met >= _FEWEST_IN_BIN].index[:_MOST_CATEGORIES]
        rule = replace(rule, categories=tuple(sorted(map(str, common))))
    where = _bins(column, rule)
    overall = _shares(truth, classes, counts) if classes else np.array([_mean(truth, counts)])
    each = counts / counts.mean()  # so that the prior stays as strong, whatever unit the weights are in
    answers = []
    for code in range(_bin_count(rule)):
        inside, held = truth[where == code], each[where == code]
        found = np.bincount(inside.astype(int), held, minlength=classes) if classes else np.array([held @ inside])
        answers.append(tuple(map(float, (found + _PRIOR_ROWS * overall) / (held.sum() + _PRIOR_ROWS))))
    return replace(rule, answers=tuple(answers))


def _best_word(column: pd.Series[Any], truth: Floats, classes: int) -> str:
    """The word whose presence goes most with the target, by chi-squared or F; empty when no word repeats."""
    counter = CountVectorizer(binary=True, min_df=_FEWEST_IN_BIN, max_features=_MOST_WORDS, token_pattern=_WORD)
    try:
        present = counter.fit_transform(column)
    except ValueError:  # scikit-learn's way to say that no word is left
        return ""
    with np.errstate(invalid="ignore", divide="ignore"):  # a word in every row has no strength: not a number
        strength = chi2(present, truth)[0] if classes else f_regression(present, truth)[0]
    if np.isnan(strength).all():
        return ""
    return str(counter.get_feature_names_out()[int(np.nanargmax(strength))])


def _cuts(values: Floats, truth: Floats, classes: int, counts: Floats) -> tuple[float, ...]:
    known = np.isfinite(values)
    if known.sum() < 2 * _FEWEST_IN_BIN:
        return ()
    leaf = max(_FEWEST_IN_BIN, int(0.02 * known.sum()))
    kind = DecisionTreeClassifier if classes else DecisionTreeRegressor
    tree = kind(max_leaf_nodes=_LEAVES, min_samples_leaf=leaf, random_state=0)
    tree.fit(values[known].reshape(-1, 1), truth[known], counts[known])
    cuts = tree.tree_.threshold[tree.tree_.feature >= 0]
    return tuple(sorted({float(cut) for cut in cuts}))


def _bin_count(rule: OneRule) -> int:
    return 2 if rule.word else len(rule.categories) + 1 if rule.categories else len(rule.edges) + 2


def _bins(column: pd.Series[Any], rule: OneRule) -> Integers:
    """The bin of each cell; the last one is for missing or unseen cells, or for texts without the word."""
    last = _bin_count(rule) - 1
    if rule.word:
        holds = column.map(lambda cell: rule.word in re.findall(_WORD, str(cell).lower()))
        return np.where(holds.to_numpy(dtype=bool), 0, last).astype(np.int64)
    if rule.categories:
        position = {category: code for code, category in enumerate(rule.categories)}
        return column.map(lambda cell: position.get(str(cell), last)).to_numpy(dtype=np.int64)
    if not pd.api.types.is_numeric_dtype(column):
        return np.full(len(column), last, dtype=np.int64)
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    codes = np.searchsorted(np.asarray(rule.edges), values, side="left")
    return np.where(np.isfinite(values), codes, last).astype(np.int64)
