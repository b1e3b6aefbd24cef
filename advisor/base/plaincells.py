"""Parquet's own kinds of cells as those that every other format gives: texts, numbers, dates, yes and no."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from advisor.base.safetext import one_of

if TYPE_CHECKING:
    import pandas as pd


def plain_cells(frame: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The table without categories, decimals, days, spans of time and nested cells of a type of their own.

    The sentences say what was changed so that a reader would see it.
    """
    import pandas as pd

    nested, spans = [], []
    for at, name in enumerate(frame.columns):
        column = given = frame.iloc[:, at]
        if isinstance(column.dtype, pd.CategoricalDtype):
            column = column.astype(object)
        elif column.dtype.kind == "m":
            column = column.dt.total_seconds()
            spans.append(str(name))
        elif column.dtype.kind == "O" and not isinstance(column.dtype, pd.StringDtype):
            kind = pd.api.types.infer_dtype(column, skipna=True)
            if kind == "decimal":
                column = column.map(float, na_action="ignore").astype("float64")
            elif kind == "date":
                column = pd.to_datetime(column, errors="coerce")
            elif any(_is_nested(cell) for cell in column):
                column = column.map(_as_text)
                nested.append(str(name))
        if column is not given:
            frame.isetitem(at, column.array)
    notes = []
    if nested:
        notes.append(f"Nested values were kept as JSON text in: {one_of(nested)}.")
    if spans:
        notes.append(f"Spans of time were read as seconds in: {one_of(spans)}.")
    return frame, tuple(notes)


def _is_nested(cell: Any) -> bool:
    return isinstance(cell, list | dict) or hasattr(cell, "tolist")


def _as_text(cell: Any) -> Any:
    return json.dumps(cell, ensure_ascii=False, default=_listed) if _is_nested(cell) else cell


def _listed(cell: Any) -> Any:
    return cell.tolist() if hasattr(cell, "tolist") else str(cell)
