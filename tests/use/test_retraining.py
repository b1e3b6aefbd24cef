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
from training_plans import Silent, plan_for, run_folder, written

from advisor.base.case import Case
from advisor.base.errors import BadInput, GateNotPassed
from advisor.base.strictyaml import dump
from advisor.base.tables import read_table
from advisor.cli.chain import latest_run
from advisor.cli.main import dispatch
from advisor.cli.output import Output
from advisor.cli.retrain import grown_plan
from advisor.cli.run_folder import run_folder as run_of
from advisor.records.look import SplitProposal
from advisor.records.plain import load, to_plain
from advisor.records.plan import Plan
from advisor.records.run import RunRecord
from tests.use.conftest import LIGHT, table
from trainers.common.rows import load_rows
from trainers.common.runfolder import complete
from trainers.common.sealed import freeze, sealed_before
from trainers.common.splits import Split, split_rows
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
    again = ["train", str(case), "--on", str(tmp_path / "new.csv"), "--json", "--quiet"]
    assert dispatch(again) == 0, "the same rows are not added twice: the same comparison is told again"
    assert json.loads(capsys.readouterr().out)["comparison"] == told["comparison"]
    assert not (case / "runs" / "classical-3").exists()
    # A kill right before the comparison was written down: the new run is whole, and nobody knows yet if it is better.
    ledger = (case / "ledger.jsonl").read_text().splitlines(keepends=True)
    (case / "ledger.jsonl").write_text("".join(line for line in ledger if '"held_against_old"' not in line))
    assert run_of(str(case)).name == "classical-1"
    used = latest_run(Case(case))
    assert used is not None and used.run == "classical-1", "a report does not rest on it either"
    assert dispatch(again) == 0
    assert json.loads(capsys.readouterr().out)["against"] == "classical-1"
    assert run_of(str(case)).name == "classical-2"
    assert not (case / "runs" / "classical-3").exists()
    assert len(list(case.glob("grown-*.csv"))) == 1


def test_joined_rows_stand_as_they_were_written(tmp_path: Path) -> None:
    """A code of digits beside one with a letter is a text, also when a new file holds codes of digits alone."""
    case = tmp_path / "case"
    codes = [["007", "A12"][at % 2] for at in range(60)]
    old = pd.DataFrame({"code": codes, "x": range(60), "late": ["yes", "no", "no"] * 20})
    plan = replace(plan_for(written(old, case), "late", "binary", "accuracy", settings=LIGHT), data="data.csv")
    new = "code;x;late\n" + "007;1,5;yes\n" * 9
    (tmp_path / "new.csv").write_text(new)
    joined = read_table(case / grow(plan, case, tmp_path / "new.csv", {}, np.zeros(0, dtype=np.int64)).plan.data).frame
    assert joined["code"].tolist() == [*codes, *["007"] * 9]
    assert joined["x"].tolist() == [*range(60), *[1.5] * 9]


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


@pytest.mark.parametrize("new_groups", [0, 3, 50])
def test_of_groups_those_are_sealed_that_the_old_run_learned_nothing_from(new_groups: int, tmp_path: Path) -> None:
    """Rows of one group never part, so a single sealed row of a known one would seal all that the old run knows."""
    case = tmp_path / "case"
    draw = np.random.default_rng(0)

    def visits(rows: int, first: int, last: int) -> pd.DataFrame:
        frame = pd.DataFrame({"who": [f"p{one}" for one in draw.integers(first, last, rows)]})
        frame["x"] = draw.normal(size=rows)
        return frame.assign(ill=np.where(frame["x"] > 0, "yes", "no"))

    data = written(visits(500, 0, 50), case)
    split = SplitProposal("group", column="who")
    plan = replace(plan_for(data, "ill", "binary", "accuracy", split=split), data="data.csv")
    old = parted(plan, case)
    freeze(plan, case, old)
    new = pd.concat([visits(250, 0, 50), visits(250, 50 if new_groups else 0, 50 + new_groups)])
    grown_to = grow(plan, case, written(new, tmp_path, "new.csv"), {}, old.test).plan
    both = parted(grown_to, case)
    assert set(old.test) <= set(both.test), "what was sealed stays sealed"
    assert not set(old.train) & set(both.test), "and no row that the old run learned from"
    who = pd.read_csv(case / grown_to.data)["who"]
    unseen = {name for name in who[both.test] if int(name[1:]) >= 50}
    assert {0: len(unseen) == 0, 3: len(unseen) == 1, 50: 5 <= len(unseen) <= 15}[new_groups]
    assert not set(who[both.train]) & set(who[both.test])


