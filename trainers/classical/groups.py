"""Does it treat people alike: what each group of a sensitive attribute is told, and how often wrongly.

Counted on the sealed rows. Which names are sensitive stands in rules/pitfalls.yaml. A number such as an age is cut at
its quarters. Said is only what was counted; whether a difference is fair is for people to judge.
"""

from __future__ import annotations

import functools
import re
from typing import Any

import numpy as np
import pandas as pd

from advisor.base.files import read_text
from advisor.base.safetext import plain
from advisor.base.shipped import rules_folder
from advisor.base.strictyaml import parse
from trainers.common.intervals import wilson
from trainers.common.labels import label_text
from trainers.common.metrics import Floats, Output

_FEWEST_ROWS = 20
_MOST_GROUPS = 12
_PARTS = 4


@functools.cache
def _sensitive() -> frozenset[str]:
    listed = parse(read_text(rules_folder() / "pitfalls.yaml"), "pitfalls.yaml").data["words"]["sensitive"]
    return frozenset(str(word).lower() for word in listed)


def by_group(features: pd.DataFrame, truth: Floats, output: Output) -> list[dict[str, Any]]:
    """One entry a group of each sensitive column: rows, and the error with its 95 % interval.

    Of two classes also how often the case that matters is said (`said`), missed (`missed`) and raised in vain
    (`false_alarm`).
    """
    found = []
    for name in features.columns:
        if not _sensitive() & set(re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", str(name)).lower())):
            continue
        for group, inside in _groups(features[name]):
            if inside.sum() >= _FEWEST_ROWS:
                found.append({"column": plain(name, 60), "group": plain(group, 60), **_of(truth, output, inside)})
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
    rows = [[f"{one['column']}: {one['group']}", f"{one['rows']:,}", _error(one, numbers)] for one in entries]
    if not numbers:
        for row, one in zip(rows, entries, strict=True):
            row += [_share(one[name]) for name in ("said", "missed", "false_alarm")]
    return [{"title": "How each group is answered (sealed rows)", "columns": columns, "rows": rows}]


def _error(one: dict[str, Any], numbers: bool) -> str:
    form = ".4g" if numbers else ".1%"
    return f"{format(one['error'], form)} ({format(one['low'], form)} to {format(one['high'], form)})"


def _share(value: float | None) -> str:
    return "none there" if value is None else f"{value:.1%}"
