"""Charts of what would make a test lie: copies on both sides of the split, and a world that changes along the file."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from advisor.base.safetext import plain
from advisor.records.look import Look
from advisor.report.blocks import Chart, Point, Table
from advisor.report.words import count


def copies_across_the_split(look: Look) -> Iterator[Chart]:
    """Test rows whose copy stands in training: in a random split, and in the one proposed."""
    found = next((pitfall.evidence for pitfall in look.pitfalls if pitfall.code == "P201"), {})
    share, rows = _number(found.get("straddling")), _number(found.get("rows"))
    if share is None or rows is None or share <= 0 or look.split.kind == "time":
        return
    sides = (("Random split", share), ("Split proposed here", 0.0))
    yield Chart(
        "copies-across-the-split",
        "Copies on both sides of the split",
        f"{count(int(rows), 'row')} of {look.shape[0]:,} repeat another one. A test row whose copy was learnt from "
        "asks what is already known.",
        "bars",
        "per cent of test rows with a copy in training",
        tuple(Point(name, 100 * part) for name, part in sides),
        Table(("Split", "Test rows with a copy in training"), tuple((n, f"{p:.1%}") for n, p in sides), numeric=(1,)),
    )


def drift_over_time(look: Look) -> Iterator[Chart]:
    """The columns that differ most between the earlier and the later rows."""
    found = next((pitfall.evidence for pitfall in look.pitfalls if pitfall.code == "P504"), {})
    distances = found.get("distances")
    if not isinstance(distances, Mapping):
        return
    shown = [(plain(name, 40), far) for name, value in distances.items() if (far := _number(value)) is not None]
    if not shown:
        return
    limit = _number(found.get("limit"))
    judged = f" From {limit:g} on it counts as drift." if limit is not None else ""
    yield Chart(
        "drift-over-time",
        "What changes along time",
        "How far the last 30 % of the rows in time are from those before: 0 is the same spread of values, 1 none in "
        f"common.{judged}",
        "bars",
        "distance between earlier and later rows",
        tuple(Point(name, far) for name, far in shown),
        Table(("Column", "Distance"), tuple((name, f"{far:.2f}") for name, far in shown), numeric=(1,)),
    )


def _number(value: Any) -> float | None:
    """A finite number, or None: the record comes from a file and may hold anything."""
    known = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if known else None
