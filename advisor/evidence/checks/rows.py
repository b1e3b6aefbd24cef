"""Rows that repeat, and rows that contradict each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from advisor.evidence.sheet import CLASS_TASKS, Sheet, as_labels
from advisor.records.look import Pitfall

if TYPE_CHECKING:
    import numpy as np

_NO_CONTENT = ("id", "split", "constant")


def duplicate_rows(sheet: Sheet) -> Pitfall:
    """P201: rows equal in all but identifiers and split markers, beyond what shuffled columns would repeat."""
    entry, limits = sheet.entry("P201"), sheet.entry("P201").thresholds
    hashes = sheet.hashes.whole
    repeats = _repeats(hashes)
    share = repeats / max(len(hashes), 1)
    straddle = straddling(hashes)
    seen: dict[str, Any] = {"rows": repeats, "share": percent(share), "straddling": round(straddle, 4)}
    if share < limits["tip"] or not repeats or repeats <= limits["times_chance"] * _repeats_by_chance(sheet):
        return entry.passed(**seen)
    if share < limits["issue"] or repeats < limits["fewest_repeats"]:
        return entry.tip(**seen)
    # Rows with numbers of their own may well be different things that look alike.
    own = any(column.role == "id" for column in sheet.columns)
    severity = "severe" if share >= limits["severe"] and not own else "moderate"
    return entry.issue(severity=severity, **seen, straddle=percent(straddle))


def conflicting_labels(sheet: Sheet) -> Pitfall:
    """P203: rows equal in all features that carry different targets."""
    import numpy as np
    import pandas as pd

    entry, limits = sheet.entry("P203"), sheet.entry("P203").thresholds
    names = [c.name for c in sheet.columns if c.role in ("feature", "weight")]
    if not sheet.target or not names:
        return entry.not_applicable()
    labelled = sheet.whole[sheet.target].notna().to_numpy()
    known = sheet.whole[labelled]
    answers = as_labels(known[sheet.target]) if sheet.task in CLASS_TASKS else known[sheet.target]
    table = pd.DataFrame({"row": sheet.hashes.inputs[labelled], "answer": pd.factorize(answers)[0]})
    groups = table.groupby("row")["answer"]
    conflicting = (groups.transform("min") != groups.transform("max")).to_numpy()
    rows = int(conflicting.sum())
    share = rows / max(len(table), 1)
    if share < limits["tip"]:
        return entry.passed(target=sheet.target)
    most = table[conflicting].groupby(["row", "answer"]).size().groupby("row").max().sum()
    ceiling = (len(table) - rows + int(most)) / len(table)
    first = [int(number) + 1 for number in known.index[np.flatnonzero(conflicting)[:10]]]
    limit = f"; no model can get more than {percent(ceiling)} right" if sheet.task in CLASS_TASKS else ""
    seen: dict[str, Any] = {
        "rows": rows,
        "share": percent(share),
        "target": sheet.target,
        "limit": limit,
        "row_numbers": first,
    }
    return entry.issue(**seen) if share >= limits["issue"] else entry.tip(**seen)


def _repeats(hashes: np.ndarray[Any, Any]) -> int:
    import numpy as np

    return len(hashes) - len(np.unique(hashes))


def _repeats_by_chance(sheet: Sheet) -> float:
    """Repeats that remain when half of the columns are shuffled against the rest: few values repeat by themselves.

    The mean over several halves; columns that go together do not vanish by being shuffled apart. Shuffling cannot break
    the repeats inside a column whose cells hardly repeat, such as a text: none is chance.
    """
    import numpy as np

    if any(column.distinct > 0.5 * len(sheet.whole) for column in sheet.columns if column.role not in _NO_CONTENT):
        return 0
    random, hashes = np.random.default_rng(sheet.seed), sheet.hashes
    repeats = [_repeats(half + random.permutation(hashes.whole - half)) for half in hashes.halves]
    return float(np.mean(repeats))


def straddling(hashes: np.ndarray[Any, Any]) -> float:
    """Expected share of the test rows of a random 80/20 split that have a copy in training.

    One of k copies has none there only when the other k - 1 fell into the test as well, which is 0.2 to the (k - 1).
    """
    import numpy as np

    copies = np.unique(hashes, return_counts=True)[1]
    return float((copies * (1 - 0.2 ** (copies - 1.0))).sum() / max(len(hashes), 1))


def percent(share: float) -> str:
    """A share as people read it."""
    return f"{100 * share:.1f}%" if share >= 0.001 or share == 0 else f"{100 * share:.3f}%"
