"""Each group of a sensitive attribute is counted by itself, by the names the rulebook lists."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from trainers.classical.groups import as_table, by_group
from trainers.common.metrics import Output


def test_groups_of_sensitive_columns_are_counted_and_no_others() -> None:
    frame = pd.DataFrame(
        {
            "Sex": ["f", "m"] * 50,
            "applicant_age": np.arange(100),
            "colour": ["red", "blue"] * 50,
            "message": ["x"] * 100,
        }
    )
    truth = np.array([1.0, 0.0] * 50)
    said = np.where(frame["Sex"] == "f", 0, 0).astype(np.int64)
    output = Output(probabilities=np.column_stack([1 - said, said]).astype(float), labels=said)
    found = by_group(frame, truth, output)
    assert {one["column"] for one in found} == {"Sex", "applicant_age"}
    women = next(one for one in found if one["group"] == "f")
    assert women["rows"] == 50
    assert (women["error"], women["missed"], women["said"]) == (1.0, 1.0, 0.0)
    men = next(one for one in found if one["group"] == "m")
    assert (men["error"], men["false_alarm"], men["missed"]) == (0.0, 0.0, None)
    ages = [one for one in found if one["column"] == "applicant_age"]
    assert sum(one["rows"] for one in ages) == 100 and len(ages) == 4


def test_for_numbers_the_mean_error_of_each_group_is_told() -> None:
    frame = pd.DataFrame({"gender": ["f"] * 30 + ["m"] * 30})
    truth = np.concatenate([np.zeros(30), np.ones(30)])
    found = {one["group"]: one for one in by_group(frame, truth, Output(numbers=np.zeros(60)))}
    assert found["f"]["error"] == 0.0
    assert found["m"]["error"] == pytest.approx(1.0)


def test_the_table_for_people_holds_every_group() -> None:
    entries = [
        {"column": "Sex", "group": "f", "rows": 50, "error": 0.1, "low": 0.05, "high": 0.2}
        | {"said": 0.4, "missed": 0.25, "false_alarm": None}
    ]
    (table,) = as_table(entries)
    assert table["rows"] == [["Sex: f", "50", "10.0% (5.0% to 20.0%)", "40.0%", "25.0%", "none there"]]
    assert as_table([]) == []
