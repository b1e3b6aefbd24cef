"""Where it errs more than elsewhere: each value of each column with few values, on the sealed rows.

Every slice is listed with its interval. One is called worse only when that holds after counting how many slices were
looked at (Bonferroni): among thirty slices of a fair model, one or two look bad at 95 % by chance.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from advisor.base.safetext import plain
from trainers.classical.columns import Schema
from trainers.common.intervals import wilson
from trainers.common.metrics import Floats, Output

_MOST_VALUES = 12
_FEWEST_ROWS = 20
_SHOWN = 40
_CHANCE = 0.05


def errors_by_slice(prepared: pd.DataFrame, schema: Schema, truth: Floats, output: Output) -> list[dict[str, Any]]:
    """One entry a slice: column, value, rows, error with its 95 % interval, error elsewhere, and whether it is worse.

    The error is the share of wrong answers, or the mean absolute error of a number. The largest differences come first.
    """
    if output.numbers is not None:
        errors = np.abs(output.numbers - truth)
    elif output.labels is not None:
        errors = (output.labels != truth).astype(float)
    else:
        return []
    slices = [
        (name, value, prepared[name].to_numpy() == value)
        for name in _columns(prepared, schema)
        for value in sorted(prepared[name].dropna().unique().tolist(), key=str)
    ]
    slices = [one for one in slices if _FEWEST_ROWS <= one[2].sum() <= len(truth) - _FEWEST_ROWS]
    found = [_entry(name, value, errors[inside], errors[~inside], len(slices)) for name, value, inside in slices]
    found.sort(key=lambda entry: (not entry["worse"], -(entry["error"] - entry["elsewhere"])))
    return found[:_SHOWN]


def errors_by_class(
    truth: Floats, output: Output, classes: tuple[str, ...], column: str = "class"
) -> list[dict[str, Any]]:
    """The same, by what the rows really are: for rows without columns of their own, such as pictures."""
    if output.labels is None:
        return []
    parts = [(name, truth == code) for code, name in enumerate(classes)]
    return errors_by_part(column, parts, (output.labels != truth).astype(float))


def errors_by_part(column: str, parts: list[tuple[str, Any]], errors: Floats) -> list[dict[str, Any]]:
    """The same for parts that are named and given, each as flags over the rows; `errors` is one a row."""
    slices = [one for one in parts if _FEWEST_ROWS <= one[1].sum() <= len(errors) - _FEWEST_ROWS]
    found = [_entry(column, name, errors[inside], errors[~inside], len(slices)) for name, inside in slices]
    found.sort(key=lambda entry: (not entry["worse"], -(entry["error"] - entry["elsewhere"])))
    return found[:_SHOWN]


def told(entries: list[dict[str, Any]], number: bool) -> str:
    """A sentence on the worst slice; empty when none is clearly worse."""
    worse = [entry for entry in entries if entry["worse"]]
    if not worse:
        return ""
    one = worse[0]
    form = ".4g" if number else ".0%"
    error, low, high, elsewhere = (format(one[key], form) for key in ("error", "low", "high", "elsewhere"))
    what = "Off by most" if number else "Wrong most often"
    return (
        f"{what} where {one['column']} is {one['value']}: {error} ({low} to {high}) on {one['rows']:,} sealed rows, "
        f"against {elsewhere} elsewhere."
    )


def _columns(prepared: pd.DataFrame, schema: Schema) -> list[str]:
    """Categories, and numbers that take few values, such as a grade or a yes as 1."""
    names = [column.name for column in schema.columns if column.kind in ("category", "number")]
    return [name for name in names if 2 <= prepared[name].nunique() <= _MOST_VALUES]


def _entry(name: str, value: Any, inside: Floats, outside: Floats, looked_at: int) -> dict[str, Any]:
    if set(np.unique(np.concatenate([inside, outside]))) <= {0.0, 1.0}:
        low, high = wilson(int(inside.sum()), len(inside))
        table = [[inside.sum(), len(inside) - inside.sum()], [outside.sum(), len(outside) - outside.sum()]]
        chance = float(stats.fisher_exact(table, alternative="greater").pvalue)
    else:
        half = float(stats.t.ppf(0.975, len(inside) - 1) * inside.std(ddof=1) / np.sqrt(len(inside)))
        low, high = max(0.0, float(inside.mean()) - half), float(inside.mean()) + half
        chance = float(stats.ttest_ind(inside, outside, equal_var=False, alternative="greater").pvalue)
    shown = f"{value:g}" if isinstance(value, float) else plain(value, 60)
    return {
        "column": plain(name, 60),
        "value": shown,
        "rows": len(inside),
        "error": float(inside.mean()),
        "low": low,
        "high": high,
        "elsewhere": float(outside.mean()),
        "worse": bool(chance < _CHANCE / max(1, looked_at)),
    }
