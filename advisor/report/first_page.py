"""The first page, for a reader in a hurry: the answer, why not cheaper or dearer, what would change it, what next.

No rule ids and no field names stand here: a fact is named by the question that asks for it.
"""

from __future__ import annotations

from collections.abc import Iterator

from advisor.base.safetext import plain
from advisor.records.decision import Decision, Flip, Step
from advisor.records.run import RunRecord
from advisor.report.blocks import (
    Block,
    Cell,
    Command,
    Hero,
    Ladder,
    Mark,
    Notice,
    Paragraph,
    Rung,
    Section,
    Table,
    Tone,
)
from advisor.report.given import Given
from advisor.report.next_step import next_step
from advisor.report.steps import deciding_reason, deciding_step, outcome_of, spoken
from advisor.report.words import (
    OWN_MODEL,
    RUNGS,
    VERDICTS,
    count,
    dollars,
    duration,
    figure,
    full_stop,
    question_words,
    sentence,
    value_words,
)

UNKNOWN, UNSETTLED, NOT_EARNED = "Not known yet", "Not settled yet", "Tried, not earned"

SHOWN_FLIPS = 5


def the_answer(given: Given) -> Section:
    """The verdict in a word, the headline in a sentence, how sure it is, and the rule that settled it."""
    decision = given.decision
    reason = deciding_reason(decision)
    because = (Paragraph(f"Because: {spoken(reason, given)}"),) if reason is not None else ()
    return Section("answer", "The answer", "first_page", (_hero(given), *because, *_bill(given), *_open(given)))


def _hero(given: Given) -> Hero:
    decision = given.decision
    return Hero(
        *_verdict(decision, given.run), _headline(given), _certainty(decision, given.run), tuple(_badges(given))
    )


def _verdict(decision: Decision, run: RunRecord | None) -> tuple[str, Tone]:
    if decision.verdict is None:
        return UNKNOWN, "warn"
    if not decision.settled:
        return UNSETTLED, "warn"
    if _fell_short(decision, run):
        return NOT_EARNED, "warn"
    return VERDICTS[decision.verdict]


def _fell_short(decision: Decision, run: RunRecord | None) -> bool:
    """Whether training was advised and done, and did not beat the cheaper way."""
    return run is not None and run.gate.outcome != "earned" and decision.verdict not in ("no", "not_yet")


def _headline(given: Given) -> str:
    decision = given.decision
    if decision.approach is None:
        return full_stop(decision.headline) or "The known facts point nowhere yet."
    if decision.settled:
        return _without_verdict(decision) or f"{given.title(decision.approach)}."
    verb = "is" if len(decision.unknown) == 1 else "are"
    still_open = f"{count(len(decision.unknown), 'answer')} {verb} open"
    return f"Leaning towards “{given.title(decision.approach)}”, not settled: {still_open}."


def _without_verdict(decision: Decision) -> str:
    """The headline without the verdict it opens with, which already stands above it in large letters."""
    headline = full_stop(decision.headline)
    word = VERDICTS[decision.verdict][0] if decision.verdict else ""
    for opening in (word, word.split(",")[0]):
        if opening and headline.startswith((f"{opening}. ", f"{opening}: ", f"{opening}, ")):
            return sentence(headline[len(opening) + 2 :])
    return headline


def _certainty(decision: Decision, run: RunRecord | None) -> str:
    if _fell_short(decision, run):
        return "The facts point this way, but the trained model was not shown to beat the cheaper way: keep that one."
    if not decision.settled:
        return "No answer is assumed: the open ones are listed further down, with what each would change."
    if decision.unknown:
        verb = "is" if len(decision.unknown) == 1 else "are"
        return f"Settled: {count(len(decision.unknown), 'question')} {verb} open, but no answer can change this."
    return "Settled: nothing is left open that could change this."


def _badges(given: Given) -> Iterator[Mark]:
    decision = given.decision
    if decision.approach is not None and decision.settled:
        short = _fell_short(decision, given.run)
        advised = "Advised by the facts" if short else "Recommended"
        yield Mark(f"{advised}: {given.title(decision.approach)}", "calm" if short else "good")
    if decision.hosting.value:
        yield Mark(f"Where it runs: {given.title(decision.hosting.value, 'hosting')}", "calm")
    if given.run is not None and given.run.gate.outcome == "owed":
        yield Mark("Labels are owed", "warn")
    elif given.run is not None:
        earned = given.run.gate.outcome == "earned"
        yield Mark(f"Training {'earned' if earned else 'did not earn'} its place", "good" if earned else "bad")
    elif decision.settled and decision.verdict in ("no", "not_yet"):
        yield Mark("Nothing needs training" if decision.verdict == "no" else "Nothing to train yet", "calm")


