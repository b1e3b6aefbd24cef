"""Whether the rows follow each other in time, and which columns say so."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from advisor.evidence.catalogue import Catalogue, words_of
from advisor.evidence.kinds import to_dates

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from advisor.records.look import Column

    Array = np.ndarray[Any, Any]

# Parts of a date that stand in columns of their own, coarse to fine, with the words that name them.
_PARTS = (
    ("year", {"year", "yr", "yyyy"}),
    ("month", {"month", "mnth", "mon", "mm"}),
    ("day", {"day", "dd", "mday"}),
    ("hour", {"hour", "hr", "hh"}),
)
_REGULAR = 0.9
_SHORTEST_SERIES = 5


@dataclass(frozen=True)
class TimeOrder:
    """The rows in time. `positions` sorts them; `how` is dates, parts, counter or steps.

    `certain` means the columns are real points in time and not merely a counter; `one_series` that each row is its own
    time step. `span_days` is known only for real dates. `moments` are the times as numbers, where rows may share one;
    `series` tells which of several series a row belongs to, when no series has two rows of one moment.
    """

    columns: tuple[str, ...]
    how: str
    positions: Array
    certain: bool
    one_series: bool
    in_file_order: bool
    span_days: float | None = None
    first: str = ""
    last: str = ""
    moments: Array | None = None
    series: Array | None = None

    def places(self, seed: int) -> Array:
        """Each row's place in time. Rows of one moment are shuffled, or their order in the file would pass for time."""
        import numpy as np

        if self.moments is None or self.one_series:
            place = np.empty(len(self.positions), dtype=int)
            place[self.positions] = np.arange(len(self.positions))
            return place
        by_chance = np.random.default_rng(seed).random(len(self.moments))
        return np.asarray(np.argsort(np.lexsort((by_chance, self.moments))))


def find_order(frame: pd.DataFrame, columns: tuple[Column, ...], target: str, catalogue: Catalogue) -> TimeOrder | None:
    """The most telling order in time, or None: dates first, then date parts, a decimal year, a regular counter."""
    others = [column for column in columns if column.name != target]
    dates = [column.name for column in others if column.kind == "date"]
    found = [order for order in (_by_dates(frame, name) for name in dates) if order]
    numbers = [c.name for c in others if c.kind in ("number", "category", "id", "boolean") and c.name in frame]
    order: TimeOrder | None
    if found:
        order = max(found, key=lambda order: (order.one_series, order.in_file_order))
    else:
        order = (
            _by_parts(frame, numbers)
            or _by_counter(frame, numbers, catalogue)
            or _by_steps(frame, numbers)
            or _by_year(frame, numbers)
        )
    if order is None or order.one_series or order.moments is None:
        return order
    return replace(order, series=_series(frame, order.moments, numbers))


def _series(frame: pd.DataFrame, moments: Array, numbers: list[str]) -> Array | None:
    """The first column under whose values no moment comes twice: the values name a share, a shop, or a person."""
    import numpy as np
    import pandas as pd

    for name in numbers:
        codes = np.asarray(pd.factorize(frame[name])[0])
        if not 2 <= len(np.unique(codes)) <= len(codes) / _SHORTEST_SERIES:
            continue
        steps = pd.DataFrame({"series": codes, "moment": moments})
        if not bool(steps.duplicated().any()):
            return codes
    return None


def _by_dates(frame: pd.DataFrame, name: str) -> TimeOrder | None:
    dates = to_dates(frame[name])
    if float(dates.notna().mean()) < 0.9:
        return None
    return _ordered((name,), "dates", dates)


def _ordered(names: tuple[str, ...], how: str, dates: pd.Series[Any]) -> TimeOrder:
    import numpy as np

    filled = dates.dropna()
    positions = np.argsort(dates.to_numpy(), kind="stable")
    span = (filled.max() - filled.min()).total_seconds() / 86400
    repeats = 1 - filled.nunique() / max(len(filled), 1)
    one_series = repeats < 0.02
    in_order = float((filled.diff().dropna().dt.total_seconds() >= 0).mean()) > 0.98
    first, last = str(filled.min())[:10], str(filled.max())[:10]
    moments = dates.astype("datetime64[s]").astype("int64").to_numpy()
    return TimeOrder(names, how, positions, True, one_series, in_order, span, first, last, moments)


