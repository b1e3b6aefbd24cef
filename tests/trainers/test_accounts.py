"""A run tells what every run tells, or says why not; and says so when it took longer than it was given."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from training_plans import plan_for

from trainers.common.account import accounted, shares_of
from trainers.common.ending import overrun_note
from trainers.common.policy import policy


@pytest.mark.parametrize("kind", policy("telling")["runs"])
def test_words_and_reasons_are_of_things_that_every_run_tells(kind: str) -> None:
    rules = policy("telling")
    assert set(rules["runs"][kind].get("without", {})) <= set(rules["every_run"])
    assert set(rules["runs"][kind].get("words", {})) <= {*rules["every_run"], "loss"}
    assert all(reason.endswith(".") for reason in rules["runs"][kind].get("without", {}).values())


def test_what_was_found_needs_no_reason_and_what_kept_this_run_from_it_goes_first() -> None:
    told = accounted("groups", {"importance": [1], "calibration": []}, {"calibration": "The time was up."})
    assert "importance" not in told["without"]
    assert told["without"]["calibration"] == "The time was up."
    assert "heart" in told["without"]["train_validation_gap"]
    assert accounted("forecast", {"residuals": {}}, {"errors": "None."})["without"]["errors"] == "None."


def test_a_learning_curve_leaves_out_points_of_too_few_rows() -> None:
    assert shares_of(800, 30) == [100, 200, 400]
    assert shares_of(200, 60) == [100]
    assert shares_of(20, 30) == []


def test_a_run_that_took_longer_than_its_budget_says_what_took_the_time(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("a\n1\n")
    plan = replace(plan_for(tmp_path / "data.csv", "a", "regression", "mae"), budget_seconds=20.0)
    assert overrun_note(plan, {"choose": 15.0, "fit": 6.0}) == ""
    note = overrun_note(plan, {"choose": 31.0, "read_and_split": 2.0})
    assert note.startswith("It took 33 s of a budget of 20 s: choose alone took 31 s")
