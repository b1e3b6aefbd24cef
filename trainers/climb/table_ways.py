"""The ways to answer for a row of a table, each with its answers for rows it had not seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from advisor.records.plan import Plan
from trainers.classical import planning
from trainers.classical.choose import choose
from trainers.classical.final import fitted
from trainers.classical.model_file import Model
from trainers.classical.problem import Problem, as_output
from trainers.classical.search import search
from trainers.climb.rulefile import WrittenRule
from trainers.common.baselines import best_rule, trivial
from trainers.common.metrics import Integers, Output
from trainers.common.rows import Rows
from trainers.contract import Progress

Fold = tuple[Integers, Integers]
Answer = Callable[[Integers], Output]


@dataclass
class Way:
    """One way to answer: what it said about unseen rows of the training part, and how it answers any others."""

    name: str
    rung: str
    unseen: Output
    answer: Answer
    told: str = ""
    seconds_each: float = 0.0

    def timed(self, rows: Integers) -> Output:
        """The answers for some rows, with the seconds one takes kept in `seconds_each`."""
        started = perf_counter()
        output = self.answer(rows)
        self.seconds_each = (perf_counter() - started) / max(1, len(rows))
        return output


def trained(problem: Problem, plan: Plan, train: Integers, work: Path, progress: Progress) -> tuple[Way, list[Fold]]:
    """The best of the classical models, and the folds on which it was judged (all, unless time ran out)."""
    candidates = planning.candidates(plan, problem.setup)
    tried = search(problem, candidates, work, progress, plan.budget_seconds)
    chosen = choose(tried, problem, blends=not planning.chosen(plan, "explainable"))
    cut = chosen.cut(problem)
    answers = chosen.unseen()
    unseen = as_output(np.concatenate([answers[at] for at in sorted(answers)]), problem, cut)
    model: list[Model] = []

    def answer(rows: Integers) -> Output:
        with threadpool_limits(1):
            if not model:
                progress.phase(f"Fitting the {chosen.name} on the whole training part")
                model.append(fitted(problem, chosen, cut, train))
            return model[0].answer_prepared(problem.prepared.iloc[rows])

    folds = [problem.folds[at] for at in sorted(answers)]
    return Way("trained model", "scratch", unseen, answer, f"{chosen.name}: {chosen.reason}."), folds


def same_answer(problem: Problem, train: Integers, folds: list[Fold]) -> Way:
    """Always the same, as learnt on what each fold trains on."""

    def say(learnt_on: Integers, rows: int) -> Output:
        counts = problem.counting(learnt_on)
        return trivial(problem.metric, problem.truth[learnt_on], problem.classes, rows, counts)

    unseen = joined([say(learnt_on, len(validate)) for learnt_on, validate in folds])
    return Way("always the same", "no_ml", unseen, lambda rows: say(train, len(rows)))


def one_column(problem: Problem, folds: list[Fold], classes: tuple[str, ...]) -> Way | None:
    """The best rule on one column, learnt anew for each fold; None when no column carries one."""
    texts = tuple(column.name for column in problem.setup.schema.of("text"))

    def learn(within: list[Fold]) -> Any:
        truth, classes, counts = problem.truth, problem.classes, problem.counts
        return best_rule(problem.metric, problem.prepared, truth, classes, within, texts, counts)

    whole = learn(folds)
    if whole is None:
        return None
    parts = []
    for train, validate in folds:
        rule = learn(_inner(folds, train)) or whole
        parts.append(rule.apply(problem.prepared.iloc[validate]))
    return Way(
        "one-column rule",
        "no_ml",
        joined(parts),
        lambda rows: whole.apply(problem.prepared.iloc[rows]),
        whole.text(classes),
    )


def _inner(folds: list[Fold], train: Integers) -> list[Fold]:
    """The folds cut down to what may be seen: rows of `train`. All of it as one fold where none is left."""
    cut = [(np.intersect1d(one, train), np.intersect1d(other, train)) for one, other in folds]
    kept = [(one, other) for one, other in cut if len(one) and len(other)]
    return kept or [(train, train)]


def written(rule: WrittenRule, rows: Rows, unseen: Integers) -> Way:
    """The user's own rule. It learns nothing, so every row is unseen."""
    classes = rows.target.classes
    rule.check_labels(classes)

    def answer(at: Integers) -> Output:
        records: list[Mapping[Any, object]] = list(rows.features.iloc[at].to_dict("records"))
        labels = np.array([classes.index(rule.answer(record)) for record in records], dtype=np.int64)
        return Output(probabilities=np.eye(len(classes))[labels], labels=labels)

    return Way("your rule", "no_ml", answer(unseen), answer, "as you wrote it")


def joined(parts: list[Output]) -> Output:
    """Outputs one below the other."""

    def stacked(values: list[Any]) -> Any:
        return None if values[0] is None else np.concatenate(values)

    return Output(
        stacked([part.numbers for part in parts]),
        stacked([part.probabilities for part in parts]),
        stacked([part.labels for part in parts]),
    )
