"""Dates that stand as text: which order of day and month a column follows, and its cells read in that order alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from advisor.base.errors import BadInput
from advisor.base.safetext import plain

if TYPE_CHECKING:
    import pandas as pd

DAY_FIRST, MONTH_FIRST, UNCLEAR = "day first", "month first", "unclear"
_DAY = r"(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})"
_NUMBERED = rf"\s*{_DAY}(?:[T ,]+(\d.*?))?\s*"
_DAY_LETTERS = len("31.12.2024")
_MONTHS = 12
_GLANCE = 1_000
# At most one cell in twenty may stand against the others: a typing error, not a second way of writing.
_AGREE = 0.95
# Two digits of a year from here on are of the last century, as POSIX reads them.
_CENTURY = 69


def date_form(column: pd.Series[Any]) -> str:
    """`day first`, `month first`, or `unclear` when both may be; empty for dates whose order is plain.

    Plain are a year that comes first, a month by its name, a date as a type of its own, and what is no date at all.
    """
    import pandas as pd

    if pd.api.types.is_datetime64_any_dtype(column) or pd.api.types.is_numeric_dtype(column):
        return ""
    cells = column.dropna().map(str)
    glance = cells.iloc[:: max(1, len(cells) // _GLANCE)]
    if float(glance.str.fullmatch(_NUMBERED).mean() if len(glance) else 0.0) < 0.9:
        return ""
    # The day alone, each once: a million moments fall on a few thousand days.
    days = pd.Series(cells.str.strip().str[:_DAY_LETTERS].unique(), dtype=object)
    parts = days.str.extract(rf"^{_DAY}(?!\d)").dropna(subset=[0])
    first, second = parts[0].astype(int), parts[2].astype(int)
    days_first, months_first = int((first > _MONTHS).sum()), int((second > _MONTHS).sum())
    dotted = bool((parts[1] == ".").all())
    short = bool((parts[3].str.len() == 2).any())
    if short and not dotted and parts[3].nunique() > parts[0].nunique():
        return UNCLEAR  # 24-01-31: the year may well come first
    told = days_first + months_first
    if told and max(days_first, months_first) >= _AGREE * told:
        return DAY_FIRST if days_first > months_first else MONTH_FIRST
    # Nobody writes the month first with dots; with slashes half of the world does.
    return DAY_FIRST if dotted and not told else UNCLEAR


def clear_date_form(column: pd.Series[Any], where: str) -> str:
    """`date_form`, or `BadInput` when the column's days and months cannot be told apart."""
    form = date_form(column)
    if form == UNCLEAR:
        raise BadInput(
            f"Column {plain(column.name, 60)} may be read day first or month first: "
            f"for example {plain(next(iter(column.dropna()), ''), 40)!r}.",
            where=where,
            why="Read the wrong way, later rows would pass for earlier ones, and the future would be trained on.",
            fix="Write its dates with the year first, as in 2024-01-31, then look and plan again.",
            code="unclear-dates",
        )
    return form


def read_dates(column: pd.Series[Any], form: str) -> pd.Series[Any]:
    """The moments, in UTC, of a column that follows `form`; a cell that does not follow it becomes missing.

    `form` is what `date_form` found, or a format as pandas takes it.
    """
    import pandas as pd

    if pd.api.types.is_datetime64_any_dtype(column):
        moments = pd.to_datetime(column, utc=True)
    elif form in (DAY_FIRST, MONTH_FIRST):
        moments = _numbered(column, form)
    else:
        texts = _texts(column)
        if not form:
            # pandas would read 03/02/2024 month first, and 25/02/2024 day first, in one column and in silence.
            texts = texts.mask(texts.str.fullmatch(_NUMBERED).fillna(False).astype(bool))
        moments = pd.to_datetime(texts, errors="coerce", format=form or "mixed", utc=True)
    return pd.Series(moments, index=column.index, name=column.name)


def _numbered(column: pd.Series[Any], form: str) -> Any:
    import pandas as pd

    texts = _texts(column)
    # Most columns write every cell alike, which pandas reads ten times as fast as one cell after the other.
    moments = pd.to_datetime(texts, errors="coerce", format=_usual(texts, form), utc=True).dt.as_unit("us")
    others = moments.isna() & texts.notna()
    if others.any():
        moments = moments.where(~others, _piece_by_piece(texts[others], form).reindex(texts.index))
    return moments


def _usual(texts: pd.Series[Any], form: str) -> str:
    """How the first cell is written, as a format."""
    found = re.fullmatch(_NUMBERED, next(iter(texts.dropna()), ""))
    if found is None:
        return "%d.%m.%Y"
    between, year, time = found[2], "%Y" if len(found[4]) == 4 else "%y", found[5] or ""
    day, month = ("%d", "%m") if form == DAY_FIRST else ("%m", "%d")
    hours = {0: "", 1: " %H:%M", 2: " %H:%M:%S"}.get(time.count(":"), "")
    return f"{day}{between}{month}{between}{year}{hours}"


def _piece_by_piece(texts: pd.Series[Any], form: str) -> pd.Series[Any]:
    import pandas as pd

    parts = texts.str.extract(f"^(?:{_NUMBERED})$")
    day, month = (parts[0], parts[2]) if form == DAY_FIRST else (parts[2], parts[0])
    year = parts[3].where(parts[3].str.len() == 4, parts[3].map(_whole_year, na_action="ignore"))
    written = year + "-" + month.str.zfill(2) + "-" + day.str.zfill(2)
    written = (written + " " + parts[4].fillna("")).str.strip()
    # A month beyond the twelfth must be missing; left to pandas it would become a day.
    written = written.where(pd.to_numeric(month, errors="coerce") <= _MONTHS)
    return pd.to_datetime(written, errors="coerce", format="mixed", utc=True).dt.as_unit("us")


def _texts(column: pd.Series[Any]) -> pd.Series[Any]:
    return column.astype(object).where(column.notna()).map(str, na_action="ignore").astype(object)


def _whole_year(year: str) -> str:
    return f"{'19' if int(year) >= _CENTURY else '20'}{year}" if len(year) == 2 else year
