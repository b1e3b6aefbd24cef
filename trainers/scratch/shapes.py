"""Rows of a table as pictures (a square of pixels) or as signals (values in order)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from advisor.base.errors import BadInput
from advisor.base.safetext import one_of, plain
from trainers.common.metrics import Floats

PICTURES, SIGNALS = "pictures", "signals"


@dataclass(frozen=True)
class Shape:
    """`columns` in order; `side` is that of a square picture, 0 for a signal; `low` and `high` bound what was seen."""

    columns: tuple[str, ...]
    side: int
    low: float
    high: float

    def values(self, frame: pd.DataFrame) -> Floats:
        """[rows, columns] from 0 to 1 as far as training went; a gap, or an infinite value, as `_without_gaps` says."""
        missing = [name for name in self.columns if name not in frame.columns]
        if missing:
            raise BadInput(
                f"The rows lack {len(missing)} of the model's columns: {one_of(missing)}.",
                where=one_of(missing),
                why="A picture or a signal is read whole.",
                fix="Give every column, in any order.",
                code="missing-columns",
            )
        cells = frame[list(self.columns)].apply(pd.to_numeric, errors="coerce").to_numpy(dtype=np.float64)
        known = _without_gaps(cells, self.low, signals=not self.side)
        return np.asarray((known - self.low) / (self.high - self.low))


def _without_gaps(cells: Floats, low: float, *, signals: bool) -> Floats:
    """A gap of a picture is dark; a signal goes on as it stood, for a fall to the lowest value would be an event."""
    known = np.where(np.isfinite(cells), cells, np.nan)
    if signals and np.isnan(known).any():
        known = pd.DataFrame(known).ffill(axis=1).bfill(axis=1).to_numpy(dtype=np.float64)
    return np.nan_to_num(known, nan=low)


def gaps_told(features: pd.DataFrame, shape: Shape) -> str:
    """A note on values that are missing; empty where there are none."""
    missing = ~np.isfinite(features[list(shape.columns)].to_numpy(dtype=np.float64, na_value=np.nan))
    if not missing.any():
        return ""
    taken = "dark" if shape.side else "the value before them, so that short signals end flat"
    rows = int(missing.any(axis=1).sum())
    return f"{int(missing.sum()):,} values of {rows:,} rows are missing, and taken to be {taken}."


def learn_shape(features: pd.DataFrame, task: str) -> Shape:
    """The shape of the training rows. Raises `BadInput` when they are no numbers, or no square."""
    words = [str(name) for name in features if not pd.api.types.is_numeric_dtype(features[name])]
    if words:
        raise BadInput(
            f"{len(words)} columns hold no numbers: {one_of(words)}.",
            where=one_of(words),
            why=f"In {task} every column is one measured value.",
            fix=f"Leave them out: train-or-not plan CASE --drop {plain(words[0], 40)}",
            code="no-numbers",
        )
    columns = tuple(map(str, features.columns))
    side = round(len(columns) ** 0.5)
    if task == PICTURES and (side**2 != len(columns) or side < 6):
        raise BadInput(
            f"{len(columns):,} columns are no square picture of at least 6 by 6.",
            where="plan.yaml: task",
            why="A picture is read as rows of pixels, one column a pixel.",
            fix="Keep exactly the pixel columns (--drop the others), or write task: signals into plan.yaml.",
            code="no-square",
        )
    if task == SIGNALS and len(columns) < 16:
        raise BadInput(
            f"A signal of {len(columns)} values is too short.",
            where="plan.yaml: task",
            why="Convolutions look at patterns of nine values and more.",
            fix="Train it as a table instead: train-or-not plan CASE --approach classical",
            code="too-short",
        )
    cells = features.to_numpy(dtype=np.float64, na_value=np.nan)
    cells = cells[np.isfinite(cells)]
    low, high = (float(cells.min()), float(cells.max())) if len(cells) else (0.0, 0.0)
    if not high > low:
        raise BadInput(
            "Every value is the same.", where=plain(columns[0], 40), fix="Check the export.", code="one-value"
        )
    return Shape(columns, side if task == PICTURES else 0, low, high)
