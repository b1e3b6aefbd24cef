"""Training again with new labelled rows: the old sealed rows stay sealed, and the new run must beat the old one.

A fifth of the new rows is sealed as well, by their content, so that the two runs are compared on the old world and the
new; where rows belong together, a fifth of the groups that the old run learned nothing from, whole. Rows that it did
learn from are never sealed: it would know the answers. A new row that is a near copy of both has no side to go to, and
is left out. Where rows are split by time the latest are sealed anyway.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from advisor.base.errors import BadInput
from advisor.base.files import sha256_of_file, sha256_of_text, write_atomically
from advisor.base.tables import read_table
from advisor.records.judging import COST, cost_decides
from advisor.records.plan import Plan
from advisor.records.run import Comparison
from trainers.classical.error_costs import stated_costs
from trainers.common.costs import cost_metric
from trainers.common.gate import AtCosts, hold_against
from trainers.common.metrics import Floats, Integers, Output, metric_by_name
from trainers.common.rows import Rows, data_path, load_rows
from trainers.common.runfolder import verify
from trainers.common.sealed import seal_again, sealed_before
from trainers.common.splits import Flags, content_hashes, units_of
from trainers.common.weights import weight_column
from trainers.use.answers import Answers
from trainers.use.cells import as_joined, file_as_read, numbers_where_all_are
from trainers.use.inputs import InputColumn, rename_to_fit
from trainers.use.opened import OpenedRun

SHARE = 5  # one in so many of the new rows, or of the new groups, is sealed


@dataclass(frozen=True)
class Grown:
    """The plan over old and new rows together, and how many of the file's rows were added.

    Of the others so many bore no label, or were near copies both of sealed rows and of rows learned from (`between`).
    """

    plan: Plan
    added: int
    unlabelled: int
    old_rows: int
    between: int = 0


def grow(plan: Plan, case: Path, new: Path, names: Mapping[str, str], sealed: Integers) -> Grown:
    """Write old and new rows as one file into the case, seal some of the new ones, and return the plan over them.

    `sealed` are the rows that the run in use was measured on, by their place in its file. They are sealed by what they
    hold in the joined file: a column may read as text there that read as numbers before, and a split can be lost.

    Raises `BadInput` when the new rows lack columns, hold no label, or the plan's trainer reads no table.
    """
    if plan.trainer != "classical":
        raise BadInput(
            f"Training again with more rows is for tables; this plan's trainer is {plan.trainer}.",
            where="--on",
            fix="Add the rows to the file of examples, then: train-or-not plan CASE && train-or-not train CASE",
            code="no-growth",
        )
    old = as_joined(data_path(plan, case))
    labelled, unlabelled = _labelled(plan, old, new, names)
    if not len(labelled):
        raise BadInput(
            f"No row of {new.name} has a label in {plan.target}.",
            where=str(new),
            fix="Fill in the column, then train again.",
            code="no-labels",
        )
    joined = pd.concat([old, labelled], ignore_index=True)
    grown, between = _written(plan, case, joined), np.zeros(0, dtype=np.int64)
    # Where no row is sealed yet the split is still to be drawn, from all rows.
    if plan.split.kind != "time" and (len(sealed) or sealed_before(grown, case)):
        between = _between(grown, case, len(old), sealed)
        if len(between):
            (case / grown.data).unlink()
            if len(between) == len(labelled):
                raise BadInput(
                    f"Every labelled row of {new.name} is a near copy both of a sealed row and of one learned from.",
                    where=str(new),
                    why="Sealed they would be known already, and learned they would give sealed answers away.",
                    fix="Collect rows that are new, then train again.",
                    code="no-new-rows",
                )
            grown = _written(plan, case, joined[~joined.index.isin(between)])
        seal_again(grown, case, _names(grown, case, len(old), sealed))
    return Grown(grown, len(labelled) - len(between), unlabelled, len(old), len(between))


def grew_from(plan: Plan, case: Path, earlier: Plan, new: Path, names: Mapping[str, str]) -> int:
    """How many rows an `earlier` plan's file has, if the plan's is that with the labelled rows of `new` after it.

    Row for row, by what they hold; 0 otherwise. Raises `BadInput` when one of the files is gone or has changed.
    """
    old, before = as_joined(data_path(plan, case)), len(as_joined(data_path(earlier, case)))
    labelled, _ = _labelled(plan, old, new, names)
    if not len(labelled) or len(old) - before != len(labelled):
        return 0
    both = pd.concat([old.iloc[before:], labelled], ignore_index=True).astype(object)
    hashes = content_hashes(pd.DataFrame({name: numbers_where_all_are(both[name]) for name in both}))
    return before if (hashes[: len(labelled)] == hashes[len(labelled) :]).all() else 0


def _labelled(plan: Plan, old: pd.DataFrame, new: Path, names: Mapping[str, str]) -> tuple[pd.DataFrame, int]:
    """The rows of `new` that bear a label, in the columns of the old ones, and how many bear none."""
    given = as_joined(new)
    wanted = [InputColumn(str(name), "any") for name in old.columns]
    renamed = rename_to_fit(list(map(str, given.columns)), wanted, names)
    rows = given.rename(columns=renamed)[list(old.columns)]
    labelled = rows[rows[plan.target].notna() & (rows[plan.target].astype(str).str.strip() != "")]
    return labelled, len(rows) - len(labelled)


def _written(plan: Plan, case: Path, joined: pd.DataFrame) -> Plan:
    text = joined.to_csv(index=False, lineterminator="\n")
    path = case / f"grown-{sha256_of_text(text)[:8]}.csv"
    write_atomically(path, text)
    path.chmod(0o600)
    return replace(plan, data=path.name, data_sha256=sha256_of_file(path))


def rows_measured_on(run: Path) -> Integers:
    """The sealed rows of a run, by their place in its file: shape (rows,), 0 the first after the header.

    None where its trainer keeps no such list. Raises `BadInput` when the run is damaged or cut short.
    """
    verify(run)
    told = run / "test_predictions.csv"
    rows = pd.read_csv(told)["row"].to_numpy() if told.is_file() else np.zeros(0)
    return np.asarray(rows, dtype=np.int64)


def _names(plan: Plan, case: Path, old_rows: int, sealed: Integers) -> frozenset[str]:
    """The hashes of the rows sealed before and of every fifth new one: the same whenever the file is given again.

    Rows that belong together are sealed together, and only where none of them is one that the old run learned from.
    """
    rows = load_rows(plan, case)
    names, before = _sealed_so_far(rows, plan, case, sealed)
    units, keys = units_of(rows.features, plan.split, rows.split_by, plan.seed)
    known = np.isin(units, units[rows.numbers < old_rows])
    fifth = ~known & (keys % np.uint64(SHARE) == 0)
    if not fifth.any() and len(np.unique(units[~known])) > 1:
        fifth = ~known & (keys == keys[~known].min())  # of a few new groups one at least is sealed
    return frozenset(names[fifth | before].tolist())


def _sealed_so_far(rows: Rows, plan: Plan, case: Path, sealed: Integers) -> tuple[npt.NDArray[np.str_], Flags]:
    """The hash of each row, and whether it was sealed before: by its place, or by its hash."""
    whole = rows.features if rows.split_by is None else rows.features.assign(**{"split by": rows.split_by})
    names = np.array([f"{one:016x}" for one in content_hashes(whole)])
    return names, np.isin(rows.numbers, sealed) | np.isin(names, list(sealed_before(plan, case)))


def _between(plan: Plan, case: Path, old_rows: int, sealed: Integers) -> Integers:
    """New rows through which sealed rows and rows learned from would belong together, by their place in the file.

    Rows that belong together never part, so one such row would seal all that the old run learned from beside it.
    """
    rows = load_rows(plan, case)
    _, before = _sealed_so_far(rows, plan, case, sealed)
    new = (rows.numbers >= old_rows) & ~before
    learned = ~before & ~new
    units, _ = units_of(rows.features, plan.split, rows.split_by, plan.seed)
    here = np.isin(units, np.intersect1d(units[before], units[learned]))
    old = np.flatnonzero(here & ~new)

    def link(some: Integers) -> bool:
        among = np.concatenate([old, some])
        codes, _ = units_of(rows.features, plan.split, rows.split_by, plan.seed, among)
        return len(np.intersect1d(codes[before[among]], codes[learned[among]])) > 0

    def harmless(some: Integers) -> Integers:
        if not link(some):
            return some
        if len(some) == 1:
            return some[:0]
        first, second = (harmless(half) for half in np.array_split(some, 2))
        both = np.concatenate([first, second])
        return first if link(both) else both

    linking = np.flatnonzero(here & new)
    if not len(linking) or link(linking[:0]):
        return linking[:0]  # they belong together without any new row
    return np.asarray(rows.numbers[np.setdiff1d(linking, harmless(linking))], dtype=np.int64)


@dataclass(frozen=True)
class Judged:
    """The new run against the old one on all sealed rows; and, told beside it, on the old and the new rows alone.

    By what answers cost a row where the plan's gate is decided by that, else by the metric.
    """

    whole: Comparison
    parts: dict[str, tuple[int, float, float]]


def judge(old: OpenedRun, new: OpenedRun, old_rows: int) -> Judged:
    """Both runs on the new run's sealed rows, paired. `parts` give rows, the old run's score and the new one's."""
    plan = new.record.plan
    path = data_path(plan, new.folder.parent.parent)
    frame = read_table(path).frame
    sealed = pd.read_csv(new.folder / "test_predictions.csv")
    at, truth = sealed["row"].to_numpy(), sealed["truth"].to_numpy(dtype=np.float64)
    rows = frame.iloc[at]
    # A column that new rows made one of texts was read by the old run as its own training had it.
    theirs = _output(old.answer(file_as_read(path, old.columns).iloc[at]), new.classes)
    ours = _output(new.answer(rows), new.classes)
    metric = metric_by_name(str(plan.metric.value), plan.task)
    gate = replace(plan.gate, against=("old_run",), minimum_gain=0.0, minimum_saving=0.0)
    counts = sealed["weight"].to_numpy(dtype=np.float64) if weight_column(plan) else None
    rungs, units = {"old_run": theirs}, _units(plan, rows)
    costs = _costs(plan, new.classes)
    at_costs = None if costs is None else AtCosts(costs, rungs, cost_decides(plan))
    _, verdict = hold_against(metric, truth, ours, rungs, units, gate, plan.seed, counts, at_costs)
    if costs is not None and verdict.decided_by == COST:
        metric = cost_metric(costs)
    parts = {}
    for name, part in (("old rows", at < old_rows), ("new rows", at >= old_rows)):
        if part.any():
            there = None if counts is None else counts[part]
            both = [metric.value(truth[part], _some(output, part), there) for output in (theirs, ours)]
            parts[name] = (int(part.sum()), float(both[0]), float(both[1]))
    return Judged(verdict.deciding[0], parts)


