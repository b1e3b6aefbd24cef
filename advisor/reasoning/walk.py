"""The decision: one evaluation of all rules, and the whole record read from it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from advisor.reasoning.definitions import ANSWERS
from advisor.reasoning.diagram import TooLarge
from advisor.reasoning.flips import flips
from advisor.reasoning.logic import weigh
from advisor.reasoning.reasons import Reasons
from advisor.reasoning.relevance import most_decisive, next_question, possible_approaches
from advisor.reasoning.rulebook import Rulebook
from advisor.reasoning.standing import standing
from advisor.reasoning.table import Weighed
from advisor.records.decision import Approach, Choice, Decision, Stage
from advisor.records.facts import Value

if TYPE_CHECKING:
    from advisor.reasoning.prices import Prices


def decide(
    facts: Mapping[str, Value | None],
    rulebook: Rulebook,
    *,
    declined: Collection[str] = (),
    as_of: str = "",
    locked: Collection[str] = (),
    with_flips: bool = True,
    with_cost: bool = True,
    prices: Prices | None = None,
) -> Decision:
    """Which approach these facts lead to, and why.

    `facts` maps names to values; None, or a name in `declined`, means "asked, but not known". `approach` is that of the
    first rule that is true on the known facts; `settled` says whether every completion of the open ones agrees.
    `locked` names facts that a flip must not change; `prices` take the place of those beside the rules. Raises
    `BadInput` for an unknown fact or an impossible value.
    """
    known: dict[str, Value] = {}
    asked: dict[str, Value | None] = {}
    for name, raw in facts.items():
        if raw is None:
            rulebook.definition(name)
            asked[name] = None
        else:
            asked[name] = known[name] = rulebook.parse_value(name, raw)
    for name in declined:
        rulebook.definition(name)
        asked.setdefault(name, None)
    stand = standing(known, rulebook)
    weighed = stand.weighed
    approach: Approach | None = stand.approach  # type: ignore[assignment]  # names are checked in ladder.yaml
    possible, unknown, question = _open(known, asked, rulebook)
    reasons = Reasons(rulebook, known, weighed, possible)
    outcome = rulebook.approaches[approach] if approach else None
    return Decision(
        approach=approach,
        verdict=outcome.verdict if outcome else None,  # type: ignore[arg-type]  # read from ladder.yaml, checked there
        settled=stand.settled,
        also_possible=tuple(one for one in possible if one != approach),
        rung=outcome.rung if outcome else None,  # type: ignore[arg-type]
        **{answer: _answer(answer, approach, reasons) for answer in ANSWERS},
        headline=outcome.headline if outcome else rulebook.undecided,
        ladder=reasons.ladder(approach),
        beside=reasons.beside(approach),
        stops=tuple(map(reasons.of, reasons.holding("stops"))),
        cautions=tuple(map(reasons.of, reasons.holding("cautions", approach))),
        flips=flips(known, rulebook, locked=locked) if with_flips and approach else (),
        unknown=unknown,
        next_question=question,
        plan=_stages(rulebook, weighed, approach),
        cost=_cost(known, as_of, prices or rulebook.prices) if with_cost else {},
        facts=asked,
        as_of=as_of,
        rulebook={"hash": rulebook.hash, "version": rulebook.version},
    )


def _open(
    known: Mapping[str, Value], asked: Mapping[str, Value | None], rulebook: Rulebook
) -> tuple[tuple[Approach, ...], tuple[str, ...], str | None]:
    """What is still possible, what would settle it, what to ask next.

    When a rulebook is too tangled to prove anything within the limit, everything stays possible: never falsely settled.
    """
    try:
        return (
            possible_approaches(known, rulebook),
            most_decisive(known, rulebook),
            next_question(known, rulebook, [name for name in asked if name not in known]),
        )
    except TooLarge:
        unknown = tuple(name for name in rulebook.facts if name not in known and rulebook.table.constrained[name])
        question = next((name for name in unknown if name not in asked), None)
        return tuple(rulebook.approaches), unknown, question  # type: ignore[arg-type]  # names checked in ladder.yaml


def _answer(answer: str, approach: str | None, reasons: Reasons) -> Choice:
    """Hosting, trainer, metric or model family: the first rule that holds for this approach."""
    for number, rule in enumerate(reasons.rulebook.rules):
        if rule.answer == answer and reasons.values[number] and (not rule.approaches or approach in rule.approaches):
            return Choice(rule.value, (reasons.of(number),))
    return Choice(None)


def _stages(rulebook: Rulebook, weighed: Weighed, approach: str | None) -> tuple[Stage, ...]:
    """The seven stages as a checklist: what the facts show as done, and what is owed for this approach."""
    stages = []
    for stage in rulebook.stages:
        begun = weigh(stage["done_when"], weighed.true, weighed.false)
        sentences = stage["left" if begun else "owed"]
        owed, done, by = sentences.get(approach, sentences["otherwise"]), stage["done"], stage["by"]
        if approach in stage["not_needed"]:
            status, done, by, owed = "not_needed", "", "", ""
        elif begun:
            status = "part"
        else:
            status, done, by = "owed", "", ""
        stages.append(Stage(stage["stage"], stage["title"], stage["good"], status, done, by, owed))
    return tuple(stages)


def _cost(facts: Mapping[str, Value], as_of: str, prices: Prices | None) -> dict[str, object]:
    if prices is None:
        return {}
    from advisor.reasoning.costs import estimate_costs

    return estimate_costs(facts, as_of, prices)
