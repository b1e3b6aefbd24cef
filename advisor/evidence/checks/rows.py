"""Rows that repeat, and rows that contradict each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from advisor.evidence.sheet import CLASS_TASKS, Sheet, as_label
from advisor.records.look import Pitfall

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

_HALVES = 3


def duplicate_rows(sheet: Sheet) -> Pitfall:
    """P201: rows equal in all but identifiers and split markers, beyond what shuffled columns would repeat."""
    entry, limits = sheet.entry("P201"), sheet.entry("P201").thresholds
    names = [c.name for c in sheet.columns if c.role not in ("id", "split", "constant")]
    hashes = row_hashes(sheet.whole, names)
    repeats = _repeats(hashes)
    share = repeats / max(len(hashes), 1)
    straddle = straddling(hashes)
    seen: dict[str, Any] = {"rows": repeats, "share": percent(share), "straddling": round(straddle, 4)}
    if share < limits["tip"] or not repeats or repeats <= limits["times_chance"] * _repeats_by_chance(sheet, names):
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
    known = sheet.whole[sheet.whole[sheet.target].notna()]
    answers = known[sheet.target].map(as_label) if sheet.task in CLASS_TASKS else known[sheet.target]
    table = pd.DataFrame({"row": row_hashes(known, names), "answer": pd.factorize(answers)[0]})
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


def row_hashes(frame: pd.DataFrame, names: list[str]) -> np.ndarray[Any, Any]:
    """One 64-bit hash a row over the named columns; gaps are equal to gaps."""
    import numpy as np

    total = np.zeros(len(frame), dtype=np.uint64)
    for hashes in column_hashes(frame, names).values():
        total += hashes
    return total


def column_hashes(frame: pd.DataFrame, names: list[str]) -> dict[str, np.ndarray[Any, Any]]:
    """One 64-bit hash a cell, each column with its own multiplier, so that sums of them identify a row."""
    import numpy as np
    import pandas as pd

    hashed = {}
    for place, name in enumerate(names, start=1):
        cells = frame[name]
        cells = cells.map(str) if cells.dtype == object else cells
        values = pd.util.hash_array(np.asarray(pd.factorize(cells)[0])) if cells.dtype.kind in "OUT" else (
            pd.util.hash_pandas_object(cells, index=False).to_numpy()
        )  # fmt: skip
        odd = np.uint64((2 * place * 0x9E3779B97F4A7C15 + 1) % 2**64)
        hashed[name] = (values ^ (values >> np.uint64(29))) * odd
    return hashed


def _repeats(hashes: np.ndarray[Any, Any]) -> int:
    import numpy as np

    return len(hashes) - len(np.unique(hashes))


def _repeats_by_chance(sheet: Sheet, names: list[str]) -> float:
    """Repeats that remain when half of the columns are shuffled against the rest: few values repeat by themselves.

    The mean over several halves; columns that go together do not vanish by being shuffled apart. Shuffling cannot break
    the repeats inside a column whose cells hardly repeat, such as a text: none is chance.
    """
    import numpy as np

    if any(column.distinct > 0.5 * len(sheet.whole) for column in sheet.columns if column.name in names):
        return 0
    random = np.random.default_rng(sheet.seed)
    cells = list(column_hashes(sheet.whole, names).values())
    nothing = np.zeros(len(sheet.whole), dtype=np.uint64)
    repeats = []
    for _ in range(_HALVES):
        here = random.permutation(len(cells)) < len(cells) / 2
        halves = [sum((c for c, first in zip(cells, here, strict=True) if first == side), nothing) for side in (0, 1)]
        repeats.append(_repeats(halves[0] + random.permutation(halves[1])))
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
