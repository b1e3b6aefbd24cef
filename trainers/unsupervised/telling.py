"""What a person needs to judge groups and oddities: sizes, typical rows, and what sets each apart from the rest."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from advisor.base.safetext import for_csv, plain
from trainers.common.metrics import Floats, Integers
from trainers.common.policy import policy

_CELL = 40


def columns_apart(features: Floats, names: tuple[str, ...], inside: Any, frame: pd.DataFrame) -> list[str]:
    """The columns in which a group differs most from the rest, in units of the whole's spread, in words."""
    spread = np.maximum(features.std(axis=0), 1e-9)
    apart = (features[inside].mean(axis=0) - features[~inside].mean(axis=0)) / spread
    told = []
    for at in np.argsort(-np.abs(apart))[: policy("discovering")["shown"]["columns"]]:
        if abs(apart[at]) < 0.2:
            break
        name = names[at]
        if name in frame.columns and pd.api.types.is_numeric_dtype(frame[name]):
            here, there = float(frame[name][inside].mean()), float(frame[name][~inside].mean())
            told.append(f"{plain(name, _CELL)} {here:.4g}, elsewhere {there:.4g}")
        else:
            share, rest = (float((features[part, at] > 0).mean()) for part in (inside, ~inside))
            told.append(f"{plain(name, _CELL)}: {share:.0%}, elsewhere {rest:.0%}")
    return told


def words_apart(weights: Any, words: Any, inside: Any) -> list[str]:
    """The words whose mean weight rises most in a group over the rest."""
    inside_mean = np.asarray(weights[np.flatnonzero(inside)].mean(axis=0)).ravel()
    outside_mean = np.asarray(weights[np.flatnonzero(~inside)].mean(axis=0)).ravel()
    best = np.argsort(-(inside_mean - outside_mean))[: policy("discovering")["shown"]["words"]]
    return [plain(words[at], _CELL) for at in best if inside_mean[at] > outside_mean[at]]


def exemplars(features: Floats, centre: Floats, inside: Any) -> Integers:
    """The rows nearest to a group's centre, nearest first."""
    rows = np.flatnonzero(inside)
    distance = ((features[rows] - centre) ** 2).sum(axis=1)
    return rows[np.argsort(distance, kind="stable")[: policy("discovering")["shown"]["exemplars"]]]


def table(title: str, columns: list[str], rows: list[list[Any]]) -> dict[str, Any]:
    """A table for the report, every cell made safe to show."""
    return {"title": title, "columns": columns, "rows": [[_cell(cell) for cell in row] for row in rows]}


def _cell(cell: Any) -> Any:
    return cell if isinstance(cell, int | float) and not isinstance(cell, bool) else plain(cell, 160)


def row_words(frame: pd.DataFrame, row: int, columns: list[str]) -> str:
    """A row of the file in a line: its first columns with their values."""
    return "; ".join(f"{plain(name, 24)} {plain(frame[name].iloc[row], _CELL)}" for name in columns[:6])


def sheet(frame: pd.DataFrame, extra: dict[str, Any], rows: Integers) -> str:
    """Some rows as CSV with further columns in front, safe to open in a spreadsheet."""
    part = frame.iloc[rows].reset_index(drop=True)
    for at, (name, values) in enumerate(extra.items()):
        part.insert(at, name if name not in part.columns else f"{name} (found)", values)
    safe = {name: part[name].map(lambda cell: for_csv(cell) if isinstance(cell, str) else cell) for name in part}
    text = pd.DataFrame(safe)
    text.columns = pd.Index([for_csv(str(name)) for name in part.columns])
    return text.to_csv(index=False, lineterminator="\n")
