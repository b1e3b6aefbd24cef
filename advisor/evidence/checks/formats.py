"""One thing written in several ways, and gaps that carry the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from advisor.base.safetext import plain
from advisor.evidence.kinds import date_shapes, spread
from advisor.evidence.sheet import CLASS_TASKS, Sheet
from advisor.records.look import Column, Pitfall

if TYPE_CHECKING:
    import pandas as pd


def mixed_formats(sheet: Sheet) -> Pitfall:
    """P405: spellings, date patterns and marks of a gap that differ within a column."""
    entry = sheet.entry("P405")
    found = {}
    for column in sheet.columns:
        told = _told(sheet, column)
        if told:
            found[column.name] = told
    if not found:
        return entry.passed()
    detail = next(iter(found.values())) if len(found) == 1 else "; ".join(dict.fromkeys(found.values()))
    return entry.issue(list(found), detail=detail)


def _told(sheet: Sheet, column: Column) -> str:
    limits, cells = sheet.entry("P405").thresholds, sheet.frame[column.name].dropna()
    if not len(cells):
        return ""
    if column.kind == "number":
        return _gap_number(cells, sheet.catalogue.words["gap_number"], limits["share"])
    if column.kind == "date" and cells.dtype.kind != "M":
        shapes = date_shapes(spread(cells, 2000).map(str))
        common = [
            shape for shape, count in shapes.items() if shape and count >= limits["date_share"] * sum(shapes.values())
        ]
        return f"dates are written like {' and like '.join(common)}" if len(common) > 1 else ""
    if column.kind not in ("category", "boolean", "text") or cells.dtype.kind in "biuf" or column.distinct > 5000:
        return ""
    distinct = cells.value_counts()
    counts = distinct.groupby(distinct.index.map(str), sort=False).sum()
    marks = [str(value) for value in counts.index if str(value).strip().lower() in sheet.catalogue.words["gap"]]
    if column.kind != "text" and sum(int(counts[mark]) for mark in marks) >= limits["share"] * len(cells):
        return f"gaps are written as {', '.join(repr(plain(mark, 20)) for mark in marks[:3])}"
    return _spellings(counts, len(cells), limits["share"]) if column.kind != "text" else ""


def _spellings(counts: pd.Series[Any], rows: int, share: float) -> str:
    """Values that are the same without case and spaces, where the rarer spellings are not negligible."""
    forms: dict[str, list[tuple[int, str]]] = {}
    for value, count in counts.items():
        forms.setdefault("".join(str(value).split()).casefold(), []).append((int(count), str(value)))
    several = [sorted(listed, reverse=True) for listed in forms.values() if len(listed) > 1]
    odd = sum(count for listed in several for count, _ in listed[1:])
    if odd < share * rows:
        return ""
    first = max(several, key=lambda listed: listed[1][0])
    return f"{plain(repr(first[0][1]), 40)} is also written {plain(repr(first[1][1]), 40)}"


def _gap_number(cells: pd.Series[Any], marks: frozenset[str], share: float) -> str:
    """A number such as -999 that stands for a gap: far from all others, and often."""
    for mark in sorted(map(int, marks)):
        marked = cells == mark
        if float(marked.mean()) < share:
            continue
        rest = cells[~marked]
        if not len(rest) or abs(mark) > 5 * max(abs(float(rest.min())), abs(float(rest.max()))):
            return f"gaps are written as {mark}"
    return ""


def missing_not_at_random(sheet: Sheet) -> Pitfall:
    """P406: the target differs where a column is empty."""
    import math

    entry, limits = sheet.entry("P406"), sheet.entry("P406").thresholds
    answers, known = sheet.answers if sheet.target else None, sheet.known
    effects: list[tuple[float, str]] = []
    tried = False
    for column in sheet.columns:
        if answers is None or column.role in ("target", "annotator") or not column.missing:
            continue
        empty = known[column.name].isna().to_numpy()
        rows, rest = int(empty.sum()), int((~empty).sum())
        if min(rows, rest) < limits["fewest_rows"]:
            continue
        tried = True
        outcomes = [(answers == code).astype(float) for code in range(len(sheet.labels))][:20] or [answers]
        if sheet.task in CLASS_TASKS and len(sheet.labels) == 2:
            outcomes = outcomes[:1]
        for outcome in outcomes:
            spread_ = float(outcome.std())
            if not spread_:
                continue
            effect = (float(outcome[empty].mean()) - float(outcome[~empty].mean())) / spread_
            z = abs(effect) * math.sqrt(rows * rest / (rows + rest))
            if abs(effect) >= limits["effect"] and math.erfc(z / math.sqrt(2)) * len(outcomes) < limits["chance"]:
                effects.append((abs(effect), column.name))
    if not tried:
        return entry.not_applicable()
    if not effects:
        return entry.passed(target=sheet.target)
    effects.sort(reverse=True)
    names = list(dict.fromkeys(name for _, name in effects))
    return entry.issue(names, target=sheet.target, effect=f"{effects[0][0]:.2f}")
