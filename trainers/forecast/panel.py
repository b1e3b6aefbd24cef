"""The rows of a plan as series on one common line of steps, with gaps where nothing was measured."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from advisor.base.dates import UNCLEAR, date_form
from advisor.base.errors import BadInput, did_you_mean
from advisor.base.safetext import one_of, plain
from advisor.base.tables import read_table
from advisor.base.textnumbers import numbers_in
from advisor.records.plan import Plan
from trainers.common.labels import label_text
from trainers.common.metrics import Floats, Integers
from trainers.common.policy import policy
from trainers.common.rows import data_path
from trainers.forecast.clock import Clock, date_parts_in, is_dated, learn_clock, moments_of, steps_of

ONE = "all rows"


@dataclass(frozen=True)
class Layout:
    """Which columns hold what: `time` (none, one, or the parts of a date), `series` (empty for one) and the target."""

    time: tuple[str, ...]
    series: str
    target: str


@dataclass(frozen=True)
class Panel:
    """`values` [series, steps], not-a-number where there is none; `filled` the same with gaps filled from the past.

    `rows` is the row of the file that holds each value, -1 where there is none.
    """

    names: tuple[str, ...]
    values: Floats
    filled: Floats
    rows: Integers
    clock: Clock
    layout: Layout
    notes: tuple[str, ...] = ()

    @property
    def steps(self) -> int:
        return int(self.values.shape[1])


def layout_of(frame: pd.DataFrame, plan: Plan) -> Layout:
    """The columns as the plan names them, or as the data shows them. Raises `BadInput` for one that is not there."""
    names = list(map(str, frame.columns))
    asked = {name: _named(plan, name) for name in ("time", "series")}
    for where, name in {"target": plan.target, **asked}.items():
        for one in (part.strip() for part in name.split(",")) if name else ():
            if one not in names:
                raise BadInput(
                    f"The data has no column {plain(one, 60)!r}.",
                    where=f"plan.yaml: {where}",
                    fix=did_you_mean(one, names) or f"Its columns: {one_of(names)}.",
                    code="no-column",
                )
    others = [name for name in names if name != plan.target]
    time = tuple(part.strip() for part in asked["time"].split(",")) if asked["time"] else ()
    time = time or ((plan.split.column,) if plan.split.column in others else ())
    time = time or date_parts_in(others) or _first_dates(frame, others)
    return Layout(time, asked["series"] or _series_in(frame, others, time), plan.target)


def _named(plan: Plan, name: str) -> str:
    setting = plan.settings.get(name)
    return str(setting.value).strip() if setting is not None and setting.value else ""


def _first_dates(frame: pd.DataFrame, names: list[str]) -> tuple[str, ...]:
    """The first column of dates, if any."""
    for name in names:
        column = frame[name]
        if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
            continue
        sample = column.dropna().iloc[:200].map(str)
        if len(sample) and bool(sample.str.contains(r"\d{1,4}[-./]\d{1,2}").all()):
            form = date_form(column)
            read = form == UNCLEAR or bool(moments_of(frame.iloc[:200], (name,), form).notna().all())
            return (name,) if read else ()
    return ()


def _series_in(frame: pd.DataFrame, names: list[str], time: tuple[str, ...]) -> str:
    """The column that tells series apart: with it each moment comes once, without it moments repeat."""
    if not time or not bool(frame.duplicated(list(time)).any()):
        return ""
    for name in names:
        distinct = int(frame[name].nunique())
        if name not in time and 1 < distinct <= len(frame) // 10 and not frame.duplicated([*time, name]).any():
            return name
    return ""


def load_panel(plan: Plan, folder: Path) -> Panel:
    """The series of `plan`. Raises `BadInput` when they are too short, too gappy or no numbers."""
    table = read_table(data_path(plan, folder))
    layout = layout_of(table.frame, plan)
    frame = table.frame
    series = frame[layout.series].map(label_text) if layout.series else None
    clock = learn_clock(frame, layout.time, series)
    panel = make_panel(frame, layout, clock)
    panel, empty = _measured(panel)
    _check(panel)
    unread = [name for name in map(str, frame.columns) if name not in {*layout.time, layout.series, layout.target}]
    notes = list(table.notes)
    if unread:
        notes.append(f"Not read: {one_of(unread)}. A forecast here rests on the past of its own series alone.")
    if empty:
        notes.append(f"Left out, for they hold no value at all: {one_of(empty, 5)}.")
    gaps = int(np.isnan(panel.values).sum())
    if gaps:
        notes.append(f"{gaps:,} of {panel.values.size:,} steps hold no value; none of them is scored.")
    if not layout.time:
        notes.append("Time is the order of the rows in the file.")
    return Panel(panel.names, panel.values, panel.filled, panel.rows, clock, layout, tuple(notes))


def _measured(panel: Panel) -> tuple[Panel, list[str]]:
    """The panel up to its last value, without series that have none; and the names of those."""
    known = np.isfinite(panel.values)
    if not known.any():
        return panel, []
    series, until = np.asarray(known.any(axis=1)), int(np.flatnonzero(known.any(axis=0))[-1]) + 1
    kept = replace(
        panel,
        names=tuple(panel.names[at] for at in np.flatnonzero(series)),
        values=panel.values[series, :until],
        filled=panel.filled[series, :until],
        rows=panel.rows[series, :until],
    )
    return kept, [panel.names[at] for at in np.flatnonzero(~series)]


def make_panel(frame: pd.DataFrame, layout: Layout, clock: Clock, names: tuple[str, ...] = ()) -> Panel:
    """Rows as series. `names` fixes which series there are, and their order; else all of the file, sorted."""
    numbers = numbers_in(frame[layout.target], gaps=0.0)
    if numbers is None and bool(frame[layout.target].isna().all()):
        numbers = frame[layout.target].astype("float64")
    if numbers is None:
        example = next((c for c in frame[layout.target] if numbers_in(pd.Series([c], dtype=object)) is None), "")
        raise BadInput(
            f"Column {plain(layout.target, 60)} is no column of numbers: it holds {plain(example, 40)!r}.",
            where=plain(layout.target, 60),
            why="A forecast foretells numbers.",
            fix="Mend that cell, or name another target: train-or-not look CASE --target COLUMN",
            code="target-not-numbers",
        )
    labels = frame[layout.series].map(label_text).to_numpy(dtype=object) if layout.series else np.full(len(frame), ONE)
    names = names or tuple(sorted({str(label) for label in labels}))
    limit = policy("forecasting")["limits"]["series"]
    if len(names) > limit:
        raise BadInput(
            f"Column {plain(layout.series, 60)} names {len(names):,} series; at most {limit:,} are forecast at once.",
            where=plain(layout.series, 60),
            fix="Split the file, or forecast the sums that a decision needs.",
            code="too-many-series",
        )
    at = {name: code for code, name in enumerate(names)}
    code = np.array([at.get(str(label), -1) for label in labels], dtype=np.int64)
    steps = steps_of(frame, clock)
    known = (code >= 0) & (steps >= 0)
    cells = code[known] * (int(steps[known].max(initial=0)) + 1) + steps[known]
    if len(np.unique(cells)) < len(cells):
        raise _two_at_once(frame[known], layout, clock, int(len(cells) - len(np.unique(cells))))
    shape = (len(names), int(steps[known].max(initial=-1)) + 1)
    values, rows = np.full(shape, np.nan), np.full(shape, -1, dtype=np.int64)
    found = numbers.to_numpy(dtype=np.float64, copy=True)
    found[~np.isfinite(found)] = np.nan
    values[code[known], steps[known]] = found[known]
    rows[code[known], steps[known]] = np.flatnonzero(known)
    return Panel(names, values, filled_from_the_past(values), rows, clock, layout)


def _two_at_once(frame: pd.DataFrame, layout: Layout, clock: Clock, count: int) -> BadInput:
    """Rows of one moment, or of moments so near each other that they fall into one step."""
    columns = [*layout.time, layout.series] if layout.series else list(layout.time)
    if not bool(frame.duplicated(columns).any()):
        step = f"a {clock.step}" if clock.step.isalpha() else f"{clock.step} seconds"
        return BadInput(
            f"{count:,} rows fall into the same step as another row; a step was taken to be {step}.",
            where=plain(", ".join(layout.time), 80),
            why="One series holds one value at a step.",
            fix="Add up or average the rows over even steps (a minute, an hour, a day), then look and plan again.",
            code="two-at-once",
        )
    return BadInput(
        f"{count:,} rows share a moment with another row.",
        where=plain(", ".join(layout.time), 80),
        why="One series holds one value at a time. A clock that was set back shows an hour twice.",
        fix="Name the column that tells the series apart: train-or-not plan CASE --setting series=COLUMN. "
        "If there is one series only, keep one row a moment, or write its times with their offset from UTC."
        if not layout.series
        else "Keep one row a moment, or write times with their offset from UTC.",
        code="two-at-once",
    )


def filled_from_the_past(values: Floats) -> Floats:
    """Gaps take the last value before them; those before the first value take the first."""
    filled = pd.DataFrame(values.T).ffill().bfill().to_numpy(dtype=np.float64).T
    return np.asarray(np.nan_to_num(np.ascontiguousarray(filled), nan=0.0))


def _check(panel: Panel) -> None:
    limits = policy("forecasting")["limits"]
    known = np.isfinite(panel.values)
    if not known.any() or panel.steps < limits["fewest_steps"]:
        raise BadInput(
            f"The series has {panel.steps:,} steps; a forecast needs at least {limits['fewest_steps']}.",
            where=plain(panel.layout.target, 60),
            why="Some are learnt from, some to choose by, and some are sealed.",
            fix="Collect a longer history, or say the last value until then.",
            code="too-few-rows",
        )
    missing = 1 - known.sum() / sum(panel.steps - int(np.argmax(row)) for row in known if row.any())
    if missing > limits["missing_share"]:
        by = ", ".join(panel.layout.time)
        raise BadInput(
            f"{missing:.0%} of the steps hold no value.",
            where=plain(by or panel.layout.target, 60),
            why=f"The step between rows was taken to be {panel.clock.step}; most of the time nothing was measured.",
            fix="Add the values up over longer steps (an hour, a day, a week), then look and plan again.",
            code="irregular",
        )
    if all(np.ptp(row[np.isfinite(row)]) == 0 for row in panel.values if np.isfinite(row).any()):
        raise BadInput(
            f"Column {plain(panel.layout.target, 60)} holds the same number in every row.",
            where=plain(panel.layout.target, 60),
            why="There is nothing to learn: always saying that number is right every time.",
            fix="Choose another target, or collect rows in which it varies.",
            code="one-value",
        )


def dated(frame: pd.DataFrame, layout: Layout) -> bool:
    """Whether the time columns hold dates."""
    return bool(layout.time) and is_dated(frame, layout.time)
