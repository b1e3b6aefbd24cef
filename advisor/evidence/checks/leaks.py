"""Columns that give the answer away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from advisor.evidence.sheet import CLASS_TASKS, Sheet, as_label
from advisor.records.look import Column, Pitfall

if TYPE_CHECKING:
    import numpy as np


def target_in_a_column(sheet: Sheet) -> Pitfall:
    """P101: a single column that settles the target, or stands far ahead of all others."""
    entry = sheet.entry("P101")
    if not sheet.target or not sheet.power or len(sheet.known) < entry.thresholds["enough_rows"]:
        return entry.not_applicable()
    limits, power = entry.thresholds, sheet.power
    of_class = sheet.task in CLASS_TASKS
    suspect = limits["suspect"] if of_class else limits["suspect_number"]
    if sheet.leaks:
        return entry.issue(sheet.leaks, target=sheet.target, power=_percent(power[sheet.leaks[0]]))
    strong = [name for name, share in power.items() if share >= suspect]
    rest = [share for name, share in power.items() if name not in strong]
    if strong and power[strong[-1]] - max(rest, default=0.0) >= limits["ahead_of_next"]:
        return entry.issue(strong, severity="moderate", target=sheet.target, power=_percent(power[strong[0]]))
    if strong:
        return entry.tip(strong, target=sheet.target, power=_percent(power[strong[0]]))
    strongest = next(iter(power))
    return entry.passed(target=sheet.target, strongest=strongest, power=_percent(power[strongest]))


def target_in_a_value(sheet: Sheet) -> Pitfall:
    """P102: a value whose rows have, all or nearly all, one class that is rare elsewhere."""
    import numpy as np
    import pandas as pd

    entry = sheet.entry("P102")
    if sheet.task not in CLASS_TASKS:
        return entry.not_applicable()
    limits, answers, known = entry.thresholds, sheet.answers, sheet.known
    counts = np.bincount(answers, minlength=len(sheet.labels))
    settled = set(target_in_a_column(sheet).columns)
    found: list[tuple[float, str, str, int, float, str]] = []
    for column in sheet.features:
        if column.kind not in ("category", "boolean", "number") or column.name in settled:
            continue
        many = column.distinct > limits["most_numbers" if column.kind == "number" else "most_values"]
        if many and column.kind != "number":
            continue
        codes, values = pd.factorize(known[column.name])
        if not len(values):
            continue
        # Of a number with many values only the commonest can be a mark, such as a balance of zero once all is paid.
        places = [int(np.bincount(codes[codes >= 0]).argmax())] if many else range(len(values))
        for place in places:
            here = answers[codes == place]
            code = _purest(here, counts, limits)
            if code is not None and not _on_a_scale(values, codes, place, answers == code, column, limits):
                own, label = int((here == code).sum()), sheet.labels[code]
                told = (column.name, as_label(values[place]), len(here), own / len(here), label)
                found.append((own / float(counts[code]), *told))
    if not found:
        return entry.passed(target=sheet.target)
    found.sort(reverse=True)
    covered, name, value, rows, pure, label = found[0]
    names = list(dict.fromkeys(item[1] for item in found))
    shown = f"{name} = {value}" + (f" (likewise values of {', '.join(names[1:4])})" if len(names) > 1 else "")
    seen: dict[str, Any] = {
        "value": shown,
        "target": sheet.target,
        "label": label,
        "rows": rows,
        "covered": _percent(covered),
    }
    return entry.issue(names, **seen, pure="All" if pure == 1 else _percent(pure))


def _on_a_scale(
    values: Any,
    codes: np.ndarray[Any, Any],
    place: int,
    own: np.ndarray[Any, Any],
    column: Column,
    limits: dict[str, float],
) -> bool:
    """Whether the next values of a number have mostly that class too: the end of an honest scale, and no mark."""
    if column.kind != "number" or len(values) > limits["most_numbers"]:
        return False
    rank = sorted(range(len(values)), key=lambda at: float(values[at]))
    at = rank.index(place)
    beside = [own[codes == other] for other in rank[max(0, at - 1) : at + 2] if other != place]
    return any(len(rows) and float(rows.mean()) >= limits["alike"] for rows in beside)


def _purest(here: np.ndarray[Any, Any], counts: np.ndarray[Any, Any], limits: dict[str, float]) -> int | None:
    """The class that these rows have, if it is rare elsewhere and this is no luck; else None.

    All of them must have it, or nearly all of them and nearly all rows of the class be among them.
    """
    import numpy as np

    if len(here) < limits["fewest_rows"]:
        return None
    own = np.bincount(here, minlength=len(counts))
    code = int(own.argmax())
    base, covered = counts[code] / counts.sum(), own[code] / counts[code]
    purity = limits["purity" if covered < limits["both_ways"] else "both_ways"]
    if own[code] < purity * len(here) or base > limits["most_base_share"]:
        return None
    chance = base ** len(here)
    return code if chance < limits["chance"] and covered >= limits["covers_class"] else None


def target_by_arithmetic(sheet: Sheet) -> Pitfall:
    """P103: the target is an exact sum or difference of columns of numbers."""
    entry = sheet.entry("P103")
    numbers = [column for column in sheet.features if column.kind in ("number", "boolean")]
    if not sheet.target or sheet.task in CLASS_TASKS or len(numbers) < 2:
        return entry.not_applicable()
    return entry.issue(sheet.sums, target=sheet.target) if sheet.sums else entry.passed(target=sheet.target)


def known_only_afterwards(sheet: Sheet) -> Pitfall:
    """P104: filled almost only for one outcome, or named like something that is written after the event."""
    entry, limits = sheet.entry("P104"), sheet.entry("P104").thresholds
    if not sheet.target:
        return entry.not_applicable()
    gaps: list[tuple[float, str, str]] = []
    if sheet.task in CLASS_TASKS:
        for column in sheet.columns:
            filled = sheet.known[column.name].notna().to_numpy()
            if column.role == "target" or min(filled.sum(), (~filled).sum()) < limits["fewest_rows"]:
                continue
            shares = [float(filled[sheet.answers == code].mean()) for code in range(len(sheet.labels))]
            highest = max(range(len(shares)), key=lambda code: shares[code])
            rest = float(filled[sheet.answers != highest].mean())
            if shares[highest] - rest >= limits["filled_gap"]:
                gaps.append((shares[highest] - rest, column.name, sheet.labels[highest]))
    if gaps:
        gaps.sort(reverse=True)
        return entry.issue([name for _, name, _ in gaps], target=sheet.target, label=gaps[0][2])
    named = [c.name for c in sheet.features if sheet.catalogue.says(c.name, "afterwards")]
    return entry.tip(named) if named else entry.passed()


def _percent(share: float) -> str:
    return f"{100 * share:.1f}%"
