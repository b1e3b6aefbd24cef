"""Trained again with new rows: old sealed rows stay sealed, the new run must beat the old one, the better is used."""

from __future__ import annotations

import contextlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from training_plans import Silent, plan_for, run_folder

from advisor.base.errors import BadInput, GateNotPassed
from advisor.base.strictyaml import dump
from advisor.cli.main import dispatch
from advisor.cli.run_folder import run_folder as run_of
from advisor.records.plain import to_plain
from tests.use.conftest import LIGHT, table
from trainers.common.sealed import sealed_before
from trainers.registry import find_trainer
from trainers.use.retrain import grow


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A case whose run learnt from few rows of an older world, in which `x` did not matter."""
    folder = tmp_path_factory.mktemp("retrain") / "case"
    folder.mkdir()
    frame = table(250, seed=60).drop(columns=["note", "day"])
    frame["late"] = (frame["z"] > 0).map({True: "yes", False: "no"})
    frame.to_csv(folder / "data.csv", index=False)
    plan = replace(plan_for(folder / "data.csv", "late", "binary", "accuracy", settings=LIGHT), data="data.csv")
    (folder / "plan.yaml").write_text(dump(to_plain(plan)))
    find_trainer("classical").train(plan, folder, run_folder(folder), Silent())
    return folder


def grown(case: Path, frame: pd.DataFrame, tmp_path: Path) -> tuple[int, Path]:
    copy = tmp_path / "case"
    shutil.copytree(case, copy)
    frame.to_csv(tmp_path / "new.csv", index=False)
    return dispatch(["train", str(copy), "--on", str(tmp_path / "new.csv"), "--json"]), copy


@pytest.mark.heavy
def test_a_new_world_makes_the_new_run_better_and_it_is_used(
    small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = table(900, seed=61).drop(columns=["note", "day"])
    frame["late"] = (frame["x"] > 0).map({True: "yes", False: "no"})
    frame.loc[:9, "late"] = None
    before = json.loads((small / "split.json").read_text())["sealed"]
    code, case = grown(small, frame, tmp_path)
    assert code == 0
    told = json.loads(capsys.readouterr().out)
    assert told["comparison"]["passed"] and told["against"] == "classical-1"
    assert told["parts"]["new rows"][2] > told["parts"]["new rows"][1] + 0.2
    assert 100 < told["parts"]["new rows"][0] < 260
    assert set(before) < set(json.loads((case / "split.json").read_text())["sealed"])
    assert run_of(str(case)).name == "classical-2"
    old_sealed = pd.read_csv(case / "runs" / "classical-1" / "test_predictions.csv")["row"]
    new_sealed = pd.read_csv(case / "runs" / "classical-2" / "test_predictions.csv")["row"]
    assert set(old_sealed) <= set(new_sealed), "what was sealed stays sealed"
    events = [json.loads(line) for line in (case / "ledger.jsonl").read_text().splitlines()]
    assert [event["outcome"] for event in events if event["event"] == "held_against_old"] == ["better"]
    assert dispatch(["train", str(case), "--on", str(tmp_path / "new.csv"), "--json", "--quiet"]) in (0, 4)


@pytest.mark.parametrize("damage", ["lost", "a row altered", "cut"])
def test_rows_stay_sealed_although_the_file_that_names_them_is_damaged(
    damage: str, small: Path, tmp_path: Path
) -> None:
    """Else the old run would be asked about rows that it learned from, and could not be beaten."""
    copy = tmp_path / "damaged"
    shutil.copytree(small, copy)
    split = copy / "split.json"
    told = json.loads(split.read_text())
    if damage == "lost":
        split.unlink()
    elif damage == "cut":
        split.write_text(split.read_text()[:200])
    else:
        told["sealed"] = told["sealed"][: len(told["sealed"]) // 2]
        split.write_text(json.dumps(told))
    frame = table(300, seed=66).drop(columns=["note", "day"])
    frame["late"] = (frame["x"] > 0).map({True: "yes", False: "no"})
    with contextlib.suppress(GateNotPassed):
        grown(copy, frame, tmp_path)
    case = tmp_path / "case"
    old = pd.read_csv(case / "runs" / "classical-1" / "test_predictions.csv")["row"]
    new = pd.read_csv(case / "runs" / "classical-2" / "test_predictions.csv")["row"]
    assert set(old) <= set(new)
    assert not {row for row in set(new) - set(old) if row < 250}, "and no row that the old run learned from"


def test_where_nothing_was_sealed_the_split_is_drawn_from_all_rows(small: Path, tmp_path: Path) -> None:
    """New rows alone would be no fair test of a model of old and new ones."""
    copy = tmp_path / "another target"
    shutil.copytree(small, copy)
    frame = pd.read_csv(copy / "data.csv")
    frame["far"] = frame["late"].iloc[::-1].to_numpy()
    frame.to_csv(copy / "other.csv", index=False)
    plan = replace(plan_for(copy / "other.csv", "far", "binary", "accuracy", settings=LIGHT), data="other.csv")
    grown_to = grow(plan, copy, copy / "other.csv", {}, np.zeros(0, dtype=np.int64))
    assert grown_to.added == len(frame)
    assert not sealed_before(grown_to.plan, copy)


def test_more_of_the_same_leaves_the_old_run_in_use(small: Path, tmp_path: Path) -> None:
    frame = table(60, seed=62).drop(columns=["note", "day"])
    frame["late"] = (frame["z"] > 0).map({True: "yes", False: "no"})
    with pytest.raises(GateNotPassed) as kept:
        grown(small, frame, tmp_path)
    assert kept.value.code == "not-better"
    assert run_of(str(tmp_path / "case")).name == "classical-1", "the case goes on using the run that was not beaten"
    assert (tmp_path / "case" / "runs" / "classical-2" / "COMPLETE").is_file(), "the new one is kept all the same"


def test_new_rows_without_labels_or_columns_are_refused(small: Path, tmp_path: Path) -> None:
    frame = table(20, seed=63).drop(columns=["note", "day"])
    for name, spoilt, code in (
        ("a", frame.assign(late=""), "no-labels"),
        ("b", frame.drop(columns="late"), "missing-columns"),
    ):
        (tmp_path / name).mkdir()
        with pytest.raises(BadInput) as refused:
            grown(small, spoilt, tmp_path / name)
        assert refused.value.code == code
        assert not list((tmp_path / name / "case").glob("grown-*"))
