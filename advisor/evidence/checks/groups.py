"""Rows that belong together: groups with a name, and repeated measurements without one."""

from __future__ import annotations

from typing import Any

from advisor.base.safetext import plain
from advisor.evidence.checks.rows import percent
from advisor.evidence.hashing import cell_hashes
from advisor.evidence.sheet import Sheet
from advisor.records.look import Column, Pitfall


def group_leakage(sheet: Sheet) -> Pitfall:
    """P501: scores fall when whole groups are held out."""
    entry, limits = sheet.entry("P501"), sheet.entry("P501").thresholds
    if not sheet.groupings:
        return entry.not_applicable()
    told = []
    for found in sheet.groupings:
        random, grouped = f"{found.random:.2f}", f"{found.grouped:.2f}"
        seen = {"random": random, "grouped": grouped, "metric": found.metric, "groups": found.groups}
        certain = found.z >= limits["chance_z"]
        if certain and found.gap >= limits["issue"]:
            severity = "severe" if found.gap >= limits["severe"] and found.named else "moderate"
            name = plain(found.column, 60)
            return entry.issue([found.column], severity=severity, **seen, groups_name=f"values of {name}")
        if found.named and (certain or found.gap >= limits["issue"]):
            return entry.tip([found.column], **seen)
        told.append(f"{plain(found.column, 40)}: random {random}, grouped {grouped}")
    return entry.passed(checked="; ".join(told))


def _spread_out(sheet: Sheet, column: Column) -> bool:
    """Whether no single value, such as zero, fills half of a column."""
    return float(sheet.frame[column.name].value_counts(normalize=True).iloc[0]) <= 0.5


def repeated_measurements(sheet: Sheet) -> Pitfall:
    """P502: rows that agree on everything but one column."""
    import numpy as np

    entry, limits = sheet.entry("P502"), sheet.entry("P502").thresholds
    columns = [c for c in sheet.columns if c.role in ("feature", "weight") and c.kind not in ("constant", "empty")]
    # Only many fine measurements that agree are one thing; a few coarse ones agree by themselves.
    fine = [c for c in columns if c.kind == "number" and c.distinct >= limits["fine_values"] and _spread_out(sheet, c)]
    sized = limits["fewest_columns"] <= len(columns) <= limits["most_columns"]
    if len(fine) <= limits["fine_columns"] or not sized or any(c.kind == "text" for c in columns):
        return entry.not_applicable()
    names = [column.name for column in columns]
    hashes = dict(cell_hashes(sheet.frame, names))
    total: Any = np.sum(list(hashes.values()), axis=0, dtype=np.uint64)
    random = np.random.default_rng(sheet.seed)
    shuffled = {name: random.permutation(cells) for name, cells in hashes.items()}
    chance: Any = np.sum(list(shuffled.values()), axis=0, dtype=np.uint64)
    first = np.unique(total, return_index=True)[1]  # exact repeats are another pitfall

    def twins(whole: Any, own: Any) -> float:
        _, codes, counts = np.unique(whole - own, return_inverse=True, return_counts=True)
        return float((counts[codes] > 1).mean())

    shares = {name: twins(total[first], cells[first]) for name, cells in hashes.items()}
    name, share = max(shares.items(), key=lambda item: item[1])
    others = sorted(shares.values())[len(shares) // 2]
    by_chance = twins(chance, shuffled[name])
    # Where every column could be left out, the table is a grid of all combinations and not measurements of one thing.
    if sheet.catalogue.names_a_thing(name):
        return entry.passed()  # what differs is who or what was measured: many things, and not one
    if share < limits["issue"] or others > share / 2 or share < limits["times_chance"] * by_chance:
        return entry.passed()
    return entry.issue([name], share=percent(share), same=[other for other in names if other != name])
