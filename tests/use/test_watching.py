"""New rows compared with training: quiet when nothing changed, loud when it did, nothing counted twice."""

from __future__ import annotations

import csv
import json
import math
import os
import shutil
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from advisor.base.errors import BadInput
from advisor.cli.main import dispatch
from advisor.cli.monitor import page
from advisor.records.climb import ClimbRecord
from advisor.records.facts import Fact
from advisor.records.plain import save
from tests.use.conftest import PLACES, new_rows, table
from trainers.monitor import shifts
from trainers.monitor.domain import told_apart
from trainers.monitor.findings import benjamini_hochberg
from trainers.monitor.performance import evidence_of_a_fall, stand
from trainers.monitor.watch import watch
from trainers.use.opened import OpenedRun, open_run


def test_rows_of_the_same_world_are_quiet_and_the_page_says_so(run: OpenedRun, tmp_path: Path) -> None:
    check = watch(run, new_rows(table(500, seed=11).drop(columns="late"), tmp_path))
    assert not check["alarm"], [one for one in check["findings"] if one["alarm"]]
    assert check["performance"] is None
    assert {one["channel"] for one in check["findings"]} == {"inputs", "texts", "outputs", "quality"}
    assert "No change is shown." in list(page(check))


def spoilt(change: str) -> pd.DataFrame:
    frame = table(500, seed=12).drop(columns="late")
    draw = np.random.default_rng(0)
    if change == "shift":
        frame["x"] += 0.5
    elif change == "mix":
        frame["place"] = draw.choice(PLACES, 500, p=[0.7, 0.1, 0.1, 0.1])
    elif change == "gaps":
        frame.loc[draw.random(500) < 0.3, "z"] = np.nan
    elif change == "units":
        frame.loc[:40, "z"] *= 1000
    elif change == "names":
        frame.loc[:40, "place"] = "NORTH"
    elif change == "words":
        frame["note"] = frame["note"].str.replace("parcel", "paket").str.replace("late", "spaet")
    elif change == "cells":
        frame = frame.astype({"x": object})
        frame.loc[:40, "x"] = "n/k"
    return frame


@pytest.mark.parametrize(
    ("change", "channel", "column"),
    [
        ("shift", "inputs", "x"),
        ("mix", "inputs", "place"),
        ("gaps", "quality", "z"),
        ("units", "quality", "z"),
        ("names", "quality", "place"),
        ("words", "texts", "note"),
        ("cells", "quality", "x"),
    ],
)
def test_each_kind_of_change_is_found_where_it_is(
    change: str, channel: str, column: str, run: OpenedRun, tmp_path: Path
) -> None:
    check = watch(run, new_rows(spoilt(change), tmp_path))
    assert channel in check["alarms"]
    assert column in {one["column"] for one in check["findings"] if one["alarm"] and one["channel"] == channel}
    ignored = new_rows(spoilt(change).iloc[::-1], tmp_path, "again.csv")
    if change != "shift":
        assert channel not in watch(run, ignored, ignored=[column])["alarms"]


def test_labels_that_keep_the_promise_are_quiet_and_a_fall_is_told_with_its_command(
    run: OpenedRun, mine: Path, tmp_path: Path
) -> None:
    kept = watch(run, new_rows(table(300, seed=13), tmp_path))
    assert kept["performance"]["breach"] == ""
    upside_down = table(300, seed=14)
    upside_down["late"] = upside_down["late"].map({"yes": "no", "no": "yes"})
    fallen = watch(run, new_rows(upside_down, tmp_path))
    assert fallen["performance"]["breach"] == "this file"
    assert fallen["performance"]["rows"] == 600
    assert fallen["alarms"] == ["performance"]
    assert fallen["triggers"][0]["trigger"] == "performance"
    assert str(mine) in fallen["triggers"][0]["command"]


def test_drift_without_labels_asks_for_labels_and_the_unsure_ones_do_not_count(
    run: OpenedRun, mine: Path, tmp_path: Path
) -> None:
    frame = table(900, seed=15, shift=0.6)
    check = watch(run, new_rows(frame.drop(columns="late"), tmp_path))
    assert check["triggers"][0]["trigger"] == "label more"
    asked = mine / "monitor" / "classical-1" / "to-label-1.csv"
    with asked.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {row["why"] for row in rows} == {"random", "unsure"}
    assert all(row["late"] == "" for row in rows)
    by_note = dict(zip(frame["note"], frame["late"], strict=True))
    labelled = pd.DataFrame(rows).assign(late=[by_note[row["note"]] for row in rows])
    counted = watch(run, new_rows(labelled, tmp_path, "labelled.csv"))
    assert counted["findings"] == []
    assert counted["performance"]["rows"] == sum(row["why"] == "random" for row in rows)