def _by_parts(frame: pd.DataFrame, numbers: list[str]) -> TimeOrder | None:
    """Year, month, day and hour in columns of their own; a year must be among them."""
    import pandas as pd

    parts: dict[str, str] = {}
    for part, names in _PARTS:
        named = [name for name in numbers if words_of(name) and words_of(name)[0] in names and len(words_of(name)) == 1]
        if named and pd.api.types.is_numeric_dtype(frame[named[0]]):
            parts[part] = named[0]
    if "year" not in parts or "month" not in parts:
        return None
    pieces = pd.DataFrame({part: frame[name] for part, name in parts.items()})
    if "day" not in pieces:
        pieces["day"] = 1
    dates = pd.to_datetime(pieces, errors="coerce")
    if float(dates.notna().mean()) < 0.9:
        return None
    return _ordered(tuple(parts.values()), "parts", dates)


def _by_counter(frame: pd.DataFrame, numbers: list[str], catalogue: Catalogue) -> TimeOrder | None:
    """A number named like time that only grows down the file: 1949, 1949.083, 1949.167."""
    import numpy as np
    import pandas as pd

    for name in numbers:
        column = frame[name]
        if not catalogue.says(name, "time") or not pd.api.types.is_numeric_dtype(column) or bool(column.isna().any()):
            continue
        steps = np.diff(column.to_numpy(dtype=float))
        if len(steps) > 8 and bool((steps > 0).all()):
            return TimeOrder((name,), "counter", np.arange(len(column)), True, True, True)
    return None


def _by_steps(frame: pd.DataFrame, numbers: list[str]) -> TimeOrder | None:
    """A column that counts through the same steps again and again, such as the hour of the day."""
    import numpy as np
    import pandas as pd

    for name in numbers:
        column = frame[name]
        if not pd.api.types.is_numeric_dtype(column) or bool(column.isna().any()) or len(column) < 50:
            continue
        values = column.to_numpy(dtype=float)
        steps = np.diff(values)
        ups = steps[steps > 0]
        if len(ups) < _REGULAR * len(steps) or len(np.unique(values)) < 4:
            continue
        usual = float(np.median(ups))
        regular = float(np.isclose(ups, usual, rtol=0.05).sum()) / len(steps)
        resets = int((steps < 0).sum())
        if regular >= _REGULAR and resets >= 3 and len(steps) / (resets + 1) >= 4:
            return TimeOrder((name,), "steps", np.arange(len(column)), False, False, True)
    return None


def _comes_after(later: pd.Series[Any], earlier: pd.Series[Any]) -> bool:
    """Never before, and mostly strictly after: sold comes after built, but remodelled is often the same year."""
    return float((later >= earlier).mean()) > 0.99 and float((later > earlier).mean()) > 0.8


def _by_year(frame: pd.DataFrame, numbers: list[str]) -> TimeOrder | None:
    """A column of years: the one named just so, or the one that none of the other years comes after."""
    import numpy as np
    import pandas as pd

    years = {}
    for name in numbers:
        cells = frame[name].dropna()
        if {"year", "yr"} & set(words_of(name)) and pd.api.types.is_numeric_dtype(cells) and cells.nunique() >= 3:
            whole = bool((cells == cells.round()).all())
            if whole and len(cells) > 0.9 * len(frame) and float(cells.quantile(0.01)) >= 1900 and cells.max() <= 2100:
                years[name] = frame[name]
    others = {name: [years[other] for other in years if other != name] for name in years}
    last = [name for name in years if others[name] and all(_comes_after(years[name], o) for o in others[name])]
    named = [name for name in years if words_of(name) in (["year"], ["yr"])]
    if not (named or last):
        return None
    name = (named or last)[0]
    moments = years[name].to_numpy(dtype=float)
    in_order = bool((np.diff(moments) >= 0).all())
    first, final = int(np.nanmin(moments)), int(np.nanmax(moments))
    positions = np.argsort(moments, kind="stable")
    span = 365.0 * (final - first + 1)
    return TimeOrder((name,), "year", positions, True, False, in_order, span, str(first), str(final), moments)
