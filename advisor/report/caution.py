"""What to be careful with: the cautions of the rulebook, the pitfalls in the data, and what nobody knows yet."""

from __future__ import annotations

from advisor.base.safetext import plain
from advisor.records.look import Pitfall
from advisor.report.blocks import Block, Cell, Code, Heading, Paragraph, Points, Section, Table
from advisor.report.given import Given, Move
from advisor.report.words import (
    OUTCOMES,
    WEIGHTS,
    count,
    full_stop,
    mark,
    question_words,
    say,
    sentence,
)


def the_risks(given: Given) -> Section:
    """The cautions of the rulebook and the pitfalls seen in the data, worst first; then how many checks passed."""
    blocks: list[Block] = []
    cautions = given.decision.cautions
    if cautions:
        blocks += [Heading("Be careful with"), Points(tuple(_caution(r.text, r.do_instead) for r in cautions))]
    pitfalls = given.look.pitfalls if given.look is not None else ()
    raised = sorted((p for p in pitfalls if p.outcome in ("issue", "tip")), key=_severity)
    if raised:
        table = Table(("Check", "Weight", "What was seen", "What to do", "Code"), tuple(_pitfall(p) for p in raised))
        blocks += [Heading("Seen in the data"), table]
    ignored = [p for p in pitfalls if p.outcome == "ignored"]
    if ignored:
        blocks += [Heading("Ignored on request"), Points(tuple(_caution(p.name, p.text) for p in ignored))]
    if pitfalls:
        blocks.append(Paragraph(_tally(pitfalls)))
    if given.run is not None and given.run.notes:
        blocks += [Heading("Noted during the run"), Points(tuple(full_stop(note) for note in given.run.notes))]
    if not blocks:
        blocks.append(Paragraph("No rule raised a caution, and no data was looked at."))
    return Section("risks", "Risks and pitfalls", "detail", tuple(blocks))


def _caution(text: str, more: str) -> str:
    return f"{full_stop(text)} {full_stop(more)}".strip()


def _severity(pitfall: Pitfall) -> tuple[bool, int]:
    order = ("severe", "moderate", "mild")
    rank = order.index(pitfall.severity) if pitfall.severity in order else len(order)
    return (pitfall.outcome != "issue", rank)


def _pitfall(pitfall: Pitfall) -> tuple[Cell, ...]:
    weight = mark(WEIGHTS, pitfall.severity) if pitfall.severity else mark(OUTCOMES, pitfall.outcome)
    return (
        sentence(say(pitfall.name)),
        weight,
        full_stop(pitfall.text),
        full_stop(pitfall.fix),
        Code(plain(pitfall.code)),
    )


def _counted(number: int, word: str) -> str:
    several = {"does not apply": "do not apply", "issue": "issues", "tip": "tips"}
    return f"{number} {word if number == 1 else several.get(word, word)}"


def _tally(pitfalls: tuple[Pitfall, ...]) -> str:
    found = {name: sum(pitfall.outcome == name for pitfall in pitfalls) for name in OUTCOMES}
    told = ", ".join(_counted(number, OUTCOMES[name][0].lower()) for name, number in found.items() if number)
    return f"{count(len(pitfalls), 'check')} of the data: {told}."


def the_unknowns(given: Given) -> Section:
    """What was not asked or not known, most decisive first, and where each answer would lead."""
    decision = given.decision
    if not decision.unknown:
        text = "Every question that could matter has an answer."
        return Section("unknowns", "What is not known", "detail", (Paragraph(text),))
    declined = set(given.facts.declined())
    rows = tuple(
        (
            question_words(name, given.definitions),
            "you do not know" if name in declined else "not asked yet",
            _moves(given.moves.get(name), given),
            Code(plain(name)),
        )
        for name in decision.unknown
    )
    table = Table(("Question", "State", "How it could move the answer", "Fact"), rows)
    says = (
        "None of these can change the answer any more."
        if decision.settled
        else "The most decisive first. An open answer is never read as a yes or a no."
    )
    return Section("unknowns", "What is not known", "detail", (Paragraph(says), table))


def _moves(moves: tuple[Move, ...] | None, given: Given) -> str:
    if given.decision.settled:
        return "it cannot"
    if not moves:
        return "not worked out for this question"
    told = []
    for move in moves:
        end = (
            f"“{given.title(move.approach)}”" if move.settled else f"still open, towards “{given.title(move.approach)}”"
        )
        told.append(f"{plain(move.answer)}: {end}")
    return "; ".join(told)
