"""Money, time and machine: the plan's estimate beside what the run took, and the cost of every approach as ranges.

The figures are those the decision carries (`Decision.cost`) and the plan's; nothing is computed here but sums of words.
What is not known is named: it is never taken for nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from advisor.base.safetext import plain
from advisor.records.plan import Estimate
from advisor.report.blocks import Block, Cell, Chart, Heading, Link, Notice, Paragraph, Point, Points, Section, Table
from advisor.report.cost_charts import cost_by_volume, what_moves_it
from advisor.report.given import Given
from advisor.report.words import (
    count,
    dollars,
    duration,
    figure,
    full_stop,
    least_to_most,
    megabytes,
    question_words,
    say,
    sentence,
)

COMES_BACK = {"once": "once", "monthly": "every month", "retraining": "at each retraining"}
RECURRING = "Labelling, evaluation, monitoring and retraining come back for as long as the system is in use."


def the_money(given: Given) -> Section:
    """What the training takes, what each approach costs, what the recommended one is made of, where owning pays."""
    cost = given.decision.cost
    plan = given.run.plan if given.run is not None else given.plan
    blocks: list[Block] = []
    if plan is not None:
        blocks += [Heading("The training itself"), *_estimate(plan.estimate, given)]
    if _table(cost.get("approaches")):
        blocks += _costs(cost, given)
    else:
        blocks.append(Notice(f"Running costs were not computed. An unknown price is not zero. {RECURRING}", "calm"))
    return Section("money", "Money, time and machine", "detail", tuple(blocks))


def _estimate(estimate: Estimate, given: Given) -> Iterator[Block]:
    run = given.run
    took = duration(sum(run.times.values())) if run is not None and run.times else "not measured"
    peak = megabytes(run.peak_memory_mb) if run is not None and run.peak_memory_mb else "not measured"
    rows: list[tuple[Cell, ...]] = [
        ("Time", duration(estimate.seconds), took),
        ("Peak memory", megabytes(estimate.peak_memory_mb), peak),
        ("Disk", megabytes(estimate.disk_mb), "not measured"),
        ("Paid to others", "nothing" if estimate.usd == 0 else f"{dollars(estimate.usd)} USD", "not measured"),
    ]
    columns: tuple[str, ...] = ("What", "Estimated before", "Measured in the run")
    if run is None:
        columns, rows = columns[:2], [row[:2] for row in rows]
    yield Table(columns, tuple(rows))
    how = " ".join(full_stop(text) for text in (estimate.formula, estimate.error_band) if text)
    if how:
        yield Paragraph(f"How it was estimated: {how}")
    if estimate.cards:
        rented = tuple(
            (
                card.card,
                "yes" if card.fits else "no",
                megabytes(card.peak_memory_mb),
                least_to_most(card.hours),
                least_to_most(card.usd),
            )
            for card in estimate.cards
        )
        yield Paragraph(f"On a rented graphics card. {full_stop(estimate.cards_assume)}")
        yield Table(("Card", "Fits", "Peak memory", "Hours", "USD"), rented)


def _costs(cost: Mapping[str, Any], given: Given) -> Iterator[Block]:
    approaches = {str(name): bill for name, bill in _table(cost.get("approaches")).items() if _is_range(bill)}
    chosen = given.decision.approach
    order = sorted(approaches, key=lambda name: (name != chosen, approaches[name]["low"]))
    months = cost.get("horizon_months")
    over = f"over {figure(months)} months" if isinstance(months, int | float) else "over the horizon"
    rows = tuple(_bill(name, approaches[name], given) for name in order)
    yield Chart(
        "costs",
        f"What each way costs {over}",
        f"US dollars at the prices of {plain(cost.get('as_of') or given.decision.as_of)}; ranges, not quotes.",
        "ranges",
        "US dollars",
        tuple(_range_point(name, approaches[name], given) for name in order),
        Table(("Way", "In all", "Compute", "Data", "People"), rows, numeric=(1, 2, 3, 4)),
    )
    if any(not approaches[name].get("complete") for name in order):
        yield Paragraph("“Or more” marks a sum in which something is not known; what is missing is listed below.")
    if chosen in approaches:
        yield from _made_of(given.title(chosen), approaches[chosen], cost)
    yield Paragraph(RECURRING)
    yield from what_moves_it(given)
    yield from _break_even(cost.get("break_even"))
    yield from cost_by_volume(given)
    yield from _missing(cost.get("missing"), given)
    notes = tuple(full_stop(note) for note in _list(cost.get("notes")))
    if notes:
        yield Points(notes)


def _range_point(name: str, bill: Mapping[str, Any], given: Given) -> Point:
    low, high = float(bill["low"]), float(bill["high"])
    return Point(given.title(name), (low + high) / 2, 0.0, low, high, name == given.decision.approach)


def _bill(name: str, bill: Mapping[str, Any], given: Given) -> tuple[Cell, ...]:
    buckets = _table(bill.get("buckets"))
    whole = _range(bill) if bill.get("complete") else f"{_range(bill)}, or more"
    return (
        given.title(name),
        whole,
        *(_range(buckets.get(part)) for part in ("compute", "data", "people")),
    )


def _made_of(title: str, bill: Mapping[str, Any], cost: Mapping[str, Any]) -> Iterator[Block]:
    rows: list[tuple[Cell, ...]] = []
    numbers, items = _numbered(cost), _table(cost.get("items"))
    for name in _list(bill.get("items")):
        item = _table(items.get(name))
        often = COMES_BACK.get(str(item.get("recurs")), say(item.get("recurs", "")))
        rests = ", ".join(numbers.get(used, say(used)) for used in map(str, _list(item.get("uses"))))
        known = Link(rests, "#assumptions") if rests else "the facts alone"
        rows.append((plain(item.get("label", name)), say(item.get("bucket", "")), often, _range(item), known))
    if rows:
        yield Heading(f"What “{title}” is made of")
        yield Table(("Item", "Bucket", "Comes back", "US dollars each time", "Rests on"), tuple(rows), numeric=(3,))


def _numbered(cost: Mapping[str, Any]) -> dict[str, str]:
    """A short number for every assumption and price, the same in the bill and in the list of assumptions."""
    names = [*_table(cost.get("assumptions")), *_table(cost.get("models"))]
    return {str(name): f"A{at}" for at, name in enumerate(names, 1)}


def _break_even(lines: Any) -> Iterator[Block]:
    reached = {"yes": "reached", "no": "not reached", "perhaps": "perhaps reached", "unknown": "volume not known"}
    rows = tuple(
        (full_stop(line.get("text", "")), reached.get(str(line.get("reached")), "volume not known"))
        for line in map(_table, _list(lines))
        if line.get("text")
    )
    if rows:
        yield Heading("From which volume owning is cheaper")
        yield Table(("Break-even", "At your volume"), rows)


def _missing(missing: Any, given: Given) -> Iterator[Block]:
    told = []
    for entry in map(_table, _list(missing)):
        name, why = str(entry.get("name", "")), full_stop(entry.get("why", ""))
        asked = question_words(name, given.definitions) if entry.get("kind") == "fact" else sentence(say(name))
        told.append(f"{asked} {why}" if asked.endswith("?") else f"{asked}: {why}")
    if told:
        yield Heading("Not known, so not counted or counted broadly")
        yield Points(tuple(told))


def the_assumptions(given: Given) -> Section | None:
    """Every price and assumption behind a figure, with its range, its day and its source."""
    cost = given.decision.cost
    sources = _table(cost.get("sources"))
    rows: list[tuple[Cell, ...]] = []
    numbers = list(_numbered(cost).values())
    for entry in map(_table, _table(cost.get("assumptions")).values()):
        amount = f"{_span(entry.get('low'), entry.get('high'))} {plain(entry.get('unit', ''))}"
        label = plain(entry.get("label", ""))
        rows.append((numbers[len(rows)], label, amount, plain(entry.get("as_of", "")), _source(entry, sources)))
    for entry in map(_table, _table(cost.get("models")).values()):
        amount = f"in {_number(entry.get('input'))}, out {_number(entry.get('output'))} {plain(entry.get('unit', ''))}"
        label = plain(entry.get("label", ""))
        rows.append((numbers[len(rows)], label, amount, plain(entry.get("as_of", "")), _source(entry, sources)))
    if not rows:
        return None
    says = f"{count(len(rows), 'figure')}; put your own in their place and decide again."
    table = Table(("No.", "Assumption", "Value", "As of", "Source"), tuple(rows))
    return Section("assumptions", "Prices and assumptions", "reference", (Paragraph(says), table))


def _source(entry: Mapping[str, Any], sources: Mapping[str, Any]) -> Cell:
    source = _table(sources.get(str(entry.get("source"))))
    title, address = (
        plain(source.get("title") or entry.get("source") or "not given", 300),
        str(source.get("address", "")),
    )
    return Link(title, address) if address.startswith(("https://", "http://")) else title


def _is_range(bill: Any) -> bool:
    return all(isinstance(_table(bill).get(end), int | float) for end in ("low", "high"))


def _range(bill: Any) -> str:
    known = _table(bill)
    return dollars(known["low"], known["high"]) if _is_range(known) else "not known"


def _span(low: Any, high: Any) -> str:
    return _number(low) if low == high else f"{_number(low)} to {_number(high)}"


def _number(value: Any) -> str:
    return figure(value, 4) if isinstance(value, int | float) and not isinstance(value, bool) else "not known"


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []
