"""A finished run as a page of plain lines: what was tried, the comparison on the sealed rows, the verdict."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Iterator

from advisor.base.safetext import plain
from advisor.records.run import Comparison, RunRecord, Score
from advisor.report.words import baseline_words, metric_words, over_folds, score, sentence

_WIDTH = 100
_SHOWN = 3
_LINES = 12


def page(record: RunRecord) -> Iterator[str]:
    """The lines of the page."""
    rows = record.rows
    parts = f"{rows.get('train', 0):,} rows to train on, {rows.get('test', 0):,} sealed"
    if "test" not in rows:  # nothing was held back: what people labelled, say
        parts = ", ".join(f"{count:,} {'rows' if name == 'all' else name}" for name, count in rows.items())
    yield f"Run {record.run}: {record.chosen}" + (f"; {parts}" if record.sealed.rows else "")
    if record.candidates:
        yield from _tried(record)
    if record.sealed.rows:
        yield from _sealed(record)
    yield from _looks(record)
    yield from _fields(record)
    yield from _samples(record)
    yield from _tables(record)
    yield ""
    yield from _wrapped(record.gate.text)
    for note in record.notes:
        yield from _wrapped(f"Note: {plain(note, 400)}")


def _tried(record: RunRecord) -> Iterator[str]:
    """Every candidate with its score, if it was scored before the sealed part was opened."""
    yield ""
    scored = any(candidate.development for candidate in record.candidates)
    # Rungs that learn nothing here have no score over folds; they answer the sealed rows, and stand below.
    over = f"Tried on the training part ({metric_words(record.sealed.metric)}, mean over folds)"
    yield over if scored else "The cheaper rungs beside it"
    width = max((len(candidate.name) for candidate in record.candidates), default=0)
    names = _members(record)
    for candidate in record.candidates:
        tried = f"{over_folds(candidate.development):<34}" * scored
        chosen = "" if candidate.name not in names else "chosen" if len(names) == 1 else "in the blend"
        said = "; ".join(filter(None, (chosen, plain(candidate.note, 70))))
        yield f"  {candidate.name:<{width}}  {tried}{candidate.seconds:>7.1f} s  {said}".rstrip()
    explainable, reason = record.plan.settings.get("explainable"), record.diagnostics.get("choice")
    if explainable and explainable.value and isinstance(reason, str):  # the price of a restriction that was asked for
        yield from _wrapped(f"{plain(reason, 400)}.")


def _sealed(record: RunRecord) -> Iterator[str]:
    """The score on the sealed rows, and each cheaper rung beside it."""
    yield ""
    kind = "sealed rows" if "test" in record.rows else "rows"
    yield f"On {record.sealed.rows:,} {kind} ({metric_words(record.sealed.metric)})"
    # The members of a blend stand above; here their names would push the figures off the screen.
    members = _members(record)
    name = record.chosen if len(members) == 1 else f"the blend of {len(members)}"
    yield from _beside(name, record.sealed, record.gate.comparisons, "gain")
    if record.gate.costs:
        yield "On the same rows, what answers cost a row (the less the better)"
        yield from _beside(name, record.gate.costs[0].ours, record.gate.costs, "saving")
    rule = record.diagnostics.get("one_rule")
    if isinstance(rule, str):
        yield from _wrapped(f"The rule: {plain(rule, 400)}")


def _beside(chosen: str, ours: Score, comparisons: tuple[Comparison, ...], gained: str) -> Iterator[str]:
    names = [chosen, *(baseline_words(item.against) for item in comparisons)]
    width = max(map(len, names))
    yield f"  {chosen:<{width}}  {_value(ours)}"
    for item in comparisons:
        sure = f"{gained} {item.gain:+.3g} ({item.low:+.3g} to {item.high:+.3g})"
        passed = "beaten" if item.passed else "not shown to be beaten"
        yield f"  {baseline_words(item.against):<{width}}  {_value(item.theirs):<32}  {sure}: {passed}"


def _looks(record: RunRecord) -> Iterator[str]:
    """What each look at the development rows saw while a language model learned, and which weights were kept."""
    curve = record.diagnostics.get("curve")
    looks = [one for one in curve if "exact" in one] if isinstance(curve, list) else []
    if not looks:
        return
    yield ""
    yield f"{'While learning':<22}{'step':>6}{'loss':>9}{'held back':>11}{'wholly right':>14}"
    for one in looks:
        loss = f"{one['train_loss']:.3f}" if "train_loss" in one else ""
        kept = "  kept" if one["step"] == record.diagnostics.get("best_step") else ""
        yield f"{one['step']:>28,.0f}{loss:>9}{one['development_loss']:>11.3f}{one['exact']:>14.0%}{kept}"


def _fields(record: RunRecord) -> Iterator[str]:
    """Where the answers got better: each side score of the run beside the cheaper rungs' own."""
    rivals = record.diagnostics.get("rivals")
    if not isinstance(rivals, dict) or not rivals or not record.secondary:
        return
    names = {name: plain(name.removeprefix("field_").replace("_", " "), 30) for name in record.secondary}
    width = max(len(name) for name in names.values())
    yield ""
    yield f"Answer by answer      {'  '.join(f'{baseline_words(rival):>20}' for rival in rivals)}  {'tuned':>8}"
    for name, shown in names.items():
        before = "  ".join(f"{float(theirs.get(name, 0.0)):>20.1%}" for theirs in rivals.values())
        yield f"  {shown:<{max(width, 20)}}{before}  {record.secondary[name]:>8.1%}"


def _samples(record: RunRecord) -> Iterator[str]:
    """The first sealed rows with the answer of the model as it was on the left, and as it is now on the right."""
    samples = record.diagnostics.get("samples")
    if not isinstance(samples, list) or not samples:
        return
    half = (_WIDTH - 5) // 2
    yield ""
    yield f"  {'Before':<{half}} | After"
    for sample in samples[:_SHOWN]:
        yield from textwrap.wrap(f"asked: {sample['asked']}", _WIDTH - 2, initial_indent="  ", subsequent_indent="  ")
        columns = [textwrap.wrap(sample[side] or "(nothing)", half) for side in ("before", "after")]
        for left, right in itertools.zip_longest(*columns, fillvalue=""):
            yield f"  {left:<{half}} | {right}".rstrip()
        yield from textwrap.wrap(f"wanted: {sample['wanted']}", _WIDTH - 2, initial_indent="  ", subsequent_indent="  ")


def _tables(record: RunRecord) -> Iterator[str]:
    """Tables that the run made for people, a paragraph a row."""
    tables = record.diagnostics.get("tables")
    for one in tables if isinstance(tables, list) else ():
        yield ""
        yield plain(one["title"], 120)
        for row in one["rows"][:_LINES]:
            cells = [
                f"{name.lower()} {plain(cell, 160)}" for name, cell in zip(one["columns"][1:], row[1:], strict=True)
            ]
            yield from textwrap.wrap(
                f"{plain(row[0], 40)}: {'; '.join(cells)}", _WIDTH, initial_indent="  ", subsequent_indent="    "
            )


def _members(record: RunRecord) -> list[str]:
    """The names of the models that answer: of one, or of all in a blend."""
    # A blend keeps the settings and share of each; to cut its name at "and" would cut "words and letters" too.
    each = [one.name for one in record.candidates if isinstance(record.hyperparameters.get(one.name), dict)]
    return each if record.chosen.startswith("blend of ") and each else [record.chosen]


def _value(found: Score) -> str:
    return f"{score(found.value)} ({score(found.low)} to {score(found.high)})"


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(sentence(text), _WIDTH, subsequent_indent="  ")
