"""What do its answers cost on the sealed rows, at the stated costs, and what would cheaper ways have cost there."""

from __future__ import annotations

from typing import Any

import numpy as np

from advisor.records.judging import cost_decides
from advisor.records.plan import Plan
from advisor.records.rung_names import NAMES
from trainers.classical.problem import Problem
from trainers.common.baselines import OneRule
from trainers.common.costs import cheapest_answer, cost_metric
from trainers.common.decide import Cut, cheapest_cut, labelled
from trainers.common.gate import AtCosts
from trainers.common.intervals import bootstrap, percentile
from trainers.common.metrics import Floats, Output
from trainers.common.splits import Split

_WORDS = NAMES | {
    "ours": "the model",
    "likeliest": "the model, saying the likeliest class",
    "trivial": "always the same answer, the cheapest one",
}


def measured(problem: Problem, split: Split, ours: Output, rule: OneRule | None, confidence: float) -> dict[str, Any]:
    """What each way costs a sealed row, with its interval, and how much more than the model's answers (paired).

    The cheaper ways get costs too: always the one answer that is cheapest on the training part, and the best rule's
    shares cut where that is cheapest. Beside them stands what the costs changed: the model's likeliest classes.
    """
    costs = problem.costs
    if costs is None or ours.probabilities is None:
        return {}
    truth, counts = problem.truth[split.test], problem.counting(split.test)
    answers = {"ours": ours, **_cheaper_ways(problem, split, rule, costs)}
    if rule is None:
        del answers["one_rule"]
    answers["likeliest"] = labelled(ours.probabilities, Cut())
    metric = cost_metric(costs)
    units, seed = split.test_units(), problem.setup.seed
    drawn = bootstrap(metric, truth, answers, units, seed, counts=counts)
    paid, ways = metric.value(truth, ours, counts), []
    for name, answer in answers.items():
        value, (low, high) = metric.value(truth, answer, counts), percentile(drawn[name], confidence)
        more = percentile(drawn[name] - drawn["ours"], confidence)
        ways.append(
            {"way": name, "cost": value, "low": low, "high": high}
            | {"more": value - paid, "more_low": more[0], "more_high": more[1]}
        )
    return {
        "cost_per_row": {one["way"]: one["cost"] for one in ways},
        "costs": {"rows_actual_columns_said": costs.tolist(), "confidence": confidence, "ways": ways},
    }


def at_costs(plan: Plan, problem: Problem, split: Split, rule: OneRule | None) -> AtCosts | None:
    """What the gate is told of costs: the matrix, and the cheaper rungs as they answer there; None where not stated."""
    if problem.costs is None:
        return None
    ways = _cheaper_ways(problem, split, rule, problem.costs)
    return AtCosts(problem.costs, {name: ways[name] for name in plan.gate.against}, cost_decides(plan))


def _cheaper_ways(problem: Problem, split: Split, rule: OneRule | None, costs: Floats) -> dict[str, Output]:
    """What the cheaper rungs say to the sealed rows at these costs: one answer, and the rule; learnt on training rows.

    Without a rule the one answer stands in its place, as it does by the metric.
    """
    seen, counts = problem.truth[split.train], problem.counting(split.train)
    always = Output(labels=np.full(len(split.test), cheapest_answer(seen, costs, counts), dtype=np.int64))
    ways = {"trivial": always, "one_rule": always}
    if rule is not None:
        trained, sealed = (rule.apply(problem.prepared.iloc[rows]).probabilities for rows in (split.train, split.test))
        if trained is not None and sealed is not None:
            ways["one_rule"] = labelled(sealed, cheapest_cut(seen, trained, costs, counts))
    return ways


def as_table(found: dict[str, Any]) -> list[dict[str, Any]]:
    """The same for people: one table, or none where no costs were stated."""
    if not found:
        return []
    rows = [
        [
            _WORDS[one["way"]],
            f"{one['cost']:.4g} ({one['low']:.4g} to {one['high']:.4g})",
            "0" if one["way"] == "ours" else f"{one['more']:+.3g} ({one['more_low']:+.3g} to {one['more_high']:+.3g})",
        ]
        for one in found["costs"]["ways"]
    ]
    columns = ["Answers by", "Cost a row", "More than the model"]
    return [{"title": "What answers cost on the sealed rows, at the stated costs", "columns": columns, "rows": rows}]
