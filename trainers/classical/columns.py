"""What each column is, learnt once from the training part, and the same reading of it for every row ever after.

Reading a row needs no statistics: what is fitted (medians, categories, word weights) is fitted in the pipeline, inside
each fold. So a row gives the same numbers in training, alone, and in any file.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from advisor.base.dates import DAY_FIRST, MONTH_FIRST, UNCLEAR, date_form, read_dates
from advisor.base.errors import BadInput, did_you_mean
from advisor.base.safetext import one_of, plain
from advisor.base.textnumbers import numbers_in
from trainers.common.labels import label_text

Kind = Literal["number", "category", "text", "date", "unused"]
MISSING = "(missing)"
_DATE_FORMATS = {
    "": ("ISO8601",),
    DAY_FIRST: ("%d.%m.%Y", "%d/%m/%Y", "%d.%m.%Y %H:%M", "%d/%m/%Y %H:%M"),
    MONTH_FIRST: ("%m/%d/%Y", "%m/%d/%Y %H:%M"),
}
_DATE_LIKE = r"\s*\d{1,4}[-./]\d{1,2}[-./]\d{1,4}([T ,].*)?"
_PROSE_WORDS = 3.0
_SAMPLE = 2_000


@dataclass(frozen=True)
class Column:
    """One column of the data: `kind` is how it is read; `reason` says why it is unused; `form` is a date's format."""

    name: str
    kind: Kind
    reason: str = ""
    form: str = ""
    distinct: int = 0


@dataclass(frozen=True)
class Schema:
    """The columns a model was trained on, in order."""

    columns: tuple[Column, ...]

    def of(self, kind: Kind) -> tuple[Column, ...]:
        """The columns of one kind."""
        return tuple(column for column in self.columns if column.kind == kind)

    def used(self) -> tuple[str, ...]:
        """The names of the columns that the model reads."""
        return tuple(column.name for column in self.columns if column.kind != "unused")


def learn_schema(frame: pd.DataFrame) -> Schema:
    """The kind of each column of the training rows. Raises `BadInput` when none can be used."""
    schema = Schema(tuple(_kind_of(frame[name], str(name)) for name in frame.columns))
    if not schema.used():
        reasons = "; ".join(f"{plain(column.name, 40)}: {column.reason}" for column in schema.columns[:5])
        raise BadInput(
            "No column can be learnt from.",
            why=reasons + ".",
            fix="Add columns that are known at prediction time and differ between rows.",
            code="no-columns",
        )
    return schema


def _kind_of(column: pd.Series[Any], name: str) -> Column:
    present = column.dropna()
    distinct = int(present.nunique())
    if distinct == 0:
        return Column(name, "unused", "it is empty in every training row")
    if distinct == 1 and len(present) == len(column):
        return Column(name, "unused", "it holds the same value in every training row", distinct=1)
    if pd.api.types.is_datetime64_any_dtype(column):
        return Column(name, "date", form="ISO8601", distinct=distinct)
    if pd.api.types.is_bool_dtype(column):
        return Column(name, "category", distinct=distinct)
    if pd.api.types.is_numeric_dtype(column):
        if _counts_rows(present, len(column)):
            return Column(name, "unused", "it numbers the rows", distinct=distinct)
        return Column(name, "number", distinct=distinct)
    if numbers_in(column) is not None:
        return Column(name, "number", distinct=distinct)
    form = _date_format(present)
    if form == UNCLEAR:
        return Column(name, "unused", "its dates may be read day first or month first; write the year first")
    if form:
        return Column(name, "date", form=form, distinct=distinct)
    return _text_kind(present, name, distinct)


def _text_kind(present: pd.Series[Any], name: str, distinct: int) -> Column:
    sample = present.iloc[:_SAMPLE].map(label_text)
    words = float(sample.map(lambda text: len(text.split())).mean())
    share = distinct / len(present)
    if words >= _PROSE_WORDS and (share > 0.2 or distinct > 1_000):
        return Column(name, "text", distinct=distinct)
    if share > 0.9 and len(present) > 20:
        return Column(name, "unused", "nearly every row has a value of its own, like an identifier", distinct=distinct)
    return Column(name, "category", distinct=distinct)


def _counts_rows(present: pd.Series[Any], rows: int) -> bool:
    """Whole numbers, each once, that fill most of their range: a row number, which says nothing about a new row."""
    if len(present) < rows or rows < 20:
        return False
    values = present.to_numpy(dtype=np.float64)
    if not np.isfinite(values).all() or (values != np.floor(values)).any():
        return False
    return len(np.unique(values)) == rows and float(np.ptp(values)) < 2.5 * rows