def _costs(plan: Plan, classes: tuple[str, ...]) -> Floats | None:
    """The stated costs, with a column more for labels that are none of `classes`: as dear as the worst answer there."""
    costs = stated_costs(plan, classes)
    return None if costs is None else np.column_stack([costs, costs.max(axis=1)])


def _output(answers: Answers, classes: tuple[str, ...]) -> Output:
    """Answers in the codes of `classes`; a label that is none of them is a code of its own, always wrong."""
    if answers.scores is None:
        return Output(numbers=np.asarray(answers.predictions, dtype=np.float64))
    shares = np.zeros((len(answers), len(classes)))
    for code, name in enumerate(classes):
        if name in answers.classes:
            shares[:, code] = answers.scores[:, answers.classes.index(name)]
    known = {name: code for code, name in enumerate(classes)}
    labels = np.array([known.get(one, len(classes)) for one in answers.predictions], dtype=np.int64)
    return Output(probabilities=shares, labels=labels)


def _some(output: Output, part: Any) -> Output:
    fields = (output.numbers, output.probabilities, output.labels)
    numbers, probabilities, labels = (None if field is None else field[part] for field in fields)
    return Output(numbers, probabilities, labels)


def _units(plan: Plan, rows: pd.DataFrame) -> Integers:
    """Rows of one group belong together; in time, a stretch of neighbours does."""
    count = len(rows)
    if plan.split.kind == "group" and plan.split.column in rows.columns:
        codes: Integers = pd.factorize(rows[plan.split.column].astype(str))[0].astype(np.int64)
        return codes
    if plan.split.kind == "time":
        return np.asarray(np.arange(count) // max(1, round(count**0.5)), dtype=np.int64)
    return np.arange(count, dtype=np.int64)
