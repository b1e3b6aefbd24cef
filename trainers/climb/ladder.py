"""Climb: measure the rungs in order of cost, stop at the first that is enough, confirm that one on sealed examples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import monotonic

from advisor.base.errors import BudgetReached, Problem
from advisor.base.llm import AttemptFailed
from advisor.records.climb import ClimbRecord, RungMeasure, RungStatus
from trainers.climb.certainty import items_to_tell
from trainers.climb.clock import Clock
from trainers.climb.confirm import confirm
from trainers.climb.disagreements import disagreements
from trainers.climb.evidence import gain_of, measured_facts
from trainers.climb.measure import FEWEST_ANSWERS, Measured, measure
from trainers.climb.policy import count, figure
from trainers.climb.recorded import as_record
from trainers.climb.rungs import DoesNotApply, OracleContext, Rung
from trainers.climb.spend import Meter
from trainers.climb.task import Task
from trainers.common.sequential import smallest_visible_difference

LEARNING = count("time", "parts_for_fine_tuning")
ALLOWANCE = figure("time", "allowance_for_confirming")


@dataclass
class Climb:
    """One climb while it runs. `opened` is told which rung is about to see the sealed part, and counts the openings.

    Rungs that take long share the time of `clock`: one that has used its share stands at what it was asked by then, and
    when the time is over none begins; those that take seconds still are measured.
    """

    task: Task
    requirement: float | None
    meter: Meter
    opened: Callable[[str], int]
    every_rung: bool = False
    workers: int = 1
    clock: Clock = field(default_factory=Clock)
    shown: Callable[[Measured], None] = lambda measured: None
    rung_begins: Callable[[Rung, str], None] = lambda rung, doing: None
    rung_ends: Callable[[Rung, RungStatus], None] = lambda rung, status: None
    done: list[Measured] = field(default_factory=list)
    outcomes: list[tuple[Rung, Measured | None, RungStatus, str]] = field(default_factory=list)
    enough: bool = False
    stopped: str = ""
    server_gone: str = ""

    def climb(self, rungs: Sequence[Rung], *, endpoint: str, as_of: str) -> ClimbRecord:
        """The record. A cap on money or time ends it early, with everything measured so far in the record.

        With a `requirement` the first rung that surely meets it ends the climb for those that cost something after it;
        without one every rung is measured, and the cheapest that is within noise of the best is recommended.
        """
        started = monotonic()
        for place, rung in enumerate(rungs):
            parts = [_parts(one) for one in rungs[place:] if not one.not_applicable(self.task)]
            self._one(rung, _parts(rung) / (sum(parts) + 1))  # one more part for the sealed examples
            self.rung_ends(rung, self.outcomes[-1][2])
        chosen = self._chosen()
        if chosen is not None:
            self.rung_begins(chosen.rung, "Confirming on the sealed part")
        confirmed, sealed, text, notes = confirm(
            chosen, self.task, self.requirement, self.opened, self.clock, self.workers
        )
        if chosen is None:
            text = f"{text} {self._what_would_help()}".strip()
        return ClimbRecord(
            task=self.task.kind,
            metric=self.task.metric.name,
            requirement=self.requirement,
            endpoint=endpoint,
            rungs=tuple(self._record(*outcome) for outcome in self.outcomes),
            recommended=chosen.rung.name if chosen and confirmed else "",
            text=text,
            sealed=sealed,
            visible_difference=smallest_visible_difference(max((len(one.scores) for one in self.done), default=1)),
            facts=measured_facts(self.done, self.task, as_of),
            disagreements=disagreements(self.done),
            usd=float(self.meter.spent_usd),
            tokens=self.meter.spent_tokens,
            calls=self.meter.calls,
            seconds=monotonic() - started,
            split={
                "train": len(self.task.train),
                "development": len(self.task.development),
                "sealed": len(self.task.sealed),
            },
            notes=(*self.task.notes, *notes),
            metric_reason=self.task.metric.reason,
            before_usd=float(self.meter.before_usd),
            stopped=self.stopped,
        )

    def _one(self, rung: Rung, share: float) -> None:
        costs = rung.paid or rung.slow
        if reason := rung.not_applicable(self.task):
            self.outcomes.append((rung, None, "not_applicable", reason))
        elif self.enough and costs and not self.every_rung:
            self.outcomes.append((rung, None, "not_reached", "A cheaper rung is already enough."))
        elif costs and self.clock.left_to_measure() <= 0:
            self.stopped = self.stopped or "The time for this climb is over."
            self.outcomes.append((rung, None, "not_reached", self.stopped))
        elif rung.paid and (reason := self.stopped or self.server_gone):
            self.outcomes.append((rung, None, "not_reached", reason))
        else:
            self._measure(rung, share)

    def _measure(self, rung: Rung, share: float) -> None:
        self.rung_begins(rung, "Measuring")
        latest: list[Measured] = []

        def keep(measured: Measured) -> None:
            latest[:] = [measured]
            self.shown(measured)

        try:
            self.clock.share_out(share)
            rung.prepare(self.task)
            self.clock.share_out(share)  # what it had to learn first does not count against its answers
            measured = measure(rung, self.task, self.requirement, workers=self.workers, shown=keep, clock=self.clock)
        except BudgetReached as reached:
            if reached.code == "time-reached" and self.clock.left_to_measure() > 0:  # only this rung's share is used up
                self.outcomes.append((rung, None, "not_reached", reached.what))
                return
            self.stopped = reached.what
            measured = latest[0] if latest else Measured(rung, self.task, trouble=reached.what)
        except DoesNotApply as reason:
            self.outcomes.append((rung, None, "not_applicable", reason.what))
            return
        except Problem as problem:
            measured = Measured(rung, self.task, trouble=f"{problem.what} {problem.fix}".strip())
            if isinstance(problem, AttemptFailed) and rung.paid:
                self.server_gone = problem.what
        if measured.trouble and rung.paid and not measured.scores and not self.stopped:
            self.server_gone = measured.trouble
        if measured.scores:
            self.done.append(measured)
        self.outcomes.append((rung, measured, *self._judged(measured)))
        self.enough = self.enough or (measured.verdict == "meets" and measured.tells and _usable(measured))
        self.clock.keep(self._to_confirm())

    def _to_confirm(self) -> float:
        """The seconds that confirming the rung chosen so far takes at the least."""
        chosen = self._chosen()
        if chosen is None or not (chosen.rung.paid or chosen.rung.slow):
            return 0.0
        each = sum(said.seconds for said in chosen.said) / len(chosen.said)
        at_once = self.workers if chosen.rung.paid else 1
        return ALLOWANCE * each * min(FEWEST_ANSWERS, len(self.task.sealed)) / at_once

    def _judged(self, measured: Measured) -> tuple[RungStatus, str]:
        if measured.trouble:
            return "failed", measured.trouble
        if not measured.tells:
            asked, of = len(measured.scores), measured.cut_short
            return "not_reached", f"Its share of the time held {asked} of {of} examples; --max-minutes gives it more."
        if not _usable(measured):
            return "not_applicable", "Shows what perfect retrieval would reach; nobody can use it."
        if self.requirement is None:
            return "measured", ""
        bar = f"the required {self.requirement:.0%}"
        if measured.verdict == "meets":
            return "enough", f"Surely at least {bar}."
        if measured.verdict == "fails":
            return "insufficient", f"Surely below {bar}."
        if measured.verdict == "futile":
            asked, most = len(measured.scores), measured.looks[-1]
            return "undecided", f"Stopped after {asked} of {most}: it would hardly be shown to reach {bar}."
        return "undecided", f"Cannot tell whether it reaches {bar}. {self._needed(measured)}"

    def _needed(self, measured: Measured) -> str:
        assert self.requirement is not None  # noqa: S101  # only asked for where there is one
        value = measured.interval()[0]
        needed = items_to_tell(value, self.requirement)
        if needed is None:
            return "It sits at the bar: no practical number of examples would tell."
        have = measured.looks[-1] if measured.looks else len(measured.scores)
        if needed <= have:
            return f"It is close: {have} examples to choose on are about enough for {value:.0%}, and luck decides."
        return f"If {value:.0%} is right, about {needed:,} examples to choose on would tell; there are {have}."

    def _what_would_help(self) -> str:
        if self.stopped:
            return self.stopped
        if self.done and not any(any(one.scores) for one in self.done):
            return "Nothing that answered got a single example right."
        open_ones = [one for one in self.done if one.verdict == "undecided" and one.tells and _usable(one)]
        if self.requirement is not None and open_ones:
            best = max(open_ones, key=lambda one: one.interval()[0])
            return f"Nearest: {best.rung.name}. {self._needed(best)}"
        return self.server_gone

    def _chosen(self) -> Measured | None:
        # The cheapest of rungs that got nothing right at all would be no advice.
        usable = [one for one in self.done if _usable(one) and one.tells and any(one.scores)]
        if self.requirement is not None:
            return next((one for one in usable if one.verdict == "meets"), None)
        if not usable:
            return None
        best = max(usable, key=lambda one: one.interval()[0])
        return next(one for one in usable if one is best or gain_of(best, one)[1] <= 0)

    def _record(self, rung: Rung, measured: Measured | None, status: RungStatus, text: str) -> RungMeasure:
        if measured is None:
            return RungMeasure(rung.name, rung.rung, status, text)
        if status == "measured":
            finished = (one for one in self.done if _usable(one) and one.tells)
            best = max(finished, key=lambda one: one.interval()[0])
            gain, low, high = gain_of(best, measured)
            text = "The best here." if measured is best else f"Surely below the best by {low:.0%} to {high:.0%}."
            if measured is not best and low <= 0:
                text = f"Within noise of the best ({gain:.0%} lower, at most {high:.0%})."
        if measured.cut_short and measured.tells:
            text = f"{text} Its share of the time held {len(measured.scores)} of {measured.cut_short} examples."
        return as_record(measured, status, f"{text} {getattr(rung, 'told', '')}".strip())


def _parts(rung: Rung) -> int:
    """How many parts of the time a rung gets: none where it takes seconds, several where it must learn first."""
    if not (rung.paid or rung.slow):
        return 0
    return LEARNING if rung.rung == "fine_tune" else 1


def _usable(measured: Measured) -> bool:
    return not isinstance(measured.rung, OracleContext)
