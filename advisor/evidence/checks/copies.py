"""Copies that no exact comparison sees, and copies across a split that came with the file."""

from __future__ import annotations

from typing import Any

from advisor.evidence.checks.rows import percent
from advisor.evidence.kinds import spread
from advisor.evidence.neighbours import near_numbers, near_texts
from advisor.evidence.sheet import Sheet
from advisor.records.look import Pitfall


def near_duplicates(sheet: Sheet) -> Pitfall:
    """P202: texts that are almost the same, or rows whose numbers are and whose other cells are equal."""
    entry, limits = sheet.entry("P202"), sheet.entry("P202").thresholds
    texts = [column for column in sheet.features if column.kind == "text"]
    numbers = [c for c in sheet.features if c.kind == "number" and sheet.frame[c.name].dtype.kind in "iuf"]
    fine = [column for column in numbers if column.distinct >= limits["fine_values"]]
    order = sheet.order
    if texts:
        longest = max(texts, key=lambda column: column.distinct)
        cells = sheet.frame[longest.name].dropna()
        found, largest = near_texts(spread(cells, int(limits["most_rows"]) * 2), limits["similarity"], sheet.seed)
    elif len(fine) >= limits["fine_columns"] and not (order and order.one_series):
        names = [column.name for column in sheet.features]
        table = sheet.frame[names].iloc[:: max(1, -(-len(sheet.frame) // int(limits["most_rows"])))]
        found, largest = near_numbers(table, limits["distance"], limits["times_chance"]), 0.0
    else:
        return entry.not_applicable()
    columns = [longest.name] if texts else names
    rows = int(found.sum())
    share = rows / max(len(found), 1)
    seen: dict[str, Any] = {"rows": rows, "share": percent(share), "largest_group": round(largest, 4)}
    if share >= limits["issue"]:
        return entry.issue(columns, **seen)
    return entry.tip(columns, **seen) if share >= limits["tip"] else entry.passed(**seen)


def across_the_given_split(sheet: Sheet) -> Pitfall:
    """P204: equal rows in the parts that the file itself names."""
    import numpy as np

    entry, limits = sheet.entry("P204"), sheet.entry("P204").thresholds
    marker = next((column.name for column in sheet.columns if column.role == "split"), "")
    names = [column.name for column in sheet.columns if column.role in ("feature", "weight")]
    if not marker or not names:
        return entry.not_applicable()
    parts = sheet.whole[marker].map(str)
    training = next((part for part in parts.unique() if part.lower().startswith("train")), str(parts.mode().iloc[0]))
    hashes = sheet.hashes.inputs
    worst: tuple[float, int, str] = (0.0, 0, "")
    for part in parts.unique():
        if part != training:
            here = hashes[(parts == part).to_numpy()]
            shared = np.isin(here, hashes[(parts == training).to_numpy()])
            worst = max(worst, (float(shared.mean()), int(shared.sum()), str(part)))
    share, rows, part = worst
    seen: dict[str, Any] = {"rows": rows, "share": percent(share), "part": part, "other": training}
    if share >= limits["issue"]:
        return entry.issue([marker], **seen)
    return entry.tip([marker], **seen) if share >= limits["tip"] else entry.passed([marker])
