"""Every column is read as what it is, and a row alone is read as it was among thousands."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from advisor.base.errors import BadInput
from advisor.base.tables import read_table
from trainers.classical.columns import MISSING, learn_schema, prepare, unused_notes

ROWS = 120


def mixed() -> pd.DataFrame:
    generator = np.random.default_rng(0)
    prose = ["the quick dog", "a slow cat runs", "blue birds sing loud", "grey mice hide well"]
    return pd.DataFrame(
        {
            "amount": generator.normal(size=ROWS),
            "charged": [" " if n % 30 == 0 else f"{n}.5" for n in range(ROWS)],
            "plan": generator.choice(["basic", "pro", None], ROWS),
            "active": generator.random(ROWS) < 0.5,
            "since": [f"{1 + n % 28:02d}.{1 + n % 12:02d}.20{10 + n % 9}" for n in range(ROWS)],
            "story": [f"{prose[n % 4]} number {n}" for n in range(ROWS)],
            "code": [f"AB-{n:05d}" for n in range(ROWS)],
            "number": np.arange(ROWS),
            "same": ["x"] * ROWS,
            "nothing": [None] * ROWS,
        }
    )


def test_each_kind_of_column_is_told() -> None:
    schema = learn_schema(mixed())
    kinds = {column.name: column.kind for column in schema.columns}
    assert kinds == {
        "amount": "number",
        "charged": "number",
        "plan": "category",
        "active": "category",
        "since": "date",
        "story": "text",
        "code": "unused",
        "number": "unused",
        "same": "unused",
        "nothing": "unused",
    }
    assert next(column for column in schema.columns if column.name == "since").form == "%d.%m.%Y"
    notes = " ".join(unused_notes(schema))
    for name in ("code", "number", "same", "nothing"):
        assert name in notes


def test_telco_charges_are_numbers_and_the_customer_number_is_not_used(shared_data) -> None:
    schema = learn_schema(read_table(shared_data / "telco_churn" / "data.csv").frame)
    kinds = {column.name: column.kind for column in schema.columns}
    assert kinds["TotalCharges"] == "number"
    assert kinds["customerID"] == "unused"
    assert kinds["Contract"] == "category"


def test_a_row_alone_is_read_as_in_the_table_and_in_any_order() -> None:
    frame = mixed()
    schema = learn_schema(frame)
    whole = prepare(frame, schema)
    for at in (0, 30, 119):
        alone = prepare(pd.DataFrame([frame.iloc[at].to_dict()]), schema)
        pd.testing.assert_frame_equal(alone, whole.iloc[[at]].reset_index(drop=True))
    backwards = prepare(frame[frame.columns[::-1]].iloc[::-1], schema)
    pd.testing.assert_frame_equal(backwards.iloc[::-1].reset_index(drop=True), whole)


def test_cells_that_training_never_saw_become_missing_not_trouble() -> None:
    frame = mixed()
    schema = learn_schema(frame)
    odd = frame.iloc[[0]].assign(amount="much", charged=np.inf, plan=np.nan, since="soon", story=None, active=1)
    read = prepare(odd, schema)
    assert np.isnan(read["amount"][0])
    assert np.isnan(read["charged"][0])
    assert read["plan"][0] == MISSING
    assert np.isnan(read["since: day"][0])
    assert read["story"][0] == ""
    assert read["active"][0] == "1"


def test_dates_become_day_month_weekday_and_hour() -> None:
    frame = pd.DataFrame({"at": ["2024-02-29 13:30:00"] * 30 + ["2024-03-01"] * 30})
    read = prepare(frame, learn_schema(frame))
    assert read.iloc[0].tolist() == pytest.approx([19782 + 13.5 / 24, 2, 3, 13.5])


def test_a_missing_column_is_named_with_its_likely_new_name() -> None:
    frame = mixed()
    schema = learn_schema(frame)
    with pytest.raises(BadInput) as caught:
        prepare(frame.rename(columns={"amount": "Amount", "plan": "tariff"}), schema)
    assert "amount, plan" in caught.value.what
    assert "'Amount'" in caught.value.fix
    prepare(frame.drop(columns=["code", "same"]).assign(extra=1), schema)  # unused and unknown ones do not matter


def test_a_table_of_nothing_to_learn_from_is_refused() -> None:
    with pytest.raises(BadInput) as caught:
        learn_schema(pd.DataFrame({"id": [f"row-{n}" for n in range(60)], "same": [1] * 60}))
    assert caught.value.code == "no-columns"
    assert "identifier" in caught.value.why


@pytest.mark.parametrize("written_as", ["%d.%m.%Y %H:%M:%S", "%d/%m/%Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p", "%d-%m-%Y"])
def test_dates_with_seconds_and_in_either_order_are_dates_and_no_identifiers(written_as: str) -> None:
    when = pd.Series(pd.date_range("2023-01-01", periods=300, freq="31h"))
    frame = pd.DataFrame({"when": when.dt.strftime(written_as), "amount": np.arange(300) % 7})
    schema = learn_schema(frame)
    assert schema.columns[0].kind == "date"
    read = prepare(frame, schema)
    assert read["when: month"].tolist() == when.dt.month.tolist()


def test_dates_that_may_be_read_both_ways_are_not_used_and_it_is_said() -> None:
    frame = pd.DataFrame(
        {"when": [f"0{1 + n % 9}/0{1 + n % 7}/2024" for n in range(200)], "amount": np.arange(200) % 7}
    )
    schema = learn_schema(frame)
    assert schema.used() == ("amount",)
    assert "day first or month first" in unused_notes(schema)[0]
