"""Small models on raw numbers, which whatever sees pictures or signals is held against; and how a choice is scored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier

from advisor.base.errors import BadInput
from advisor.base.safetext import plain
from advisor.records.run import Score
from trainers.common.intervals import ROUGH, bootstrap, score
from trainers.common.metrics import Floats, Integers, Metric, Output
from trainers.scratch.linear import fit_linear

SMALL = ("linear", "extra trees")


def small_model(name: str, values: Floats, truth: Integers, classes: int, seed: int) -> Any:
    """A small model fitted to the raw numbers: a function from values to probabilities."""
    if name == "linear":
        return fit_linear(values, truth, classes).probabilities
    forest = ExtraTreesClassifier(150, random_state=seed, n_jobs=1).fit(values, truth)

    def answer(rows: Floats) -> Floats:
        found = np.zeros((len(rows), classes))
        found[:, forest.classes_] = forest.predict_proba(rows)
        return found

    return answer


def check_classes(truth: Integers, classes: tuple[str, ...], limits: Mapping[str, int], rows: str, why: str) -> None:
    """Raise `BadInput` where a class has too few of the training `rows` (their name), or there are too many classes.

    `truth` [rows] is class codes; `limits` are `fewest_per_class` and `classes` of the trainer's rules.
    """
    counts = np.bincount(truth, minlength=len(classes))
    rare = [classes[at] for at in np.flatnonzero(counts < limits["fewest_per_class"])]
    if rare or len(classes) > limits["classes"]:
        raise BadInput(
            f"{len(rare)} of {len(classes)} classes have fewer than {limits['fewest_per_class']} training {rows}."
            if rare
            else f"There are {len(classes):,} classes; at most {limits['classes']:,} are learnt.",
            where=plain(", ".join(rare[:5]), 100),
            why=why,
            fix="Label more of them, or put rare classes together.",
            code="too-few-rows",
        )


def output_of(probabilities: Floats) -> Output:
    """Of each row the most likely class, beside the probabilities [rows, classes]."""
    return Output(probabilities=probabilities, labels=probabilities.argmax(axis=1).astype(np.int64))


def score_of(metric: Metric, truth: Integers, probabilities: Floats, seed: int) -> Score:
    """The score on the held-back rows, with its interval."""
    actual, output, units = truth.astype(np.float64), output_of(probabilities), np.arange(len(truth))
    values = bootstrap(metric, actual, {"it": output}, units, seed, ROUGH)["it"]
    return replace(score(metric, actual, output, units, values), method="rows held back from training, bootstrap")
