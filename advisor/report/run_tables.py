"""Tables that a run made for people: groups it found, odd rows, rows to label, actions and what they earned."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from advisor.base.safetext import plain
from advisor.report.blocks import Block, Cell, Heading, Table
from advisor.report.words import figure

_MOST_LINES = 30


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


def _is_number(cell: Any) -> bool:
    return isinstance(cell, int | float) and not isinstance(cell, bool) and math.isfinite(cell)
