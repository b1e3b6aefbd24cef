"""What the cells of a file mean to a run: numbers where it reads numbers, and texts as they were written in training.

pandas takes a column for what the rows at hold look like, so that 007 is a number in one piece of a file and a text in
the next. A run knows what each of its columns is; the file is therefore read as text, and read once more by that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from advisor.base.tables import Table, read_table
from trainers.common.labels import label_text
from trainers.use.inputs import InputColumn

_TRUTHS = ("true", "false")


def as_read(frame: pd.DataFrame, columns: Sequence[InputColumn], table: Table) -> pd.DataFrame:
    """Rows of `table`, which was read as written, as the run reads them; `frame` bears the run's names.

    A column of no kind that is named is read by what it holds, as is every column for a run that names none.
    """
    read: dict[str, Any] = {}
    for column in columns:
        if column.name in frame.columns and _is_text(frame[column.name]):
            cells = frame[column.name]
            if column.kind == "number":
                numbers = numbers_where_all_are(cells, table.decimal)
                read[column.name] = _with_points(cells, table.decimal) if _is_text(numbers) else numbers
            elif column.kind == "any":
                natural = pd.Series(list(cells), cells.index)
                read[column.name] = _guessed(cells, table.decimal) if _is_all_text(table) else natural
    return with_columns(frame, read) if columns else guessed(frame, table)


def guessed(frame: pd.DataFrame, table: Table) -> pd.DataFrame:
    """Rows of `table`, which was read as written, each column as numbers or truths where it holds nothing else."""
    if not _is_all_text(table):
        return frame
    return with_columns(frame, {str(name): _guessed(frame[name], table.decimal) for name in frame.columns})


def file_as_read(
    path: Path, columns: Sequence[InputColumn], renamed: Callable[[list[str]], Mapping[str, str]] = lambda names: {}
) -> pd.DataFrame:
    """A whole table as a run with these columns reads it; columns that it does not read by what they hold.

    `renamed` says from the file's names which of them the run calls otherwise.
    """
    table = read_table(path, as_written=True)
    known = {column.name for column in columns}
    written = table.frame.rename(columns=dict(renamed(list(map(str, table.frame.columns)))))
    frame = as_read(written, columns, table)
    others = frame[[name for name in frame.columns if name not in known]]
    return with_columns(frame, {str(name): cells for name, cells in guessed(others, table).items()})


def with_numbers(written: pd.DataFrame, read: pd.DataFrame, columns: Sequence[InputColumn]) -> pd.DataFrame:
    """The rows as written, but numbers where the run reads numbers: for files that tell the two apart."""
    numbers = {column.name for column in columns if column.kind == "number"}
    same = zip(written.columns, read.columns, strict=True)
    told = {str(ours): read[theirs] for ours, theirs in same if theirs in numbers and not _is_text(read[theirs])}
    return with_columns(written, told)


def with_columns(frame: pd.DataFrame, columns: Mapping[str, Any]) -> pd.DataFrame:
    """The frame with these columns put in; `assign` would take none of the name "self"."""
    changed = frame.copy(deep=False) if columns else frame
    for name, cells in columns.items():
        changed[name] = cells
    return changed


def _is_all_text(table: Table) -> bool:
    return table.format == "csv"


def as_joined(path: Path) -> pd.DataFrame:
    """A table's cells as they stand, ready to be joined with another's: numbers in text have points for commas."""
    table = read_table(path, as_written=True)
    numbers = [name for name in table.frame if not _is_text(numbers_where_all_are(table.frame[name], table.decimal))]
    return with_columns(table.frame, {str(name): _with_points(table.frame[name], table.decimal) for name in numbers})


def numbers_where_all_are(cells: pd.Series[Any], decimal: str = ".") -> pd.Series[Any]:
    """A column of text as numbers, gaps and "NA" as gaps; the same column where a cell is anything else."""
    if not _is_text(cells):
        return cells
    numbers = _numbers(_with_points(cells, decimal))
    left = cells[(numbers.isna() & cells.notna()).to_numpy()]
    if len(left) and (left.isin(["NA"]).sum() < len(left) or len(left) == int(cells.notna().sum())):
        return cells
    return numbers


def _numbers(cells: pd.Series[Any]) -> pd.Series[Any]:
    if not isinstance(cells.dtype, pd.StringDtype):
        return pd.to_numeric(cells, errors="coerce")
    # Each different text is read once: reading a number costs seven times what finding the repeats does.
    codes, texts = pd.factorize(cells, use_na_sentinel=False)
    return pd.Series(pd.to_numeric(pd.Series(texts), errors="coerce").array[codes], cells.index, name=cells.name)


def truths_as_trained(columns: Sequence[InputColumn]) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """What spells true and false as training did: a client's are no text, nor what pandas read a whole column as.

    Where training had them beside other texts, only those that are no text are spelled anew: its own stood as written.
    """
    spellings = {}
    for column in columns:
        spelling = {value.casefold(): value for value in column.categories if value.casefold() in _TRUTHS}
        kinds = (bool, np.bool_, str) if set(column.categories) <= {"True", "False"} else (bool, np.bool_)
        if spelling:
            spellings[column.name] = partial(_spelled, spelling, kinds)

    def spelled(frame: pd.DataFrame) -> pd.DataFrame:
        there = {name: how for name, how in spellings.items() if name in frame.columns}
        return with_columns(frame, {name: frame[name].astype(object).map(how) for name, how in there.items()})

    return spelled


def _spelled(spelling: Mapping[str, str], kinds: tuple[type, ...], cell: Any) -> Any:
    return spelling.get(str(cell).casefold(), cell) if isinstance(cell, kinds) else cell


def as_labelled(cells: pd.Series[Any], classes: Sequence[str]) -> pd.Series[Any]:
    """Right answers as written, spelled as the run's classes where they say the same: 7 for 07, True for true."""
    truths = {name.casefold(): name for name in classes if name.casefold() in _TRUTHS}
    numbers = pd.to_numeric(cells.astype(object), errors="coerce")

    def spelled(cell: Any, number: Any) -> Any:
        if pd.isna(cell) or label_text(cell) in classes:
            return cell
        plain_number = "" if pd.isna(number) else label_text(number)
        return plain_number if plain_number in classes else _spelled(truths, (bool, np.bool_, str), cell)

    return pd.Series([spelled(*pair) for pair in zip(cells, numbers, strict=True)], cells.index, dtype=object)


def _guessed(cells: pd.Series[Any], decimal: str) -> pd.Series[Any]:
    numbers = numbers_where_all_are(cells, decimal)
    present = cells.dropna()
    if not _is_text(numbers) or not present.isin(["True", "TRUE", "true", "False", "FALSE", "false"]).all():
        return numbers
    truths = cells.astype(object).map(lambda cell: str(cell).casefold() == "true", na_action="ignore")
    return truths if len(present) < len(cells) else truths.astype(bool)


def _with_points(cells: pd.Series[Any], decimal: str) -> pd.Series[Any]:
    if decimal == ".":
        return cells
    return cells.map(lambda cell: cell.replace(decimal, ".") if isinstance(cell, str) else cell, na_action="ignore")


def _is_text(cells: pd.Series[Any]) -> bool:
    return pd.api.types.is_object_dtype(cells) or isinstance(cells.dtype, pd.StringDtype)
