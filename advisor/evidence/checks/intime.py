"""What time does to the rows: order, drift, a short history, and files sorted by their answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from advisor.base.safetext import plain
from advisor.evidence.sheet import CLASS_TASKS, Sheet
from advisor.records.look import Column, Pitfall

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

_EARLIER = 0.7
_SHOWN = 12


def time_order(sheet: Sheet) -> Pitfall:
    """P503: rows follow each other in time, and answers depend on those before."""
    entry = sheet.entry("P503")
    if sheet.order is None:
        return entry.passed()
    correlation, _ = sheet.flow
    if sheet.flows:
        return entry.issue(sheet.order.columns, correlation=f"{correlation:.2f}")
    return entry.tip(sheet.order.columns) if sheet.order.certain else entry.passed()


def drift(sheet: Sheet) -> Pitfall:
    """P504: the latest rows differ from the earlier ones."""
    entry, limits = sheet.entry("P504"), sheet.entry("P504").thresholds
    order = sheet.order
    if order is None or len(sheet.frame) < limits["fewest_rows"]:
        return entry.not_applicable()
    ordered = sheet.frame.iloc[order.positions]
    cut = int(_EARLIER * len(ordered))
    distances = {
        column.name: _distance(ordered[column.name], cut)
        for column in sheet.columns
        if column.kind in ("number", "category", "boolean") and column.role in ("feature", "target", "weight")
        and column.name not in order.columns and not _tells_time(sheet, column, ordered)
    }  # fmt: skip
    if not distances:
        return entry.not_applicable()
    found = sorted((name for name in distances if distances[name] >= limits["distance"]), key=lambda n: -distances[n])
    farthest = sorted(distances.items(), key=lambda item: -item[1])[:_SHOWN]
    seen: dict[str, Any] = {"distance": f"{farthest[0][1]:.2f}", "limit": limits["distance"]}
    seen["distances"] = {plain(name, 60): round(distance, 4) for name, distance in farthest}
    return entry.issue(found, **seen) if found else entry.passed(**seen)


def narrow_history(sheet: Sheet) -> Pitfall:
    """P505: dates span less than a year, or few sites are in the file."""
    entry, limits = sheet.entry("P505"), sheet.entry("P505").thresholds
    told, narrow, columns = [], False, []
    order = sheet.order
    if order is not None and order.span_days is not None:
        told.append(f"the dates span {order.span_days:,.0f} days, {order.first} to {order.last}")
        if order.span_days < limits["days"]:
            narrow, columns = True, list(order.columns)
    for column in sheet.columns:
        if column.kind in ("category", "constant") and sheet.catalogue.says(column.name, "site"):
            told.append(f"{plain(column.name, 60)} has {column.distinct:,} values")
            if column.distinct < limits["sites"]:
                narrow = True
                columns.append(column.name)
    if not told:
        return entry.not_applicable()
    detail = "; ".join(told)
    detail = detail[:1].upper() + detail[1:]
    return entry.issue(columns, detail=detail) if narrow else entry.passed(detail=detail)


def sorted_by_target(sheet: Sheet) -> Pitfall:
    """P506: rows of one class stand together."""
    import numpy as np

    entry = sheet.entry("P506")
    if not sheet.target or len(sheet.known) < 30:
        return entry.not_applicable()
    answers = sheet.answers
    changes = int((answers[1:] != answers[:-1]).sum())
    if sheet.task in CLASS_TASKS:
        shares = np.bincount(answers) / len(answers)
        expected = (1 - float((shares**2).sum())) * (len(answers) - 1)
        is_sorted = changes < entry.thresholds["share"] * expected
    else:
        steps = np.diff(answers)
        is_sorted = bool((steps >= 0).all() or (steps <= 0).all())
    if is_sorted and not sheet.flows:
        return entry.issue([sheet.target], target=sheet.target, changes=changes, rows=len(answers))
    return entry.passed(target=sheet.target)


def _tells_time(sheet: Sheet, column: Column, ordered: pd.DataFrame) -> bool:
    """Whether a column only says when: named like time, or growing steadily along it."""
    import numpy as np

    if column.role == "target":
        return False
    if sheet.catalogue.says(column.name, "time"):
        return True
    cells = ordered[column.name]
    if column.kind != "number" or bool(cells.isna().any()):
        return False
    ranks = np.argsort(np.argsort(cells.to_numpy(dtype=float), kind="stable"))
    return abs(float(np.corrcoef(ranks, np.arange(len(ranks)))[0, 1])) > 0.95 if cells.nunique() > 1 else False


def _distance(cells: pd.Series[Any], cut: int) -> float:
    """How far rows from `cut` on are from those before: Kolmogorov-Smirnov for numbers, for categories total variation.

    The latter is taken beyond what shuffled rows show.
    """
    import numpy as np
    import pandas as pd

    earlier, later = cells.iloc[:cut].dropna(), cells.iloc[cut:].dropna()
    if len(earlier) < 20 or len(later) < 20:
        return 0.0
    if cells.dtype.kind in "iuf":
        values = np.unique(np.concatenate([earlier.to_numpy(dtype=float), later.to_numpy(dtype=float)]))
        return float(np.abs(_below(earlier, values) - _below(later, values)).max())
    values = pd.factorize(cells.map(str).where(cells.notna()))[0]
    # Of many rare values few stand on both sides whatever happens: what shuffled rows show is no change.
    by_chance = _apart(np.random.default_rng(0).permutation(values), cut)
    return max(0.0, _apart(values, cut) - by_chance) / (1 - by_chance) if by_chance < 1 else 0.0


def _apart(values: np.ndarray[Any, Any], cut: int) -> float:
    """Total variation between the shares of values before and from `cut`; -1 is a gap."""
    import numpy as np

    most = int(values.max()) + 1
    counts = [np.bincount(part[part >= 0], minlength=most) for part in (values[:cut], values[cut:])]
    before, after = (own / max(own.sum(), 1) for own in counts)
    return float(np.abs(before - after).sum() / 2)


def _below(cells: pd.Series[Any], values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    import numpy as np

    return np.searchsorted(np.sort(cells.to_numpy(dtype=float)), values, side="right") / len(cells)
