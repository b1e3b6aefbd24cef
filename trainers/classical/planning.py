"""What the classical trainer would do and what it takes, said before it starts."""

from __future__ import annotations

from pathlib import Path

from advisor.base.errors import BadInput, did_you_mean
from advisor.base.safetext import one_of, plain
from advisor.base.tablefolder import bytes_of_rows
from advisor.base.tables import read_table
from advisor.records.plan import Estimate, Plan, Setting
from trainers.classical.candidates import Candidate, names, portfolio
from trainers.classical.columns import Schema
from trainers.classical.pipelines import Setup
from trainers.common.policy import policy
from trainers.common.rows import data_path
from trainers.common.sensitive import AUDIT
from trainers.common.weights import SETTING

_SAMPLE = 5_000
_ORDERS = {"rises_with": 1, "falls_with": -1}

_DEFAULTS: dict[str, Setting] = {
    "folds": Setting(
        5,
        "Five parts take turns to be unseen: less noise than one validation part, little bias, and affordable.",
        "Kohavi 1995; Hastie, Tibshirani and Friedman 2009, 7.10",
    ),
    "explainable": Setting(
        False,
        "All families compete. True takes the best linear or additive model, whose every term can be read, and says "
        "what that costs.",
        "",
    ),
    "cost_missed": Setting(0, "What one missed case costs; with the next one it sets where to cut. 0: not stated."),
    "cost_false_alarm": Setting(0, "What one false alarm costs, in the same unit. 0: not stated."),
    "error_costs": Setting(
        {},
        "What it costs to say one class where another is true, as {true: {said: cost}}, for two classes or more; "
        "answers are then those with the least expected cost. Empty: not stated.",
        "Elkan 2001",
    ),
    SETTING: Setting(
        "",
        "The column that says how much each row counts, in learning and in every score; it is no feature. Empty: all "
        "rows count the same.",
    ),
    AUDIT: Setting(
        (),
        "Columns whose groups' errors are told apart, features or not, beside those named like sex, race or age.",
    ),
    "balance": Setting(
        False,
        "Each row counts the same. True lets each class count the same while learning; probabilities then no longer "
        "say how often a class occurs, so stated costs of errors are the better way.",
        "Elkan 2001",
    ),
    "intervals": Setting(
        0,
        "How often an interval or a set of classes must hold the truth, for example 0.9. 0: none is given.",
        "Vovk 2005",
    ),
    "rises_with": Setting((), "Columns of numbers with which the answer may only rise (for classes: the last one)."),
    "falls_with": Setting((), "Columns of numbers with which the answer may only fall."),
    "order": Setting((), "The classes from the lowest to the highest, where they have an order."),
    "leave_out": Setting((), "Names of models that must not be tried; none unless you say so."),
    "positive_class": Setting("", "Of two classes, the rarer one is the case that matters unless named here."),
}


def settings(plan: Plan) -> dict[str, Setting]:
    """The plan's own choices, completed by ours."""
    return {name: plan.settings.get(name, default) for name, default in _DEFAULTS.items()}


def chosen(plan: Plan, name: str) -> object:
    """The value of one choice: the plan's, or else ours."""
    return settings(plan)[name].value


def share_to_hold(plan: Plan) -> float:
    """How often intervals or sets must hold the truth; 0 when none are wanted. Raises `BadInput`."""
    wanted = chosen(plan, "intervals")
    if isinstance(wanted, bool) or not isinstance(wanted, int | float) or not (wanted == 0 or 0.5 <= wanted < 1):
        raise BadInput(
            f"Intervals cannot hold the truth {plain(wanted, 20)} of the time.",
            where="plan.yaml: settings.intervals",
            fix="Give a share from 0.5 to below 1, for example 0.9, or 0 for none.",
            code="bad-intervals",
        )
    return float(wanted)


def refuse_contradictions(plan: Plan) -> None:
    """Raise `BadInput` for choices that no data could make possible."""
    share_to_hold(plan)
    if chosen(plan, "explainable") and any(_names(chosen(plan, name)) for name in _ORDERS):
        raise BadInput(
            "No model can be told to rise or fall with a column and have every term readable.",
            where="plan.yaml: settings.explainable, settings.rises_with, settings.falls_with",
            why="Boosted trees obey such an order; linear and additive models, whose terms can be read, cannot.",
            fix="Leave out one of the two: explainable: false, or no columns under rises_with and falls_with.",
            code="explainable-monotone",
        )


def monotone(plan: Plan, schema: Schema, classes: int) -> tuple[tuple[str, int], ...]:
    """Columns with which the answer may only rise (1) or fall (-1). Raises `BadInput` for one that is no number."""
    found = [(name, way) for setting, way in _ORDERS.items() for name in _names(chosen(plan, setting))]
    numbers = {column.name for column in schema.of("number")}
    for name, _ in found:
        if name not in numbers or classes > 2:
            raise BadInput(
                f"The answer cannot be made to rise or fall with {plain(name, 60)}.",
                where="plan.yaml: settings.rises_with, settings.falls_with",
                why="That takes a column of numbers, and a number or one of two classes to predict.",
                fix=did_you_mean(name, numbers) or f"Columns of numbers: {one_of(sorted(numbers), 12)}.",
                code="not-monotone",
            )
    return tuple(found)


def _names(listed: object) -> list[str]:
    return [str(name) for name in listed] if isinstance(listed, list | tuple) else [str(listed)] if listed else []


def candidates(plan: Plan, setup: Setup) -> list[Candidate]:
    """The models to try, simplest first. Raises `BadInput` when the plan leaves none, or names one there is not."""
    every = portfolio(setup)
    left_out = _names(chosen(plan, "leave_out"))
    for name in left_out:
        if name not in names():
            raise BadInput(
                f"There is no model {plain(name, 60)!r} to leave out.",
                where="plan.yaml: settings.leave_out",
                fix=did_you_mean(name, names()) or f"Known: {one_of(names(), 12)}.",
                code="no-model",
            )
    kept = [one for one in every if one.name not in left_out]
    if not kept:
        raise BadInput(
            "The plan leaves no model to try.",
            where="plan.yaml: settings.leave_out",
            fix="Take at least one name off the list.",
            code="no-model",
        )
    return kept


def estimate(plan: Plan, folder: Path) -> Estimate:
    """From the size of the table, by the factors in rules/classical.yaml; the time is capped by the plan's budget."""
    path = data_path(plan, folder)
    sample = read_table(path, max_rows=_SAMPLE).frame
    size = bytes_of_rows(path)
    per_row = max(1.0, len(sample.to_csv(index=False)) / len(sample)) if len(sample) == _SAMPLE else 0.0
    rows = int(size / per_row) if per_row else len(sample)
    cells = rows * len(sample.columns)
    by = policy("classical")["estimate"]
    time, memory, disk = by["seconds"], by["memory_mb"], by["disk_mb"]
    seconds = min(time["least"] + cells / 1e6 * time["a_million_cells"], plan.budget_seconds)
    return Estimate(
        seconds=round(seconds, 1),
        peak_memory_mb=round(memory["least"] + cells / 1e6 * memory["a_million_cells"], 1),
        disk_mb=round(disk["least"] + rows / 1e6 * disk["a_million_rows"], 1),
        usd=0.0,
        formula=f"{time['least']} s + {time['a_million_cells']} µs a cell ({cells:,} cells) on one core, at most the "
        f"budget of {plan.budget_seconds:g} s.",
        error_band=by["told"],
    )
