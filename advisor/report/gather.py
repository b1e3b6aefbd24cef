"""From the records of a case to what a story is told from."""

from __future__ import annotations

from collections.abc import Mapping

from advisor.reasoning.costs import what_moves
from advisor.reasoning.prices import Prices
from advisor.reasoning.rulebook import Rulebook
from advisor.records.climb import ClimbRecord
from advisor.records.decision import Decision
from advisor.records.facts import FactSheet
from advisor.records.look import Look
from advisor.records.plan import Plan
from advisor.records.run import RunRecord
from advisor.report.given import Given, Swing
from advisor.report.moves import moves_of


def gather(
    case: str,
    folder: str,
    decision: Decision,
    facts: FactSheet,
    rulebook: Rulebook,
    *,
    look: Look | None = None,
    plan: Plan | None = None,
    run: RunRecord | None = None,
    climb: ClimbRecord | None = None,
    inputs: Mapping[str, str] | None = None,
    prices: Prices | None = None,
) -> Given:
    """Everything a story needs, with the rulebook's words and, where it is not settled, what each answer would move."""
    from advisor import __version__

    return Given(
        case=case,
        folder=folder,
        decision=decision,
        facts=facts,
        definitions=rulebook.facts,
        sources=rulebook.sources,
        look=look,
        plan=plan,
        run=run,
        climb=climb,
        inputs=inputs or {},
        moves={} if decision.settled else moves_of(facts.values(), rulebook, decision.unknown),
        titles=titles(rulebook),
        swings=_swings(decision, facts, prices),
        tool_version=__version__,
    )


def _swings(decision: Decision, facts: FactSheet, prices: Prices | None) -> tuple[Swing, ...]:
    """What each assumption alone does to the bill of the recommended way, the widest first."""
    if decision.approach is None:
        return ()
    moves = what_moves(facts.values(), decision.approach, decision.as_of, prices)
    return tuple(Swing(move.label, move.low, move.high) for move in moves)


def titles(rulebook: Rulebook) -> dict[str, str]:
    """What the rulebook calls each approach, and each value of a side answer as in "hosting.own_server"."""
    named = {name: approach.title for name, approach in rulebook.approaches.items()}
    for answer, values in rulebook.answers.items():
        named |= {f"{answer}.{value}": title for value, title in values.items()}
    return named
