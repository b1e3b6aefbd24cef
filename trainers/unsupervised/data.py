"""The rows of a plan for looking without answers: every column but those set aside; labels, where there are a few."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from advisor.base.errors import BadInput
from advisor.base.safetext import one_of, plain
from advisor.base.tables import read_table
from advisor.records.plan import Plan
from trainers.common.labels import label_text
from trainers.common.metrics import Floats, Integers
from trainers.common.policy import policy
from trainers.common.rows import data_path


@dataclass(frozen=True)
class Unlabelled:
    """`frame` holds the columns that are looked at, row by row; `numbers` are row numbers in the file.

    `odd` is 1 for a row labelled odd, 0 for one labelled usual and not-a-number without a label; `odd_word` the label.
    """

    frame: pd.DataFrame
    whole: pd.DataFrame
    numbers: Integers
    odd: Floats
    odd_word: str
    split_by: pd.Series[Any] | None
    notes: tuple[str, ...]


def load_unlabelled(plan: Plan, folder: Path, *, labels: bool) -> Unlabelled:
    """The plan's rows. With `labels` the target marks odd rows; otherwise it is set aside.

    Raises `BadInput` when there are too few rows or columns, or labels of more than two kinds.
    """
    table = read_table(data_path(plan, folder))
    frame, notes = table.frame, list(table.notes)
    aside = {plan.target, *(column.name for column in plan.drop)} & set(map(str, frame.columns))
    if plan.target and not labels:
        notes.append(f"Not looked at: {plain(plan.target, 60)}, which holds answers.")
    fewest = policy("discovering")["limits"]["fewest_rows"]
    if len(frame) < fewest:
        raise BadInput(
            f"There are {len(frame)} rows; to find groups or oddities it takes at least {fewest}.",
            where=str(data_path(plan, folder)),
            why="Two halves must find the same on rows that neither has seen.",
            fix="Collect more rows; so few can be read one by one.",
            code="too-few-rows",
        )
    kept = frame.drop(columns=list(aside))
    if not len(kept.columns):
        raise BadInput(
            "No column is left to look at.",
            where=plan.data,
            why=f"Set aside: {one_of(sorted(aside))}.",
            fix="Keep at least one column: train-or-not plan CASE --keep COLUMN",
            code="no-columns",
        )
    odd, word = _odd(frame[plan.target], plan) if labels and plan.target else (np.full(len(frame), np.nan), "")
    split_by = frame[plan.split.column] if plan.split.column in frame.columns else None
    return Unlabelled(kept, frame, np.arange(len(frame)), odd, word, split_by, tuple(notes))


def _odd(column: pd.Series[Any], plan: Plan) -> tuple[Floats, str]:
    """Which rows are labelled odd: of two labels the rarer one, or the plan's `positive_class`."""
    texts = column.map(label_text, na_action="ignore")
    counts = texts.value_counts()
    setting = plan.settings.get("positive_class")
    word = str(setting.value) if setting and setting.value else str(counts.index[-1]) if len(counts) else ""
    if len(counts) > 2 or (len(counts) and word not in counts.index):
        raise BadInput(
            f"Column {plain(column.name, 60)} holds {len(counts)} labels: {one_of(list(map(str, counts.index)))}.",
            where=plain(column.name, 60),
            why="Labels of oddities say odd or not; the rarer of two is the odd one.",
            fix="Write two labels, or name the odd one: train-or-not plan CASE --setting positive_class=LABEL",
            code="not-binary",
        )
    odd = texts.map(lambda text: np.nan if pd.isna(text) else float(text == word)).to_numpy(dtype=np.float64)
    return odd, word
