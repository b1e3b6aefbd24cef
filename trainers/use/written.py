"""Answers as text: CSV that no spreadsheet runs, or JSON lines; row by row in the order of the file. And as a table."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from advisor.base.safetext import FORMULA_START, for_csv
from trainers.use.answers import Answers

# What a cell of CSV must be quoted for (RFC 4180, section 2).
_QUOTED = r'[",\r\n]'


def csv_header(own: Sequence[str], answers: Answers) -> str:
    """The header line: the row's own columns, then the prediction, the score of each class, and what is told beside."""
    stream = io.StringIO()
    names = [*own, *free_names(own, _wanted(answers))]
    csv.writer(stream, lineterminator="\n").writerow([for_csv(name) for name in names])
    return stream.getvalue()


def _wanted(answers: Answers) -> list[str]:
    scores = [f"score: {label}" for label in answers.classes] if answers.scores is not None else []
    return ["prediction", *scores, *answers.extra_names]


def free_names(taken: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """The wanted column names, with a mark where the file has one of that name already."""
    return [f"{name} (answered)" if name in taken else name for name in wanted]


def csv_lines(frame: pd.DataFrame | None, answers: Answers) -> str:
    """The lines of some rows. Text that a spreadsheet would run is quoted; numbers are written exactly."""
    columns: list[pd.Series[Any]] = []
    if frame is not None:
        columns += [disarmed(frame.iloc[:, at]) for at in range(frame.shape[1])]
    columns += [disarmed(column) for column in _answer_columns(answers)]
    fields = [_fields(column) for column in columns]
    if len(fields) == 1:  # a line with nothing on it is no row to a reader
        fields = [[cell or '""' for cell in fields[0]]]
    return "".join(f"{line}\n" for line in map(",".join, zip(*fields, strict=True)))


def _fields(column: pd.Series[Any]) -> list[str]:
    """The cells as RFC 4180 spells them; a gap is an empty cell."""
    # pandas alone knows which moments are whole days, and how few digits tell a 32-bit number.
    spelled = column.astype(str) if column.dtype in (np.float16, np.float32) or column.dtype.kind == "M" else column
    if isinstance(column.dtype, pd.StringDtype):
        cells = column.to_numpy(object, copy=True)
        quoted = column.str.contains(_QUOTED).fillna(False).to_numpy(bool)
    else:
        cells = np.array(list(map(str, spelled.to_numpy(object))), dtype=object)
        numbers = pd.api.types.is_numeric_dtype(column)
        quoted = np.array([not numbers and re.search(_QUOTED, cell) is not None for cell in cells], dtype=bool)
    cells[quoted] = [f'"{cell}"' for cell in (text.replace('"', '""') for text in cells[quoted])]
    cells[column.isna().to_numpy()] = ""
    return list(cells)


def _answer_columns(answers: Answers) -> list[pd.Series[Any]]:
    columns: list[pd.Series[Any]] = [pd.Series(answers.predictions)]
    if answers.scores is not None:
        columns += [pd.Series(answers.scores[:, at]) for at in range(answers.scores.shape[1])]
    for name in answers.extra_names:
        cells = [extra[name] for extra in answers.extras or []]
        columns.append(pd.Series(["; ".join(cell) if isinstance(cell, list) else cell for cell in cells], dtype=object))
    return columns


def as_table(frame: pd.DataFrame | None, answers: Answers) -> pd.DataFrame:
    """The rows with their answers as one table, every cell as it is: for Parquet, which runs nothing."""
    own = [] if frame is None else [str(name) for name in frame.columns]
    names = free_names(own, _wanted(answers))
    told = dict(zip(names, _answer_columns(answers), strict=True))
    rows = pd.DataFrame(index=range(len(answers))) if frame is None else frame.reset_index(drop=True)
    return pd.concat([rows, pd.DataFrame(told)], axis=1)


def json_lines(frame: pd.DataFrame | None, answers: Answers) -> str:
    """One JSON object a row: its own cells (a gap is null), then `prediction`, `scores` and what is told beside."""
    own = [{}] * len(answers) if frame is None else frame.astype(object).where(frame.notna(), None).to_dict("records")
    taken = [] if frame is None else list(map(str, frame.columns))
    lines = []
    for row, answer in zip(own, answers.rows(), strict=True):
        told = dict(zip(free_names(taken, list(answer)), answer.values(), strict=True))
        lines.append(json.dumps({**{str(k): v for k, v in row.items()}, **told}, ensure_ascii=False, default=str))
    return "".join(f"{line}\n" for line in lines)


def disarmed(column: pd.Series[Any]) -> pd.Series[Any]:
    """The column with text that a spreadsheet would run made harmless; a number stays, also one that is text."""
    if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_datetime64_any_dtype(column):
        return column
    # Hardly a cell begins like a formula, so that all are looked at once, and only those are then read.
    if isinstance(column.dtype, pd.StringDtype):
        doubtful = column.str.match(FORMULA_START).fillna(False).to_numpy(bool, copy=True)
    else:
        doubtful = np.array([isinstance(cell, str) and for_csv(cell) is not cell for cell in column], dtype=bool)
    if not doubtful.any():
        return column
    doubtful[doubtful] = pd.to_numeric(column[doubtful], errors="coerce").isna().to_numpy()
    safe = np.array(column, dtype=object)
    safe[doubtful] = [for_csv(cell) for cell in safe[doubtful]]
    return pd.Series(safe, column.index)
