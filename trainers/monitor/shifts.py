"""Two samples of one column: has it moved? Each test is exact or asymptotic under "both come from one source".

Kolmogorov and Smirnov for numbers, chi-squared for categories, beta-binomial for what the reference never held.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from scipy import stats
from scipy.spatial.distance import jensenshannon

Floats = npt.NDArray[np.float64]
_FEWEST_EXPECTED = 5.0


def moved_number(reference: Floats, window: Floats) -> tuple[float, float]:
    """P and the largest distance of the cumulative shares. Gaps must be taken out before; ties make p larger."""
    found = stats.ks_2samp(reference, window, method="asymp")
    return float(found.pvalue), float(found.statistic)


def moved_category(reference: Mapping[str, int], window: Mapping[str, int]) -> tuple[float, float]:
    """P of the chi-squared test and the Jensen-Shannon distance (base 2). Rare categories are tested as one."""
    names = sorted(set(reference) | set(window))
    old = np.array([reference.get(name, 0) for name in names], dtype=np.float64)
    new = np.array([window.get(name, 0) for name in names], dtype=np.float64)
    if not old.sum() or not new.sum():
        return 1.0, 0.0
    distance = float(jensenshannon(old, new, base=2))
    expected = (old + new) * min(old.sum(), new.sum()) / (old.sum() + new.sum())
    rare = expected < _FEWEST_EXPECTED
    table = np.stack([np.append(part[~rare], part[rare].sum()) for part in (old, new)])
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] < 2:
        return 1.0, distance
    return float(stats.chi2_contingency(table, correction=False).pvalue), distance


def more_than_before(before: int, rows_before: int, now: int, rows_now: int) -> tuple[float, float]:
    """P of Fisher's exact test that a share has changed, and by how much."""
    table = [[before, rows_before - before], [now, rows_now - now]]
    return float(stats.fisher_exact(table).pvalue), abs(now / rows_now - before / rows_before)


def dearer(before: Floats, now: Floats, *, at: float | None) -> tuple[float, float]:
    """P of the one-sided Mann-Whitney test that values have grown, and how many times: at a quantile, or on average."""
    p = float(stats.mannwhitneyu(now, before, alternative="greater", method="asymptotic").pvalue)
    old, new = (float(np.quantile(part, at) if at is not None else part.mean()) for part in (before, now))
    return p, new / old if old > 0 else (1.0 if new <= 0 else float("inf"))


def never_seen(now: int, rows_now: int, rows_before: int, allowed: int = 1) -> float:
    """P that so many of the new rows are of a kind the reference lacks, when both come from one source.

    Beyond the extremes of `rows_before` rows lies a Beta(2, rows - 1) share, one part at each end (`allowed` = 2); of
    categories never met, about the share of those met once (Good 1953): `allowed` = their number + 1.
    """
    if not now:
        return 1.0
    return float(stats.betabinom.sf(now - 1, rows_now, allowed, max(1, rows_before - allowed + 1)))


def stability_index(old: Floats, new: Floats) -> float:
    """The population stability index of two sets of counts over the same parts; an empty part counts as half a row."""
    old, new = (np.maximum(part, 0.5) / np.maximum(part, 0.5).sum() for part in (old, new))
    return float(((new - old) * np.log(new / old)).sum())


def in_parts(reference: Floats, window: Floats, bins: int) -> tuple[Floats, Floats]:
    """Counts of two samples in `bins` parts of equal share in the reference; fewer where many values are alike."""
    edges = np.unique(np.quantile(reference, np.linspace(0, 1, bins + 1)[1:-1]))
    old, new = (np.bincount(np.searchsorted(edges, part), minlength=len(edges) + 1) for part in (reference, window))
    return old.astype(np.float64), new.astype(np.float64)


def stability_line(rows: int, rows_before: int, bins: int, line: float, level: float) -> float:
    """What the index stays below by chance alone, with probability 1 - `level`; never below the usual `line`.

    Without change the index is about (1/n + 1/m) times a chi-squared variable with bins - 1 degrees of freedom.
    """
    return max(line, float(stats.chi2.isf(level, max(1, bins - 1))) * (1 / rows + 1 / rows_before))
