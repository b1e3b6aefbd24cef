"""A column that may give the answer away is dropped, or accepted in writing, before anything is trained."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from training_plans import plan_for, written

from advisor.base.case import Case
from advisor.base.errors import BadInput, FactsMissing
from advisor.cli.accepted import accepted
from advisor.records.plan import ColumnQuestion, Plan


def suspicious(folder: Path) -> tuple[Case, Plan]:
    data = written(pd.DataFrame({"alive": ["no", "yes"], "a=b": [1, 2], "y": [0, 1]}), folder)
    asked = (ColumnQuestion("alive", "Is it known?"), ColumnQuestion("a=b", "Is it known?"))
    return Case(folder), replace(plan_for(data, "y", "binary", "roc_auc"), to_ask=asked)


def test_nothing_is_trained_while_a_suspect_stands_open(tmp_path: Path) -> None:
    case, plan = suspicious(tmp_path)
    with pytest.raises(FactsMissing) as refused:
        accepted(case, plan, ["a=b=counted at the door"], "my-case")
    assert refused.value.exit_code == 3
    assert refused.value.details["missing"] == ["alive"]
    assert "plan my-case --drop 'alive'" in refused.value.fix
    assert "--accept 'alive=" in refused.value.fix


def test_what_was_written_is_kept_in_the_plan_and_the_ledger_and_holds_next_time(tmp_path: Path) -> None:
    case, plan = suspicious(tmp_path)
    now = accepted(case, plan, ["alive=written by the purser at boarding", "a=b=counted at the door"], "my-case")
    assert now.to_ask == ()
    assert {one.name: one.reason for one in now.accepted} == {
        "alive": "written by the purser at boarding",
        "a=b": "counted at the door",
    }
    events = [json.loads(line) for line in case.ledger.read_text(encoding="utf-8").splitlines()]
    assert [event["column"] for event in events if event["event"] == "column_accepted"] == ["alive", "a=b"]
    assert accepted(case, plan, [], "my-case") == now
    other_data = replace(plan, data_sha256="0" * 64)
    with pytest.raises(FactsMissing):
        accepted(case, other_data, [], "my-case")


def test_a_reason_is_a_reason_and_a_column_one_that_was_asked_about(tmp_path: Path) -> None:
    case, plan = suspicious(tmp_path)
    with pytest.raises(BadInput, match="takes a reason"):
        accepted(case, plan, ["alive="], "my-case")
    with pytest.raises(BadInput) as refused:
        accepted(case, plan, ["alife=it is known"], "my-case")
    assert "'alive'" in refused.value.fix
