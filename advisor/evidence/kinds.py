"""What each column holds: a number, a category, free text, a date, a yes-or-no, an identifier, or nothing."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from advisor.base.dates import MONTH_FIRST, UNCLEAR, date_form, read_dates
from advisor.base.textnumbers import numbers_in
from advisor.evidence.catalogue import Catalogue, words_of

if TYPE_CHECKING:
    import pandas as pd

# Date patterns by the shape of the text. One column should follow one of them.
DATE_SHAPES = {
    "2024-01-31": re.compile(r"\d{4}-\d{1,2}-\d{1,2}([T ]\d{1,2}:\d{2}.*)?"),
    "2024/01/31": re.compile(r"\d{4}/\d{1,2}/\d{1,2}([T ]\d{1,2}:\d{2}.*)?"),
    "31.01.2024": re.compile(r"\d{1,2}\.\d{1,2}\.\d{2,4}( \d{1,2}:\d{2}.*)?"),
    "31/01/2024": re.compile(r"\d{1,2}/\d{1,2}/\d{2,4}( \d{1,2}:\d{2}.*)?"),
    "31-01-2024": re.compile(r"\d{1,2}-\d{1,2}-\d{4}( \d{1,2}:\d{2}.*)?"),
    "31 Jan 2024": re.compile(r"\d{1,2}[- ][A-Za-z]{3,9}[- ]\d{2,4}( \d{1,2}:\d{2}.*)?"),
    "Jan 31, 2024": re.compile(r"[A-Za-z]{3,9}\.? \d{1,2},? \d{4}( \d{1,2}:\d{2}.*)?"),
}
_GLANCE = 300


def kind_of(column: pd.Series[Any], catalogue: Catalogue) -> str:
    """number, category, text, date, boolean, id, constant or empty, for one column as read."""
    import pandas as pd

    settings, limits = catalogue.settings, catalogue.entries["P402"].thresholds
    present = column.dropna()
    if not len(present):
        return "empty"
    distinct = _distinct(present)
    if distinct == 1:
        return "constant" if len(present) == len(column) else "category"
    if pd.api.types.is_bool_dtype(column):
        return "boolean"
    if pd.api.types.is_datetime64_any_dtype(column):
        return "date"
    never_repeats = len(present) >= limits["fewest_rows"] and distinct >= limits["distinct"] * len(present)
    if pd.api.types.is_numeric_dtype(column):
        return _kind_of_number(column.name, present, distinct, never_repeats, catalogue)
    glance = spread(present, _GLANCE).map(str)
    if date_shape(glance):
        return "date"
    words = glance.str.count(r"\S+")
    if float(words.median()) >= settings["text_words"] and distinct >= settings["text_distinct"] * len(present):
        return "text"
    if never_repeats:
        one_word = float((words <= 1).mean()) > 0.95
        return "id" if one_word else "text"
    if distinct > settings["text_distinct"] * len(present) and float(words.median()) >= 3:
        return "text"
    return "boolean" if distinct == 2 and _yes_no(present) else "category"


def _kind_of_number(
    name: Any, present: pd.Series[Any], distinct: int, never_repeats: bool, catalogue: Catalogue
) -> str:
    if distinct == 2:
        return "boolean" if set(present.unique()) <= {0, 1} else "number"
    whole = bool((present == present.round()).all())
    if never_repeats and whole:
        steps = present.diff().dropna()
        if bool((steps == 1).all()):
            return "id"
        last = words_of(str(name))[-1:] or [""]
        if last[0] in catalogue.words["identifier"]:
            return "id"
    return "number"


def as_numbers(column: pd.Series[Any]) -> pd.Series[Any] | None:
    """Numbers written as text, as numbers; None when the column is not that."""
    import pandas as pd

    if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        return None
    glance = spread(column.dropna(), _GLANCE)
    if not len(glance) or numbers_in(glance, gaps=0.1) is None:
        return None
    return numbers_in(column)


def date_shape(glance: pd.Series[Any]) -> str:
    """The commonest date pattern among these cells if nine in ten follow some pattern, else an empty string."""
    seen = date_shapes(glance)
    named = sum(count for shape, count in seen.items() if shape)
    if not named or named < 0.9 * len(glance):
        return ""
    return max((shape for shape in seen if shape), key=lambda shape: seen[shape])


def date_shapes(glance: pd.Series[Any]) -> dict[str, int]:
    """How many cells follow each date pattern; the empty key counts the rest."""
    seen: dict[str, int] = {}
    for text, count in Counter(str(cell).strip() for cell in glance).items():
        shape = next((name for name, pattern in DATE_SHAPES.items() if pattern.fullmatch(text)), "")
        seen[shape] = seen.get(shape, 0) + count
    return seen


def to_dates(column: pd.Series[Any]) -> pd.Series[Any]:
    """The column as timestamps without a zone; what cannot be read becomes missing."""
    import pandas as pd

    if pd.api.types.is_datetime64_any_dtype(column):
        dates = column
    else:
        # Both orders are possible: good enough for a look, while training refuses to guess.
        form = date_form(column)
        dates = read_dates(column, MONTH_FIRST if form == UNCLEAR else form)
    return dates.dt.tz_localize(None) if getattr(dates.dt, "tz", None) is not None else dates


def spread(column: pd.Series[Any], most: int) -> pd.Series[Any]:
    """At most `most` cells, evenly over the column, in order."""
    if len(column) <= most:
        return column
    step = len(column) / most
    return column.iloc[[int(i * step) for i in range(most)]]


def _distinct(present: pd.Series[Any]) -> int:
    try:
        return int(present.nunique())
    except TypeError:  # cells that cannot be hashed, such as lists from JSON
        return int(present.map(str).nunique())


def _yes_no(present: pd.Series[Any]) -> bool:
    values = {str(value).strip().lower() for value in present.unique()}
    return values <= {"yes", "no", "true", "false", "y", "n", "t", "f", "0", "1", "ja", "nein", "oui", "non"}
