"""What do its answers cost on the sealed rows, at the stated costs, and what would cheaper ways have cost there."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainers.classical.problem import Problem
from trainers.common.baselines import OneRule
from trainers.common.decide import Cut, cheapest_cut, labelled
from trainers.common.gate import NAMES
from trainers.common.intervals import bootstrap, percentile
from trainers.common.metrics import Floats, Integers, Metric, Output
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
    answers["likeliest"] = labelled(ours.probabilities, Cut())
    metric = _metric(costs)
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


def _cheaper_ways(problem: Problem, split: Split, rule: OneRule | None, costs: Floats) -> dict[str, Output]:
    seen, counts = problem.truth[split.train], problem.counting(split.train)
    totals = np.bincount(seen.astype(np.int64), counts, minlength=problem.classes) @ costs
    always = np.full(len(split.test), int(np.argmin(totals)), dtype=np.int64)
    ways = {"trivial": Output(labels=always)}
    if rule is not None:
        trained, sealed = (rule.apply(problem.prepared.iloc[rows]).probabilities for rows in (split.train, split.test))
        if trained is not None and sealed is not None:
            ways["one_rule"] = labelled(sealed, cheapest_cut(seen, trained, costs, counts))
    return ways


def _metric(costs: Floats) -> Metric:
    """The cost a row as a measure, so that its interval is drawn as any other's."""

    def compute(truth: Floats, output: Output, weights: Floats) -> Floats:
        labels: Integers = np.asarray(output.labels)
        return np.asarray(weights @ costs[truth.astype(np.int64), labels] / weights.sum(axis=1))

    return Metric("cost", "cost a row", False, ("binary", "multiclass"), "labels", compute)


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


def told(found: dict[str, Any]) -> str:
    """A sentence on whether the model is the cheapest way; empty where no costs were stated."""
    if not found:
        return ""
    ways = found["costs"]["ways"]
    ours = ways[0]
    rival = min((one for one in ways[1:] if one["way"] != "likeliest"), key=lambda one: float(one["cost"]))
    more, low, high = (f"{rival[name]:+.3g}" for name in ("more", "more_low", "more_high"))
    shown = "which shows" if rival["more_low"] > 0 else "which does not show"
    return (
        f"At the stated costs its answers cost {ours['cost']:.4g} a row, and {_WORDS[rival['way']]} costs "
        f"{rival['cost']:.4g}: {more} more ({low} to {high}), {shown} that the model is cheaper."
    )
