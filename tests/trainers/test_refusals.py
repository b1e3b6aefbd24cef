"""What cannot be trained is refused in one sentence with its cure, before anything is written or opened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from training_plans import LIGHT, Silent, ledger, plan_for, run_folder, written

from advisor.base.errors import BadInput
from advisor.records.look import SplitProposal
from advisor.records.plan import Gate, Plan, Setting
from trainers.common.labels import read_target
from trainers.registry import find_trainer

GENERATOR = np.random.default_rng(0)


def table(rows: int = 120) -> pd.DataFrame:
    frame = pd.DataFrame({"x": GENERATOR.normal(size=rows), "who": [f"p{n % 12}" for n in range(rows)]})
    frame["label"] = np.where(frame["x"] + GENERATOR.normal(size=rows) > 0, "yes", "no")
    return frame


def refused(plan: Plan, case: Path) -> BadInput:
    with pytest.raises(BadInput) as caught:
        find_trainer("classical").train(plan, case, run_folder(case), Silent())
    assert caught.value.fix
    assert not [event for event in ledger(case) if event["event"] == "sealed_opened"]
    return caught.value


FRAMES: list[tuple[str, Callable[[pd.DataFrame], pd.DataFrame], str, str]] = [
    ("one-class", lambda f: f.assign(label="yes"), "binary", "one class only: yes"),
    ("no-labels", lambda f: f.assign(label=None), "binary", "empty in every row"),
    ("no-labels", lambda f: f.assign(label="  "), "binary", "empty in every row"),
    ("too-few-rows", lambda f: f.head(20), "binary", "There are 20 rows"),
    ("too-few-rows", lambda f: f.assign(label=f["label"].where(f.index < 25)), "binary", "25 rows with a target"),
    ("not-binary", lambda f: f.assign(label=[f"c{n % 4}" for n in range(120)]), "binary", "holds 4 classes"),
    ("too-many-classes", lambda f: f.assign(label=[f"c{n}" for n in range(120)]), "multiclass", "120 different"),
    ("target-not-numbers", lambda f: f, "regression", "no column of numbers"),
    ("one-value", lambda f: f.assign(label=3.5), "regression", "same number in every row"),
    ("no-columns", lambda f: f[["label"]], "binary", "No column is left"),
    ("no-columns", lambda f: f.assign(x=1, who="a"), "binary", "Every row is the same"),
]


@pytest.mark.parametrize(
    ("code", "change", "task", "says"), FRAMES, ids=[f"{c}-{t}-{n}" for n, (c, _, t, _) in enumerate(FRAMES)]
)
def test_a_table_that_cannot_teach_is_refused(tmp_path: Path, code: str, change, task: str, says: str) -> None:
    data = written(change(table()), tmp_path)
    metric = "mae" if task == "regression" else "accuracy"
    problem = refused(plan_for(data, "label", task, metric), tmp_path)
    assert problem.code == code
    assert says in problem.what
    assert problem.exit_code == 2


PLANS: list[tuple[str, Callable[[Plan], Plan], str]] = [
    ("no-column", lambda p: replace(p, target="lable"), "Did you mean 'label'?"),
    ("no-column", lambda p: replace(p, split=SplitProposal("group", "whom")), "Did you mean 'who'?"),
    ("no-group", lambda p: replace(p, split=SplitProposal("group", "")), "whose row"),
    ("data-changed", lambda p: replace(p, data_sha256="0" * 64), "train-or-not look"),
    ("no-file", lambda p: replace(p, data="gone.csv"), "train-or-not look"),
    ("no-metric", lambda p: replace(p, metric=replace(p.metric, value="acuracy")), "Did you mean 'accuracy'?"),
    ("metric-task", lambda p: replace(p, metric=replace(p.metric, value="rmse")), "accuracy"),
    ("no-rung", lambda p: replace(p, gate=Gate("accuracy", ("prompt",))), "trivial, one_rule"),
    ("empty-gate", lambda p: replace(p, gate=Gate("accuracy", ())), "trivial and one_rule"),
    ("no-task", lambda p: replace(p, task="haiku"), "binary"),
    ("no-model", lambda p: replace(p, settings={"leave_out": Setting(["boosted tree"])}), "'boosted trees'"),
    ("bad-costs", lambda p: replace(p, settings={"cost_missed": Setting(5)}), "5 and 1"),
    ("no-time", lambda p: replace(p, split=SplitProposal("time", "who")), "order of the rows"),
]


@pytest.mark.parametrize(("code", "change", "cure"), PLANS, ids=[f"{c}-{n}" for n, (c, _, _) in enumerate(PLANS)])
def test_a_plan_that_does_not_fit_its_data_is_refused(tmp_path: Path, code: str, change, cure: str) -> None:
    plan = plan_for(written(table(), tmp_path), "label", "binary", "accuracy", settings=LIGHT)
    problem = refused(change(plan), tmp_path)
    assert problem.code == code
    assert cure in problem.fix


CHOICES: list[tuple[str, dict[str, object], str]] = [
    ("explainable-monotone", {"explainable": True, "rises_with": ["x"]}, "Leave out one of the two"),
    ("bad-intervals", {"intervals": 90}, "for example 0.9"),
    ("bad-order", {"order": ["no", "maybe"]}, "The column holds: no, yes"),
    ("bad-order", {"order": "no"}, "as a list"),
    ("bad-costs", {"error_costs": {"ys": {"no": 1}}}, "Did you mean 'yes'?"),
]


@pytest.mark.parametrize(("code", "settings", "cure"), CHOICES, ids=[f"{c}-{n}" for n, (c, _, _) in enumerate(CHOICES)])
def test_a_choice_that_cannot_be_followed_is_refused_when_it_is_planned_as_when_it_is_trained(
    code: str, settings: dict[str, object], cure: str, tmp_path: Path
) -> None:
    plan = plan_for(written(table(), tmp_path), "label", "binary", "accuracy", settings={**LIGHT, **settings})
    with pytest.raises(BadInput) as planned:
        find_trainer("classical").settings(plan, tmp_path)
    assert planned.value.code == code
    assert cure in planned.value.fix
    assert str(refused(plan, tmp_path)) == str(planned.value)


def test_rows_without_a_target_are_left_out_and_told(tmp_path: Path) -> None:
    frame = table()
    frame.loc[5:14, "label"] = None
    plan = plan_for(written(frame, tmp_path), "label", "binary", "accuracy", settings=LIGHT)
    record = find_trainer("classical").train(plan, tmp_path, run_folder(tmp_path), Silent())
    assert any(note.startswith("10 of 120 rows have no target") for note in record.notes)
    assert record.rows["train"] + record.rows["test"] == 110


def test_the_case_that_matters_is_the_rarer_one_unless_named() -> None:
    column = pd.Series(["a"] * 30 + ["b"] * 70, name="y")
    assert read_target(column, "binary").classes == ("b", "a")
    assert read_target(column, "binary", "b").classes == ("a", "b")
    with pytest.raises(BadInput, match="is not in column y"):
        read_target(column, "binary", "c")


def test_labels_are_the_same_words_whether_read_as_whole_numbers_or_decimals() -> None:
    whole = read_target(pd.Series([0, 1, 1, 0, 0]), "binary")
    decimal = read_target(pd.Series([0.0, 1.0, 1.0, 0.0, 0.0]), "binary")
    assert whole.classes == decimal.classes == ("0", "1")
