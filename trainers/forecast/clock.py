"""When each row happened, as whole steps: from dates, from numbers that grow, or from the order of the rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from advisor.base.dates import clear_date_form, read_dates
from advisor.base.errors import BadInput
from advisor.base.safetext import plain
from advisor.base.textnumbers import numbers_in
from trainers.common.metrics import Floats, Integers
from trainers.common.policy import policy

_DAY = 86_400.0
_PARTS = ("year", "month", "day", "hour", "minute")
_NAMED = {"month": (28, 31), "quarter": (89, 92), "year": (365, 366)}
_MONTHS = {"month": 1, "quarter": 3, "year": 12}


@dataclass(frozen=True)
class Clock:
    """How times become step numbers. `step` is `month`, `quarter`, `year`, seconds as text, or `row` without dates.

    `start` is the first moment in seconds since 1970, or the first number; `unit` the step in numbers when `step` is
    `row` and a column counts. `form` is the order of day and month that the dates follow, as learnt in training.
    """

    columns: tuple[str, ...]
    step: str
    start: float
    unit: float = 0.0
    form: str = ""

    @property
    def dated(self) -> bool:
        return self.step != "row"

    def told(self) -> dict[str, str | float]:
        """All but the columns, as plain data."""
        return {"step": self.step, "start": self.start, "unit": self.unit, "form": self.form}

    def moment(self, number: Integers) -> pd.DatetimeIndex:
        """The moments of step numbers; only for a clock with dates."""
        start = pd.Timestamp(self.start, unit="s")
        if self.step in _MONTHS:
            return pd.DatetimeIndex([start + pd.DateOffset(months=int(at) * _MONTHS[self.step]) for at in number])
        return pd.DatetimeIndex(pd.to_datetime(self.start + number * float(self.step), unit="s"))


def moments_of(frame: pd.DataFrame, columns: tuple[str, ...], form: str) -> pd.Series[Any]:
    """Seconds since 1970 or plain numbers, one a row; not-a-number where a cell does not say when."""
    if len(columns) > 1:
        parts = {name.lower(): frame[name] for name in columns}
        moments = pd.to_datetime(pd.DataFrame(parts), errors="coerce")
    else:
        column = frame[columns[0]]
        numbers = numbers_in(column)
        if numbers is not None:
            return numbers.astype("float64")
        moments = read_dates(column, form).dt.tz_localize(None)
    seconds = (moments - pd.Timestamp("1970-01-01")) / pd.Timedelta(seconds=1)
    return seconds.astype("float64")


def is_dated(frame: pd.DataFrame, columns: tuple[str, ...]) -> bool:
    """Whether the columns hold dates rather than numbers that count."""
    return len(columns) > 1 or numbers_in(frame[columns[0]]) is None


def date_parts_in(names: list[str]) -> tuple[str, ...]:
    """The columns year, month, day (hour, minute) when they are all there, in that order."""
    by_name = {name.lower(): name for name in names}
    found = [by_name[part] for part in _PARTS if part in by_name]
    return tuple(found) if {"year", "month", "day"} <= {name.lower() for name in found} else ()


def learn_clock(frame: pd.DataFrame, columns: tuple[str, ...], series: pd.Series[Any] | None) -> Clock:
    """The step between rows of one series. Raises `BadInput` when the times do not follow one another regularly."""
    if not columns:
        return Clock((), "row", 0.0, 1.0)
    form = clear_date_form(frame[columns[0]], plain(columns[0], 60)) if len(columns) == 1 else ""
    moments = _known_moments(frame, columns, form)
    ordered = moments.to_frame("at").assign(series="" if series is None else series).sort_values(["series", "at"])
    gaps = ordered.groupby("series", sort=False)["at"].diff().dropna()
    gaps = gaps[gaps > 0]
    if not len(gaps):
        raise BadInput(
            f"All rows of {plain(columns[0], 60)} are of one moment.",
            where=plain(columns[0], 60),
            fix="Name the column that tells when: train-or-not plan CASE --setting time=COLUMN",
            code="no-time",
        )
    first = float(moments.min())
    if not is_dated(frame, columns):
        return Clock(columns, "row", first, _unit(np.unique(moments), float(gaps.median())))
    days = gaps.median() / _DAY
    for name, (low, high) in _NAMED.items():
        if low <= days <= high:
            return Clock(columns, name, first, form=form)
    return Clock(columns, f"{_seconds(gaps):g}", first, form=form)


def _seconds(gaps: pd.Series[Any]) -> float:
    """The commonest gap; where no gap is common, as with times a few seconds off, the usual step nearest to them."""
    rules, often = policy("forecasting"), float(gaps.mode().iloc[0])
    if float((gaps == often).mean()) >= rules["jitter"]["common"]:
        return often
    middle = float(gaps.median())
    usual = [float(line["seconds"]) for line in rules["seasons"] if not str(line["seconds"]).isalpha()]
    nearest = min(usual, key=lambda seconds: abs(middle / seconds - 1))
    return nearest if abs(middle / nearest - 1) <= rules["jitter"]["off"] else often


def _known_moments(frame: pd.DataFrame, columns: tuple[str, ...], form: str) -> pd.Series[Any]:
    moments = moments_of(frame, columns, form)
    unknown = int(moments.isna().sum())
    if unknown:
        example = frame[columns[0]][moments.isna()].iloc[0]
        order = f"; the others write the {form}" if form else ""
        raise BadInput(
            f"{unknown:,} rows of {plain(columns[0], 60)} do not say when: for example {plain(example, 40)!r}{order}.",
            where=plain(columns[0], 60),
            why="A forecast needs to know which value came after which.",
            fix="Mend these cells, or leave those rows out of the file.",
            code="no-time",
        )
    return moments


def steps_of(frame: pd.DataFrame, clock: Clock) -> Integers:
    """The step number of each row, 0 the first of the training data."""
    if not clock.columns:
        return np.arange(len(frame), dtype=np.int64)
    moments = _known_moments(frame, clock.columns, clock.form).to_numpy(dtype=np.float64)
    if clock.step in _MONTHS:
        dates = pd.DatetimeIndex(pd.to_datetime(moments, unit="s"))
        start = pd.Timestamp(clock.start, unit="s")
        months = (dates.year - start.year) * 12 + dates.month - start.month
        return np.asarray(months // _MONTHS[clock.step], dtype=np.int64)
    unit = clock.unit if clock.step == "row" else float(clock.step)
    return np.asarray(np.round((moments - clock.start) / unit), dtype=np.int64)


def _unit(moments: Floats, median: float) -> float:
    """The step of numbers that grow. Where they grow evenly it is their mean: 1949, 1949.08, 1949.17 are months."""
    gaps = np.diff(moments)
    even = bool((np.abs(gaps / median - 1) < 0.5).all())
    return float((moments[-1] - moments[0]) / (len(moments) - 1)) if even else median
