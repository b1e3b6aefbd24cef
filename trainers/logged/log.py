"""A log of choices: what was known, what was done, how likely that was, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from advisor.base.errors import BadInput, did_you_mean
from advisor.base.safetext import one_of, plain
from advisor.base.tables import read_table
from advisor.base.textnumbers import numbers_in
from advisor.records.plan import Plan
from trainers.common.labels import label_text
from trainers.common.metrics import Floats, Integers
from trainers.common.policy import policy
from trainers.common.rows import data_path

UNIFORM = "uniform"
_NAMES = {
    "action": ("action", "action_id", "arm", "choice", "item_id", "item", "decision"),
    "reward": ("reward", "click", "clicked", "outcome", "gain", "payoff"),
    "propensity": ("propensity", "propensity_score", "pscore", "probability", "action_prob", "prob"),
}


@dataclass(frozen=True)
class Columns:
    """Which columns hold the action, its reward, and its probability (or `uniform`: every action alike)."""

    action: str
    reward: str
    propensity: str


@dataclass(frozen=True)
class Log:
    """`context` are the columns known before choosing; `action` codes into `actions`; all row by row."""

    context: pd.DataFrame
    action: Integers
    actions: tuple[str, ...]
    reward: Floats
    propensity: Floats
    columns: Columns
    split_by: pd.Series[Any] | None
    notes: tuple[str, ...]


def columns_of(names: list[str], plan: Plan) -> Columns:
    """The columns as the plan names them, or by their usual names. Raises `BadInput` for one that is not there."""
    lower = {name.lower(): name for name in names}
    found = {}
    for what, usual in _NAMES.items():
        setting = plan.settings.get(what)
        asked = str(setting.value).strip() if setting is not None and setting.value else ""
        if what == "reward" and not asked:
            asked = plan.target
        guess = next((lower[name] for name in usual if name in lower), "")
        found[what] = asked or guess
        if what == "propensity" and found[what].lower() == UNIFORM:
            found[what] = UNIFORM
        elif found[what] not in names:
            raise BadInput(
                f"The log has no column {plain(found[what], 60)!r} for the {what}."
                if found[what]
                else f"No column of the log holds the {what}.",
                where=f"plan.yaml: settings.{what}",
                why="What was done, how likely that was, and what came of it must all be written down; without the "
                "probability of each choice no other policy can be judged on the past.",
                fix=did_you_mean(found[what], names)
                or f"Name it: train-or-not plan CASE --setting {what}=COLUMN"
                + (" (or propensity=uniform, if every action was drawn alike)" if what == "propensity" else ""),
                code="no-column",
            )
    return Columns(found["action"], found["reward"], found["propensity"])


def load_log(plan: Plan, folder: Path) -> Log:
    """The plan's log. Raises `BadInput` when a reward is no number, or a probability none."""
    table = read_table(data_path(plan, folder))
    frame, rules = table.frame, policy("acting")
    columns = columns_of(list(map(str, frame.columns)), plan)
    if len(frame) < rules["limits"]["fewest_rows"]:
        raise BadInput(
            f"The log holds {len(frame)} choices; an estimate takes at least {rules['limits']['fewest_rows']}.",
            where=plan.data,
            why="A part is sealed, and rewards are noisy.",
            fix="Log for longer.",
            code="too-few-rows",
        )
    reward = _numbers(frame[columns.reward], "reward")
    labels = _labels(frame[columns.action])
    counts = labels.value_counts()
    actions = tuple(sorted(counts.index))
    if not 2 <= len(actions) <= rules["limits"]["actions"]:
        raise BadInput(
            f"Column {plain(columns.action, 60)} holds {len(actions):,} actions.",
            where=plain(columns.action, 60),
            why=f"From 2 to {rules['limits']['actions']} can be told apart on a log.",
            fix="Name the column of the action, or put rare actions together.",
            code="bad-actions",
        )
    rare = [name for name in actions if counts[name] < rules["limits"]["fewest_per_action"]]
    notes = list(table.notes)
    if rare:
        notes.append(
            f"Tried fewer than {rules['limits']['fewest_per_action']} times: {one_of(rare)}; little is known of them."
        )
    code = labels.map({name: at for at, name in enumerate(actions)}).to_numpy(dtype=np.int64)
    if columns.propensity == UNIFORM:
        propensity = np.full(len(frame), 1 / len(actions))
    else:
        propensity = _numbers(frame[columns.propensity], "propensity")
        wrong = (propensity < rules["propensity"]["least"]) | (propensity > 1)
        if wrong.any():
            raise BadInput(
                f"{int(wrong.sum()):,} of {len(wrong):,} probabilities are not between "
                f"{rules['propensity']['least']:g} and 1: for example {propensity[wrong][0]:g}.",
                where=plain(columns.propensity, 60),
                why="Each row is weighed by one over the probability of its choice.",
                fix="Log the probability that the action was chosen, at the moment it was chosen.",
                code="bad-propensity",
            )
    aside = {columns.action, columns.reward, columns.propensity, *(one.name for one in plan.drop)}
    context = frame.drop(columns=[name for name in aside if name in frame.columns])
    split_by = frame[plan.split.column] if plan.split.column in frame.columns else None
    return Log(context, code, actions, reward, propensity, columns, split_by, tuple(notes))


def _labels(column: pd.Series[Any]) -> pd.Series[Any]:
    labels = column.map(label_text, na_action="ignore").astype(object)
    unknown = labels.isna() | labels.map(lambda text: not str(text).strip())
    if unknown.any():
        raise BadInput(
            f"{int(unknown.sum()):,} rows of {plain(column.name, 60)} do not say what was done: "
            f"the first is row {int(np.argmax(unknown.to_numpy())) + 1:,}.",
            where=plain(column.name, 60),
            why="What is unknown would count as an action of its own, and might be recommended.",
            fix='Write what was done, "nothing" too where that was the choice, or leave those rows out.',
            code="no-action",
        )
    return labels.map(str)


def _numbers(column: pd.Series[Any], what: str) -> Floats:
    numbers = numbers_in(column, gaps=0.0)
    if numbers is None and pd.api.types.is_bool_dtype(column):
        numbers = column.astype("float64")
    if numbers is None or bool(numbers.isna().any()):
        raise BadInput(
            f"Column {plain(column.name, 60)} does not hold a number in every row, so it is no {what}.",
            where=plain(column.name, 60),
            fix="Fill it in, leave those rows out, or name another column.",
            code="no-numbers",
        )
    return numbers.to_numpy(dtype=np.float64, copy=True)
