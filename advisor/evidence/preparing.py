"""From rows as read to a sheet: kinds and roles of the columns, the task, the order in time, a bounded sample."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from advisor.base.safetext import plain
from advisor.evidence.catalogue import Catalogue
from advisor.evidence.kinds import as_numbers, kind_of
from advisor.evidence.sheet import CLASS_TASKS, Sheet, as_label, as_labels
from advisor.evidence.targets import task_of, written_task
from advisor.evidence.timeorder import find_order
from advisor.records.look import Column

if TYPE_CHECKING:
    import pandas as pd

_STRETCH = 200
_LARGEST = 1e30


def prepare(whole: pd.DataFrame, target: str, catalogue: Catalogue, *, counted: Counted | None = None) -> Sheet:
    """Kinds and roles of the columns, the task, the order in time; `counted` when this is a sample of a file."""
    whole, odd = _numbers_as_numbers(whole, target)
    columns = tuple(_column(whole, str(name), target, catalogue) for name in whole.columns)
    if counted:
        columns = tuple(replace(column, missing=counted.missing[column.name]) for column in columns)
    columns = _with_annotators(whole, columns, target, catalogue)
    frame = _sample(whole, int(catalogue.settings["sample_rows"]))
    order = find_order(frame, columns, target, catalogue)
    steps = bool(order and order.certain and order.one_series)
    task = (written_task(frame, target, catalogue) or task_of(frame[target], catalogue, steps=steps)) if target else ""
    labels = whole[target].dropna() if target else whole.iloc[:0, 0]
    classes: dict[str, int] = {}
    if task in CLASS_TASKS:
        counts = counted.classes if counted else as_labels(labels).value_counts().to_dict()
        classes = {str(label): int(rows) for label, rows in counts.items()}
    return Sheet(
        whole=whole,
        frame=frame,
        columns=columns,
        target=target,
        task=task,
        rows=counted.rows if counted else len(whole),
        labelled=counted.labelled if counted else len(labels),
        classes=dict(sorted(classes.items(), key=lambda item: -item[1])),
        order=order,
        odd=odd,
        catalogue=catalogue,
    )


@dataclass(frozen=True)
class Counted:
    """What was counted over a file too large for memory: rows, labelled rows, gaps a column, rows a class."""

    rows: int
    labelled: int
    missing: dict[str, int]
    classes: dict[str, int]


def _numbers_as_numbers(whole: pd.DataFrame, target: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    changed = {}
    for name in whole.columns:
        if whole[name].dtype.kind == "f":
            tame = _tame(whole[name])
            if tame is not None:
                changed[name] = tame
                continue
        if name != target or whole[name].nunique() > 50:
            numbers = as_numbers(whole[name])
            if numbers is not None:
                changed[name] = numbers
    odd = tuple(name for name in changed if whole[name].dtype.kind != "f")
    return (whole.assign(**changed) if changed else whole), odd


def _tame(cells: pd.Series[Any]) -> pd.Series[Any] | None:
    """Infinite cells as gaps and absurdly large ones cut, so that squares stay finite; None when all is well."""
    import numpy as np

    values = cells.to_numpy()
    with np.errstate(invalid="ignore"):
        wild = np.isinf(values) | (np.abs(values) > _LARGEST)
    if not wild.any():
        return None
    return cells.where(~np.isinf(values)).clip(-_LARGEST, _LARGEST)


def _column(whole: pd.DataFrame, name: str, target: str, catalogue: Catalogue) -> Column:
    cells = whole[name]
    kind = kind_of(cells, catalogue)
    present = cells.dropna()
    examples = tuple(plain(value, 40) for value in present.drop_duplicates().iloc[:3]) if kind != "id" else ()
    distinct = int(present.map(str).nunique()) if cells.dtype == object else int(present.nunique())
    role = "feature"
    if name == target:
        role = "target"
    elif kind in ("id", "constant", "empty"):
        role = "id" if kind == "id" else "constant"
    elif _names_parts(present, named=catalogue.says(name, "split")):
        role = "split"
    elif catalogue.says(name, "weight") and "".join(name.lower().split()) in catalogue.words["weight"]:
        role = "weight"
    return Column(name, kind, int(cells.isna().sum()), distinct, examples, role)


def _names_parts(present: pd.Series[Any], *, named: bool) -> bool:
    """Whether the cells name the parts of a split; a column not `named` so must hold training rows and nothing else."""
    values = {str(value).strip().lower() for value in present.unique()[:20]}
    parts = values <= {"train", "training", "test", "testing", "validation", "valid", "dev", "val", "eval"}
    return len(values) > 1 and (
        (parts and bool(values & {"train", "training"})) or (named and ("train" in values or parts))
    )


def _with_annotators(
    whole: pd.DataFrame, columns: tuple[Column, ...], target: str, catalogue: Catalogue
) -> tuple[Column, ...]:
    """Mark columns that are several people's labels of one thing: named so, with the same few values."""
    named = [
        column
        for column in columns
        if column.role == "feature" and column.kind in ("category", "boolean", "number") and column.distinct <= 50
        and catalogue.says(column.name, "annotator")
    ]  # fmt: skip
    if len(named) < 2:
        return columns
    values = [frozenset(whole[column.name].dropna().map(as_label)) for column in named]
    shared = frozenset.union(*values)
    if any(len(own & shared) < 0.5 * len(shared) for own in values):
        return columns
    names = {column.name for column in named}
    return tuple(replace(column, role="annotator") if column.name in names else column for column in columns)


def _sample(whole: pd.DataFrame, most: int) -> pd.DataFrame:
    """At most `most` rows in stretches of neighbours, evenly over the file, so that an order in time survives."""
    import numpy as np

    if len(whole) <= most:
        return whole
    starts = np.linspace(0, len(whole) - _STRETCH, most // _STRETCH).astype(int)
    return whole.iloc[(starts[:, None] + np.arange(_STRETCH)).ravel()]
