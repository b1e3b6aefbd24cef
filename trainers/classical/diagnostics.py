"""What a person wants to know of a model besides its score: would more rows help, what drives it, where it errs.

Computed on development rows, except what the sealed part alone can tell (confusion, residuals, calibration).
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from advisor.base.safetext import plain
from trainers.classical.calibration import calibration_of
from trainers.classical.choose import Chosen
from trainers.classical.columns import origin_of
from trainers.classical.final import fitted
from trainers.classical.model_file import Model
from trainers.classical.problem import Problem
from trainers.common.decide import Cut
from trainers.common.intervals import rough_interval
from trainers.common.metrics import Floats, Output
from trainers.common.policy import policy
from trainers.common.splits import Split

_SHARES = (0.125, 0.25, 0.5, 1.0)
_FEWEST_ROWS = int(policy("classical")["curve"]["fewest_rows"])
_REPEATS = 3
_MOST_COLUMNS = 60
_MOST_ROWS = 2_000
_SHOWN = 20


def learning_curve(
    problem: Problem, chosen: Chosen, cut: Cut, split: Split, seconds: float
) -> tuple[list[dict[str, float]], Model | None, str]:
    """Score on the first fold's rows after training on 1/8, 1/4, 1/2 and all of its training rows.

    Also returns the model fitted on all of them, which has not seen the validation rows, and a note where that is
    lacking. Ends early when `seconds` are used up. For a time split the shares are the most recent rows.
    """
    train, validate = problem.folds[0]
    if split.order is None:
        train = np.random.default_rng(problem.setup.seed).permutation(train)
    else:
        train = train[np.argsort(-split.order[train], kind="stable")]
    end, points, model, met = time.monotonic() + seconds, [], None, len(np.unique(problem.truth[train]))
    for share in _SHARES:
        rows = train[: max(2, int(len(train) * share))]
        if len(rows) < _FEWEST_ROWS or (problem.classes and len(np.unique(problem.truth[rows])) < met):
            continue
        # A fit on all of these rows was timed in the search: what no longer fits the budget is not begun.
        if time.monotonic() + share * sum(max(one.seconds.values()) for one, _ in chosen.members) > end:
            break
        model = fitted(problem, chosen, cut, rows)
        output = model.answer_prepared(problem.prepared.iloc[validate])
        truth, counts, units = problem.truth[validate], problem.counting(validate), np.arange(len(validate))
        shown = rough_interval(problem.metric, truth, output, units, problem.setup.seed, counts)
        points.append({"rows": float(len(rows)), **shown})
    if points and points[-1]["rows"] == float(len(train)):
        return points, model, ""
    lacking = "What drives the answers was not measured" if points else "There is no learning curve"
    reason = "the first fold has too few rows to learn from" if len(train) < _FEWEST_ROWS else "the time was up"
    return points, None, f"{lacking}: {reason}."


def importance(problem: Problem, model: Model, seconds: float) -> list[dict[str, Any]]:
    """How much the score on unseen development rows falls when one column's cells are shuffled, largest first.

    Correlated columns share their importance: a column that falls little may still carry what another one repeats.
    """
    rows = problem.folds[0][1][:_MOST_ROWS]
    frame = problem.prepared.iloc[rows]
    generator = np.random.default_rng(problem.setup.seed)

    def value(shuffled: Any) -> float:
        return problem.value(rows, model.answer_prepared(shuffled))

    whole, end = value(frame), time.monotonic() + seconds
    found: list[dict[str, Any]] = []
    for name, parts in list(origin_of(problem.setup.schema).items())[:_MOST_COLUMNS]:
        falls = []
        for _ in range(_REPEATS):
            shuffled, order = frame.copy(), generator.permutation(len(frame))
            for part in parts:
                shuffled[part] = frame[part].to_numpy()[order]
            falls.append(problem.metric.gain(whole, value(shuffled)))
        found.append({"column": plain(name, 80), "fall": float(np.mean(falls)), "spread": float(np.std(falls))})
        if time.monotonic() > end:
            break
    return sorted(found, key=lambda one: -one["fall"])[:_SHOWN]


def errors_of(truth: Floats, output: Output, classes: tuple[str, ...], counts: Floats | None = None) -> dict[str, Any]:
    """Confusion and calibration for classes; residual quantiles for numbers. Names are made safe to show.

    `counts` is how much each row counts in the calibration; the others count rows.
    """
    if output.labels is None or output.probabilities is None:
        return {"residuals": _residuals(truth, output)}
    shown = [plain(name, 60) for name in classes]
    table = np.zeros((len(classes), len(classes)), dtype=int)
    np.add.at(table, (truth.astype(int), output.labels), 1)
    found: dict[str, Any] = {"confusion": {"classes": shown, "rows_actual_columns_predicted": table.tolist()}}
    return found | calibration_of(truth, output.probabilities, classes, counts)


def _residuals(truth: Floats, output: Output) -> dict[str, Any]:
    if output.numbers is None:
        return {}
    off = output.numbers - truth
    shares = (0.05, 0.25, 0.5, 0.75, 0.95)
    return {
        "quantiles_of_predicted_minus_actual": {f"{share:g}": float(np.quantile(off, share)) for share in shares},
        "share_within_10_percent": float(np.mean(np.abs(off) <= 0.1 * np.abs(truth))),
    }
