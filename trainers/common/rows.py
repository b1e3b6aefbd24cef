"""Exactly the rows and columns the plan names, or a refusal: never quietly other data."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from advisor.base.datafolder import sha256_of_data
from advisor.base.errors import BadInput, did_you_mean
from advisor.base.safetext import one_of, plain
from advisor.base.tables import read_table
from advisor.records.plan import Plan
from trainers.common.labels import Target, label_text, read_target
from trainers.common.metrics import Floats, Integers
from trainers.common.sensitive import AUDIT, is_audited, named_for_audit
from trainers.common.weights import SETTING as WEIGHT
from trainers.common.weights import read_weights, weight_column

# Below this, folds and a sealed part cannot both hold rows enough to compute a metric on.
FEWEST_ROWS = 40


@dataclass(frozen=True)
class Rows:
    """`features` and `target` row by row. `numbers` are row numbers in the file, 0 the first after the header.

    `split_by` is the column the split goes by, kept apart from the features, or None; `weights` how much each row
    counts, or None. `aside` are columns that no model sees, kept so that errors can be told by group of people.
    """

    features: pd.DataFrame
    target: Target
    numbers: Integers
    split_by: pd.Series[Any] | None
    notes: tuple[str, ...]
    weights: Floats | None = None
    aside: pd.DataFrame = field(default_factory=pd.DataFrame)


def load_rows(plan: Plan, folder: Path, *, images: bool = False) -> Rows:
    """The rows of `plan`, whose data path is absolute or relative to the case's `folder`.

    `images` says that the trainer reads names of image files, and so a folder of images too.
    Raises `BadInput` when the file changed since the plan, lacks a column, or holds nothing to learn from.
    """
    path = data_path(plan, folder)
    table = read_table(path)
    if table.format == "images" and not images:
        raise BadInput(
            f"{path.name} is a folder of images, and the trainer {plain(plan.trainer, 40)} reads tables.",
            where="plan.yaml: data",
            why="File names say nothing of what is to be seen.",
            fix="Start from a saved image model: train-or-not plan CASE --approach fine_tune --setting base=FOLDER",
            code="no-table",
        )
    frame = table.frame
    _check_columns(plan, list(frame.columns))
    notes = list(table.notes)
    present = _has_label(frame[plan.target])
    absent = int((~present).sum())
    if absent == len(frame):
        raise BadInput(
            f"The target column {plain(plan.target, 60)} is empty in every row.",
            where=plain(plan.target, 60),
            why="Without one label there is nothing to learn from.",
            fix="Label some rows first: train-or-not ask CASE (n_labeled: 0) shows how many.",
            code="no-labels",
        )
    if absent:
        notes.append(f"{absent:,} of {len(frame):,} rows have no target and were left out.")
        frame = frame[present]
    if len(frame) < FEWEST_ROWS:
        raise BadInput(
            f"There are {len(frame)} rows with a target; training needs at least {FEWEST_ROWS}.",
            where=str(path),
            why="A sealed part and a choice between models both need rows of their own.",
            fix="Label more rows, or write the rule down by hand.",
            code="too-few-rows",
        )
    setting = plan.settings.get("positive_class")
    target = read_target(frame[plan.target], plan.task, str(setting.value) if setting else "", _order(plan))
    dropped = {plan.target, *(column.name for column in plan.drop)}
    split_by = frame[plan.split.column] if plan.split.column else None
    if plan.split.kind == "group" and plan.split.column:
        # The model will meet new groups: what names the group cannot help there, and misleads here.
        dropped.add(plan.split.column)
    weighing = weight_column(plan)
    weights = read_weights(frame[weighing]) if weighing else None
    if weighing:
        dropped.add(weighing)
    features = frame.drop(columns=list(dropped))
    if not len(features.columns):
        raise BadInput(
            "No column is left to learn from.",
            where=str(path),
            why=f"Left out: {one_of(sorted(dropped))}.",
            fix="Keep at least one column that is known at prediction time.",
            code="no-columns",
        )
    if len(features.drop_duplicates()) == 1:
        raise BadInput(
            "Every row is the same but for its target.",
            where=str(path),
            why="Nothing tells the rows apart, so there is nothing to learn from.",
            fix="Add columns that differ between rows and are known at prediction time.",
            code="no-columns",
        )
    numbers = np.flatnonzero(present.to_numpy())
    reset = split_by.reset_index(drop=True) if split_by is not None else None
    audited = [name for name in frame.columns if name in dropped - {plan.target} and is_audited(plan, str(name))]
    aside = frame[audited].reset_index(drop=True)
    return Rows(features.reset_index(drop=True), target, numbers, reset, tuple(notes), weights, aside)


def _order(plan: Plan) -> tuple[str, ...]:
    """The classes from the lowest to the highest, where the plan states them. Raises `BadInput` for what is no list."""
    stated = plan.settings.get("order")
    if not stated or not stated.value:
        return ()
    if not isinstance(stated.value, list | tuple):
        raise BadInput(
            f"{plain(stated.value, 40)!r} is no order of classes.",
            where="plan.yaml: settings.order",
            why="It must name every class of the target, from the lowest to the highest.",
            fix="Write them as a list, for example --setting 'order=[low, middle, high]'",
            code="bad-order",
        )
    return tuple(map(label_text, stated.value))


def _has_label(column: pd.Series[Any]) -> pd.Series[bool]:
    """Blank text and infinities are no label."""
    if pd.api.types.is_float_dtype(column):
        return pd.Series(np.isfinite(column.to_numpy()), column.index)
    blank = column.map(lambda cell: isinstance(cell, str) and not cell.strip())
    return pd.Series((column.notna() & ~blank).to_numpy(dtype=bool), column.index)


def data_path(plan: Plan, folder: Path) -> Path:
    """Where the plan's data stands. Raises `BadInput` when it is gone or changed."""
    path = Path(plan.data) if Path(plan.data).is_absolute() else folder / plan.data
    content = sha256_of_data(path)
    if not content:
        raise BadInput(
            f"The plan's data is not there: {path}.",
            where="plan.yaml: data",
            fix=f"Put the file back, or look at the new place: train-or-not look {folder}",
            code="no-file",
        )
    if content != plan.data_sha256:
        raise BadInput(
            f"{path.name} has changed since the plan was made.",
            where=str(path),
            why="The plan's columns, split and estimate belong to the old content.",
            fix=f"Look and plan again: train-or-not look {folder} && train-or-not plan {folder}",
            code="data-changed",
        )
    return path


