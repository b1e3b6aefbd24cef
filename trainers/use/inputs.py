"""What a run wants to be told of a row: its columns, their kinds, and how a file's columns meet them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from advisor.base.dates import read_dates
from advisor.base.errors import BadInput, did_you_mean
from advisor.base.safetext import one_of, plain

# Marks of a gap in a column of numbers, as advisor/base/textnumbers.py reads them: no reading error.
_GAPS = ("", "NA", "?", "-")
Kind = Literal["number", "category", "text", "date", "any"]


@dataclass(frozen=True)
class InputColumn:
    """One column a run reads. `categories` are those met in training, others count as unknown; `form` is a date's."""

    name: str
    kind: Kind
    categories: tuple[str, ...] = ()
    form: str = ""


def rename_to_fit(given: Sequence[str], columns: Sequence[InputColumn], asked: Mapping[str, str]) -> dict[str, str]:
    """How the file's columns must be renamed so that the run finds each of its own; empty when nothing differs.

    `asked` maps names in the file to the run's names. A column that differs only in case, spaces, dashes or underscores
    is matched by itself where that is beyond doubt. Raises `BadInput` that names every column that is missing.
    """
    wanted = [column.name for column in columns]
    _check_asked(given, wanted, asked)
    renamed = dict(asked)
    present = {renamed.get(name, name) for name in given}
    spare = [name for name in given if name not in wanted and name not in renamed]
    for name in wanted:
        alike = [one for one in spare if _folded(one) == _folded(name)]
        if name not in present and len(alike) == 1:
            renamed[alike[0]] = name
            present.add(name)
    missing = [name for name in wanted if name not in present]
    if missing:
        raise _missing(missing, [name for name in spare if name not in renamed])
    return {old: new for old, new in renamed.items() if old != new}


def _check_asked(given: Sequence[str], wanted: Sequence[str], asked: Mapping[str, str]) -> None:
    for old, new in asked.items():
        where = f"--map {plain(old, 60)}={plain(new, 60)}"
        if old not in given:
            raise BadInput(
                f"The rows have no column {plain(old, 60)!r}.",
                where=where,
                fix=did_you_mean(old, given) or f"Their columns: {one_of(list(given))}.",
                code="no-column",
            )
        if new not in wanted:
            raise BadInput(
                f"The run reads no column {plain(new, 60)!r}.",
                where=where,
                fix=did_you_mean(new, wanted) or f"It reads: {one_of(list(wanted))}.",
                code="no-column",
            )
        if new in given and old != new:
            raise BadInput(
                f"The rows hold {plain(new, 60)!r} already.",
                where=where,
                why="Two columns would bear one name.",
                fix="Leave this mapping out, or rename that column in the file.",
                code="duplicate-columns",
            )
    if len(set(asked.values())) < len(asked):
        raise BadInput(
            "Two columns are mapped to one name.", where="--map", fix="Map each to its own.", code="duplicate-columns"
        )


def _missing(missing: list[str], spare: list[str]) -> BadInput:
    guesses = [f"{plain(name, 40)}: {did_you_mean(name, spare)}" for name in missing if did_you_mean(name, spare)]
    return BadInput(
        f"The rows lack {len(missing)} of the model's columns: {one_of(missing)}.",
        where=one_of(missing),
        why="A model answers from the columns it was trained on; guessing one would answer another question.",
        fix="; ".join(guesses + ["rename with --map FILE_NAME=MODEL_NAME"] * bool(guesses))
        or "Add them, or give empty cells where the value is not known.",
        code="missing-columns",
    )


def _folded(name: str) -> str:
    return "".join(c for c in name.casefold() if c not in " _-.")


def lost_cells(cells: pd.Series[Any], column: InputColumn) -> pd.Series[Any]:
    """The filled cells of a number or date column that say no number or date."""
    present = cells.dropna()
    if column.kind == "number":
        texts = present.map(lambda cell: cell.strip() if isinstance(cell, str) else cell)
        present = present[~texts.isin(_GAPS)]
        read = pd.to_numeric(texts[~texts.isin(_GAPS)], errors="coerce")
    elif column.kind == "date":
        read = read_dates(present, column.form)
    else:
        return present[:0]
    return present[np.asarray(pd.isna(read))]


def unreadable_cells(frame: pd.DataFrame, columns: Sequence[InputColumn]) -> dict[str, int]:
    """How many filled cells of each number or date column say no number or date: they are answered as missing."""
    found: dict[str, int] = {}
    for column in columns:
        cells = frame.get(column.name)
        if cells is None or pd.api.types.is_numeric_dtype(cells) or pd.api.types.is_datetime64_any_dtype(cells):
            continue
        if lost := len(lost_cells(cells, column)):
            found[column.name] = lost
    return found


def check_readable(frame: pd.DataFrame, columns: Sequence[InputColumn]) -> dict[str, int]:
    """`unreadable_cells`, or `BadInput` when not one filled cell of a column can be read: it is another column."""
    lost = unreadable_cells(frame, columns)
    for name, count in lost.items():
        present = frame[name].dropna()
        if count == len(present):
            kind = next(column.kind for column in columns if column.name == name)
            raise BadInput(
                f"Column {plain(name, 60)} held {kind}s in training; here it says {plain(present.iloc[0], 40)!r}.",
                where=plain(name, 60),
                why="Not one of its cells can be read so; each answer would rest on a gap.",
                fix="Give the column as it was in training, or map the right one: --map FILE_NAME=MODEL_NAME",
                code="column-kind",
            )
    return lost


def as_plain(columns: Sequence[InputColumn]) -> list[dict[str, Any]]:
    """The input schema as plain data, for `--json`, a server's `/schema` and a manifest."""
    return [
        {"name": column.name, "kind": column.kind}
        | ({"categories": list(column.categories)} if column.categories else {})
        | ({"form": column.form} if column.form else {})
        for column in columns
    ]