def test_a_file_that_grows_counts_each_row_once(run: OpenedRun, tmp_path: Path) -> None:
    frame = table(400, seed=16)
    path = new_rows(frame[:250], tmp_path)
    assert watch(run, path)["performance"]["rows"] == 250
    again = watch(run, path)
    assert again["again"]
    new_rows(frame, tmp_path)
    grown = watch(run, path)
    assert (grown["rows"], grown["rows_seen_before"], grown["performance"]["rows"]) == (150, 250, 400)
    copied = shutil.copy(path, tmp_path / "copy.csv")
    assert watch(run, Path(copied))["again"]


def test_a_later_check_leaves_alone_what_people_are_filling_in(run: OpenedRun, mine: Path, tmp_path: Path) -> None:
    first = watch(run, new_rows(table(300, seed=60, shift=0.8).drop(columns="late"), tmp_path, "monday.csv"))
    asked = mine / "monitor" / "classical-1" / "to-label-1.csv"
    assert str(asked) in first["triggers"][0]["command"]
    pd.read_csv(asked).assign(late="yes").to_csv(asked, index=False)
    labelled = asked.read_bytes()
    second = watch(run, new_rows(table(300, seed=61, shift=0.8).drop(columns="late"), tmp_path, "tuesday.csv"))
    assert str(asked.with_name("to-label-2.csv")) in second["triggers"][0]["command"]
    assert asked.read_bytes() == labelled


