"""Which rows are trained on and which are sealed: by content, group or time, the same every time.

A row's content is hashed over its features, so exact duplicates always fall on the same side and into the same fold.
The sealed rows are frozen in the case as hashes: a later plan, with other columns or more rows, keeps them sealed.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from advisor.base.dates import clear_date_form, read_dates
from advisor.base.errors import BadInput
from advisor.base.near import joined, near_number_groups, near_text_groups
from advisor.base.safetext import plain
from advisor.base.textnumbers import numbers_in
from advisor.records.look import SplitProposal
from trainers.common.labels import label_text
from trainers.common.metrics import Floats, Integers

Codes = Integers
Flags = npt.NDArray[np.bool_]
Hashes = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class Split:
    """`train` and `test` are row positions; `units` a code per row: rows of one code never part.

    `order` ranks the rows in time for a time split, and is None otherwise. `hashes` are the rows' content hashes.
    """

    kind: str
    train: Integers
    test: Integers
    units: Codes
    strata: Codes
    order: Floats | None
    hashes: tuple[str, ...]
    reason: str
    notes: tuple[str, ...] = ()

    def test_units(self) -> Codes:
        """Codes 0…u-1 of the units among the sealed rows. In time, a stretch of neighbouring rows is one unit."""
        if self.order is None:
            return _codes(self.units[self.test])
        rows = len(self.test)
        # Neighbours in time repeat each other: whole stretches of √n rows are drawn (moving-block idea, Künsch 1989).
        length = max(1, round(rows**0.5))
        ranks = np.argsort(np.argsort(self.order[self.test], kind="stable"), kind="stable")
        return np.asarray(ranks // length, dtype=np.int64)


def content_hashes(frame: pd.DataFrame) -> Hashes:
    """A 64-bit hash of each row, the same whether whole numbers were read as integers or as decimals."""
    total = np.zeros(len(frame), dtype=np.uint64)
    for position, name in enumerate(sorted(map(str, frame.columns))):
        column = frame[name]
        if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
            cells = column.to_numpy(dtype=np.float64, na_value=np.nan)
        else:
            cells = column.map(label_text, na_action="ignore").fillna("\0").to_numpy(dtype=object)
        hashed = pd.util.hash_array(cells, hash_key=f"{position % 10_000:04d}train-or-not")
        total = (total * np.uint64(6364136223846793005) + hashed.astype(np.uint64)) & np.uint64(0xFFFFFFFFFFFFFFFF)
    return total


def split_rows(
    features: pd.DataFrame,
    target: Floats,
    proposal: SplitProposal,
    split_by: pd.Series[Any] | None,
    seed: int,
    *,
    whole_rows: pd.DataFrame | None = None,
    sealed_before: frozenset[str] = frozenset(),
) -> Split:
    """The rows to train on and to seal, as the plan proposes.

    `whole_rows` holds every column but the target: its hashes name rows across plans. Rows named in `sealed_before`
    stay sealed, with all rows that belong to them; the others are then trained on.
    """
    names = tuple(f"{value:016x}" for value in content_hashes(features if whole_rows is None else whole_rows))
    strata = _strata(target, proposal.kind)
    notes: tuple[str, ...] = ()
    order: Floats | None = None
    if proposal.kind == "time":
        order, notes = _times(split_by, len(features))
        units = np.arange(len(features))
        test = _latest(order, proposal.test_share)
    else:
        units, keys = units_of(features, proposal, split_by, seed)
        test = np.isin(units, units[np.isin(names, list(sealed_before))]) if sealed_before else np.zeros(0, dtype=bool)
        if not test.any():
            test = _drawn(units, keys, strata, proposal, seed)
    if not test.any() or test.all():
        raise BadInput(
            f"The split by {proposal.kind} leaves nothing to {'train on' if test.all() else 'test on'}.",
            where=f"plan.yaml: split ({plain(proposal.column or proposal.kind, 60)})",
            why="All rows belong together under it.",
            fix="Choose another column to split by, or collect rows of more groups.",
            code="no-split",
        )
    return Split(
        proposal.kind,
        np.flatnonzero(~test),
        np.flatnonzero(test),
        units,
        strata,
        order,
        names,
        proposal.reason,
        notes,
    )


def units_of(
    features: pd.DataFrame,
    proposal: SplitProposal,
    split_by: pd.Series[Any] | None,
    seed: int,
    among: Integers | None = None,
) -> tuple[Codes, Hashes]:
    """A code per row, one for all rows that must not part, and a value that names what they have in common.

    With `among` (row positions) those of these rows alone, as if there were no others to link them.
    """
    keys = _keys(features, content_hashes(features), proposal, split_by)
    keys = keys if among is None else keys[among]
    units = _codes(keys)
    near = [name for name in proposal.near if name in features]
    if proposal.near and len(features.columns) == 1:
        near = list(features.columns)  # a trainer of texts knows one column only, under its own name
    return _with_near_copies(units, keys, features[near], proposal, seed, among) if near else (units, keys)


def folds_of(split: Split, count: int, seed: int) -> list[tuple[Integers, Integers]]:
    """`count` pairs (train, validate) of row positions within the training part; units never part.

    In time, each fold validates on the stretch that follows what it trains on.
    """
    rows = split.train
    if split.order is not None:
        return _time_folds(rows[np.argsort(split.order[rows], kind="stable")], split.order, count)
    units, inverse = np.unique(split.units[rows], return_inverse=True)
    if len(units) < count:
        raise BadInput(
            f"The training part has {len(units)} separate groups; {count} folds need one each.",
            where="plan.yaml: split",
            fix="Collect rows of more groups.",
            code="too-few-groups",
        )
    strata = _stratum_of(inverse, split.strata[rows])
    shuffled = np.random.default_rng(seed).permutation(len(units))
    if split.kind == "group":
        # Largest groups first, each to the fold with the fewest rows so far: sizes differ, folds should not.
        sizes = np.bincount(inverse)
        filled, fold_of = np.zeros(count), np.empty(len(units), dtype=int)
        for unit in shuffled[np.argsort(-sizes[shuffled], kind="stable")]:
            fold_of[unit] = int(np.argmin(filled))
            filled[fold_of[unit]] += sizes[unit]
    else:
        # Dealt out stratum after stratum without starting over, so that rare classes do not pile up in fold 0.
        dealt = shuffled[np.argsort(strata[shuffled], kind="stable")]
        fold_of = np.empty(len(units), dtype=int)
        fold_of[dealt] = np.arange(len(units)) % count
    fold = fold_of[inverse]
    return [(rows[fold != number], rows[fold == number]) for number in range(count)]


def _time_folds(rows: Integers, order: Floats, count: int) -> list[tuple[Integers, Integers]]:
    """Expanding windows: the last `count` of `count` + 1 stretches, each after what came before; newest first."""
    edges = np.linspace(0, len(rows), count + 2).astype(int)
    folds = []
    for start, end in itertools.pairwise(edges[1:]):
        before = rows[:start]
        before = before[order[before] < order[rows[start]]]
        if len(before):
            folds.append((before, rows[start:end]))
    return folds[::-1]


def _codes(values: Any) -> Codes:
    return np.asarray(np.unique(values, return_inverse=True)[1], dtype=np.int64).ravel()


def _strata(target: Floats, kind: str) -> Codes:
    """Classes, or tenths of a number, so that each side sees the whole range."""
    distinct = np.unique(target)
    if len(distinct) <= 20 or kind == "time":
        return _codes(target)
    edges = np.unique(np.quantile(target, np.linspace(0, 1, 11)[1:-1]))
    return np.asarray(np.searchsorted(edges, target), dtype=np.int64)


def _stratum_of(units: Codes, strata: Codes) -> Codes:
    """The stratum of each unit; of copies with different answers the first stratum, whatever their order."""
    found = np.full(int(units.max()) + 1, np.iinfo(np.int64).max, dtype=np.int64)
    np.minimum.at(found, units, strata)
    return found


def _keys(features: pd.DataFrame, content: Hashes, proposal: SplitProposal, split_by: pd.Series[Any] | None) -> Hashes:
    """One value for rows that must not part: their content, their group, or the columns that they share."""
    if proposal.kind != "group":
        return content
    same = [name for name in proposal.same if name in features]
    if same:
        return content_hashes(features[same])
    return content if split_by is None else _group_hashes(split_by)


def _with_near_copies(
    units: Codes, keys: Hashes, compared: pd.DataFrame, proposal: SplitProposal, seed: int, among: Integers | None
) -> tuple[Codes, Hashes]:
    """The units with near copies in one, each named by its smallest key, whatever the order of the rows."""
    numbers = {name: numbers_in(compared[name]) for name in compared}
    if len(numbers) == 1 and None in numbers.values():
        texts = compared.iloc[:, 0] if among is None else compared.iloc[among, 0]
        near = near_text_groups(texts.astype(object).fillna(""), proposal.similarity, seed)
    else:
        table = {str(name): compared[name] if cells is None else cells for name, cells in numbers.items()}
        near = near_number_groups(pd.DataFrame(table), proposal.distance, among)
    units = _codes(joined(units, near))
    least = np.full(int(units.max()) + 1, np.iinfo(np.uint64).max, dtype=np.uint64)
    np.minimum.at(least, units, keys)
    return units, least[units]


def _group_hashes(column: pd.Series[Any]) -> Hashes:
    # A row without a group is a group of its own: nobody knows whom it belongs to.
    texts = column.map(label_text, na_action="ignore").astype(object).to_numpy()
    named = np.array([f"=={at}" if pd.isna(text) else f"={text}" for at, text in enumerate(texts)], dtype=object)
    return np.asarray(pd.util.hash_array(named, hash_key="groupstrain-or-n"), dtype=np.uint64)


def _drawn(units: Codes, keys: Hashes, strata: Codes, proposal: SplitProposal, seed: int) -> Flags:
    """Units by the order of a seeded mix of their hash, in each stratum until its share is sealed."""
    count = int(units.max()) + 1
    sizes = np.bincount(units, minlength=count)
    first = np.zeros(count, dtype=np.int64)
    first[units[::-1]] = np.arange(len(units))[::-1]
    salt = np.uint64((0x9E3779B97F4A7C15 * (seed + 1)) & 0xFFFFFFFFFFFFFFFF)
    mixed = (keys[first] ^ salt) * np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(31)
    stratum = _stratum_of(units, strata) if proposal.kind == "stratified" else np.zeros(count, dtype=np.int64)
    chosen = np.zeros(count, dtype=bool)
    for code in np.unique(stratum):
        members = np.flatnonzero(stratum == code)
        members = members[np.argsort(mixed[members], kind="stable")]
        before = np.cumsum(sizes[members]) - sizes[members]
        wanted = proposal.test_share * sizes[members].sum()
        # A class of one unit stays in training; a group too large for the share is not split.
        chosen[members[before + sizes[members] / 2 <= wanted][: max(0, len(members) - 1)]] = True
    if not chosen.any() and count > 1:
        chosen[int(np.argmin(sizes))] = True
    return chosen[units]


def _latest(order: Floats, share: float) -> Flags:
    """The latest `share` of the rows; rows of one moment stay together, on the training side."""
    edge = np.sort(order)[min(len(order) - 1, int(np.ceil(len(order) * (1 - share))))]
    return np.asarray(order >= edge if (order < edge).any() else order > edge, dtype=np.bool_)


def _times(split_by: pd.Series[Any] | None, rows: int) -> tuple[Floats, tuple[str, ...]]:
    """When each row happened, as numbers that grow with time; without a column, the order of the rows."""
    if split_by is None:
        return np.arange(rows, dtype=np.float64), ("Time is the order of the rows in the file.",)
    numbers = numbers_in(split_by)
    if numbers is None:
        moments = read_dates(split_by, clear_date_form(split_by, "plan.yaml: split.column"))
        numbers = moments.astype("int64").astype("float64").where(moments.notna())
    known = int(numbers.notna().sum())
    if known < 0.9 * rows:
        example = next(iter(split_by.dropna()), "")
        raise BadInput(
            f"Column {plain(split_by.name, 60)} does not say when: {known:,} of {rows:,} cells read as a time.",
            where="plan.yaml: split.column",
            why=f"It holds, for example, {plain(example, 40)!r}.",
            fix="Name a column of dates or growing numbers, or leave it empty to go by the order of the rows.",
            code="no-time",
        )
    gaps = rows - known
    notes: tuple[str, ...] = (f"{gaps:,} rows without a time count as the oldest.",) if gaps else ()
    return np.asarray(numbers.fillna(numbers.min()), dtype=np.float64), notes