def _check_columns(plan: Plan, names: list[str]) -> None:
    wanted = {"target": plan.target, **{f"drop: {column.name}": column.name for column in plan.drop}}
    if plan.split.column:
        wanted["split.column"] = plan.split.column
    elif plan.split.kind == "group" and not plan.split.same:
        raise BadInput(
            "The plan splits by group but names no column.",
            where="plan.yaml: split.column",
            fix="Name the column that tells whose row it is.",
            code="no-group",
        )
    wanted |= {f"split.same: {name}": name for name in plan.split.same}
    wanted |= {f"settings.{AUDIT}: {name}": name for name in named_for_audit(plan)}
    if weighing := weight_column(plan):
        wanted[f"settings.{WEIGHT}"] = weighing
    if weighing == plan.target:
        raise BadInput(
            f"Column {plain(plan.target, 60)} is the answer, and cannot also say how much a row counts.",
            where=f"plan.yaml: settings.{WEIGHT}",
            fix="Name another column, or none.",
            code="bad-weights",
        )
    for where, name in wanted.items():
        if name not in names:
            raise BadInput(
                f"The data has no column {plain(name, 60)!r}.",
                where=f"plan.yaml: {plain(where, 80)}",
                fix=did_you_mean(name, names) or f"Its columns: {one_of(names)}.",
                code="no-column",
            )
