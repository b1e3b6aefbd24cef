"""How a climb looks: what it can see before it starts, a live table while it runs, the comparison at the end."""

from __future__ import annotations

import argparse
from datetime import date
from typing import TYPE_CHECKING, Any

from advisor.base.case import today
from advisor.base.safetext import plain
from advisor.cli.output import Output

if TYPE_CHECKING:
    from rich.table import Table

    from advisor.records.climb import ClimbRecord, RungMeasure, RungStatus
    from advisor.records.decision import Decision
    from trainers.climb.clock import Clock
    from trainers.climb.forecast import Forecast
    from trainers.climb.measure import Measured
    from trainers.climb.rungs import Rung
    from trainers.climb.spend import Price
    from trainers.climb.task import Task

MARKS = {
    "enough": "enough",
    "insufficient": "not enough",
    "undecided": "cannot tell",
    "measured": "measured",
    "not_applicable": "does not apply",
    "not_reached": "not reached",
    "failed": "failed",
}
WIDE = 100


def announce(
    task: Task, requirement: float | None, arguments: argparse.Namespace, expected: Forecast, price: Price, out: Output
) -> None:
    """Say what will be measured, what difference these examples can show at all, and what it may cost."""
    from advisor.cli.climb_task import minutes_of
    from trainers.common.sequential import smallest_visible_difference

    asked = len(task.asked(task.development, costs=True))
    seen = smallest_visible_difference(asked)
    out.told(
        f"{len(task.train):,} examples to learn from, {len(task.development):,} to choose on, "
        f"{len(task.sealed):,} sealed, to confirm one rung once."
    )
    part = f"A language model is asked about {asked:,} of them, which" if asked < len(task.development) else "They"
    out.told(f"{part} can show a difference between two rungs of about {seen:.0%}, and none that is smaller.")
    out.told(f"Measure: {task.metric.name.replace('_', ' ')}, because {task.metric.reason}.")
    out.told(f"Required: {requirement:.0%}." if requirement else "No requirement stated: every rung is measured.")
    calls = f"{expected.calls:,} to {expected.most_calls:,} questions"
    if arguments.endpoint == "local":
        out.told(f"Model: the embedded one, on this machine: {calls}, nothing is sent or paid.")
    else:
        out.told(f"Model: {plain(arguments.model, 80)} at {plain(arguments.endpoint, 120)}; {price.source}.")
        out.told(f"It may ask {calls}: about {_cost(expected, price)}, and never more than {_caps(arguments)}.")
    out.told(f"It takes at most {minutes_of(arguments):g} minutes (--max-minutes), shared out among the rungs.")
    for note in task.notes:
        out.told(note)


def announced(
    task: Task, requirement: float | None, arguments: argparse.Namespace, expected: Forecast, price: Price
) -> dict[str, Any]:
    """The same for --json."""
    from advisor.cli.climb_task import minutes_of
    from trainers.common.sequential import smallest_visible_difference

    return {
        "dry_run": True,
        "task": task.kind,
        "metric": task.metric.name,
        "requirement": requirement,
        "split": {"train": len(task.train), "development": len(task.development), "sealed": len(task.sealed)},
        "visible_difference": smallest_visible_difference(len(task.asked(task.development, costs=True))),
        "endpoint": arguments.endpoint,
        "price": {"input": float(price.input), "output": float(price.output), "source": price.source},
        "calls": expected.calls,
        "tokens": expected.tokens,
        "usd": float(expected.usd),
        "most_calls": expected.most_calls,
        "most_tokens": expected.most_tokens,
        "most_usd": float(expected.most_usd),
        "max_usd": arguments.max_usd,
        "max_tokens": arguments.max_tokens,
        "max_minutes": minutes_of(arguments),
    }


def _cost(expected: Forecast, price: Price) -> str:
    if not (price.input or price.output):
        return f"{expected.tokens:,} tokens, at most {expected.most_tokens:,}"
    return f"{expected.tokens:,} tokens for {expected.usd:.2f} USD, at most {expected.most_usd:.2f} USD"


