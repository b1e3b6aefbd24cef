"""Which rows are near copies of one another: rows of one code are equal, nearly equal, or linked through such rows.

Looking counts them and training keeps them on one side, so both must mean the same by "near".
"""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Array = np.ndarray[Any, Any]

_BANDS, _ROWS = 12, 4  # 48 hashes: pairs at similarity 0.8 meet in some band 99.8 times in 100, pairs at 0.3 once in 10
_MOST_PIECES = 400
_MOST_IN_A_BUCKET = 50
_FEWEST_LETTERS = 12
_NARROW = 4
_APART = 100.0
_MOST_PAIRS = 5_000_000


def near_text_groups(texts: pd.Series[Any], similarity: float, seed: int) -> Array:
    """A code a text; equal codes for the same words in another spelling, or word pieces alike enough (Jaccard)."""
    import numpy as np
    import pandas as pd

    lower = texts.map(lambda text: str(text)[:5000].lower())
    bare = lower.map(lambda text: " ".join(re.findall(r"[^\W\d_]+", text)))
    # Too short to be told apart by its words: then only the text itself counts.
    short = (bare.str.len() < _FEWEST_LETTERS).to_numpy(dtype=bool)
    names = np.where(short, "=" + texts.map(str).to_numpy(dtype=object), bare.to_numpy(dtype=object))
    codes = np.asarray(pd.factorize(names)[0])
    first = np.unique(codes, return_index=True)[1]
    first = np.sort(first[~short[first]])
    pieces = {int(row): _pieces(bare.iloc[row]) for row in first}
    rows = np.array([row for row, own in pieces.items() if len(own) >= 3], dtype=np.int64)
    if len(rows) < 2:
        return codes
    links = _Links(len(texts))
    signatures = _signatures([pieces[int(row)] for row in rows], seed)
    for band in range(_BANDS):
        part = signatures[:, band * _ROWS : (band + 1) * _ROWS]
        keys = (part * np.array([1, 3, 7, 13], dtype=np.uint64)).sum(axis=1)
        order = np.argsort(keys, kind="stable")
        for bucket in np.split(order, np.flatnonzero(np.diff(keys[order])) + 1):
            if len(bucket) > 1:
                links.compare([int(row) for row in rows[bucket[:_MOST_IN_A_BUCKET]]], pieces, similarity)
    return joined(codes, links.codes())


def near_number_groups(frame: pd.DataFrame, distance: float, among: Array | None = None) -> Array:
    """A code a row; equal codes for rows within `distance` standard deviations of one another in every number.

    With `among` (row positions) only those rows get a code, and are compared with one another alone, by the deviations
    of all. Other cells must be equal. Rows that are equal to the last digit share a code as well. Too many candidate
    pairs mean a table of few values, where closeness says nothing: then only equal rows are joined.
    """
    import numpy as np
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    values = scaled(frame) if among is None else scaled(frame)[among]
    if not values.shape[1]:
        return np.zeros(len(values), dtype=np.int64)
    unique, back = np.unique(values, axis=0, return_inverse=True)
    # The columns that repeat least tell most rows apart at once; the others are compared for what is left.
    finest = np.argsort([-len(np.unique(unique[:, place])) for place in range(unique.shape[1])], kind="stable")
    tree = cKDTree(unique[:, finest[:_NARROW]])
    if tree.count_neighbors(tree, distance, p=np.inf) > _MOST_PAIRS:
        return np.asarray(back).ravel()
    pairs = tree.query_pairs(distance, p=np.inf, output_type="ndarray")
    close = (np.abs(unique[pairs[:, 0]] - unique[pairs[:, 1]]) <= distance).all(axis=1)
    one, other = pairs[close].T if len(pairs) else (np.empty(0, dtype=int), np.empty(0, dtype=int))
    graph = coo_matrix((np.ones(len(one)), (one, other)), shape=(len(unique), len(unique)))
    return np.asarray(connected_components(graph, directed=False)[1])[np.asarray(back).ravel()]


def joined(codes: Array, others: Array) -> Array:
    """Codes under which rows belong together that share a code in either."""
    import numpy as np
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    one = np.unique(codes, return_inverse=True)[1].ravel()
    other = np.unique(others, return_inverse=True)[1].ravel() + one.max() + 1
    size = int(other.max()) + 1
    graph = coo_matrix((np.ones(len(one)), (one, other)), shape=(size, size))
    return np.asarray(connected_components(graph, directed=False)[1])[one]


def scaled(frame: pd.DataFrame) -> Array:
    """The columns that vary, in standard deviations from their mean; a gap stands at the mean.

    Cells that are no numbers are near only when they are equal: each kind of them stands far from all others.
    """
    import numpy as np
    import pandas as pd

    numbers = [name for name in frame if pd.api.types.is_numeric_dtype(frame[name])]
    values = frame[numbers].to_numpy(dtype=float, na_value=np.nan)
    spread = np.nanstd(values, axis=0)
    values = np.nan_to_num((values[:, spread > 0] - np.nanmean(values, axis=0)[spread > 0]) / spread[spread > 0])
    kinds = [_APART * pd.factorize(frame[name].map(str))[0] for name in frame if name not in numbers]
    return np.column_stack([values, *kinds])


class _Links:
    """Rows joined one pair at a time (union by path halving); rows already joined are not compared again."""

    def __init__(self, rows: int) -> None:
        self._above = list(range(rows))

    def compare(self, rows: list[int], pieces: dict[int, frozenset[int]], similarity: float) -> None:
        """Join every two of `rows` whose pieces are alike enough."""
        for place, later in enumerate(rows):
            own = pieces[later]
            for earlier in rows[:place]:
                if self._top(earlier) == self._top(later):
                    continue
                both = len(own & pieces[earlier])
                if both >= similarity * (len(own) + len(pieces[earlier]) - both):
                    self._above[self._top(later)] = self._top(earlier)

    def codes(self) -> Array:
        """The code of each row."""
        import numpy as np

        return np.array([self._top(row) for row in range(len(self._above))], dtype=np.int64)

    def _top(self, row: int) -> int:
        above = self._above
        while above[row] != row:
            above[row] = above[above[row]]
            row = above[row]
        return row


def _pieces(text: str) -> frozenset[int]:
    """Hashes of a text's three-word pieces; of its two-word pieces when it is short."""
    words = text.split()[:_MOST_PIECES]
    width = 3 if len(words) >= 8 else 2
    return frozenset(zlib.crc32(" ".join(words[i : i + width]).encode()) for i in range(len(words) - width + 1))


def _signatures(pieces: list[frozenset[int]], seed: int) -> Array:
    """MinHash signatures (Broder 1997): the smallest value of each of 48 hash functions over a text's pieces."""
    import numpy as np

    random = np.random.default_rng(seed)
    factors = random.integers(1, 1 << 63, _BANDS * _ROWS, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    shifts = random.integers(0, 1 << 63, _BANDS * _ROWS, dtype=np.uint64)
    flat = np.fromiter((piece for row in pieces for piece in row), dtype=np.uint64)
    starts = np.cumsum([0, *(len(row) for row in pieces[:-1])])
    columns = [
        np.minimum.reduceat(_mixed(flat * factor + shift), starts)
        for factor, shift in zip(factors, shifts, strict=True)
    ]
    return np.column_stack(columns)


def _mixed(values: Array) -> Array:
    """Bits spread over all 64 (the finisher of SplitMix64): without it the smallest value would hardly be by chance."""
    import numpy as np

    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(values ^ (values >> np.uint64(31)))
