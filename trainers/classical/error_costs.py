"""What does a wrong answer cost, as the plan states it: one matrix, whichever way it was written.

Answers are then those with the least expected cost by the model's probabilities (Elkan 2001, The foundations of
cost-sensitive learning): learning itself is left alone, because a model that learns with costs no longer tells chances.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from advisor.base.errors import BadInput, did_you_mean
from advisor.base.safetext import one_of, plain
from advisor.records.judging import COST, COST_PAIR, ERROR_COSTS
from advisor.records.plan import Plan
from trainers.classical import planning
from trainers.common.labels import label_text
from trainers.common.metrics import Floats
from trainers.common.rows import load_rows

_MATRIX, _PAIR = ERROR_COSTS, COST_PAIR


def check_classes(plan: Plan, folder: Path) -> None:
    """Raise `BadInput` where costs of errors, or an order, are stated of other classes than the data holds."""
    if any(planning.chosen(plan, name) for name in (_MATRIX, *_PAIR, "order")):
        stated_costs(plan, load_rows(plan, folder).target.classes)  # all rows: a class may stand in one alone


def stated_costs(plan: Plan, classes: tuple[str, ...]) -> Floats | None:
    """What each answer costs [true class, said class], or None when the plan does not say. Raises `BadInput`."""
    matrix = planning.chosen(plan, _MATRIX)
    pair = [planning.chosen(plan, name) for name in _PAIR]
    of_two = not all(value in (0, None, "") for value in pair)
    if not matrix and not of_two and plan.gate.by == COST:
        raise BadInput(
            "The plan is to be judged by what errors cost, and does not say what they cost.",
            where="plan.yaml: gate.by",
            fix=f"State the costs in settings.{_MATRIX}, or write metric in place of cost.",
            code="no-costs",
        )
    if not matrix:
        return _of_pair(pair, classes) if of_two else None
    if of_two or planning.chosen(plan, "balance"):
        raise _bad(
            "The costs of errors are stated beside something that contradicts them.",
            why="error_costs already holds what cost_missed and cost_false_alarm say; and with balance: true the "
            "probabilities no longer say how often a class occurs, so no expected cost can be taken from them.",
            fix="Keep error_costs alone: set cost_missed and cost_false_alarm to 0, and balance to false.",
        )
    return _of_matrix(matrix, classes)


def _of_pair(stated: list[object], classes: tuple[str, ...]) -> Floats:
    """What one missed case and one false alarm cost, as a matrix."""
    numbers = [float(value) for value in stated if isinstance(value, int | float) and not isinstance(value, bool)]
    if len(classes) != 2 or len(numbers) < 2 or min(numbers) <= 0:
        raise BadInput(
            "The costs of errors cannot be used as stated.",
            where=f"plan.yaml: settings.{', settings.'.join(_PAIR)}",
            why="They set where to cut between two classes, so both must be above zero and the task binary.",
            fix=f"Give both, for example 5 and 1, or 0 and 0 for none. For more classes: settings.{_MATRIX}.",
            code="bad-costs",
        )
    return np.array([[0.0, numbers[1]], [numbers[0], 0.0]])


def _of_matrix(stated: object, classes: tuple[str, ...]) -> Floats:
    if not classes:
        raise _bad(
            "Costs of errors between classes cannot be used for a number.",
            why="They say what it costs to say one class where another is true.",
            fix=f"Take {_MATRIX} out of the plan.",
        )
    costs = np.zeros((len(classes), len(classes)))
    rows = _by_class(stated, classes, "")
    for at, actual in enumerate(classes):
        others = [name for name in classes if name != actual]
        row = _by_class(rows[actual], classes, actual) if actual in rows else {}
        if missing := [name for name in others if name not in row]:
            raise _bad(
                f"What does it cost to say {plain(missing[0], 40)!r} where {plain(actual, 40)!r} is true? It is not "
                "stated.",
                why="A cost that nobody stated is not zero.",
                fix=f"State every pair of different classes, for example {_example(classes)}",
            )
        costs[at] = [_number(row.get(name, 0), actual, name) for name in classes]
    return _some(costs)


def _some(costs: Floats) -> Floats:
    if not costs.any():
        raise _bad("Every answer costs nothing.", why="Then any answer is as good.", fix="Give at least one cost.")
    return costs


def _by_class(stated: object, classes: tuple[str, ...], actual: str) -> dict[str, object]:
    """A mapping with the names of classes as keys, spelt as the data spells them."""
    if not isinstance(stated, dict):
        of = f"Where {plain(actual, 40)!r} is true, they" if actual else "They"
        raise _bad(
            "The costs of errors are not stated class by class.",
            why=f"{of} must be a mapping from the names of classes, not {plain(stated, 40)!r}.",
            fix=f"Write the true class, then what each other answer costs there: {_example(classes)}",
        )
    found = {label_text(name): value for name, value in stated.items()}
    for name in found:
        if name not in classes:
            raise _bad(
                f"There is no class {plain(name, 40)!r} that could cost anything.",
                why=f"The target holds: {one_of(classes, 20)}.",
                fix=did_you_mean(name, classes) or "Use the names as the data spells them.",
            )
    return found


def _number(value: object, actual: str, said: str) -> float:
    number = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else float("nan")
    if not np.isfinite(number) or number < 0:
        raise _bad(
            f"To say {plain(said, 40)!r} where {plain(actual, 40)!r} is true cannot cost {plain(value, 20)!r}.",
            why="A cost is a number of at least zero; what an answer earns is a lower cost than that of the others.",
            fix="Give a number, in one unit for all.",
        )
    return number


def _example(classes: tuple[str, ...]) -> str:
    first, second = (plain(name, 30) for name in classes[:2])
    return f"{_MATRIX}: {{{first}: {{{second}: 1, …}}, {second}: {{{first}: 5, …}}, …}}"


def _bad(what: str, *, why: str, fix: str) -> BadInput:
    return BadInput(what, where=f"plan.yaml: settings.{_MATRIX}", why=why, fix=fix, code="bad-costs")