def _caps(arguments: argparse.Namespace) -> str:
    caps = [f"{arguments.max_usd:.2f} USD"] if arguments.max_usd is not None else []
    return " or ".join([*caps, *([f"{arguments.max_tokens:,} tokens"] if arguments.max_tokens is not None else [])])


class Live:
    """The table while it grows, on stderr; plain lines where there is no terminal. Also the trainers' progress."""

    def __init__(self, out: Output, title: str) -> None:
        self._out = out
        self._title = title
        self._rows: dict[str, tuple[str, ...]] = {}
        self._phase = ""
        self._live: Any = None
        self.clock: Clock | None = None  # set once the climb's time runs

    def __enter__(self) -> Live:
        import sys

        if sys.stderr.isatty() and not (self._out.quiet or self._out.bare):
            from rich.console import Console
            from rich.live import Live as RichLive

            # Drawn anew four times a second, so that the time left runs also while a model thinks.
            self._live = RichLive(
                get_renderable=self._table, console=Console(stderr=True), transient=True, refresh_per_second=4
            )
            self._live.start()
        return self

    def __exit__(self, *ignored: object) -> None:
        if self._live is not None:
            self._live.stop()

    def begins(self, rung: Rung, doing: str) -> None:
        """A rung begins to be measured, or to be confirmed."""
        self._rows.setdefault(rung.name, (rung.name, "…", "", "", ""))
        self._phase = f"{doing}: {rung.name}"
        self._draw(f"{self._phase}{self._left()}")

    def ends(self, rung: Rung, status: RungStatus) -> None:
        """A rung ended; one that was begun and not measured says so."""
        if self._rows.get(rung.name, ("", ""))[1] == "…":
            self._rows[rung.name] = (rung.name, MARKS[status], "", "", "")
            self._draw("")

    def _left(self) -> str:
        """How much time the climb has left, where it has a limit."""
        if self.clock is None:
            return ""
        seconds = max(0, round(self.clock.left()))
        return f", at most {seconds // 60}:{seconds % 60:02} left"

    def shown(self, measured: Measured) -> None:
        """A look at a rung that is being measured."""
        if not measured.scores:
            return
        value, low, high, _ = measured.interval()
        seconds = sorted(said.seconds for said in measured.said)
        self._rows[measured.rung.name] = (
            measured.rung.name,
            f"{value:.0%} ({low:.0%} to {high:.0%})",
            f"{len(measured.scores)}",
            f"{measured.usd:.4f}",
            f"{seconds[len(seconds) // 2]:.2f}",
        )
        self._draw("")

    def phase(self, text: str) -> None:
        """A trainer says what it is doing."""
        self._phase = plain(text, 120)
        self._draw(text)

    def step(self, done: float, total: float, note: str = "") -> None:
        """A trainer's progress; the table says enough."""

    def _draw(self, remark: str) -> None:
        if self._live is not None:
            self._live.refresh()
        elif remark and not self._out.json_mode:
            self._out.note(f"  {plain(remark, 200)}")

    def _table(self) -> Table:
        from rich.table import Table

        table = Table("rung", f"{self._title} (95 %)", "asked", "USD", "s each", box=None, pad_edge=False)
        for row in list(self._rows.values()):  # drawn by a thread of its own while rungs are added
            table.add_row(*row)
        table.caption = f"{self._phase}{self._left()}" if self._phase else None
        return table


