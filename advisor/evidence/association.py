"""How much one column alone says about the target, on rows it has not seen.

The measure is the share of the target's uncertainty that is removed: 1 - cross-entropy / entropy for classes (the
uncertainty coefficient), R² for numbers. 0 is useless, 1 settles the target. Columns are cut into bins and each bin's
class shares or mean come from the other folds, so that a column of unique values earns nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Array = np.ndarray[Any, Any]

_FOLDS = 5
_MOST_BINS = 64
_SAME_ORDER = 0.999


def power_of(column: pd.Series[Any], target: Array, classes: int, seed: int) -> float:
    """The share of the uncertainty of `target` that `column` removes; `classes` is 0 for a number as target.

    `target` holds class codes or floats without gaps, aligned with `column`. Negative values are returned as 0.
    """
    import numpy as np
    import pandas as pd

    is_number = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
    folds = np.random.default_rng(seed).integers(0, _FOLDS, len(column))
    codes = bins_of(column, is_number)
    if classes:
        found = _for_classes(codes, target, classes, folds)
        if is_number and found > 0.5:
            found = max(found, _by_tree(column, target, seed))
        return found
    found = _for_numbers(codes, target, folds)
    if is_number:
        found = max(found, _for_line(column, target), _for_order(column, target), _for_neighbours(column, target, seed))
    return max(found, 0.0)


def copied_by(column: pd.Series[Any], target: Array) -> float:
    """The share a straight line or the same order removes: what is left of `power_of` where time tells neighbours."""
    return max(_for_line(column, target), _for_order(column, target), 0.0)


def bins_of(column: pd.Series[Any], is_number: bool) -> Array:
    """One small whole number a row: quantile bins of a number, or the value of a category; missing is its own bin."""
    import numpy as np
    import pandas as pd

    if not is_number:
        codes = pd.factorize(column.astype("object"), use_na_sentinel=True)[0]
        return np.asarray(codes) + 1
    values = column.to_numpy(dtype=float, na_value=np.nan)
    filled = values[~np.isnan(values)]
    distinct = np.unique(filled)
    most = int(min(_MOST_BINS, max(4, len(filled) // 30)))
    edges = distinct if len(distinct) <= most else np.unique(np.quantile(filled, np.linspace(0, 1, most + 1)[1:-1]))
    codes = np.searchsorted(edges, values, side="right") + 1
    codes[np.isnan(values)] = 0
    return np.asarray(codes)


def _for_classes(codes: Array, target: Array, classes: int, folds: Array) -> float:
    import numpy as np

    shares = np.bincount(target, minlength=classes) / len(target)
    entropy = -float((shares[shares > 0] * np.log(shares[shares > 0])).sum())
    bins = int(codes.max()) + 1
    if entropy == 0 or bins * classes > 4_000_000:
        return 0.0
    whole = np.bincount(codes * classes + target, minlength=bins * classes).reshape(bins, classes)
    loss = 0.0
    for fold in range(_FOLDS):
        here = folds == fold
        part = np.bincount(codes[here] * classes + target[here], minlength=bins * classes).reshape(bins, classes)
        left = whole - part
        # Half a pseudo-row a bin, shared out as the classes are: a pure bin is trusted, an unseen one is not.
        chances = (left + 0.5 * shares) / (left.sum(axis=1, keepdims=True) + 0.5)
        loss -= float(np.log(np.maximum(chances[codes[here], target[here]], 1e-9)).sum())
    return max(1 - loss / len(target) / entropy, 0.0)


def _for_numbers(codes: Array, target: Array, folds: Array) -> float:
    import numpy as np

    spread = float(((target - target.mean()) ** 2).mean())
    if spread == 0:
        return 0.0
    mean, bins, error = float(target.mean()), int(codes.max()) + 1, 0.0
    sums, counts = np.bincount(codes, target, bins), np.bincount(codes, minlength=bins)
    for fold in range(_FOLDS):
        here = folds == fold
        left_sums = sums - np.bincount(codes[here], target[here], bins)
        left_counts = counts - np.bincount(codes[here], minlength=bins)
        guess = (left_sums + mean) / (left_counts + 1)
        error += float(((target[here] - guess[codes[here]]) ** 2).sum())
    return 1 - error / len(target) / spread


def _for_line(column: pd.Series[Any], target: Array) -> float:
    """Squared correlation: a straight copy is seen however long its tails are."""
    import numpy as np

    values = column.to_numpy(dtype=float, na_value=np.nan)
    filled = ~np.isnan(values)
    if filled.sum() < 0.5 * len(values) or np.ptp(values[filled]) == 0 or np.ptp(target[filled]) == 0:
        return 0.0
    r = float(np.corrcoef(values[filled], target[filled])[0, 1])
    return r * r * float(filled.mean())


def _for_order(column: pd.Series[Any], target: Array) -> float:
    """Squared rank correlation where the column puts the rows in the very order of the target: a log of it, say."""
    import numpy as np
    from scipy.stats import rankdata

    values = column.to_numpy(dtype=float, na_value=np.nan)
    filled = ~np.isnan(values)
    if filled.sum() < 30 or np.ptp(values[filled]) == 0 or np.ptp(target[filled]) == 0:
        return 0.0
    r = float(np.corrcoef(rankdata(values[filled]), rankdata(target[filled]))[0, 1])
    return r * r * float(filled.mean()) if r * r >= _SAME_ORDER else 0.0


def _for_neighbours(column: pd.Series[Any], target: Array, seed: int) -> float:
    """R² of the mean of the two neighbours once sorted by the column: a bent copy is seen without fitting a curve."""
    import numpy as np

    values = column.to_numpy(dtype=float, na_value=np.nan)
    filled = ~np.isnan(values)
    if filled.sum() < max(30, 0.5 * len(values)):
        return 0.0
    values, wanted = values[filled], target[filled]
    ties = np.random.default_rng(seed).random(len(values))  # file order within ties would leak time
    wanted = wanted[np.lexsort((ties, values))]
    guess = (wanted[:-2] + wanted[2:]) / 2
    spread = float(wanted.var())
    return 0.0 if spread == 0 else (1 - float(((wanted[1:-1] - guess) ** 2).mean()) / spread) * float(filled.mean())


def _by_tree(column: pd.Series[Any], target: Array, seed: int) -> float:
    """The same share by a small tree, whose cuts fall where the classes part and not at quantiles."""
    import numpy as np
    from sklearn.model_selection import StratifiedKFold
    from sklearn.tree import DecisionTreeClassifier

    counts = np.bincount(target)
    if counts[counts > 0].min() < 3:
        return 0.0
    values = np.nan_to_num(column.to_numpy(dtype=float, na_value=np.nan), nan=-1e30).reshape(-1, 1)
    shares = counts / len(target)
    entropy = -float((shares[shares > 0] * np.log(shares[shares > 0])).sum())
    loss = 0.0
    for train, test in StratifiedKFold(3, shuffle=True, random_state=seed).split(values, target):
        tree = DecisionTreeClassifier(max_leaf_nodes=12, min_samples_leaf=3, random_state=seed)
        chances = tree.fit(values[train], target[train]).predict_proba(values[test])
        chances = 0.998 * chances + 0.002 * shares[tree.classes_]
        place = np.searchsorted(tree.classes_, target[test])
        loss -= float(np.log(chances[np.arange(len(test)), place]).sum())
    return max(1 - loss / len(target) / entropy, 0.0)


def exact_sum(table: pd.DataFrame, target: Array, unexplained: float, fewest: int) -> tuple[str, ...]:
    """The columns, strongest first, of which `target` is a sum or difference without any error; empty without any.

    `unexplained` is the share of the target's variance that least squares may leave.
    """
    import numpy as np

    whole = table.notna().all(axis=1).to_numpy()
    known, wanted = table[whole].astype(float), target[whole]
    names = [str(name) for name in known.columns]
    if not names or len(known) < max(fewest, 3 * len(names)) or float(wanted.var()) == 0:
        return ()

    def left_over(columns: list[str]) -> float:
        matrix = np.column_stack([known[columns].to_numpy(), np.ones(len(known))])
        scaled = matrix / np.maximum(np.abs(matrix).max(axis=0), 1e-12)
        weights = np.linalg.lstsq(scaled, wanted, rcond=None)[0]
        return float(((wanted - scaled @ weights) ** 2).mean() / wanted.var())

    if left_over(names) > unexplained:
        return ()
    needed = list(names)
    for name in reversed(names):
        fewer = [other for other in needed if other != name]
        if fewer and left_over(fewer) <= unexplained:
            needed = fewer
    return tuple(needed)


def neighbour_correlation(target: Array, classes: int) -> tuple[float, float]:
    """How alike each value is to the one before it, beyond chance, and that in standard errors."""
    import numpy as np

    if len(target) < 30:
        return 0.0, 0.0
    before, after = target[:-1], target[1:]
    if classes:
        shares = np.bincount(target, minlength=classes) / len(target)
        by_chance = float((shares**2).sum())
        if by_chance >= 1:
            return 0.0, 0.0
        likeness = (float((before == after).mean()) - by_chance) / (1 - by_chance)
    else:
        if np.ptp(before) == 0 or np.ptp(after) == 0:
            return 0.0, 0.0
        likeness = float(np.corrcoef(before, after)[0, 1])
    return likeness, likeness * float(np.sqrt(len(after)))


def correlation_within(target: Array, series: Array) -> tuple[float, float]:
    """The same for a number within each series, around the series' own mean; rows must be in order of time."""
    import numpy as np

    order = np.argsort(series, kind="stable")
    codes = np.unique(series[order], return_inverse=True)[1].ravel()
    values = target[order] - (np.bincount(codes, target[order]) / np.bincount(codes))[codes]
    same = codes[1:] == codes[:-1]
    before, after = values[:-1][same], values[1:][same]
    if len(before) < 30 or np.ptp(before) == 0 or np.ptp(after) == 0:
        return 0.0, 0.0
    likeness = float(np.corrcoef(before, after)[0, 1])
    return likeness, likeness * float(np.sqrt(len(before)))
