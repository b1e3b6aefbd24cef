"""Columns as numbers that can be compared: each freed of its middle and scale; a category by value or by rarity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from trainers.classical.columns import Schema, date_parts
from trainers.common.metrics import Floats
from trainers.common.policy import policy

_FAR = 10.0


@dataclass(frozen=True)
class Encoder:
    """`numbers` are (column, middle, scale), `categories` (column, values, their shares in training).

    With `rarity` a category becomes one number, how rare its value is; without it a column for each common value.
    """

    numbers: tuple[tuple[str, float, float], ...]
    categories: tuple[tuple[str, tuple[str, ...], tuple[float, ...]], ...]
    rarity: bool

    def names(self) -> tuple[str, ...]:
        """The name of each feature: the column, and with it the value of a category."""
        found = [name for name, _, _ in self.numbers]
        for name, values, _ in self.categories:
            found += [name] if self.rarity else [f"{name} = {value}" for value in values]
        return tuple(found)

    def encode(self, prepared: pd.DataFrame) -> Floats:
        """Features [rows, features]; a missing number stands in the middle."""
        columns = []
        for name, middle, scale in self.numbers:
            cells = (prepared[name].to_numpy(dtype=np.float64) - middle) / scale
            limit = np.inf if self.rarity else _FAR  # for distances no single cell may rule; for oddness it may
            columns.append(np.clip(np.nan_to_num(cells, nan=0.0), -limit, limit))
        for name, values, shares in self.categories:
            cells = prepared[name].to_numpy(dtype=object)
            if self.rarity:
                share = dict(zip(values, shares, strict=True))
                least = min(shares, default=1.0) / 2
                columns.append(np.array([-np.log(share.get(str(cell), least)) for cell in cells]))
            else:
                # Two rows that differ in a category are one unit apart, as if one number differed by a scale.
                columns += [(cells == value).astype(np.float64) / np.sqrt(2) for value in values]
        return np.stack(columns, axis=1) if columns else np.zeros((len(prepared), 0))


def learn_encoder(prepared: pd.DataFrame, schema: Schema, *, rarity: bool) -> Encoder:
    """Middles and scales by median and quartiles, so that odd rows do not set the scale they are measured by."""
    names = [column.name for column in schema.of("number")]
    names += [part for column in schema.of("date") for part in date_parts(column.name)]
    numbers = []
    for name in names:
        cells = prepared[name].to_numpy(dtype=np.float64)
        cells = cells[np.isfinite(cells)]
        if not len(cells) or np.ptp(cells) == 0:
            continue
        low, middle, high = np.quantile(cells, [0.25, 0.5, 0.75])
        scale = (high - low) / 1.349 if high > low else float(cells.std())
        numbers.append((name, float(middle), float(scale)))
    most = policy("discovering")["limits"]["categories"]
    categories = []
    for column in schema.of("category"):
        shares = prepared[column.name].map(str).value_counts(normalize=True)
        if rarity or len(shares) <= most:
            kept = shares if rarity else shares.iloc[:most]
            categories.append((column.name, tuple(map(str, kept.index)), tuple(map(float, kept))))
    return Encoder(tuple(numbers), tuple(categories), rarity)