def draw(record: ClimbRecord, out: Output) -> None:
    """The comparison, the recommendation, why, and the items on which rungs differ."""
    from rich.text import Text

    console = out.console()
    console.print()
    console.print(_comparison(record, wide=console.width >= WIDE))
    console.print()
    for rung in record.rungs:
        if rung.text and rung.status != "not_reached":
            console.print(Text(f"{plain(rung.name, 40)}: {plain(rung.text, 400)}"))
    console.print()
    console.print(Text(plain(record.text, 600), style="bold"))
    for note in (*record.notes, *_of_the_model(record)):
        console.print(Text(plain(note, 400)))
    if record.calls:
        before = f" ({record.before_usd:.4f} USD in earlier climbs)" if record.before_usd else ""
        console.print(Text(f"{record.calls:,} calls, {record.tokens:,} tokens, {record.usd:.4f} USD{before}."))
    if record.disagreements:
        console.print(Text("\nRungs differ on, for example:"))
        for item in record.disagreements[:3]:
            console.print(Text(f"  {plain(item.item, 160)}\n      right: {plain(item.expected, 80)}"))
            for name, answer in item.answers.items():
                console.print(Text(f"      {plain(name, 40)}: {plain(answer, 80)}"))


def _comparison(record: ClimbRecord, *, wide: bool) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table("rung", "", box=None, pad_edge=False)
    table.add_column(f"{record.metric.replace('_', ' ')} (95 %)", no_wrap=True)
    beside = _beside(record)
    if beside:
        table.add_column(beside[1], justify="right", no_wrap=True)
    for heading in ("USD/1,000", "s each", *(("s, slow 5 %", "asked", "unreadable") if wide else ())):
        table.add_column(heading, justify="right", no_wrap=True)
    for rung in record.rungs:
        chosen = rung.name == record.recommended
        cells = _cells(rung, wide=wide)
        if beside:
            share = rung.extra.get(beside[0])
            cells.insert(1, "" if share is None else beside[2].format(share))
        name = Text(plain(rung.name, 30), style="bold" if chosen else "", no_wrap=True)
        only_shows = rung.status == "not_applicable" and rung.score is not None
        said = "recommended" if chosen else "a ceiling" if only_shows else MARKS[rung.status]
        table.add_row(name, Text(said, no_wrap=True), *cells)
    return table


def _beside(record: ClimbRecord) -> tuple[str, str, str] | None:
    """The measure that stands beside the one that decides, its heading and form: what one alone would hide."""
    if any("cost_a_row" in rung.extra for rung in record.rungs):
        return "cost_a_row", "cost a row", "{:.4g}"
    if record.task != "question_answering":
        return None
    return {
        "exact_match": ("token_f1", "words (F1)", "{:.0%}"),
        "token_f1": ("exact_match", "exact", "{:.0%}"),
    }.get(record.metric)


def _cells(rung: RungMeasure, *, wide: bool) -> list[str]:
    if rung.score is None:
        return [""] * (6 if wide else 3)
    score = rung.score
    share = score.low >= 0 and score.high <= 1
    shown = f"{score.value:.0%} ({score.low:.0%} to {score.high:.0%})"
    if not share:
        shown = f"{score.value:.4g} ({score.low:.4g} to {score.high:.4g})"
    cells = [shown, f"{rung.usd_per_thousand:.4f}", f"{rung.latency_p50:.3f}"]
    return [*cells, f"{rung.latency_p95:.3f}", f"{rung.items:,}", f"{rung.invalid_share:.0%}"] if wide else cells


def own_instead(record: ClimbRecord, decision: Decision) -> list[str]:
    """From how many calls a month an own machine is cheaper than the model measured, at the length measured."""
    tokens = next((fact.value for fact in record.facts if fact.name == "tokens_per_call"), None)
    found = decision.cost.get("break_even")
    ways = [
        one for one in (found if isinstance(found, list) else []) if record.model.startswith(f"{one['against']} at ")
    ]
    return [f"At {tokens} tokens a call: {plain(one['text'], 200)}" for one in ways] if tokens else []


def _of_the_model(record: ClimbRecord) -> tuple[str, ...]:
    if not record.retires:
        return ()
    days = (date.fromisoformat(record.retires) - date.fromisoformat(today())).days
    return (f"The server shuts this model down on {record.retires}: {days:,} days are left.",)
