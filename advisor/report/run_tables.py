"""Tables that a run made for people: groups it found, odd rows, rows to label, actions and what they earned."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from advisor.base.safetext import plain
from advisor.records.run import RunRecord
from advisor.report.blocks import Block, Cell, Heading, Mark, Paragraph, Table
from advisor.report.run_charts import own_words
from advisor.report.words import figure, score

_MOST_LINES = 30
_MOST_SLICES = 12
_FIGURES = ("rows", "error", "low", "high", "elsewhere")
_SLICES = (
    "Sealed rows in parts: the share of wrong answers, or how far a number is off on average. A part is called worse "
    "only where that holds after counting how many parts were looked at."
)


def tables(found: Any) -> Iterator[Block]:
    """Each table that can be shown, under its title; a run's file may hold anything, and what cannot be is left out."""
    for one in found if isinstance(found, list | tuple) else ():
        columns, rows = (one.get("columns"), one.get("rows")) if isinstance(one, Mapping) else (None, None)
        if not isinstance(columns, list | tuple) or not isinstance(rows, list | tuple):
            continue
        lines = [row for row in rows if isinstance(row, list | tuple) and len(row) == len(columns)][:_MOST_LINES]
        if not lines:
            continue
        numeric = tuple(at for at in range(len(columns)) if all(_is_number(row[at]) for row in lines))
        cells: tuple[tuple[Cell, ...], ...] = tuple(
            tuple(figure(cell) if _is_number(cell) else plain(cell, 200) for cell in row) for row in lines
        )
        yield Heading(plain(one.get("title", ""), 120))
        yield Table(tuple(plain(name, 40) for name in columns), cells, numeric=numeric)


def slices(run: RunRecord) -> Iterator[Block]:
    """Where it errs more than elsewhere: parts of the sealed rows, those clearly worse first."""
    found = run.diagnostics.get("slices")
    lines: list[tuple[Cell, ...]] = []
    for one in found if isinstance(found, list | tuple) else ():
        if not isinstance(one, Mapping) or not all(_is_number(one.get(name)) for name in _FIGURES):
            continue
        rows, error, low, high, elsewhere = (one[name] for name in _FIGURES)
        part = f"{plain(one.get('column', ''), 60)}: {plain(one.get('value', ''), 60)}"
        worse = Mark("worse", "warn") if one.get("worse") is True else Mark("as elsewhere", "muted")
        lines.append((part, figure(rows), score(error), f"{score(low)} to {score(high)}", score(elsewhere), worse))
    if lines:
        words = own_words(run, "slices")
        yield Heading(words.get("title", "Where it errs more than elsewhere"))
        yield Paragraph(words.get("says", _SLICES))
        yield Table(
            ("Part", "Rows", "Error", "Interval", "Elsewhere", "Verdict"), tuple(lines[:_MOST_SLICES]), (1, 2, 3, 4)
        )


def _is_number(cell: Any) -> bool:
    return isinstance(cell, int | float) and not isinstance(cell, bool) and math.isfinite(cell)
