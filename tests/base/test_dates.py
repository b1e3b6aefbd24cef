"""A column of dates follows one order of day and month; one that may follow either is not guessed at."""

from __future__ import annotations

import pandas as pd
import pytest

from advisor.base.dates import UNCLEAR, clear_date_form, date_form, read_dates
from advisor.base.errors import BadInput

DAYS = pd.date_range("2023-01-01", periods=365, freq="D")


@pytest.mark.parametrize(
    ("written", "form"),
    [
        ("%d.%m.%Y", "day first"),
        ("%d/%m/%Y", "day first"),
        ("%d-%m-%Y", "day first"),
        ("%d/%m/%y", "day first"),
        ("%d.%m.%Y %H:%M:%S", "day first"),
        ("%m/%d/%Y", "month first"),
        ("%m/%d/%Y %I:%M:%S %p", "month first"),
        ("%Y-%m-%d", ""),
        ("%Y/%m/%d %H:%M", ""),
        ("%d %b %Y", ""),
        ("%b %d, %Y", ""),
    ],
)
def test_every_day_of_a_year_is_read_as_it_was_written(written: str, form: str) -> None:
    column = pd.Series(DAYS.strftime(written), dtype=object)
    column[7] = None
    assert date_form(column) == form
    read = read_dates(column, form).dt.tz_localize(None)
    assert (read.drop(7) == DAYS.to_series(index=column.index).drop(7)).all()
    assert pd.isna(read[7])


def test_a_column_that_may_be_read_both_ways_is_refused_with_the_cure() -> None:
    firsts = pd.Series([f"01/{month:02d}/2024" for month in range(1, 13)], name="month")
    assert date_form(firsts) == UNCLEAR
    with pytest.raises(BadInput, match="'01/01/2024'") as told:
        clear_date_form(firsts, "plan.yaml: split.column")
    assert "2024-01-31" in told.value.fix
    assert date_form(pd.Series(DAYS.strftime("%y-%m-%d"))) == UNCLEAR
    assert date_form(pd.Series(["25/01/2024", "01/25/2024"] * 10)) == UNCLEAR
    # With dots the day comes first wherever dots are written.
    assert date_form(firsts.str.replace("/", ".")) == "day first"


def test_a_cell_that_does_not_follow_its_column_is_missing_and_never_turned_round() -> None:
    assert read_dates(pd.Series(["25/01/2024", "01/25/2024", "30/02/2024", "soon"]), "day first").notna().tolist() == [
        True,
        False,
        False,
        False,
    ]
    assert read_dates(pd.Series(["2024-01-25", "03/02/2024"]), "").notna().tolist() == [True, False]
