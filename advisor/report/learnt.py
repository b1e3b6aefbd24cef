"""What a run found out about its own model: what it leans on, where it errs, why it was chosen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from advisor.base.safetext import plain
from advisor.records.run import RunRecord
from advisor.report.blocks import Block, Chart, Paragraph, Point, Table
from advisor.report.run_charts import calibration, confusion, residuals
from advisor.report.run_tables import tables
from advisor.report.words import count, full_stop, metric_words, score

SHOWN = 10


def what_it_learnt(run: RunRecord) -> Iterator[Block]:
    """The diagnostics this version knows how to tell; a run may hold others, and run.json keeps them all."""
    found = run.diagnostics
    for key, opening in (("choice", "Why this one"), ("one_rule", "The best rule on one column")):
        if isinstance(found.get(key), str) and found[key]:
            yield Paragraph(f"{opening}: {full_stop(plain(found[key], 600))}")
    yield from _importance(run, found.get("importance"))
    yield from confusion(found.get("confusion"))
    yield from calibration(found.get("calibration"), found.get("calibration_of"), found.get("calibration_by_class"))
    yield from residuals(found.get("residuals"))
    yield from tables(found.get("tables"))


def _importance(run: RunRecord, importance: Any) -> Iterator[Block]:
    entries = (
        [entry for entry in importance if isinstance(entry, Mapping)] if isinstance(importance, list | tuple) else []
    )
    known = [
        (plain(e.get("column", ""), 40), float(e["fall"])) for e in entries if isinstance(e.get("fall"), int | float)
    ]
    ranked = [pair for pair in sorted(known, key=lambda pair: -pair[1]) if pair[1] > 0][:SHOWN]
    if not ranked:
        return
    metric = metric_words(run.sealed.metric)
    yield Chart(
        "importance",
        "What the model leans on",
        f"How far {metric} falls when a column is shuffled; {count(len(ranked), 'column')} shown.",
        "bars",
        f"fall in {metric}",
        tuple(Point(name, fall) for name, fall in ranked),
        Table(("Column", "Fall"), tuple((name, score(fall)) for name, fall in ranked), numeric=(1,)),
    )
