"""What a climb measured: every rung on the same examples, with its interval, its price and its speed."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.base.safetext import plain
from advisor.records.climb import ClimbRecord, RungMeasure
from advisor.report.blocks import Block, Cell, Chart, Heading, Mark, Paragraph, Point, Points, Section, Table, Tone
from advisor.report.cost_charts import score_by_cost
from advisor.report.given import Given
from advisor.report.words import STATUSES, count, full_stop, mark, metric_words, say, score, sentence

MEASURED: dict[str, tuple[str, Tone]] = {
    **STATUSES,
    "undecided": ("Too close to call", "warn"),
    "measured": ("Measured", "muted"),
    "failed": ("Failed to run", "bad"),
}
SHOWN = 10


def the_climb(given: Given) -> Section | None:
    """The measured rungs, or None where nobody climbed."""
    climb = given.climb
    if climb is None:
        return None
    metric = metric_words(climb.metric)
    needed = f" The requirement is {score(climb.requirement)}." if climb.requirement is not None else ""
    seen = f" This set can only show differences of about {score(climb.visible_difference)} or more."
    blocks: list[Block] = [
        Paragraph(f"{full_stop(climb.text)}{needed}{seen}"),
        *_chart(climb, metric),
        *score_by_cost(climb),
    ]
    if climb.sealed is not None:
        sealed = climb.sealed
        interval = f"{sealed.confidence:.0%} interval {score(sealed.low)} to {score(sealed.high)}"
        rows = count(sealed.rows, "sealed example")
        blocks.append(Paragraph(f"Confirmed once on {rows}: {metric} {score(sealed.value)} ({interval})."))
    blocks += _disagreements(climb)
    if climb.notes:
        blocks.append(Points(tuple(full_stop(note) for note in climb.notes)))
    return Section("climb", "What was measured on your examples", "detail", tuple(blocks))


def _chart(climb: ClimbRecord, metric: str) -> Iterator[Block]:
    scored = [rung for rung in climb.rungs if rung.score is not None]
    points = tuple(
        Point(_with_cost(rung), item.value, 0.0, item.low, item.high, rung.name == climb.recommended)
        for rung in scored
        if (item := rung.score) is not None
    )
    table = Table(
        ("Way", "Outcome", sentence(metric), "Interval", "USD a thousand", "Median time", "Unreadable"),
        tuple(_row(rung) for rung in climb.rungs),
        numeric=(2, 3, 4, 5, 6),
    )
    if not points:
        yield table
        return
    yield Chart(
        "climb-scores",
        f"{sentence(metric)} by rung",
        _how_to_read(climb),
        "intervals",
        metric,
        points,
        table,
        bar=climb.requirement,
    )


def _with_cost(rung: RungMeasure) -> str:
    """The rung's name, and what a thousand answers cost where they cost anything."""
    cost = f", ${rung.usd_per_thousand:,.2f}" if rung.usd_per_thousand else ""
    return f"{sentence(say(rung.name))}{cost}"


def _how_to_read(climb: ClimbRecord) -> str:
    told = "Measured on the development part, cheapest first; the bars are intervals."
    if any(rung.usd_per_thousand for rung in climb.rungs):
        told += " A sum beside a name is USD for a thousand answers."
    return told if climb.requirement is None else f"{told} The broken line is the requirement."


def _row(rung: RungMeasure) -> tuple[Cell, ...]:
    outcome: Mark = mark(MEASURED, rung.status)
    if rung.score is None:
        return (sentence(say(rung.name)), outcome, "not measured", "", "", "", "")
    interval = f"{score(rung.score.low)} to {score(rung.score.high)}"
    speed, price = f"{rung.latency_p50:.2f} s", f"{rung.usd_per_thousand:,.2f}"
    return (
        sentence(say(rung.name)),
        outcome,
        score(rung.score.value),
        interval,
        price,
        speed,
        f"{rung.invalid_share:.1%}",
    )


def _disagreements(climb: ClimbRecord) -> Iterator[Block]:
    if not climb.disagreements:
        return
    rows = tuple(
        (
            plain(item.item, 160),
            plain(item.expected, 60),
            "; ".join(f"{say(way)}: {plain(answer, 60)}" for way, answer in item.answers.items()),
        )
        for item in climb.disagreements[:SHOWN]
    )
    yield Heading("Where the rungs disagree")
    yield Table(("Example", "Right answer", "Answers"), rows)
