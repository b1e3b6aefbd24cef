"""Whether the answers in the data are enough, balanced, and there at all."""

from __future__ import annotations

from typing import Any

from advisor.evidence.checks.rows import percent
from advisor.evidence.sheet import Sheet
from advisor.records.look import Pitfall


def imbalance(sheet: Sheet) -> Pitfall:
    """P301: the smallest class is a small part, so accuracy misleads."""
    entry, limits = sheet.entry("P301"), sheet.entry("P301").thresholds
    if not sheet.classes:
        return entry.not_applicable()
    total = sum(sheet.classes.values())
    majority, most = next(iter(sheet.classes.items()))
    label, least = list(sheet.classes.items())[-1]
    # With many classes each is small; what misleads is a class much smaller than an even share would be.
    share, even = least / total, min(0.5, 1 / len(sheet.classes))
    seen: dict[str, Any] = {
        "target": sheet.target, "label": label, "share": percent(share),
        "majority": majority, "accuracy": percent(most / total),
        "counts": dict(list(sheet.classes.items())[:100]),
    }  # fmt: skip
    if share < limits["issue"] * 2 * even:
        return entry.issue([sheet.target], **seen)
    return entry.tip([sheet.target], **seen) if share < limits["tip"] * 2 * even else entry.passed(**seen)


def rare_classes(sheet: Sheet) -> Pitfall:
    """P302: classes with too few rows to learn and to test."""
    entry, limits = sheet.entry("P302"), sheet.entry("P302").thresholds
    if not sheet.classes:
        return entry.not_applicable()
    label, rows = list(sheet.classes.items())[-1]
    few = [name for name, count in sheet.classes.items() if count < limits["least"]]
    if not few:
        return entry.passed(rows=rows)
    seen: dict[str, Any] = {
        "classes": len(few),
        "total": len(sheet.classes),
        "least": int(limits["least"]),
        "label": label,
        "rows": rows,
    }
    return entry.issue([sheet.target], **seen)


def unlabelled_rows(sheet: Sheet) -> Pitfall:
    """P305: rows whose target is empty."""
    entry = sheet.entry("P305")
    if not sheet.target:
        return entry.not_applicable()
    rows = sheet.rows - sheet.labelled
    share = rows / max(sheet.rows, 1)
    seen: dict[str, Any] = {"rows": rows, "share": percent(share), "target": sheet.target}
    if share >= entry.thresholds["issue"]:
        return entry.issue([sheet.target], **seen)
    return entry.tip([sheet.target], **seen) if rows else entry.passed(**seen)
