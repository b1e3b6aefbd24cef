"""`train-or-not diff`: what changed between two cases, or in one case since its last decision."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from advisor.base.case import Case, open_case, today
from advisor.base.errors import BadInput
from advisor.base.safetext import plain
from advisor.cli.output import Output
from advisor.records.decision import Decision, Reason
from advisor.records.facts import Value

if TYPE_CHECKING:
    from advisor.reasoning.rulebook import Rulebook

SUMMARY = "Compares two decisions: which facts, rules, rungs and side answers differ, and what follows from it."
EXAMPLES = (
    "train-or-not diff churn returns        two cases, each decided on what it holds now",
    "train-or-not diff churn                the last decision of one case, and the decision today",
)
SIDE_ANSWERS = ("hosting", "trainer", "metric", "model_family")


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two decisions."""

    name: str
    approach: str | None
    verdict: str | None
    settled: bool
    headline: str
    as_of: str
    rulebook: str


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is not the same: a fact, a rung's status, a side answer. None is "not known"."""

    name: str
    a: Value | None
    b: Value | None


@dataclass(frozen=True, slots=True)
class Held:
    """A rule that held in one of the two only."""

    rule: str
    text: str


@dataclass(frozen=True, slots=True)
class Difference:
    """All of it. `same` is true when approach, verdict and every side answer agree."""

    a: Side
    b: Side
    same: bool
    facts: tuple[Change, ...]
    rungs: tuple[Change, ...]
    answers: tuple[Change, ...]
    only_in_a: tuple[Held, ...]
    only_in_b: tuple[Held, ...]


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of `diff`."""
    parser.add_argument("a", metavar="CASE_A", help="a case")
    parser.add_argument("b", metavar="CASE_B", nargs="?", help="another; without it, CASE_A as it would be decided now")
    parser.add_argument("--as-of", default="", metavar="DATE", help="decide with the prices of that day")


def run(arguments: argparse.Namespace, out: Output) -> int:
    """Compare; nothing is written, and a difference is no error."""
    from advisor.reasoning.rulebook import load_rulebook

    one = open_case(arguments.a)
    if arguments.b:
        other = open_case(arguments.b)
        first, second = decided_now(one, arguments.as_of), decided_now(other, arguments.as_of)
        names = (str(arguments.a), str(arguments.b))
    else:
        first, second = decided_before(one), decided_now(one, arguments.as_of)
        names = (f"{arguments.a} as decided", f"{arguments.a} now")
    found = difference(first, second, names)
    if out.json_mode:
        from advisor.records.plain import to_plain

        out.json(to_plain(found))
        return 0
    for line in page(found, load_rulebook()):
        out.line(line)
    out.note(f"Next: train-or-not explain {shlex.quote(str(arguments.b or arguments.a))}")
    return 0


def decided_now(case: Case, as_of: str) -> Decision:
    """The decision on what the case holds now; nothing is written."""
    from advisor.cli.chain import facts_of, own_prices
    from advisor.reasoning.rulebook import load_rulebook
    from advisor.reasoning.walk import decide

    sheet = facts_of(case)
    return decide(
        sheet.values(), load_rulebook(), declined=sheet.declined(), as_of=as_of or today(), prices=own_prices(case)
    )


def decided_before(case: Case) -> Decision:
    """The decision that was written down last. Raises `BadInput` where there is none."""
    from advisor.records.plain import load

    if not case.decision.exists():
        raise BadInput(
            f"{case.name} was not decided yet, so there is nothing to compare with.",
            where=str(case.decision),
            fix=f"train-or-not decide {shlex.quote(str(case.folder))}   (or name two cases)",
            code="not-decided",
        )
    return load(case.decision, Decision)


def difference(a: Decision, b: Decision, names: tuple[str, str]) -> Difference:
    """Everything in which two decisions differ."""
    rules_a, rules_b = ({reason.rule: reason for reason in _reasons(one)} for one in (a, b))
    answers = _changes(_side_answers(a), _side_answers(b))
    return Difference(
        a=_side(a, names[0]),
        b=_side(b, names[1]),
        same=(a.approach, a.verdict, a.settled) == (b.approach, b.verdict, b.settled) and not answers,
        facts=_changes(a.facts, b.facts),
        rungs=_changes(_rungs(a), _rungs(b)),
        answers=answers,
        only_in_a=tuple(Held(rule, reason.text) for rule, reason in rules_a.items() if rule not in rules_b),
        only_in_b=tuple(Held(rule, reason.text) for rule, reason in rules_b.items() if rule not in rules_a),
    )


def _side(decision: Decision, name: str) -> Side:
    return Side(
        name,
        decision.approach,
        decision.verdict,
        decision.settled,
        decision.headline,
        decision.as_of,
        decision.rulebook.get("hash", ""),
    )


def _changes(a: Mapping[str, Value | None], b: Mapping[str, Value | None]) -> tuple[Change, ...]:
    names = dict.fromkeys((*a, *b))
    return tuple(Change(name, a.get(name), b.get(name)) for name in names if a.get(name) != b.get(name))


def _rungs(decision: Decision) -> dict[str, Value | None]:
    return {step.rung: step.status for step in (*decision.ladder, *decision.beside)}


def _side_answers(decision: Decision) -> dict[str, Value | None]:
    return {name: getattr(decision, name).value for name in SIDE_ANSWERS}


def _reasons(decision: Decision) -> Iterator[Reason]:
    """The rules that held: those of the rung that is enough, of stops, side answers and cautions."""
    yield from decision.stops
    for step in (*decision.ladder, *decision.beside):
        if step.status in ("enough", "blocked", "insufficient"):
            yield from step.because
    for name in SIDE_ANSWERS:
        yield from getattr(decision, name).because
    yield from decision.cautions


def page(found: Difference, rulebook: Rulebook) -> Iterator[str]:
    """The difference as lines: the answers, then what led to them."""
    for mark, side in (("A", found.a), ("B", found.b)):
        yield f"{mark}  {plain(side.name, 80)}: {plain(side.headline, 200) or 'No rule holds yet.'}"
    yield ""
    yield "The same answer." if found.same else "Not the same answer."
    if found.a.rulebook != found.b.rulebook:
        yield "The rulebook is another one: a difference may come from the rules, not from the facts."
    if found.a.as_of != found.b.as_of:
        yield f"Decided for {found.a.as_of} and {found.b.as_of}: prices may differ."
    yield from _told("Facts", found.facts, {name: fact.question for name, fact in rulebook.facts.items()})
    yield from _told("Rungs and other ways", found.rungs, {})
    yield from _told("Beside it", found.answers, {})
    for title, rules in (("Rules that hold in A only", found.only_in_a), ("in B only", found.only_in_b)):
        if rules:
            yield f"\n{title[:1].upper()}{title[1:]}"
            yield from (f"  {one.rule:<6} {plain(one.text, 300)}" for one in rules)


def _told(title: str, changes: tuple[Change, ...], questions: Mapping[str, str]) -> Iterator[str]:
    if changes:
        yield f"\n{title}"
    for change in changes:
        yield f"  {change.name}: {_said(change.a)} → {_said(change.b)}"
        if change.name in questions:
            yield f"      {questions[change.name]}"


def _said(value: Value | None) -> str:
    if value is None:
        return "not known"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int | float) else plain(value, 60).replace("_", " ")
