"""The page that `look` draws on a terminal. Foreign text is already one safe line; rich is never given markup."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from advisor.base.safetext import plain

if TYPE_CHECKING:
    from rich.console import Console

    from advisor.records.look import Column, Look, Pitfall

_SHOWN_COLUMNS = 40
_NARROWEST_NAME = 24
_SEVERITY = {"severe": 0, "moderate": 1, "mild": 2, "": 3}
_OUTCOMES = ("issue", "tip", "ignored", "skipped", "passed", "not_applicable")
_STYLE = {"severe": "bold red", "moderate": "yellow", "mild": "cyan"}


def draw(look: Look, console: Console, *, everything: bool = False) -> None:
    """Facts, columns, pitfalls worst first, the curve, and the split."""
    rows, columns = look.shape
    size = f"{rows:,} rows × {columns:,} columns" if columns else f"{rows:,} items"
    target = f", target {plain(look.target, 60)} ({look.task})" if look.target else ""
    console.print(Text(f"{plain(look.path, 200)}: {size}{target}", style="bold"))
    for note in (*look.notes, *((look.sampled,) if look.sampled else ())):
        console.print(Text(f"  {plain(note, 400)}", style="dim"))
    _facts(look, console)
    if look.columns and look.format not in ("documents", "images"):
        _columns(look.columns, console)
    if look.candidates:
        _heading("Which column is the answer?", console)
        names = ", ".join(plain(name, 60) for name in look.candidates)
        console.print(Text(f"  These look like it: {names}. Name one with --target."))
    _pitfalls(look.pitfalls, console, everything)
    if look.curve:
        _heading("Would more labels help?", console)
        console.print(Padding(Text(f"{look.curve.text} Certainty: {look.curve.certainty}."), (0, 0, 0, 2)))
    if look.target:
        _heading("How to hold rows back", console)
        by = f" by {plain(look.split.column, 60)}" if look.split.column else ""
        told = f"{look.split.kind}{by}, {look.split.test_share:.0%} sealed. {look.split.reason}"
        console.print(Padding(Text(told), (0, 0, 0, 2)))


def _heading(text: str, console: Console) -> None:
    console.print()
    console.print(Text(text, style="bold"))


def _facts(look: Look, console: Console) -> None:
    _heading("What the data answers", console)
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for fact in look.facts:
        whole = isinstance(fact.value, int) and not isinstance(fact.value, bool)
        value = f"{fact.value:,}" if whole else plain(fact.value, 40)
        table.add_row(Text(f"  {fact.name}"), Text(value, style="bold"), Text(plain(fact.evidence, 300), style="dim"))
    console.print(table)
    for fact in look.suggestions:
        told = f"  To be confirmed: {fact.name} = {plain(fact.value, 40)}, because {plain(fact.evidence, 300)}"
        console.print(Text(told, style="italic"))


def _columns(columns: tuple[Column, ...], console: Console) -> None:
    _heading("Columns", console)
    rows = []
    for column in columns[:_SHOWN_COLUMNS]:
        kind = column.kind if column.role in ("feature", column.kind) else f"{column.kind} ({column.role})"
        counts = (f"{column.missing:,}", f"{column.distinct:,}")
        rows.append((f"  {plain(column.name, 32)}", kind, *counts, ", ".join(column.examples)))
    titles = ("  column", "kind", "missing", "different", "examples")
    widths = [max(len(title), *(len(row[place]) for row in rows)) for place, title in enumerate(titles)]
    # Names are cut as far as they stay apart, and the examples take what is left: kinds and counts are always whole.
    widths[0] = min(widths[0], max(len(titles[0]), _width_apart([row[0] for row in rows])))
    widths[4] = min(widths[4], console.width - sum(widths[:4]) - 2 * len(titles))
    shown = 5 if widths[4] >= len(titles[4]) else 4
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for title, width in zip(titles[:shown], widths, strict=False):
        side: Literal["left", "right"] = "right" if title in ("missing", "different") else "left"
        table.add_column(title, justify=side, no_wrap=True, overflow="ellipsis", width=width)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row[:shown]))
    console.print(table)
    if len(columns) > _SHOWN_COLUMNS:
        console.print(Text(f"  and {len(columns) - _SHOWN_COLUMNS:,} more; --json lists all", style="dim"))


def _width_apart(names: list[str]) -> int:
    """How wide a column of names must be for no two of them to be cut alike."""
    wide = max(map(len, names))
    apart = (at for at in range(_NARROWEST_NAME, wide) if len({name[: at - 1] for name in names}) == len(set(names)))
    return next(apart, wide)


def _several(count: int, outcome: str) -> str:
    many = "s" if count != 1 and outcome in ("issue", "tip") else ""
    return f"{count} {outcome.replace('_', ' ')}{many}"


def _pitfalls(pitfalls: tuple[Pitfall, ...], console: Console, everything: bool) -> None:
    counts = {outcome: sum(finding.outcome == outcome for finding in pitfalls) for outcome in _OUTCOMES}
    told = ", ".join(_several(count, outcome) for outcome, count in counts.items() if count)
    _heading(f"Pitfalls: {told}", console)
    table = Table(box=None, show_header=False, padding=(0, 1, 0, 0))
    shown = [p for p in pitfalls if everything or p.outcome not in ("passed", "not_applicable")]
    for finding in sorted(shown, key=lambda p: (_OUTCOMES.index(p.outcome), _SEVERITY[p.severity])):
        issue = finding.outcome == "issue"
        label = finding.severity if issue else finding.outcome.replace("_", " ")
        words = Text(plain(finding.text, 600) or finding.name.replace("-", " "))
        if finding.fix:
            words.append(f"\nfix: {plain(finding.fix, 600)}", style="dim")
        style = _STYLE.get(finding.severity, "") if issue else "dim"
        table.add_row(Text(f"  {label}", style=style), Text(finding.code, style="bold"), words)
    if shown:
        console.print(table)
        told = "  train-or-not explain CODE says why it matters and where the limit comes from."
        console.print(Text(told, style="dim"))
