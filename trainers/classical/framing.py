"""From rows and a plan to the problem that models are tried on."""

from __future__ import annotations

import numpy as np
import pandas as pd

from advisor.records.plan import Plan
from trainers.classical import planning
from trainers.classical.candidates import is_skewed
from trainers.classical.columns import Schema
from trainers.classical.error_costs import stated_costs
from trainers.classical.folds import turns
from trainers.classical.pipelines import Setup
from trainers.classical.problem import Problem
from trainers.common.metrics import Floats, Integers, Metric
from trainers.common.rows import Rows
from trainers.common.splits import Split
from trainers.common.weights import relative


def framed(
    plan: Plan,
    rows: Rows,
    split: Split,
    metric: Metric,
    schema: Schema,
    prepared: pd.DataFrame,
    *,
    vectors: bool = False,
) -> Problem:
    """The problem: folds, measure, costs, weights, and what candidates must know of the training part alone.

    `vectors` says that the texts were read as sentence vectors.
    """
    truth, classes = rows.target.values, len(rows.target.classes)
    target = truth[split.train]
    setup = Setup(
        schema,
        classes,
        len(split.train),
        plan.seed,
        skewed=not classes and is_skewed(target),
        rarest=int(np.bincount(target.astype(int), minlength=classes).min()) if classes else 0,
        absolute=metric.name == "mae",
        vectors=vectors,
        monotone=planning.monotone(plan, schema, classes),
    )
    folds, notes = turns(plan, split, truth, classes, metric)
    counts = relative(rows.weights, split.train)
    balance = bool(planning.chosen(plan, "balance")) and classes > 0
    weights = _balanced(truth, split.train, classes, counts) if balance else counts
    costs = stated_costs(plan, rows.target.classes)
    return Problem(prepared, truth, classes, folds, metric, setup, costs, weights, notes, counts)


def _balanced(truth: Floats, train: Integers, classes: int, counts: Floats | None) -> Floats:
    """Each row's weight, so that all classes count the same on the training part and a row counts 1 on average."""
    each = np.ones(len(truth)) if counts is None else counts
    totals = np.bincount(truth[train].astype(int), each[train], minlength=classes)
    totals[totals == 0] = 1.0
    return np.asarray(each * (each[train].sum() / (classes * totals))[truth.astype(int)], dtype=np.float64)