def _date_format(present: pd.Series[Any]) -> str:
    sample = present.iloc[:_SAMPLE].astype(str)
    if float(sample.str.fullmatch(_DATE_LIKE).mean()) < 0.95:
        return ""
    order = date_form(present)
    if order == UNCLEAR:
        return order
    # A format of its own tells a caller most; the order alone also reads seconds, and times that only some cells have.
    for form in (*_DATE_FORMATS[order], order):
        if form and float(read_dates(sample, form).notna().mean()) > 0.95:
            return form
    return ""


def prepare(frame: pd.DataFrame, schema: Schema) -> pd.DataFrame:
    """The columns as the pipeline reads them: numbers, categories and texts; a date becomes four numbers.

    Raises `BadInput` that names each column that is missing; columns the model does not know are passed over.
    """
    check_columns(list(map(str, frame.columns)), schema)
    read: dict[str, Any] = {}
    for column in schema.columns:
        if column.kind == "unused":
            continue
        cells = frame[column.name]
        if column.kind == "number":
            read[column.name] = _as_numbers(cells)
        elif column.kind == "date":
            read.update(zip(date_parts(column.name), _as_parts(cells, column.form), strict=True))
        else:
            read[column.name] = _as_texts(cells, MISSING if column.kind == "category" else "")
    # Without this dtype pandas would store text in its own arrays, and scikit-learn would copy them back each time.
    return pd.DataFrame(
        {name: pd.Series(cells, dtype=object if cells.dtype == object else None) for name, cells in read.items()}
    )


def date_parts(name: str) -> tuple[str, str, str, str]:
    """The names of the numbers a date is read as."""
    return (f"{name}: day", f"{name}: month", f"{name}: weekday", f"{name}: hour")


def check_columns(given: list[str], schema: Schema) -> None:
    """Raise `BadInput` when a column that the model reads is missing, with its likely new name."""
    missing = [name for name in schema.used() if name not in given]
    if missing:
        known = {column.name for column in schema.columns}
        spare = [name for name in given if name not in known]
        guesses = [f"{plain(name, 40)}: {did_you_mean(name, spare)}" for name in missing if did_you_mean(name, spare)]
        raise BadInput(
            f"The rows lack {len(missing)} of the model's columns: {one_of(missing)}.",
            where=one_of(missing),
            why="A model answers from the columns it was trained on; guessing one would answer another question.",
            fix="; ".join(guesses) or "Add them, or give empty cells where the value is not known.",
            code="missing-columns",
        )


def _as_texts(cells: pd.Series[Any], empty: str) -> Any:
    # Most columns hold texts alone; only others must be looked at cell by cell.
    as_they_are = pd.api.types.infer_dtype(cells, skipna=True) == "string"
    texts = np.array(cells if as_they_are else cells.map(label_text, na_action="ignore"), dtype=object)
    texts[cells.isna().to_numpy()] = empty
    return texts


def _as_numbers(cells: pd.Series[Any]) -> Any:
    if pd.api.types.is_numeric_dtype(cells):
        values = cells.to_numpy(dtype=np.float64, na_value=np.nan, copy=True)
    else:
        texts = cells.map(lambda cell: cell.strip() if isinstance(cell, str) else cell)
        values = np.array(pd.to_numeric(texts, errors="coerce"), dtype=np.float64)
    values[~np.isfinite(values)] = np.nan
    return values


def _as_parts(cells: pd.Series[Any], form: str) -> tuple[Any, ...]:
    moments = read_dates(cells, form)
    when = moments.dt
    day = (moments - pd.Timestamp("1970-01-01", tz="UTC")) / pd.Timedelta(days=1)
    parts = (day, when.month, when.weekday, when.hour + when.minute / 60)
    return tuple(part.to_numpy(dtype=np.float64, na_value=np.nan) for part in parts)


def origin_of(schema: Schema) -> dict[str, tuple[str, ...]]:
    """For each column of the data that is used, the prepared columns it became."""
    return {
        column.name: date_parts(column.name) if column.kind == "date" else (column.name,)
        for column in schema.columns
        if column.kind != "unused"
    }


def unused_notes(schema: Schema) -> list[str]:
    """A sentence for each reason some columns are not used."""
    unused = sorted(schema.of("unused"), key=lambda column: column.reason)
    grouped = itertools.groupby(unused, key=lambda column: column.reason)
    return [f"Not used: {one_of([column.name for column in columns])}: {reason}." for reason, columns in grouped]
