"""How much each row counts: a column of the data that says so, read once and used wherever rows are learnt or counted.

A weight stands for how many rows like this one there are (a survey's weights), or for how much this row matters. Only
their proportions count: models are told weights that are 1 on average, so that what holds a model back stays as strong.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from advisor.base.errors import BadInput
from advisor.base.safetext import plain
from advisor.base.textnumbers import numbers_in
from advisor.records.plan import Plan
from trainers.common.metrics import Floats, Integers

SETTING = "weight_column"


def weight_column(plan: Plan) -> str:
    """The column that says how much a row counts; empty where all count the same."""
    setting = plan.settings.get(SETTING)
    return str(setting.value or "") if setting else ""


def read_weights(column: pd.Series[Any]) -> Floats:
    """The weight of each row [rows]. Raises `BadInput` where one is missing, no number, infinite, or not above zero."""
    numbers = numbers_in(column, gaps=0.0)
    values = (
        numbers.to_numpy(dtype=np.float64, na_value=np.nan) if numbers is not None else np.full(len(column), np.nan)
    )
    bad = np.flatnonzero(~(np.isfinite(values) & (values > 0)))
    if not len(bad):
        return np.asarray(values, dtype=np.float64)
    name = plain(column.name, 60)
    if numbers is None:
        # Of a column with words among its numbers the first word is shown, not its first number.
        read = pd.to_numeric(column, errors="coerce")
        bad = np.flatnonzero(~(np.isfinite(read.to_numpy(dtype=np.float64, na_value=np.nan)) & (read > 0).to_numpy()))
    cell = column.iloc[bad[0]]
    held = "no weight" if pd.isna(cell) or not str(cell).strip() else f"{plain(cell, 30)!r}"
    raise BadInput(
        f"Column {name} cannot say how much each row counts: in {len(bad):,} of {len(column):,} rows it is missing or "
        f"not above zero; the first of them holds {held}.",
        where=f"plan.yaml: settings.{SETTING}",
        why="A row that counts nothing, or less than nothing, can be neither learnt from nor measured on.",
        fix=f"Give these rows a weight above zero, or take them out of the file; then look and plan again with "
        f"--setting {SETTING}={name}",
        code="bad-weights",
    )


def relative(weights: Floats | None, train: Integers) -> Floats | None:
    """The same proportions [rows] with a mean of 1 over the training rows; None where all rows count the same."""
    return None if weights is None else np.asarray(weights / weights[train].mean(), dtype=np.float64)


def equal_rows(weights: Floats) -> float:
    """How many rows of one weight would tell as much as these: (Σw)² / Σw² (Kish 1965, Survey Sampling, 11.7)."""
    return float(weights.sum() ** 2 / (weights**2).sum())


def told(name: str, weights: Floats, sealed: Floats) -> str:
    """What a reader of the figures must know of them, in a sentence or two."""
    return (
        f"Scores are weighted: rows count by column {plain(name, 60)} ({weights.min():.4g} to {weights.max():.4g}), in "
        f"learning and in every score and interval. The {len(sealed):,} sealed rows tell as much as "
        f"{equal_rows(sealed):,.0f} that count the same (Kish 1965). What lists rows (right and wrong answers, slices, "
        "groups, residuals, how often bounds hold) counts each once."
    )
