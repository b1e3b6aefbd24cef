"""Which rows take turns to be unseen while a model is chosen, and what must be told of them.

The folds are those of the split. Where a rare class stands in a few groups only, it is spread over the folds; folds
that hold one class only to learn from are left out; folds on which the measure is not defined come last, and count
for nothing but the cut and the calibration.
"""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from advisor.base.errors import BadInput
from advisor.base.safetext import plain
from advisor.records.plan import Plan
from trainers.classical import planning
from trainers.common.metrics import Floats, Integers, Metric, Output
from trainers.common.policy import policy
from trainers.common.splits import Split, folds_of

Fold = tuple[Integers, Integers]


def turns(plan: Plan, split: Split, truth: Floats, classes: int, metric: Metric) -> tuple[list[Fold], tuple[str, ...]]:
    """The folds (train, validate), those on which the metric is defined first, and notes on what was unusual."""
    count = _count(plan)
    notes = []
    found = folds_of(split, count, plan.seed)
    if not found:
        # What the sealed rows say stays honest; only the choice is made without the order of time.
        notes.append("All training rows are of one moment: models were chosen on folds drawn at random among them.")
        found = folds_of(replace(split, kind="random", order=None), count, plan.seed)
    if split.kind == "group" and classes and not all(_is_whole(fold, truth, metric, classes) for fold in found):
        found = _spread(split, truth, count, plan.seed) or found
    taught = [fold for fold in found if not classes or _differ(truth[fold[0]])]
    if len(taught) < len(found):
        notes.append(
            f"{len(found) - len(taught)} of {len(found)} folds hold one class only to learn from, and were left out."
        )
    defined = [fold for fold in taught if is_defined(metric, truth[fold[1]], classes)]
    if not defined:
        raise BadInput(
            f"{metric.title} can be measured on none of the {len(found)} folds within the training part.",
            where="plan.yaml: split",
            why="Rows of different answers never stand beside each other there: they are of too few groups or times.",
            fix="Collect more groups or times that hold each answer, or split another way.",
            code="one-class-folds",
        )
    if len(defined) < len(taught):
        notes.append(
            f"{metric.title} is not defined on {len(taught) - len(defined)} of {len(taught)} folds, where all rows "
            "have the same answer; scores are the mean over the others."
        )
    undefined = [fold for fold in taught if not any(fold is one for one in defined)]
    return [*defined, *undefined], tuple(notes)


def is_defined(metric: Metric, truth: Floats, classes: int) -> bool:
    """Whether these rows can show how good a model is by the metric: one class alone has no ROC curve, for example."""
    if not classes:
        return bool(np.isfinite(metric.value(truth, Output(numbers=np.zeros(len(truth))))))
    alike = np.full((len(truth), classes), 1.0 / classes)
    return bool(np.isfinite(metric.value(truth, Output(None, alike, np.zeros(len(truth), dtype=np.int64)))))


def _is_whole(fold: Fold, truth: Floats, metric: Metric, classes: int) -> bool:
    return _differ(truth[fold[0]]) and is_defined(metric, truth[fold[1]], classes)


def _differ(truth: Floats) -> bool:
    return bool((truth != truth[0]).any())


def _spread(split: Split, truth: Floats, count: int, seed: int) -> list[Fold]:
    """Groups dealt out by the classes they hold instead of their sizes; nothing where that cannot be done."""
    rows = split.train
    dealer = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # that a class has fewer rows than folds is known here
            dealt = list(dealer.split(rows, truth[rows].astype(np.int64), split.units[rows]))
    except ValueError:  # scikit-learn's way to say that every class has fewer rows than there are folds
        return []
    return [(rows[train], rows[validate]) for train, validate in dealt if len(train) and len(validate)]


def _count(plan: Plan) -> int:
    """How many folds the plan asks for. Raises `BadInput` for what is no such number."""
    stated, bounds = planning.chosen(plan, "folds"), policy("classical")["folds"]
    number = int(str(stated)) if not isinstance(stated, bool) and str(stated).isdecimal() else 0
    if not bounds["fewest"] <= number <= bounds["most"]:
        raise BadInput(
            f"There cannot be {plain(stated, 20)} folds.",
            where="plan.yaml: settings.folds",
            why="Each fold is unseen once, while the others are learnt from.",
            fix=f"Give a whole number from {bounds['fewest']} to {bounds['most']}, for example 5.",
            code="bad-folds",
        )
    return number
