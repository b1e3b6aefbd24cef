"""Did training earn its place? The model and each cheaper rung on the same sealed rows, paired, with an interval.

It is earned only when the lower end of the paired interval of the gain is above the plan's minimum for every rung; for
accuracy the mid-p McNemar test must agree. All must pass, so no correction for several comparisons is due.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from advisor.base.errors import BadInput
from advisor.base.safetext import plain
from advisor.records.plan import Gate
from advisor.records.run import Comparison, GateVerdict, Score
from trainers.common.intervals import bootstrap, midp_mcnemar, percentile, score
from trainers.common.metrics import Floats, Integers, Metric, Output

NAMES = {
    "trivial": "always the same answer",
    "one_rule": "the best rule on one column",
    "small_model": "the best small model on the raw numbers",
    "small_network": "a small network from nothing",
    "today": "what is done today",
    "best_action": "always the best single action",
    "chance": "chance",
    "shuffled": "the same with every column shuffled",
    "one_column": "the most extreme column alone",
    "naive": "the last value",
    "seasonal_naive": "the last season",
    "prompt": "the same base model with examples in its prompt",
    "base": "the same base model, untuned",
    "embeddings": "a linear model on the vectors of the same base, untuned",
    "classical": "a linear classifier on word counts",
    "teacher": "its teacher",
    "without_teacher": "the same model on the labels of people alone",
    "one_word": "one word for each label",
}


def check_gate(gate: Gate, measured: tuple[str, ...]) -> None:
    """Raise `BadInput` unless the gate names a rung, and only rungs that this trainer measures."""
    unknown = [name for name in gate.against if name not in measured]
    if unknown:
        raise BadInput(
            f"The gate names a rung this trainer cannot measure: {plain(unknown[0], 60)}.",
            where="plan.yaml: gate.against",
            fix=f"Use {', '.join(measured)}, or some of them.",
            code="no-rung",
        )
    if not gate.against:
        raise BadInput(
            "The plan's gate names nothing to be held against.",
            where="plan.yaml: gate.against",
            why="Without a cheaper rung beside it no model can be said to earn its place.",
            fix=f"Add {' and '.join(measured) or 'trivial'} to gate.against.",
            code="empty-gate",
        )


def hold_against(
    metric: Metric,
    truth: Floats,
    ours: Output,
    cheaper: dict[str, Output],
    units: Integers,
    gate: Gate,
    seed: int,
    counts: Floats | None = None,
) -> tuple[Score, GateVerdict]:
    """Our score on the sealed rows, and the verdict over every cheaper rung in `cheaper`.

    `counts` [rows] is how much each sealed row counts; the mid-p test counts rows, so it is left out then.
    """
    check_gate(gate, tuple(cheaper))
    values = bootstrap(metric, truth, {"ours": ours, **cheaper}, units, seed, counts=counts)
    mine = score(metric, truth, ours, units, values["ours"], gate.confidence, counts)
    comparisons = []
    for name, output in cheaper.items():
        theirs = score(metric, truth, output, units, values[name], gate.confidence, counts)
        sign = 1.0 if metric.greater_is_better else -1.0
        low, high = percentile(sign * (values["ours"] - values[name]), gate.confidence)
        method = f"paired bootstrap, {len(values[name]):,} resamples"
        passed = low > gate.minimum_gain
        if metric.name == "accuracy" and counts is None and ours.labels is not None and output.labels is not None:
            right, wrong = ours.labels == truth, output.labels == truth
            probability = midp_mcnemar(int((right & ~wrong).sum()), int((~right & wrong).sum()))
            method += f"; mid-p McNemar p={probability:.2g}"
            passed = passed and probability < 1 - gate.confidence
        gain = metric.gain(mine.value, theirs.value)
        comparisons.append(Comparison(name, theirs, mine, gain, low, high, method, bool(passed)))
    verdict = _verdict(metric, tuple(comparisons), gate)
    return mine, verdict if counts is None else replace(verdict, text=f"{verdict.text} Rows count by their weights.")


def _verdict(metric: Metric, comparisons: tuple[Comparison, ...], gate: Gate) -> GateVerdict:
    missed = [comparison for comparison in comparisons if not comparison.passed]
    if not missed:
        hardest = min(comparisons, key=lambda comparison: comparison.gain)
        text = (
            f"Training earned its place: {_says(metric, hardest)}. "
            f"The gain of {hardest.gain:.3g} {_between(hardest, gate)}."
        )
        return GateVerdict("earned", text, comparisons)
    worst = min(missed, key=lambda comparison: comparison.gain)
    bar = f"more than {gate.minimum_gain:g}" if gate.minimum_gain else "a gain"
    reach = (worst.high - worst.low) / 2
    text = (
        f"Training did not earn its place: {_says(metric, worst)}. The gain of {worst.gain:.3g} "
        f"{_between(worst, gate)}, which does not show {bar}. "
        f"{_reach(worst.ours.rows, reach)} "
        f"Keep {NAMES.get(worst.against, worst.against)}, or come back with more or better data."
    )
    return GateVerdict("not_earned", text, comparisons)


def _reach(rows: int, reach: float) -> str:
    """What gain so many rows could have shown; two that are equally good on every draw of them leave that open."""
    if reach > 0:
        return f"{rows:,} sealed rows can show gains above about {reach:.2g}."
    return f"On each of the {rows:,} sealed rows both do equally well, so what gain they could show is not known."


def _says(metric: Metric, comparison: Comparison) -> str:
    return (
        f"{metric.title} {comparison.ours.value:.4g} on {comparison.ours.rows:,} sealed rows, against "
        f"{comparison.theirs.value:.4g} for {NAMES.get(comparison.against, comparison.against)}"
    )


def _between(comparison: Comparison, gate: Gate) -> str:
    share = f"{gate.confidence * 100:g} %"
    if not np.isfinite([comparison.low, comparison.high]).all():
        return f"has no interval at {share}: the metric is undefined on these rows"
    return f"lies between {comparison.low:.3g} and {comparison.high:.3g} ({share})"