def parted(plan: Plan, case: Path) -> Split:
    rows = load_rows(plan, case)
    whole = rows.features.assign(**{"split by": rows.split_by})
    before = sealed_before(plan, case)
    return split_rows(
        rows.features, rows.target.values, plan.split, rows.split_by, 0, whole_rows=whole, sealed_before=before
    )


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
    used = latest_run(Case(tmp_path / "case"))
    assert used is not None and used.run == "classical-1", "and so do its decision and its report"


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


@pytest.mark.parametrize("near", ["numbers", "texts"])
def test_a_new_row_between_a_sealed_and_a_learned_one_is_left_out_and_takes_nothing_away(
    near: str, tmp_path: Path
) -> None:
    """It used to seal both: rows that the old run knows would have been asked of it, and fewer been left to learn."""
    case = tmp_path / "case"
    draw = np.random.default_rng(3)
    if near == "numbers":
        frame = pd.DataFrame(draw.normal(size=(200, 3)), columns=list("abc"))
        frame.loc[1] = frame.loc[0] + 0.015
        halfway = frame.loc[[0]] + 0.0075
        beside = frame.loc[[0]] - 0.0075
        proposal = SplitProposal("random", near=("a", "b", "c"), distance=0.01)
    else:
        words = np.array([f"{one}{other}ing" for one in "abcdefghij" for other in "klmnopqrst"])
        frame = pd.DataFrame({"text": [" ".join(draw.choice(words, 20, replace=False)) for _ in range(200)]})
        first = frame.loc[0, "text"].split()
        frame.loc[1, "text"] = " ".join([*first[6:], *["one", "two", "three", "four", "five", "six"]])
        halfway = pd.DataFrame({"text": [" ".join([*first[3:], "one", "two", "three"])]})
        beside = pd.DataFrame({"text": [" ".join(["ten", "nine", "eight", *first[:17]])]})
        proposal = SplitProposal("random", near=("text",), similarity=0.65)
    label = draw.choice(["yes", "no"], 200)
    data = written(frame.assign(late=label), case)
    plan = replace(plan_for(data, "late", "binary", "accuracy", split=proposal), data="data.csv")
    old = Split("random", np.arange(1, 200), np.array([0]), np.arange(200), np.zeros(200, int), None, (), "")
    names = split_rows(load_rows(plan, case).features, np.zeros(200), SplitProposal("random"), None, 0).hashes
    freeze(plan, case, replace(old, hashes=names))
    new = pd.concat([halfway, beside, halfway.iloc[::-1]]).assign(late="yes")
    told = grow(plan, case, written(new, tmp_path, "new.csv"), {}, old.test)
    assert (told.between, told.added) == (2, 1), "one near the sealed row alone is sealed with it"
    rows = load_rows(told.plan, case)
    before = sealed_before(told.plan, case)
    both = split_rows(rows.features, rows.target.values, told.plan.split, None, 0, sealed_before=before)
    assert both.test.tolist() == [0, 200]
    assert len(list(case.glob("grown-*.csv"))) == 1


def test_a_case_that_grew_before_hashes_of_files_were_kept_takes_the_same_rows_once(
    small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "older"
    shutil.copytree(small, copy)
    frame = table(60, seed=62).drop(columns=["note", "day"])
    frame["late"] = (frame["z"] > 0).map({True: "yes", False: "no"})
    frame.loc[3, "late"] = None
    new = written(frame, tmp_path, "new.csv")
    plan = grow(load(copy / "runs" / "classical-1" / "run.json", RunRecord).plan, copy, new, {}, np.zeros(0, int)).plan
    shutil.copytree(copy / "runs" / "classical-1", copy / "runs" / "classical-2")
    told = json.loads((copy / "runs" / "classical-2" / "run.json").read_text())
    told |= {"run": "classical-2"}
    told["plan"] |= {"data": plan.data, "data_sha256": plan.data_sha256}
    (copy / "runs" / "classical-2" / "run.json").write_text(json.dumps(told))
    complete(copy / "runs" / "classical-2")
    case = Case(copy)
    case.remember("held_against_old", run="classical-2", old="classical-1", outcome="better", gain=0.1, low=0.05)
    out = Output()
    same, before = grown_plan(case, plan, str(new), [], out)
    assert (same.added, same.old_rows, before.name) == (0, 250, "classical-2")
    assert "none is added" in capsys.readouterr().err
    other, _ = grown_plan(case, plan, str(written(frame[::-1], tmp_path, "other.csv")), [], out)
    assert other.added == 59, "other rows, and the same in another order, are no repetition"
