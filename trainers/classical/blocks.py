"""Categories as they are beside numbers as they are: what ordered boosting reads, without one matrix of objects.

In one matrix every number would become an object of its own, many times its size, and be turned back at each answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer

from trainers.common.metrics import Floats


@dataclass(frozen=True)
class Blocks:
    """The same rows twice: their categories, and their numbers."""

    categories: npt.NDArray[np.object_]
    numbers: Floats

    def __len__(self) -> int:
        return len(self.categories)

    def __getitem__(self, rows: Any) -> Blocks:
        return Blocks(self.categories[rows], self.numbers[rows])


class TwoBlocks(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Columns named in `categories` as one block, and what `others` makes of all other columns as the second."""

    def __init__(self, categories: tuple[str, ...], others: ColumnTransformer) -> None:
        self.categories, self.others = categories, others

    def fit(self, frame: pd.DataFrame, target: Any = None) -> TwoBlocks:
        """Learn what the other columns need."""
        self.fit_transform(frame, target)
        return self

    def fit_transform(self, frame: pd.DataFrame, target: Any = None) -> Blocks:
        """Learn it and give both blocks of the same rows."""
        numbers = self.others.fit_transform(frame, target) if self.others.transformers else _none(frame)
        self.numbers_ = numbers.shape[1]  # scikit-learn tells by such a name that it was fitted
        return Blocks(self._categories(frame), np.asarray(numbers, dtype=np.float64))

    def transform(self, frame: pd.DataFrame) -> Blocks:
        """Both blocks of some rows."""
        numbers = self.others.transform(frame) if self.others.transformers else _none(frame)
        return Blocks(self._categories(frame), np.asarray(numbers, dtype=np.float64))

    def _categories(self, frame: pd.DataFrame) -> npt.NDArray[np.object_]:
        # A copy: CatBoost does not read an array that it may not write to, as pandas hands out.
        return np.array(frame[list(self.categories)], dtype=object, order="C")


def _none(frame: pd.DataFrame) -> Floats:
    return np.zeros((len(frame), 0))
