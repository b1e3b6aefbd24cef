"""Orders that a person states are kept: answers that rise with a column, and classes from the lowest to the highest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from training_plans import Silent, plan_for, run_folder, written

from advisor.base.errors import BadInput
from trainers.common.labels import read_target
from trainers.common.rows import load_rows
from trainers.registry import find_trainer

LEVELS = ["poor", "fair", "good", "excellent"]


def table(rows: int = 120) -> pd.DataFrame:
    draw = np.random.default_rng(0)
    frame = pd.DataFrame({"x": draw.normal(size=rows), "z": draw.normal(size=rows)})
    frame["y"] = frame["x"] + np.sin(6 * frame["x"]) + frame["z"]
    return frame.assign(level=np.array(LEVELS)[np.digitize(frame["y"], [-1, 0, 1])])


@pytest.mark.parametrize("metric", ["mae", "rmse"])
def test_a_number_rises_with_a_column_whatever_error_is_counted(metric: str, tmp_path: Path) -> None:
    data = written(table().drop(columns="level"), tmp_path)
    settings: dict[str, Any] = {"folds": 2, "rises_with": ["x"], "leave_out": ["boosted trees"]}
    plan = plan_for(data, "y", "regression", metric, against=("trivial",), settings=settings)
    run = run_folder(tmp_path)
    trainer = find_trainer("classical")
    trainer.train(plan, tmp_path, run, Silent())
    asked = [{"x": float(x), "z": 0.0} for x in np.linspace(-2, 2, 60)]
    said = np.array([answer["prediction"] for answer in trainer.predict(run, asked)])
    assert (np.diff(said) >= -1e-9).all()
    assert said[-1] > said[0]


def test_of_two_classes_in_a_stated_order_the_last_is_the_one_that_matters() -> None:
    column = pd.Series(["low"] * 3 + ["high"] * 7, name="level")
    assert read_target(column, "binary").classes == ("high", "low")
    assert read_target(column, "binary", order=("low", "high")).classes == ("low", "high")
    assert read_target(column, "binary", "low", order=("low", "high")).classes == ("high", "low")


@pytest.mark.parametrize(("task", "target", "order"), [("multiclass", "level", "poor"), ("regression", "y", LEVELS)])
def test_an_order_that_cannot_be_followed_is_refused(task: str, target: str, order: object, tmp_path: Path) -> None:
    data = written(table(), tmp_path)
    with pytest.raises(BadInput) as caught:
        load_rows(plan_for(data, target, task, "mae", settings={"order": order}), tmp_path)
    assert caught.value.code == "bad-order"
