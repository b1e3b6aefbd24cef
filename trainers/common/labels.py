"""The target column as codes or numbers, with what was dropped told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from advisor.base.errors import BadInput
from advisor.base.safetext import one_of, plain
from advisor.base.textnumbers import numbers_in
from trainers.common.metrics import Floats


@dataclass(frozen=True)
class Target:
    """`values` are class codes or numbers; `classes` names the codes in order, empty for numbers.

    Of two classes, code 1 is the case that matters: the plan's `positive_class`, or the last of a stated order, or
    else the rarer one.
    """

    values: Floats
    classes: tuple[str, ...]


def label_text(value: Any) -> str:
    """A label as text, the same whether a column was read as whole numbers or with gaps as decimals."""
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value)


def read_target(column: pd.Series[Any], task: str, positive: str = "", order: tuple[str, ...] = ()) -> Target:
    """The target of `task` from a column without gaps. Raises `BadInput` when it cannot be learnt from.

    `order` names the classes from the lowest to the highest; without it numbers are ordered as numbers.
    """
    name = plain(column.name, 60)
    if task == "regression":
        if order:
            raise BadInput(
                f"Column {name} is predicted as a number, and numbers need no stated order.",
                where="plan.yaml: settings.order",
                why="The order says which class is the lowest and which the highest.",
                fix="Take order out of the plan; if these are classes: train-or-not ask CASE (task_type: classify).",
                code="bad-order",
            )
        return Target(_numbers(column, name), ())
    texts = column.map(label_text)
    counts = texts.value_counts()
    classes = _in_order(list(counts.index), order, name)
    _check_classes(name, classes, counts, task, len(column))
    if task == "binary":
        if positive and positive not in classes:
            raise BadInput(
                f"The class that matters, {plain(positive, 40)!r}, is not in column {name}.",
                where="plan.yaml: settings.positive_class",
                fix=f"Choose one of: {one_of(classes)}.",
                code="no-positive-class",
            )
        last = order[-1] if order else min(classes, key=lambda label: (counts[label], [-ord(c) for c in label]))
        chosen = positive or last
        classes = [*(label for label in classes if label != chosen), chosen]
    codes = texts.map({label: code for code, label in enumerate(classes)})
    return Target(np.asarray(codes.to_numpy(), dtype=np.float64), tuple(classes))


def _in_order(labels: list[str], order: tuple[str, ...], name: str) -> list[str]:
    if order:
        if unknown := sorted(set(labels) ^ set(order)) or (len(set(order)) < len(order) and ["one twice"]):
            raise BadInput(
                f"The stated order of the classes does not fit column {name}: {one_of(unknown)}.",
                where="plan.yaml: settings.order",
                why="It must name every class of the column once.",
                fix=f"The column holds: {one_of(sorted(labels), 20)}.",
                code="bad-order",
            )
        return list(order)
    try:
        return sorted(labels, key=float)
    except ValueError:
        return sorted(labels)


def _numbers(column: pd.Series[Any], name: str) -> Floats:
    numbers = numbers_in(column, gaps=0.0)
    if numbers is None and pd.api.types.is_bool_dtype(column):
        numbers = column.astype("float64")
    if numbers is None or bool(numbers.isna().any()):
        example = next((cell for cell in column if numbers_in(pd.Series([cell], dtype=object)) is None), "")
        raise BadInput(
            f"Column {name} is no column of numbers: it holds {plain(example, 40)!r}.",
            where=name,
            why="Regression predicts numbers.",
            fix="If these are classes, answer so: train-or-not ask CASE (task_type: classify).",
            code="target-not-numbers",
        )
    values = numbers.to_numpy(dtype=np.float64)
    if np.ptp(values) == 0:
        raise BadInput(
            f"Column {name} holds the same number in every row.",
            where=name,
            why="There is nothing to learn: always saying that number is right every time.",
            fix="Choose another target, or collect rows in which it varies.",
            code="one-value",
        )
    return values


def _check_classes(name: str, classes: list[str], counts: pd.Series[Any], task: str, rows: int) -> None:
    if len(classes) < 2:
        raise BadInput(
            f"Column {name} holds one class only: {plain(classes[0], 60)}.",
            where=name,
            why="There is nothing to tell apart: a model would score perfectly and know nothing.",
            fix="Add rows of the other class, or answer task_type: anomaly if the other case was never seen.",
            code="one-class",
        )
    if task == "binary" and len(classes) > 2:
        raise BadInput(
            f"Column {name} holds {len(classes)} classes: {one_of(classes)}.",
            where=name,
            why="The plan says two.",
            fix="Plan again: train-or-not plan CASE",
            code="not-binary",
        )
    if len(classes) > max(20, rows // 3):
        raise BadInput(
            f"Column {name} holds {len(classes):,} different values in {rows:,} rows.",
            where=name,
            why="Classes must repeat to be learnt; this looks like a number or an identifier.",
            fix="Answer task_type: regress for a number, or choose another target.",
            code="too-many-classes",
        )
