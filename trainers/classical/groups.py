"""Does it treat people alike: what each group of a sensitive attribute is told, and how often wrongly.

Counted on the sealed rows, also by columns that the model does not see: leaving one out does not make answers alike
(other columns repeat it). Which names are sensitive stands in rules/pitfalls.yaml; a plan may name more. A number such
as an age is cut at its quarters. Said is only what was counted; whether a difference is fair is for people to judge.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd

from advisor.base.safetext import plain
from trainers.common.intervals import wilson
from trainers.common.labels import label_text
from trainers.common.metrics import Floats, Output
from trainers.common.sensitive import is_sensitive

_FEWEST_ROWS = 20
_MOST_GROUPS = 12
_PARTS = 4


def by_group(
    features: pd.DataFrame,
    truth: Floats,
    output: Output,
    *,
    aside: pd.DataFrame | None = None,
    named: Collection[str] = (),
    unseen: Collection[str] = (),
) -> list[dict[str, Any]]:
    """One entry a group of each audited column: rows, the error with its 95 % interval, and whether the model sees it.

    Audited are sensitive names, those in `named`, and all columns of `aside`, which are no features; `unseen` names
    features that the model does not read either. Of two classes also how often the case that matters is said (`said`),
    missed (`missed`) and raised in vain (`false_alarm`).
    """
    audited = {str(name): features[name] for name in features.columns if is_sensitive(str(name)) or name in named}
    hidden = {str(name): aside[name] for name in aside.columns} if aside is not None else {}
    found = []
    for name, column in (audited | hidden).items():
        told = {"column": plain(name, 60), "seen_by_model": name not in hidden and name not in unseen}
        for group, inside in _groups(column):
            if inside.sum() >= _FEWEST_ROWS:
                found.append({**told, "group": plain(group, 60), **_of(truth, output, inside)})
    return found


def _groups(column: pd.Series[Any]) -> list[tuple[str, np.ndarray[Any, np.dtype[np.bool_]]]]:
    if pd.api.types.is_numeric_dtype(column) and column.nunique() > _MOST_GROUPS:
        parts = pd.qcut(column, _PARTS, duplicates="drop")
        return [
            (f"{part.left:g} to {part.right:g}", (parts == part).to_numpy(dtype=bool)) for part in parts.cat.categories
        ]
    texts = column.map(label_text, na_action="ignore")
    common = texts.value_counts().index[:_MOST_GROUPS]
    return [(str(value), (texts == value).to_numpy(dtype=bool)) for value in sorted(common)]


def _of(truth: Floats, output: Output, inside: Any) -> dict[str, Any]:
    rows = int(inside.sum())
    if output.labels is None:
        off = np.abs(np.asarray(output.numbers)[inside] - truth[inside])
        half = 1.96 * float(off.std(ddof=1)) / np.sqrt(rows)
        return {"rows": rows, "error": float(off.mean()), "low": max(0.0, float(off.mean()) - half),
                "high": float(off.mean()) + half}  # fmt: skip
    said, actual = output.labels[inside], truth[inside]
    wrong = int((said != actual).sum())
    low, high = wilson(wrong, rows)
    entry: dict[str, Any] = {"rows": rows, "error": wrong / rows, "low": low, "high": high}
    if output.probabilities is not None and output.probabilities.shape[1] == 2:
        cases, others = actual == 1, actual == 0
        entry |= {
            "said": float((said == 1).mean()),
            "missed": float((said[cases] == 0).mean()) if cases.any() else None,
            "false_alarm": float((said[others] == 1).mean()) if others.any() else None,
        }
    return entry


def as_table(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same for people: one table, or none where no sensitive column was counted."""
    if not entries:
        return []
    numbers = "said" not in entries[0]
    columns = ["Group", "Rows", "Error"] + ([] if numbers else ["Said yes", "Missed", "False alarms"])
    rows = [[_group(one), f"{one['rows']:,}", _error(one, numbers)] for one in entries]
    if not numbers:
        for row, one in zip(rows, entries, strict=True):
            row += [_share(one[name]) for name in ("said", "missed", "false_alarm")]
    return [{"title": "How each group is answered (sealed rows)", "columns": columns, "rows": rows}]


def _group(one: dict[str, Any]) -> str:
    unseen = " (the model does not see it)" if one.get("seen_by_model") is False else ""
    return f"{one['column']}: {one['group']}{unseen}"


def _error(one: dict[str, Any], numbers: bool) -> str:
    form = ".4g" if numbers else ".1%"
    return f"{format(one['error'], form)} ({format(one['low'], form)} to {format(one['high'], form)})"


def _share(value: float | None) -> str:
    return "none there" if value is None else f"{value:.1%}"
