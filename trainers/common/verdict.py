"""The gate's verdict in words, by the metric or by what errors cost; the other is told beside it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from advisor.records.judging import COST, METRIC
from advisor.records.plan import Gate
from advisor.records.run import Comparison, GateVerdict
from advisor.records.rung_names import NAMES


@dataclass(frozen=True)
class _Words:
    """How one measure is told: what is gained by it, by how much at least, and by what a rung is called."""

    gain: str
    minimum: float
    title: str = ""

    def says(self, one: Comparison) -> str:
        ours, theirs, rows = f"{one.ours.value:.4g}", f"{one.theirs.value:.4g}", f"{one.ours.rows:,} sealed rows"
        if self.title:
            return f"{self.title} {ours} on {rows}, against {theirs} for {self.rung(one)}"
        return f"its answers cost {ours} a row at the stated costs, on {rows}, against {theirs} for {self.rung(one)}"

    def rung(self, one: Comparison) -> str:
        cheapest = ", the cheapest one" if not self.title and one.against == "trivial" else ""
        return NAMES.get(one.against, one.against) + cheapest

    def bar(self) -> str:
        return f"more than {self.minimum:g}" if self.minimum else f"a {self.gain}"


def verdict_of(
    title: str, comparisons: tuple[Comparison, ...], costs: tuple[Comparison, ...], gate: Gate, *, by_cost: bool
) -> GateVerdict:
    """The verdict by what decides. `title` is the metric's; `costs` are empty where none were stated."""
    metric, cost = _Words("gain", gate.minimum_gain, title), _Words("saving", gate.minimum_saving)
    deciding, words = (costs, cost) if by_cost else (comparisons, metric)
    missed = [one for one in deciding if not one.passed]
    hardest = _hardest(deciding)
    if not missed:
        text = (
            f"Training earned its place: {words.says(hardest)}. "
            f"The {words.gain} of {hardest.gain:.3g} {_between(hardest, gate, words)}."
        )
    else:
        text = (
            f"Training did not earn its place: {words.says(hardest)}. The {words.gain} of {hardest.gain:.3g} "
            f"{_between(hardest, gate, words)}, which does not show {words.bar()}. "
            f"{_reach(hardest, words)} "
            f"Keep {words.rung(hardest)}, or come back with more or better data."
        )
    if costs:
        beside, other = (comparisons, metric) if by_cost else (costs, cost)
        text += f" {_beside(beside, other, gate, title, by_cost=by_cost)}"
    decided: Literal["metric", "cost"] = COST if by_cost else METRIC
    return GateVerdict("not_earned" if missed else "earned", text, comparisons, costs, decided)


def nothing_shown(verdict: GateVerdict, text: str) -> GateVerdict:
    """The same comparisons, none of them passed, where the rows cannot show what the figures seem to say."""
    return replace(
        verdict,
        outcome="not_earned",
        text=text,
        comparisons=tuple(replace(one, passed=False) for one in verdict.comparisons),
        costs=tuple(replace(one, passed=False) for one in verdict.costs),
    )


def _reach(one: Comparison, words: _Words) -> str:
    """What gain so many rows could have shown; two that are equally good on every draw of them leave that open."""
    reach = (one.high - one.low) / 2
    if reach > 0:
        return f"{one.ours.rows:,} sealed rows can show {words.gain}s above about {reach:.2g}."
    equal = f"On each of the {one.ours.rows:,} sealed rows both do equally well"
    return f"{equal}, so what {words.gain} they could show is not known."


def _hardest(comparisons: tuple[Comparison, ...]) -> Comparison:
    """The rung that came closest: of those that were not shown to be beaten, where there are any."""
    missed = [one for one in comparisons if not one.passed]
    return min(missed or comparisons, key=lambda one: one.gain)


def _beside(comparisons: tuple[Comparison, ...], words: _Words, gate: Gate, title: str, *, by_cost: bool) -> str:
    one = _hardest(comparisons)
    shown = "which shows" if one.passed else "which does not show"
    decides = (
        f"Costs decide here, not {title}" if by_cost else f"{title[:1].upper()}{title[1:]} decides here, not costs"
    )
    return (
        f"{decides}; beside that: {words.says(one)}; the {words.gain} of {one.gain:.3g} "
        f"{_between(one, gate, words)}, {shown} {words.bar()}."
    )


def _between(comparison: Comparison, gate: Gate, words: _Words) -> str:
    share = f"{gate.confidence * 100:g} %"
    if not np.isfinite([comparison.low, comparison.high]).all():
        what = "the metric" if words.title else "the cost"
        return f"has no interval at {share}: {what} is undefined on these rows"
    return f"lies between {comparison.low:.3g} and {comparison.high:.3g} ({share})"
