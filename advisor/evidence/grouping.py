"""Whether rows come in groups, such as one person's, that a random split would tear apart."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from advisor.evidence import quick
from advisor.evidence.inputs import inputs_of
from advisor.evidence.sheet import CLASS_TASKS, Sheet
from advisor.records.look import Column

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Array = np.ndarray[Any, Any]

_MOST_CANDIDATES = 2
_FOLDS = 4
_MOST_OTHERS = 100
_GLANCE = 1500


@dataclass(frozen=True)
class Grouping:
    """One grouping column: how well a quick model does with random folds and with whole groups held out.

    The column itself is left out, but for the random folds of people measured several times. `z` is the gap of the
    losses in standard errors, with groups as units. `named` says that the column's name is that of a person or thing.
    """

    column: str
    groups: int
    metric: str
    random: float
    grouped: float
    z: float
    named: bool

    @property
    def gap(self) -> float:
        return self.random - self.grouped


def find_groupings(sheet: Sheet) -> tuple[Grouping, ...]:
    """The most likely grouping columns: those named like a person or thing first, then by the gap."""
    if not sheet.target or len(sheet.known) < 60:
        return ()
    tried = (_try(sheet, column, named) for column, named in _candidates(sheet)[:_MOST_CANDIDATES])
    return tuple(sorted((found for found in tried if found), key=lambda found: (not found.named, -found.gap)))


def _candidates(sheet: Sheet) -> list[tuple[Column, bool]]:
    """Columns whose values repeat and that are named like a person or thing, or that fix several other columns."""
    limits, words = sheet.entry("P501").thresholds, sheet.catalogue
    rows, found = len(sheet.known), []
    timing = sheet.order.columns if sheet.order else ()
    settling = {*sheet.leaks, *sheet.sums}
    for column in sheet.columns:
        if column.role not in ("feature", "id", "weight") or column.kind in ("text", "date", "constant", "empty"):
            continue
        groups = int(sheet.known[column.name].nunique())
        if not limits["fewest_groups"] <= groups <= rows / limits["rows_a_group"] or column.name in timing:
            continue
        if not _whole(sheet, column):
            continue
        if column.name in settling:
            continue  # it settles the target: a leak, not a group
        if words.says(column.name, "time") or float(sheet.known[column.name].notna().mean()) < 0.9:
            continue
        named = words.names_a_thing(column.name)
        fixed = 0 if named else _fixed_by(sheet, column.name)
        if named or (fixed >= 2 and rows / groups >= 3):
            found.append((column, named, groups))
    found.sort(key=lambda item: (not item[1], -item[2]))
    return [(column, named) for column, named, _ in found]


def _whole(sheet: Sheet, column: Column) -> bool:
    cells = sheet.known[column.name]
    return cells.dtype.kind not in "f" or bool((cells.dropna() == cells.dropna().round()).all())


def _fixed_by(sheet: Sheet, name: str) -> int:
    """How many other columns, of at least five values, never vary while `name` stays the same."""
    import numpy as np

    others = [c.name for c in sheet.features if c.name != name and c.kind in ("number", "category") and c.distinct >= 5]
    if not others or len(others) > _MOST_OTHERS:
        return 0
    glance = sheet.known[sheet.known[name].notna()].iloc[:_GLANCE]
    own = _codes(glance[name])
    varied = [codes for codes in (_codes(glance[other]) for other in others) if codes.max() >= 4]
    return sum(len(np.unique(own * (codes.max() + 1) + codes)) == own.max() + 1 for codes in varied)


def _codes(cells: pd.Series[Any]) -> Array:
    """One whole number a value, from 0 without gaps; missing cells are a value of their own."""
    import numpy as np
    import pandas as pd

    return np.asarray(pd.factorize(cells, use_na_sentinel=False)[0], dtype=np.int64)


def _try(sheet: Sheet, column: Column, named: bool) -> Grouping | None:
    import numpy as np

    known = sheet.known[sheet.known[column.name].notna()]
    rows = _whole_groups(known[column.name].to_numpy(), int(sheet.catalogue.settings["model_rows"]), sheet.seed)
    frame = known.iloc[rows]
    places = sheet.known.index.get_indexer(frame.index)
    answers, classes = sheet.answers[places], len(sheet.labels) if sheet.task in CLASS_TASKS else 0
    features = tuple(c for c in sheet.usable if c.name != column.name)
    groups = frame[column.name].to_numpy()
    names, codes = np.unique(groups, return_inverse=True)
    if not features or len(names) < 5 or (classes and len(np.unique(answers)) < 2):
        return None
    unmet = inputs = inputs_of(frame, features, classes, sheet.seed)
    if named and sheet.catalogue.says(column.name, "measured"):
        # Who was measured several times is asked about again in a random split: then the name alone tells.
        inputs = replace(inputs, numbers=np.column_stack([inputs.numbers, codes]))
    by_chance = quick.random_folds(answers, classes, _FOLDS, sheet.seed)
    by_group = quick.group_folds(codes, _FOLDS, sheet.seed)
    model = "forest" if "forest" in inputs.models else "linear"
    random = quick.out_of_fold(inputs, answers, classes, by_chance, model, sheet.seed)
    grouped = quick.out_of_fold(unmet, answers, classes, by_group, model, sheet.seed)
    extra = quick.losses(grouped, answers, classes) - quick.losses(random, answers, classes)
    sums = np.bincount(codes, extra)
    error = float(np.sqrt(((sums - sums.mean()) ** 2).sum()))
    metric, first = quick.score(random, answers, classes)
    _, second = quick.score(grouped, answers, classes)
    return Grouping(column.name, len(names), metric, first, second, float(sums.sum()) / error if error else 0.0, named)


def _whole_groups(groups: Array, most: int, seed: int) -> Array:
    """Row numbers of randomly chosen groups, whole, up to about `most` rows, in file order."""
    import numpy as np

    if len(groups) <= most:
        return np.arange(len(groups))
    names, codes = np.unique(groups, return_inverse=True)
    order = np.random.default_rng(seed).permutation(len(names))
    sizes = np.bincount(codes)[order]
    kept = order[: max(5, int(np.searchsorted(np.cumsum(sizes), most)))]
    return np.flatnonzero(np.isin(codes, kept))
