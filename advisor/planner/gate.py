"""What a trained model will have to beat, and what decides: the costs of errors that were stated, or a metric."""

from __future__ import annotations

from advisor.base.errors import BadInput, did_you_mean
from advisor.base.safetext import one_of, plain
from advisor.planner.rulefiles import planning_rules
from advisor.records.judging import COST, METRIC
from advisor.records.plan import Gate, Setting


def named_metric(name: str, task: str) -> Setting:
    """The metric that the user names. Raises `BadInput` for one that cannot be measured for the task."""
    rules = planning_rules("planning")
    known = rules["measured"].get(task, [])
    asked = name.strip().lower().replace("-", "_").replace(" ", "_")
    if asked not in known:
        raise BadInput(
            f"A {plain(task, 40)} task cannot be judged by {plain(name, 60)!r}.",
            where="--judge-by",
            fix=did_you_mean(asked, [*known, COST]) or f"Name cost, or one of: {one_of(known, 20)}.",
            code="no-metric",
        )
    return Setting(asked, rules["judged_by"]["named"])


def gate_of(approach: str, task: str, metric: Setting, judge_by: str = "", *, costs: bool = False) -> Gate:
    """The gate of an approach; where `costs` are stated they decide, unless `judge_by` names a metric."""
    rules = planning_rules("planning")
    gate, why = rules["task_gates"].get(task, rules["gates"].get(approach)), rules["judged_by"]
    if judge_by == COST and not costs:
        raise BadInput(
            "Nothing is known of what errors cost, so nothing can be judged by cost.",
            where="--judge-by",
            fix="State it too, for two classes or more: --setting 'error_costs={ill: {well: 20}, well: {ill: 1}}'",
            code="no-costs",
        )
    if gate is None:
        return Gate(str(metric.value), ())
    against, least, sure = tuple(gate["against"]), gate["minimum_gain"], gate["confidence"]
    if costs and judge_by in ("", COST):
        return Gate(str(metric.value), against, least, sure, COST, why["cost"])
    if judge_by:
        return Gate(str(metric.value), against, least, sure, METRIC, why["metric"] if costs else why["named"])
    return Gate(str(metric.value), against, least, sure)