def _bill(given: Given) -> Iterator[Block]:
    """What the recommended way costs, in one line; nothing where it was not computed."""
    decision = given.decision
    bills = decision.cost.get("approaches")
    bill = bills.get(decision.approach) if isinstance(bills, dict) and decision.settled else None
    months = decision.cost.get("horizon_months")
    if isinstance(bill, dict) and isinstance(months, int | float):
        least = "" if bill.get("complete") else ", or more: not everything is known"
        cost = dollars(float(bill["low"]), float(bill["high"]))
        yield Paragraph(f"What it costs: {cost} US dollars over {figure(months)} months, people included{least}.")


def _open(given: Given) -> Iterator[Block]:
    """What is still possible, and the question that settles most."""
    decision = given.decision
    if decision.settled:
        return
    if decision.also_possible:
        others = "; ".join(given.title(approach) for approach in decision.also_possible)
        yield Paragraph(f"Also possible: {others}.")
    if decision.unknown:
        yield Notice(f"The answer that settles most: {question_words(decision.unknown[0], given.definitions)}", "warn")


def the_ladder(given: Given) -> Section:
    """One line a rung, cheapest first, and the ways beside the ladder that had a say."""
    decision = given.decision
    chosen = deciding_step(decision)
    beside = [
        _rung(step, chosen, given)
        for step in decision.beside
        if step is chosen or step.status in ("enough", "insufficient", "blocked", "unknown")
    ]
    intro = "Each rung costs more than the one before it. The advice stops at the first that is enough."
    if chosen is not None and decision.rung is None:
        intro += " Here the answer stands beside the ladder."
    ladder = Ladder(tuple(_rung(step, chosen, given) for step in decision.ladder), tuple(beside))
    return Section("ladder", "Why not cheaper, why not dearer", "first_page", (Paragraph(intro), ladder))


def _rung(step: Step, chosen: Step | None, given: Given) -> Rung:
    name = OWN_MODEL if step.rung == "scratch" else given.title(step.rung)
    badge, why = outcome_of(step, given)
    return Rung(name, RUNGS.get(step.rung, name), badge, why, step is chosen)


def the_flips(given: Given) -> Section:
    """The smallest changes of fact that lead elsewhere."""
    flips = given.decision.flips
    if not flips:
        says = (
            "No single change of a known fact leads to another answer."
            if given.decision.settled
            else ("What would change this depends on the open answers; they are listed under “What is not known”.")
        )
        return Section("flips", "What would change this", "first_page", (Paragraph(says),))
    shown = _telling(flips)
    rows = tuple(row for flip in shown for row in _flip(flip, given))
    more = f"; {len(flips) - len(shown)} more are in decision.json" if len(flips) > len(shown) else ""
    table = Table(("If this answer changed", "from", "to", "the advice would be"), rows)
    return Section(
        "flips", "What would change this", "first_page", (Paragraph(f"The smallest change first{more}."), table)
    )


def _telling(flips: tuple[Flip, ...]) -> tuple[Flip, ...]:
    """The smallest way to each other advice, then more single changes; in the order they came in."""
    firsts: dict[str, Flip] = {}
    for flip in flips:
        firsts.setdefault(flip.approach, flip)
    singles = [flip for flip in flips if len(flip.change) == 1 and flip not in firsts.values()]
    chosen = [*firsts.values(), *singles][:SHOWN_FLIPS]
    return tuple(flip for flip in flips if flip in chosen)


def _flip(flip: Flip, given: Given) -> Iterator[tuple[Cell, ...]]:
    """One row for each answer that has to change; all of them together lead to the other advice."""
    known = given.decision.facts
    for at, (name, value) in enumerate(flip.change.items()):
        question = question_words(name, given.definitions)
        now = value_words(name, known.get(name), given.definitions) if name in known else "not asked"
        end = (
            given.title(flip.approach) if at == 0 else "(both together)" if len(flip.change) == 2 else "(all together)"
        )
        yield (f"and: {question}" if at else question, now, value_words(name, value, given.definitions), end)


def the_next_step(given: Given) -> Section:
    """What to do, and the one command that starts it."""
    says, command = next_step(given)
    reason = deciding_reason(given.decision)
    asked = given.decision.settled and given.run is None and reason is not None
    instead = full_stop(reason.do_instead) if asked and reason is not None else ""
    texts = [Paragraph(plain(text, 2000)) for text in (instead, f"{says}{_takes(given)}") if text]
    return Section("next", "Do next", "first_page", (*texts, Command(command)))


def _takes(given: Given) -> str:
    """What the training that comes next takes, where a plan says."""
    plan = given.plan
    if plan is None or given.run is not None or not plan.trainer or plan.estimate.seconds <= 0:
        return ""
    price = "nothing to pay to others" if plan.estimate.usd == 0 else f"{dollars(plan.estimate.usd)} USD"
    return f" It takes about {duration(plan.estimate.seconds)} and {price}."
