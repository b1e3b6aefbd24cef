"""Folds that hold too little to learn from or to judge by end no run: what was done instead is told."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from test_refusals import refused
from training_plans import LIGHT, Silent, plan_for, run_folder, written

from advisor.records.look import SplitProposal
from advisor.records.run import RunRecord
from trainers.registry import find_trainer

BOOSTED: dict[str, object] = {
    "leave_out": [name for name in LIGHT["leave_out"] if name != "boosted trees, small"],  # type: ignore[attr-defined]  # a list
}


def trained(
    frame: pd.DataFrame, case: Path, split: SplitProposal, metric: str = "roc_auc", task: str = "binary", **more: object
) -> RunRecord:
    plan = plan_for(written(frame, case), "label", task, metric, split=split, settings={**LIGHT, **more})
    record = find_trainer("classical").train(plan, case, run_folder(case), Silent())
    json.loads((case / "runs" / "classical-1" / "run.json").read_text(encoding="utf-8"))
    return record


def in_groups(positive: int, groups: int = 60) -> pd.DataFrame:
    """Ten rows a group; half of the rows of the first groups are positive, and no others."""
    draw = np.random.default_rng(0)
    rows = groups * 10
    who = np.repeat(np.arange(groups), 10)
    label = np.where((who < positive) & (np.arange(rows) % 2 == 0), "yes", "no")
    return pd.DataFrame({"x": draw.normal(size=rows) + (label == "yes"), "who": [f"g{n}" for n in who], "label": label})


def test_positives_in_a_few_groups_are_spread_over_the_folds(tmp_path: Path) -> None:
    record = trained(in_groups(7), tmp_path, SplitProposal("group", "who"), "average_precision", folds=5)
    assert not any("not defined" in note for note in record.notes)
    assert all(one.development and "mean of 5 folds" in one.development.method for one in record.candidates)


def test_a_fold_without_positives_is_left_out_of_the_mean_and_that_is_told(tmp_path: Path) -> None:
    record = trained(in_groups(4), tmp_path, SplitProposal("group", "who"), folds=5)
    assert any("ROC-AUC is not defined on" in note for note in record.notes)
    tried = [one.development for one in record.candidates if one.development]
    assert tried
    assert all("of 5 folds where it is defined" in one.method and one.low <= one.value <= one.high for one in tried)
    assert record.diagnostics["learning_curve"]


def test_positives_that_come_late_only_still_end_in_a_whole_run(tmp_path: Path) -> None:
    draw = np.random.default_rng(1)
    label = np.where((np.arange(400) > 200) & (draw.random(400) < 0.4), "yes", "no")
    frame = pd.DataFrame({"x": draw.normal(size=400) + (label == "yes"), "label": label})
    record = trained(frame, tmp_path, SplitProposal("time"), folds=5, **BOOSTED)
    assert any("hold one class only to learn from, and were left out" in note for note in record.notes)
    assert all(one.development and not one.note for one in record.candidates)


def test_a_training_part_of_one_moment_is_divided_at_random_and_that_is_told(tmp_path: Path) -> None:
    draw = np.random.default_rng(2)
    year = np.repeat([2022, 2023], [80, 20])
    x = draw.normal(size=100)
    frame = pd.DataFrame({"x": x, "year": year, "label": np.where(x + draw.normal(size=100) > 0, "yes", "no")})
    record = trained(frame, tmp_path, SplitProposal("time", "year"))
    assert record.rows["test"] == 20
    assert any("All training rows are of one moment" in note for note in record.notes)


def test_a_window_with_two_of_three_classes_does_not_end_the_trees(tmp_path: Path) -> None:
    draw = np.random.default_rng(3)
    label = np.array(["a", "b"] * 300)
    label[330::3] = "c"
    town = [f"town {n}" for n in draw.integers(0, 60, 600)]
    frame = pd.DataFrame({"x": draw.normal(size=600) + (label == "a"), "town": town, "label": label})
    record = trained(frame, tmp_path, SplitProposal("time"), "macro_f1", "multiclass", folds=3, **BOOSTED)
    assert all(one.development and not one.note for one in record.candidates)


@pytest.mark.parametrize("stated", [0, 1, 21, "abc", True, 2.5])
def test_a_number_of_folds_that_cannot_be_is_refused(tmp_path: Path, stated: object) -> None:
    plan = plan_for(written(in_groups(20), tmp_path), "label", "binary", "accuracy", settings={"folds": stated})
    problem = refused(plan, tmp_path)
    assert problem.code == "bad-folds"
    assert "from 2 to 20" in problem.fix


def test_classes_that_no_fold_holds_side_by_side_are_refused(tmp_path: Path) -> None:
    plan = plan_for(
        written(in_groups(2), tmp_path),
        "label",
        "binary",
        "roc_auc",
        split=SplitProposal("group", "who"),
        settings=LIGHT,
    )
    problem = refused(plan, tmp_path)
    assert problem.code in ("one-class-folds", "one-class-side")


def test_a_class_of_one_row_costs_neither_the_learning_curve_nor_what_drives_it(tmp_path: Path) -> None:
    draw = np.random.default_rng(4)
    label = np.where(draw.random(300) < 0.5, "a", "b")
    label[7] = "c"
    frame = pd.DataFrame({"x": draw.normal(size=300) + (label == "a"), "label": label})
    record = trained(frame, tmp_path, SplitProposal(), "accuracy", "multiclass")
    assert record.diagnostics["learning_curve"]
    assert record.diagnostics["importance"]


def test_a_learning_curve_for_which_no_time_was_left_is_told(tmp_path: Path) -> None:
    plan = plan_for(written(in_groups(30), tmp_path), "label", "binary", "roc_auc", budget=0.01, settings=LIGHT)
    record = find_trainer("classical").train(plan, tmp_path, run_folder(tmp_path), Silent())
    assert not record.diagnostics["learning_curve"]
    assert "There is no learning curve: the time was up." in record.notes


def test_sealed_numbers_that_are_all_alike_are_refused_where_the_measure_needs_them_to_differ(tmp_path: Path) -> None:
    draw = np.random.default_rng(5)
    frame = pd.DataFrame({"x": draw.normal(size=100), "label": np.where(np.arange(100) < 70, draw.random(100), 0.0)})
    plan = plan_for(written(frame, tmp_path), "label", "regression", "r2", split=SplitProposal("time"), settings=LIGHT)
    assert refused(plan, tmp_path).what == "After the split by time the sealed part holds one number only."
