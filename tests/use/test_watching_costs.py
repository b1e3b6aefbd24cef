"""Labelled rows weighed by what errors cost: quiet while they cost what was promised, loud when they cost more."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from advisor.cli.main import dispatch
from advisor.cli.monitor import page
from tests.use.conftest import LIGHT, Silent, new_rows, plan_for, run_folder, table, written
from trainers.export.card import card
from trainers.monitor.paid import Promise, bill, evidence_of_a_rise, paid_by
from trainers.monitor.watch import watch
from trainers.registry import find_trainer
from trainers.track.told import told_of
from trainers.use.opened import OpenedRun, open_run
from trainers.use.retrain import grow, judge

COSTS = {"yes": {"no": 10}, "no": {"yes": 1}}
MATRIX = np.array([[0.0, 1.0], [10.0, 0.0]])  # no, yes


def weighed(rows: int, seed: int) -> pd.DataFrame:
    frame = table(rows, seed)
    return frame.assign(
        counts=np.where(frame["late"] == "yes", 4, 1) + np.random.default_rng(seed).integers(0, 3, rows)
    )


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    made = {}
    for name, more in (("plain", {}), ("weighed", {"weight_column": "counts"})):
        folder = tmp_path_factory.mktemp("costs") / name
        data = written((weighed(600, 0) if more else table(600)).drop(columns=["note", "day"]), folder)
        plan = plan_for(data, "late", "binary", "roc_auc", settings={**LIGHT, "error_costs": COSTS, **more})
        find_trainer("classical").train(replace(plan, data="data.csv"), folder, run_folder(folder), Silent())
        made[name] = folder
    return made


@pytest.fixture
def opened(cases: dict[str, Path], tmp_path: Path) -> dict[str, OpenedRun]:
    for name, case in cases.items():
        shutil.copytree(case, tmp_path / name)
    return {name: open_run(tmp_path / name / "runs" / "classical-1") for name in cases}


def dearer(frame: pd.DataFrame, run: OpenedRun) -> pd.DataFrame:
    """The same rows, each kind of error as often as before in all, but the dear one in the place of the cheap one."""
    said = np.array(run.answer(frame.drop(columns="late")).predictions)
    truth = frame["late"].to_numpy().copy()
    alarms = np.flatnonzero((said == "yes") & (truth == "no"))
    truth[alarms] = "yes"  # these are right now
    right = np.flatnonzero((said == "no") & (truth == "no"))[: len(alarms)]
    truth[right] = "yes"  # and as many were missed
    return frame.assign(late=truth)


def test_rows_of_the_same_world_cost_what_was_promised_and_both_means_are_told(
    opened: dict[str, OpenedRun], tmp_path: Path
) -> None:
    run, frame = opened["plain"], table(300, seed=13)
    check = watch(run, new_rows(frame, tmp_path))
    found, record = check["costs"], run.record
    said = (np.array(run.answer(frame.drop(columns="late")).predictions) == "yes").astype(int)
    paid = MATRIX[(frame["late"] == "yes").astype(int), said]
    assert found["mean"] == found["file_mean"] == pytest.approx(paid.mean())
    assert found["low"] < found["mean"] < found["high"]
    assert found["sealed"] == pytest.approx(record.gate.costs[0].ours.value)
    assert found["sealed"] < found["sealed_high"] < found["promised"]
    assert (found["rows"], found["breach"], found["left_out"]) == (300, "", 0)
    assert not [one for one in check["triggers"] if one["trigger"] == "costs"]
    assert any(line.startswith("What answers cost: 300 labelled rows") for line in page(check))


def test_answers_as_often_right_that_cost_more_are_an_alarm_with_its_command(
    opened: dict[str, OpenedRun], tmp_path: Path
) -> None:
    run, frame = opened["plain"], table(400, seed=14)
    check = watch(run, new_rows(dearer(frame, run), tmp_path))
    assert check["performance"]["breach"] == ""  # as many are right as before
    assert check["costs"]["breach"] == "this file"
    assert check["costs"]["low"] > check["costs"]["promised"]
    assert "costs" in check["alarms"] and check["alarm"]
    trigger = next(one for one in check["triggers"] if one["trigger"] == "costs")
    assert "train-or-not train" in trigger["command"] and "--on" in trigger["command"]


def test_costs_add_up_over_files_and_a_file_looked_at_otherwise_counts_once(
    opened: dict[str, OpenedRun], tmp_path: Path
) -> None:
    run = opened["plain"]
    one, two = (new_rows(table(150, seed=seed), tmp_path, f"{seed}.csv") for seed in (15, 16))
    first, second = watch(run, one)["costs"], watch(run, two)["costs"]
    assert second["rows"] == 300
    assert second["mean"] == pytest.approx((first["file_mean"] + second["file_mean"]) / 2)
    again = watch(run, two, ignored=["x"])["costs"]
    assert (again["rows"], again["mean"]) == (300, pytest.approx(second["mean"]))
    assert watch(run, one, ignored=["x"])["costs"]["rows"] == 300


def test_without_right_answers_or_without_stated_costs_nothing_is_told_of_costs(
    opened: dict[str, OpenedRun], run: OpenedRun, tmp_path: Path
) -> None:
    check = watch(opened["plain"], new_rows(table(100, seed=17).drop(columns="late"), tmp_path))
    assert check["costs"] is None and check["performance"] is None
    other = watch(run, new_rows(table(100, seed=17), tmp_path, "labelled.csv"))
    assert other["costs"] is None and other["performance"]
    assert not any(line.startswith("What answers cost") for line in (*page(check), *page(other)))


def test_rows_cost_by_their_weight_where_the_file_has_one_and_it_is_said_where_it_has_not(
    opened: dict[str, OpenedRun], tmp_path: Path
) -> None:
    run, frame = opened["weighed"], weighed(300, seed=18)
    said = (np.array(run.answer(frame.drop(columns="late")).predictions) == "yes").astype(int)
    paid = MATRIX[(frame["late"] == "yes").astype(int), said]
    found = watch(run, new_rows(frame, tmp_path))["costs"]
    assert found["mean"] == pytest.approx(np.average(paid, weights=frame["counts"]), rel=0.005)
    assert abs(found["mean"] - paid.mean()) > 0.01
    assert found["sealed"] == pytest.approx(run.record.gate.costs[0].ours.value, rel=0.005)
    assert found["weighted"] and "Rows count by their weights." in found["text"]
    bare = watch(run, new_rows(frame.drop(columns="counts"), tmp_path, "bare.csv"))["costs"]
    assert bare["file_mean"] == pytest.approx(paid.mean()) and "the file has no weights" in bare["text"]
    gaps = frame.iloc[:200].astype({"counts": object})
    gaps.iloc[:20, gaps.columns.get_loc("counts")] = ""
    gaps.iloc[20:25, gaps.columns.get_loc("late")] = "perhaps"
    assert watch(run, new_rows(gaps, tmp_path, "gaps.csv"))["costs"]["left_out"] == 25


def test_the_page_and_the_json_show_what_answers_cost(
    opened: dict[str, OpenedRun], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case = opened["plain"].folder.parent.parent
    file = new_rows(dearer(table(400, seed=19), opened["plain"]), tmp_path)
    assert dispatch(["monitor", str(case), str(file), "--page", "--json"]) == 4
    told = json.loads(capsys.readouterr().out)
    assert told["costs"]["breach"] == "this file"
    html = (case / "monitor" / "classical-1" / "page.html").read_text(encoding="utf-8")
    assert "What answers cost" in html and "Cost a row since the start" in html and "breach" in html


def test_the_model_card_and_trackers_tell_cost_beside_the_metric(opened: dict[str, OpenedRun]) -> None:
    run = opened["plain"]
    paid = run.record.gate.costs[0]
    assert f"| cost | {paid.ours.value:.4g} |" in card(run) and f"| cost | {paid.theirs.value:.4g} |" in card(run)
    figures = told_of(run.folder, run.record).figures
    assert figures["sealed/cost"] == paid.ours.value and figures["sealed/low"] == run.record.sealed.low
    assert figures[f"beside/{paid.against}/saving"] == paid.gain


def test_a_new_run_is_held_against_the_old_one_by_cost_as_well(opened: dict[str, OpenedRun], tmp_path: Path) -> None:
    old = opened["plain"]
    case = old.folder.parent.parent
    grown = grow(old.record.plan, case, new_rows(table(300, seed=20), tmp_path), {}, np.array([], dtype=np.int64))
    find_trainer("classical").train(grown.plan, case, run_folder(case, "classical-2"), Silent())
    found = judge(old, open_run(case / "runs" / "classical-2"), 600)
    assert found.whole.ours.metric == "cost" and found.whole.against == "old_run"
    rows = {name: part[0] for name, part in found.parts.items()}
    parted = sum(rows[name] * found.parts[name][2] for name in rows) / sum(rows.values())
    assert parted == pytest.approx(found.whole.ours.value)


def test_costs_of_three_classes_are_billed_by_true_and_said_class() -> None:
    matrix = np.array([[0, 4, 20], [1, 0, 3], [2, 1, 0]], dtype=float)
    promise = Promise(matrix, ("ill", "unsure", "well"), 1.0, 0.8, 1.2, 1.5)
    frame = pd.DataFrame({"state": ["ill", "unsure", "well", None, "gone"]})
    made = bill(promise, frame, "state", ["well", "ill", "well", "ill", "ill"], ({}, 0), 0.01)
    assert made is not None
    assert dict(made.paid) == {(20.0, 1.0): 1, (1.0, 1.0): 1, (0.0, 1.0): 1}
    assert (made.costs.mean, made.costs.left_out) == (7.0, 1)
    assert bill(promise, frame.iloc[3:], "state", ["ill", "ill"], ({}, 0), 0.01) is None


def alarmed(mean: float, promised: float, files: int, draw: np.random.Generator, weights: tuple[float, ...]) -> bool:
    """Whether any of `files` files of 60 rows is called dearer, the dear error making up for two thirds of `mean`."""
    promise = Promise(MATRIX, ("no", "yes"), promised, promised, promised, promised, "w", 1.0, max(weights))
    before: Counter[tuple[float, float]] = Counter()
    dear, cheap = mean * 2 / 30, mean / 3
    for at in range(files):
        kind = draw.choice(3, 60, p=[1 - dear - cheap, cheap, dear])
        frame = pd.DataFrame({"late": np.where(kind == 2, "yes", "no"), "w": draw.choice(weights, 60)})
        made = bill(promise, frame, "late", np.where(kind == 1, "yes", "no"), (before, at), 0.05)
        assert made is not None
        before += Counter(made.paid)
        if made.costs.breach:
            return True
    return False


@pytest.mark.heavy
@pytest.mark.parametrize("weights", [(1.0,), (0.5, 1.0, 3.0)])
def test_costs_at_the_promise_raise_few_alarms_over_many_files_and_a_rise_is_found(weights: tuple[float, ...]) -> None:
    draw = np.random.default_rng(0)
    assert sum(alarmed(0.6, 0.6, 30, draw, weights) for _ in range(60)) <= 60 * 0.05 + 2 * np.sqrt(60 * 0.05)
    assert sum(alarmed(1.1, 0.6, 30, draw, weights) for _ in range(12)) == 12


def test_evidence_counts_rows_one_by_one_and_no_row_can_bet_more_than_it_has() -> None:
    few, more = {(10.0, 1.0): 2, (0.0, 1.0): 50}, {(10.0, 1.0): 20, (0.0, 1.0): 32}
    assert evidence_of_a_rise(few, 0.6, 1.0) < 0.5 < 10 < evidence_of_a_rise(more, 0.6, 1.0)
    assert np.isfinite(evidence_of_a_rise({(0.0, 4.0): 10_000}, 0.6, 4.0))


def test_of_one_file_only_its_latest_check_is_paid_for() -> None:
    checks = [
        {"sha256": "a", "paid": [[1.0, 1.0, 3]]},
        {"sha256": "b"},  # written by a version that did not know costs
        {"sha256": "a", "paid": [[1.0, 1.0, 2], [10.0, 1.0, 1]]},
        {"sha256": "c", "paid": [[10.0, 1.0, 4]]},
    ]
    assert paid_by(checks, "new") == ({(1.0, 1.0): 2, (10.0, 1.0): 5}, 2)
    assert paid_by(checks, "c") == ({(1.0, 1.0): 2, (10.0, 1.0): 1}, 1)
