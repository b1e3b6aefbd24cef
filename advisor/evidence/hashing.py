"""Rows as 64-bit hashes: equal rows have equal sums of the hashes of their cells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Array = np.ndarray[Any, Any]

_HALVES = 3


@dataclass(frozen=True)
class RowHashes:
    """One hash a row over all compared columns, over the inputs alone, and over random halves of the columns."""

    whole: Array
    inputs: Array
    halves: tuple[Array, ...]


def hash_rows(frame: pd.DataFrame, names: list[str], inputs: frozenset[str], seed: int) -> RowHashes:
    """The hashes of every row in one pass, without keeping a hash of each cell."""
    import numpy as np

    random = np.random.default_rng(seed)
    whole, of_inputs, *halves = (np.zeros(len(frame), dtype=np.uint64) for _ in range(2 + _HALVES))
    taken = [random.permutation(len(names)) < len(names) / 2 for _ in range(_HALVES)]
    for place, (name, hashes) in enumerate(cell_hashes(frame, names)):
        whole += hashes
        if name in inputs:
            of_inputs += hashes
        for half, here in zip(halves, taken, strict=True):
            if here[place]:
                half += hashes
    return RowHashes(whole, of_inputs, tuple(halves))


def cell_hashes(frame: pd.DataFrame, names: Iterable[str]) -> Iterator[tuple[str, Array]]:
    """One 64-bit hash a cell, each column with its own multiplier, so that sums identify a row; gaps equal gaps."""
    import numpy as np
    import pandas as pd

    for place, name in enumerate(names, start=1):
        cells = frame[name]
        values: Array
        if cells.dtype.kind in "OUT":
            # Cells of several kinds are compared as text.
            plain = pd.api.types.infer_dtype(cells, skipna=True) == "string"
            values = pd.util.hash_array(np.asarray(pd.factorize(cells if plain else cells.map(str))[0]))
        else:
            values = pd.util.hash_pandas_object(cells, index=False).to_numpy()
        odd = np.uint64((2 * place * 0x9E3779B97F4A7C15 + 1) % 2**64)
        yield name, (values ^ (values >> np.uint64(29))) * odd
