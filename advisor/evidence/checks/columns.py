"""Columns that teach nothing, or are not what they seem."""

from __future__ import annotations

from advisor.evidence.checks.rows import percent
from advisor.evidence.sheet import Sheet
from advisor.records.look import Pitfall


def constant_columns(sheet: Sheet) -> Pitfall:
    """P401: empty or always the same."""
    found = [column.name for column in sheet.columns if column.kind in ("constant", "empty")]
    return sheet.entry("P401").issue(found) if found else sheet.entry("P401").passed()


def id_columns(sheet: Sheet) -> Pitfall:
    """P402: a different value in every row, like a serial number."""
    found = [column.name for column in sheet.columns if column.role == "id"]
    return sheet.entry("P402").issue(found) if found else sheet.entry("P402").passed()


def high_cardinality(sheet: Sheet) -> Pitfall:
    """P403: a category with so many values that most are rare."""
    entry, limits = sheet.entry("P403"), sheet.entry("P403").thresholds
    categories = [column for column in sheet.features if column.kind == "category"]
    if not categories:
        return entry.not_applicable()
    rows = len(sheet.whole)
    found = [
        c
        for c in categories
        if (c.distinct >= limits["values"] and rows / c.distinct < limits["rows_a_value"])
        or (c.distinct >= limits["fewer_values"] and rows / c.distinct < limits["rows_of_fewer"])
    ]
    if not found:
        return entry.passed(rows=sheet.rows)
    widest = max(found, key=lambda column: column.distinct)
    return entry.issue([column.name for column in found], values=widest.distinct)


def numbers_as_text(sheet: Sheet) -> Pitfall:
    """P404: numbers among which words or blanks stand."""
    entry = sheet.entry("P404")
    if not sheet.odd:
        return entry.passed()
    # What could not be read became empty, so the odd cells are the gaps that the column now has.
    gaps = sum(column.missing for column in sheet.columns if column.name in sheet.odd)
    return entry.issue(sheet.odd, odd=f"{gaps:,} cells are blank or words" if gaps else "quoted or padded")


def mostly_missing(sheet: Sheet) -> Pitfall:
    """P407: most cells are empty."""
    entry = sheet.entry("P407")
    shares = {c.name: c.missing / sheet.rows for c in sheet.columns if c.kind != "empty" and c.role != "target"}
    found = [name for name, share in shares.items() if share >= entry.thresholds["share"]]
    if not found:
        return entry.passed()
    return entry.issue(found, share=percent(max(shares[name] for name in found)))