def test_a_trickle_of_rows_waits_until_there_are_enough_to_compare(
    run: OpenedRun, mine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = table(60, seed=62).drop(columns="late").assign(x=900.0)
    assert dispatch(["monitor", str(mine), str(new_rows(frame[:20], tmp_path)), "--page"]) == 0
    assert "they wait" in capsys.readouterr().out
    few = watch(run, tmp_path / "new.csv")
    assert (few["waiting"], few["compared"], few["again"], few["check"]) == (True, 0, False, 1)
    enough = watch(run, new_rows(frame[:40], tmp_path))
    assert (enough["compared"], enough["rows_seen_before"], enough["check"]) == (40, 0, 1)
    assert "inputs" in enough["alarms"]
    labelled = table(60, seed=63)[:10]
    assert watch(run, new_rows(labelled, tmp_path, "labelled.csv"))["performance"]["rows"] == 10, "labels count at once"


def killed_at(call: int, run: OpenedRun, path: Path) -> bool:
    child = os.fork()
    if child == 0:
        left, flush = [call], os.fsync

        def fsync(descriptor: int) -> None:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            flush(descriptor)

        os.fsync = fsync
        watch(run, path)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def test_a_kill_at_any_write_loses_no_check_and_doubles_none(run: OpenedRun, mine: Path, tmp_path: Path) -> None:
    answers = run.answer(table(60, seed=17))
    still = type(run.backend)(run.columns, run.classes, lambda frame: answers.part(0, len(frame)))
    run = OpenedRun(run.folder, run.record, still)  # a fork must not wake the threads of a fitted model
    path = new_rows(table(60, seed=17), tmp_path)
    points = 0
    while killed_at(points + 1, run, path):
        points += 1
        check = watch(run, path)
        assert check["performance"]["rows"] == 60
        events = [json.loads(line) for line in (mine / "ledger.jsonl").read_text(encoding="utf-8").splitlines()]
        assert sum(event["event"] == "monitored" for event in events) == points
        shutil.rmtree(mine / "monitor")
        frame = table(60, seed=100 + points)
        frame.to_csv(path, index=False)
        events = [event | ({"check": -points} if event["event"] == "monitored" else {}) for event in events]
        (mine / "ledger.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events), encoding="utf-8")
    assert points >= 4


def test_the_command_ends_with_4_on_an_alarm_and_names_the_next_step(
    mine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = new_rows(table(500, seed=18, shift=0.6).drop(columns="late"), tmp_path)
    assert dispatch(["monitor", str(mine), str(path)]) == 4
    said = capsys.readouterr()
    assert "ALARM x" in said.out
    assert "Next: label the rows of" in said.err
    assert dispatch(["monitor", str(mine), str(path), "--json"]) == 4
    assert json.loads(capsys.readouterr().out)["again"] is True
    (mine / "data.csv").unlink()
    shutil.rmtree(mine / "monitor")
    with pytest.raises(BadInput) as gone:
        dispatch(["monitor", str(mine), str(path)])
    assert gone.value.code == "no-reference"
    same = new_rows(table(400, seed=19), tmp_path, "then.csv")
    assert dispatch(["monitor", str(mine), str(same), "--reference", str(same), "--json"]) == 0


def test_answers_that_become_slower_are_an_alarm_and_the_same_pace_is_not(run: OpenedRun, tmp_path: Path) -> None:
    draw = np.random.default_rng(5)

    def served(seed: int, times: float) -> pd.DataFrame:
        frame = table(300, seed=seed).drop(columns="late").assign(prediction="yes")
        return frame.assign(answered_seconds=draw.lognormal(-4, 0.3, 300) * times, answered_usd=0.0)

    assert watch(run, new_rows(served(40, 1), tmp_path, "first.csv"))["alarm"] is False
    assert "service" not in watch(run, new_rows(served(41, 1), tmp_path, "second.csv"))["alarms"]
    slower = watch(run, new_rows(served(42, 2), tmp_path, "third.csv"))
    assert slower["alarms"] == ["service"]
    assert slower["triggers"][0]["trigger"] == "slower or dearer"


def test_texts_are_compared_by_meaning_where_vectors_are_given() -> None:
    draw = np.random.default_rng(6)

    def vectors(texts: Sequence[str]) -> np.ndarray:
        found = np.random.default_rng(7).normal(size=(len(texts), 16))
        found[:, :4] += np.array([0.8 if text.startswith("new") else 0.0 for text in texts])[:, None]
        return found

    how: dict[str, float] = {"permutations": 199, "folds": 5, "ridge": 1.0, "seed": 0}
    call: Callable[..., tuple[float, float]] = told_apart
    old = [f"old {draw.integers(9)}" for _ in range(120)]
    p, area = call(old, [f"new {n}" for n in range(80)], **how, vectors=vectors)
    assert p <= 0.01 and area > 0.7
    quiet = [
        call(old, [f"old {n}" for n in range(60)], **(how | {"seed": seed}), vectors=vectors)[0] for seed in range(20)
    ]
    assert np.mean(np.array(quiet) <= 0.05) <= 0.2


def test_the_page_shows_what_moved_the_right_answers_and_what_follows(
    mine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    quiet = new_rows(table(200, seed=50), tmp_path, "quiet.csv")
    assert dispatch(["monitor", str(mine), str(quiet), "--page", "--json"]) in (0, 4)
    hostile = table(300, seed=51, shift=0.8).drop(columns="late")
    hostile["place"] = "<script>alert(1)</script>"
    assert dispatch(["monitor", str(mine), str(new_rows(hostile, tmp_path)), "--page", "--json"]) == 4
    capsys.readouterr()
    page = (mine / "monitor" / "classical-1" / "page.html").read_text(encoding="utf-8")
    assert "Something has changed" in page and "<script" not in page
    assert page.count("<svg") == 3
    assert "Right answers since the start" in page and "Content-Security-Policy" in page
    assert "label more" in page.lower() or "data quality" in page.lower()


def test_prices_or_rules_that_move_the_decision_ask_to_decide_again(run: OpenedRun, tmp_path: Path) -> None:
    moved = "The decision was classical; today it is prompt."
    check = watch(run, new_rows(table(60, seed=52), tmp_path), decided_otherwise=moved)
    assert {"trigger": "decide again", "why": moved} == {k: check["triggers"][-1][k] for k in ("trigger", "why")}


def test_a_model_that_retires_and_an_old_climb_are_told(run: OpenedRun, mine: Path, tmp_path: Path) -> None:
    old = (Fact("latency_ok", "yes", "measured", as_of="2026-01-01"),)
    climb = ClimbRecord("classify", "accuracy", 0.9, "", (), "prompt", "", None, 0.1, old, retires="2026-12-31")
    save(mine / "climb.json", climb)
    check = watch(run, new_rows(table(100, seed=20), tmp_path))
    assert [trigger["trigger"] for trigger in check["triggers"]] == ["model retires", "climb again"]
    assert not check["alarm"]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
@settings(max_examples=100, deadline=None)
def test_adjusted_probabilities_are_scipys(probabilities: list[float]) -> None:
    expected = stats.false_discovery_control(probabilities)
    assert benjamini_hochberg(probabilities) == pytest.approx(list(expected))


def alarms(share: float, promised: float, files: int, draw: np.random.Generator) -> bool:
    before = (0, 0, 0)
    for _ in range(files):
        standing = stand(int(draw.binomial(50, share)), 50, before, promised, 0.05)
        before = (standing.right, standing.rows, standing.files)
        if standing.breach:
            return True
    return False


def test_right_answers_at_the_promise_raise_few_alarms_and_a_fall_is_found() -> None:
    draw = np.random.default_rng(0)
    false = sum(alarms(0.85, 0.85, 30, draw) for _ in range(80))
    assert false <= 80 * 0.05 + 2 * math.sqrt(80 * 0.05)
    assert sum(alarms(0.7, 0.85, 30, draw) for _ in range(20)) == 20
    assert evidence_of_a_fall(85, 100, 0.85) < 1


def test_what_was_never_seen_follows_its_distribution() -> None:
    draw = np.random.default_rng(1)
    p = []
    for _ in range(2_000):
        old, new = draw.normal(size=200), draw.normal(size=100)
        beyond = int(((new < old.min()) | (new > old.max())).sum())
        p.append(shifts.never_seen(beyond, 100, 200, 2))
    for level in (0.01, 0.05, 0.2):
        assert np.mean(np.array(p) <= level) <= level + 3 * math.sqrt(level / 2_000)
    assert np.mean(np.array(p) <= 0.2) > 0.05


def test_texts_of_one_source_are_told_apart_no_more_often_than_stated() -> None:
    draw = np.random.default_rng(2)
    words = np.array([f"word{n}" for n in range(80)])

    def texts(count: int, tilt: float) -> list[str]:
        weight = np.linspace(1, 1 + tilt, 80)
        return [" ".join(draw.choice(words, 8, p=weight / weight.sum())) for _ in range(count)]

    how: dict[str, float] = {"permutations": 99, "folds": 5, "ridge": 1.0, "seed": 0}
    call: Callable[..., tuple[float, float]] = told_apart
    quiet = [call(texts(80, 0), texts(60, 0), **how)[0] for _ in range(60)]
    assert np.mean(np.array(quiet) <= 0.05) <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / 60)
    p, area = call(texts(200, 0), texts(200, 4), **how)
    assert p == 0.01
    assert area > 0.6


@pytest.mark.heavy
def test_runs_without_right_answers_are_watched_and_series_are_not(tmp_path: Path) -> None:
    from tests.use import contract_runs as runs

    acted = runs.acted(tmp_path / "acting")
    (tmp_path / "new.jsonl").write_text("".join(json.dumps({**row, "reward": 0}) + "\n" for row in acted.rows))
    check = watch(open_run(acted.run), tmp_path / "new.jsonl")
    assert check["performance"] is None
    assert not check["alarm"]
    forecast = runs.foretold(tmp_path / "foretelling")
    (tmp_path / "ahead.jsonl").write_text("".join(json.dumps(row) + "\n" for row in forecast.rows))
    with pytest.raises(BadInput) as refused:
        watch(open_run(forecast.run), tmp_path / "ahead.jsonl")
    assert refused.value.code == "not-watched"


def test_a_trickle_with_a_few_labels_is_compared_as_soon_as_enough_has_gathered(
    run: OpenedRun, mine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Labels count at once, and used to use up the rows: their inputs were never looked at."""
    frame = table(60, seed=70).assign(x=900.0)
    frame.loc[frame.index % 5 > 0, "late"] = None
    first = watch(run, new_rows(frame[:12], tmp_path, "monday.csv"))
    assert (first["compared"], first["held"], first["performance"]["rows"]) == (0, 12, 3)
    assert dispatch(["monitor", str(mine), str(new_rows(frame[12:24], tmp_path, "tuesday.csv"))]) in (0, 4)
    assert "24 rows are too few to compare" in capsys.readouterr().out
    otherwise = watch(run, tmp_path / "tuesday.csv", ignored=["z"])
    assert (otherwise["held"], otherwise["compared"]) == (24, 0), "rows that are looked at once more are held once"
    third = watch(run, new_rows(frame[24:36], tmp_path, "wednesday.csv"))
    assert (third["rows"], third["gathered"], third["compared"], third["held"]) == (12, 24, 36, 0)
    assert "inputs" in third["alarms"]
    assert third["performance"]["rows"] == 8, "and no label is counted twice"
    later = watch(run, new_rows(frame[36:48].drop(columns="late"), tmp_path, "thursday.csv"))
    assert (later["gathered"], later["waiting"]) == (0, True)
