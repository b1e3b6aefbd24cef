"""What a run found out about its own model: what it leans on, where it errs, why it was chosen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from advisor.base.safetext import plain
from advisor.records.run import RunRecord
from advisor.report.blocks import Block, Chart, Heading, Paragraph, Point, Points, Table
from advisor.report.run_charts import by_steps_ahead, calibration, confusion, gap, own_words, residuals
from advisor.report.run_tables import slices, tables
from advisor.report.words import count, full_stop, metric_words, score

SHOWN = 10
_NAMES = {
    "learning_curve": "Learning curve",
    "train_validation_gap": "Train–validation gap",
    "calibration": "Calibration",
    "importance": "What drives it",
    "errors": "Kinds of errors",
    "slices": "Errors by slice",
}


def what_it_learnt(run: RunRecord) -> Iterator[Block]:
    """The diagnostics this version knows how to tell; a run may hold others, and run.json keeps them all."""
    found = run.diagnostics
    for key, opening in (("choice", "Why this one"), ("one_rule", "The best rule on one column")):
        if isinstance(found.get(key), str) and found[key]:
            yield Paragraph(f"{opening}: {full_stop(plain(found[key], 600))}")
    yield from gap(run)
    yield from _importance(run, found.get("importance"))
    yield from confusion(found.get("confusion"))
    yield from calibration(run)
    yield from residuals(found.get("residuals"))
    yield from by_steps_ahead(run)
    yield from slices(run)
    yield from tables(found.get("tables"))
    yield from _without(found.get("without"))


def _without(found: Any) -> Iterator[Block]:
    """What other runs tell and this one cannot, each with the reason."""
    reasons = [plain(text, 300) for text in found.values() if text] if isinstance(found, Mapping) else []
    names = [_NAMES.get(str(name), "") for name, text in found.items() if text] if reasons else []
    told = tuple(f"{name}: {full_stop(text)}" for name, text in zip(names, reasons, strict=True) if name)
    if told:
        yield Heading("What this run does not tell, and why")
        yield Points(told)


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
    words = own_words(run, "importance")
    yield Chart(
        "importance",
        words.get("title", "What the model leans on"),
        words.get("says", f"How far {metric} falls when a column is shuffled; {count(len(ranked), 'column')} shown."),
        "bars",
        f"fall in {metric}",
        tuple(Point(name, fall) for name, fall in ranked),
        Table((words.get("what", "Column"), "Fall"), tuple((name, score(fall)) for name, fall in ranked), numeric=(1,)),
    )
