"""Dated prices and assumptions: which row held on a day, and who says so.

Reads: rules/costs.yaml, and a user's file of the same form whose rows take the place of ours. A thing may have several
dated rows; the newest that is not after the day asked for is used, and without one the thing has no price: never zero.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from advisor.base.shipped import rules_folder


class Range(NamedTuple):
    """From `low` to `high`, both meant."""

    low: float
    high: float

    def __add__(self, other: object) -> Range:
        if not isinstance(other, Range):
            return NotImplemented
        return Range(self.low + other.low, self.high + other.high)

    def times(self, other: Range | float) -> Range:
        """Both ends multiplied; all factors of a bill are zero or more, so the ends stay the ends."""
        if isinstance(other, Range):
            return Range(self.low * other.low, self.high * other.high)
        return Range(self.low * other, self.high * other)


@dataclass(frozen=True, slots=True)
class ModelPrice:
    """A hosted model's price for a million tokens, on a day."""

    name: str
    label: str
    input: float
    cached: float
    output: float
    as_of: str
    source: str


@dataclass(frozen=True, slots=True)
class Assumption:
    """A price or assumption, on a day: `low` equals `high` when there is one value."""

    name: str
    label: str
    unit: str
    low: float
    high: float
    as_of: str
    source: str


@dataclass(frozen=True)
class PricesOn:
    """What held on one day."""

    as_of: str
    numbers: Mapping[str, Assumption]
    models: tuple[ModelPrice, ...]
    items: Mapping[str, Mapping[str, str]]
    approaches: Mapping[str, tuple[str, ...]]
    break_even: Mapping[str, Mapping[str, str]]
    sources: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Prices:
    """Every dated row, ours and the user's."""

    tables: Mapping[str, Any]
    _on: dict[str, PricesOn] = field(default_factory=dict, repr=False, compare=False)

    def on(self, as_of: str = "") -> PricesOn:
        """The rows that held on the ISO date `as_of`; an empty date means the newest rows."""
        if as_of not in self._on:
            self._on[as_of] = _rows_on(self.tables, as_of)
        return self._on[as_of]


def _rows_on(tables: Mapping[str, Any], as_of: str) -> PricesOn:
    numbers, models = {}, []
    for name, number in tables["numbers"].items():
        if row := _newest(number["rows"], as_of):
            low, high = (row["value"], row["value"]) if "value" in row else (row["low"], row["high"])
            numbers[name] = Assumption(
                name, number["label"], number["unit"], float(low), float(high), row["as_of"], row["source"]
            )
    for name, model in tables["models"].items():
        if row := _newest(model["prices"], as_of):
            paid, cached, written = (float(row[key]) for key in ("input", "cached", "output"))
            models.append(ModelPrice(name, model["label"], paid, cached, written, row["as_of"], row["source"]))
    return PricesOn(
        as_of,
        numbers,
        tuple(models),
        tables["items"],
        {name: tuple(items) for name, items in tables["approaches"].items()},
        tables["break_even"],
        tables["sources"],
    )


def _newest(rows: list[dict[str, Any]], as_of: str) -> dict[str, Any] | None:
    held = [row for row in rows if not as_of or row["as_of"] <= as_of]
    return max(held, key=lambda row: row["as_of"], default=None)


def load_prices(folder: Path | None = None, own: Path | None = None) -> Prices:
    """The shipped prices, with the rows of the user's file `own` in place of ours where it has any.

    Raises `BadInput` with file, line and column for anything that does not fit.
    """
    shipped = _shipped(folder or rules_folder())
    if own is None:
        return shipped
    from advisor.reasoning.pricefile import Check, lay_over, read_price_file

    users = read_price_file(own)
    tables = lay_over(shipped.tables, users.data)
    Check(users).tables(tables)
    return Prices(tables)


@functools.cache
def _shipped(folder: Path) -> Prices:
    from advisor.reasoning.pricefile import Check, read_price_file

    document = read_price_file(folder / "costs.yaml")
    Check(document).tables(document.data)
    return Prices(document.data)
