"""Near copies: texts that share most of their word pieces, and rows of numbers that differ in the last digits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from advisor.base.near import near_text_groups, scaled

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Array = np.ndarray[Any, Any]


def near_texts(texts: pd.Series[Any], similarity: float, seed: int) -> tuple[Array, float]:
    """Which texts are a near copy of another one, exact copies left out; and the largest group's share of the rows."""
    import numpy as np

    groups = near_text_groups(texts, similarity, seed)
    found = ~texts.map(str).duplicated().to_numpy()
    found[np.unique(groups, return_index=True)[1]] = False
    largest = float(np.unique(groups, return_counts=True)[1].max()) if len(groups) else 0.0
    return found, largest / max(len(groups), 1)


def near_numbers(frame: pd.DataFrame, distance: float, times_chance: float) -> Array:
    """Which rows lie within `distance` standard deviations of another in every column of numbers, but are not equal.

    In all other columns they must be equal: two people of one age and income are no copies of each other.

    Dense tables have close rows by nature: how many is read off the rows that are ten times as far apart, which shrink
    with the tenth part to the power of the dimension. Fewer than `times_chance` times that is density, not copying.
    """
    import numpy as np
    from scipy.spatial import cKDTree

    values = scaled(frame)
    nothing = np.zeros(len(frame), dtype=bool)
    unique, back = np.unique(values, axis=0, return_inverse=True)
    if len(unique) < 30:
        return nothing
    near, _ = cKDTree(unique).query(unique, k=2, p=np.inf)
    closest = near[:, 1]
    close, far = closest <= distance, closest <= 10 * distance
    dimension = min(values.shape[1], _dimension(closest))
    expected = float(far.sum()) * 10.0**-dimension
    if close.sum() < 2 or close.sum() < times_chance * max(expected, 1e-9):
        return nothing
    return np.asarray(close[back.ravel()])


def _dimension(closest: Array) -> float:
    """How fast neighbours become rare with shrinking distance, from the middle half of the distances (at least 1)."""
    import numpy as np

    low, high = np.quantile(closest, [0.25, 0.75])
    return float(max(1.0, np.log(3.0) / np.log(high / low))) if 0 < low < high else 1.0
