"""Did training earn its place? The model and each cheaper rung on the same sealed rows, paired, with an interval.

It is earned only when the lower end of the paired interval of the gain is above the plan's minimum for every rung; for
accuracy the mid-p McNemar test must agree. All must pass, so no correction for several comparisons is due. Where it is
stated what errors cost, what is saved a row is compared beside the metric; only one of the two decides (`Gate.by`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from advisor.base.errors import BadInput
from advisor.base.safetext import plain
from advisor.records.plan import Gate
from advisor.records.run import Comparison, GateVerdict, Score
from trainers.common.costs import cost_metric
from trainers.common.intervals import bootstrap, midp_mcnemar, percentile, score, units_in
from trainers.common.metrics import Floats, Integers, Metric, Output
from trainers.common.verdict import nothing_shown, verdict_of


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


@dataclass(frozen=True)
class AtCosts:
    """What answers cost [true class, said class], what the cheaper rungs say at that, and whether it decides."""

    costs: Floats
    cheaper: dict[str, Output]
    decide: bool


def hold_against(
    metric: Metric,
    truth: Floats,
    ours: Output,
    cheaper: dict[str, Output],
    units: Integers,
    gate: Gate,
    seed: int,
    counts: Floats | None = None,
    at_costs: AtCosts | None = None,
    rows: int | None = None,
) -> tuple[Score, GateVerdict]:
    """Our score on the sealed rows, and the verdict over every cheaper rung in `cheaper`.

    `counts` [rows] is how much each sealed row counts; the mid-p test counts rows, so it is left out then. With
    `at_costs` what answers cost a row is compared in the same way, on the same rows, and decides where it says so.
    `rows` is how many sealed rows are told where some are awaited more than once.
    """
    check_gate(gate, tuple(cheaper))
    told = len(truth) if rows is None else rows

    def compared(by: Metric, rungs: dict[str, Output], minimum: float) -> tuple[Score, tuple[Comparison, ...]]:
        values = bootstrap(by, truth, {"ours": ours, **rungs}, units, seed, counts=counts)
        mine = replace(score(by, truth, ours, units, values["ours"], gate.confidence, counts), rows=told)
        found = []
        for name, output in rungs.items():
            theirs = replace(score(by, truth, output, units, values[name], gate.confidence, counts), rows=told)
            sign = 1.0 if by.greater_is_better else -1.0
            low, high = percentile(sign * (values["ours"] - values[name]), gate.confidence, units_in(units))
            method = f"paired bootstrap, {len(values[name]):,} resamples"
            passed = low > minimum
            if by.name == "accuracy" and counts is None and ours.labels is not None and output.labels is not None:
                right, wrong = ours.labels == truth, output.labels == truth
                probability = midp_mcnemar(int((right & ~wrong).sum()), int((~right & wrong).sum()))
                method += f"; mid-p McNemar p={probability:.2g}"
                passed = passed and probability < 1 - gate.confidence
            gain = by.gain(mine.value, theirs.value)
            found.append(Comparison(name, theirs, mine, gain, low, high, method, bool(passed)))
        return mine, tuple(found)

    mine, comparisons = compared(metric, cheaper, gate.minimum_gain)
    costs: tuple[Comparison, ...] = ()
    if at_costs is not None:
        _, costs = compared(cost_metric(at_costs.costs), at_costs.cheaper, gate.minimum_saving)
    by_cost = at_costs is not None and at_costs.decide
    verdict = verdict_of(metric.title, comparisons, costs, gate, by_cost=by_cost)
    if not units.any():
        # No interval can be drawn from a single draw.
        verdict = nothing_shown(
            verdict,
            f"Nothing can be shown: the sealed rows ({told:,}) all belong together, as copies or as one group, and "
            "count as one. Split by another column, or collect rows of more groups.",
        )
    return mine, verdict if counts is None else replace(verdict, text=f"{verdict.text} Rows count by their weights.")
