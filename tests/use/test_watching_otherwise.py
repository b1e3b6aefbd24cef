"""A file checked again in another way, beside another reference, while it grows, or on another day."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from advisor.base.errors import BadInput
from advisor.base.tables import Table, read_table
from advisor.cli.main import dispatch
from advisor.records.climb import ClimbRecord
from advisor.records.facts import Fact
from advisor.records.plain import save
from tests.use.conftest import new_rows, table
from trainers.monitor.state import load_state
from trainers.monitor.watch import watch
from trainers.use.opened import OpenedRun


def fallen(rows: int, seed: int) -> pd.DataFrame:
    """Labelled rows whose labels are the wrong way round."""
    frame = table(rows, seed=seed)
    return frame.assign(late=frame["late"].map({"yes": "no", "no": "yes"}))


def test_a_file_checked_with_other_options_is_looked_at_again_and_its_labels_count_once(
    run: OpenedRun, mine: Path, tmp_path: Path
) -> None:
    path = new_rows(table(400, seed=21, shift=0.6), tmp_path)
    first = watch(run, path)
    assert "inputs" in first["alarms"]
    quiet = watch(run, path, ignored=["x"])
    assert not quiet["again"]
    assert "inputs" not in quiet["alarms"]
    assert quiet["performance"]["rows"] == first["performance"]["rows"] == 400
    assert watch(run, path, ignored=["x"])["again"]
    assert watch(run, path)["check"] == first["check"]
    other = watch(run, new_rows(table(100, seed=22), tmp_path, "other.csv"))
    assert (other["performance"]["rows"], other["performance"]["files"]) == (500, 2)
    state = load_state(mine / "monitor" / "classical-1")
    assert (state.labelled, state.labelled_files) == (500, 2)


def test_columns_that_are_mapped_later_count_in_place_of_what_was_read_before(run: OpenedRun, tmp_path: Path) -> None:
    frame = table(300, seed=23)
    path = new_rows(frame.rename(columns={"x": "real"}).assign(X=-frame["x"]), tmp_path)
    wrong = watch(run, path)
    assert wrong["renamed"] == {"X": "x"}
    assert wrong["performance"]["breach"] == "this file"
    mended = watch(run, path, names={"real": "x"})
    assert mended["performance"]["breach"] == ""
    assert (mended["performance"]["rows"], mended["performance"]["files"]) == (300, 1)


def test_checks_of_an_earlier_version_are_known_by_what_they_ignored(
    run: OpenedRun, mine: Path, tmp_path: Path
) -> None:
    path = new_rows(table(200, seed=24), tmp_path)
    watch(run, new_rows(table(100, seed=25), tmp_path, "before.csv"))
    watch(run, path)
    kept = mine / "monitor" / "classical-1" / "state.json"
    told = json.loads(kept.read_text(encoding="utf-8"))
    for check in told["checks"]:
        del check["asked"], check["counted"]
    kept.write_text(json.dumps(told), encoding="utf-8")
    assert watch(run, path)["again"]
    assert watch(run, path, ignored=["x"])["performance"]["rows"] == 300


def test_another_reference_counts_for_the_check_that_names_it_alone(run: OpenedRun, mine: Path, tmp_path: Path) -> None:
    kept = mine / "monitor" / "classical-1" / "reference.npz"
    quiet = new_rows(table(300, seed=26).drop(columns="late"), tmp_path)
    watch(run, quiet)
    before = kept.read_bytes()
    other = new_rows(table(400, seed=27, shift=1.0), tmp_path, "other.csv")
    assert "inputs" in watch(run, quiet, source=other)["alarms"]
    assert kept.read_bytes() == before
    assert not watch(run, new_rows(table(300, seed=28).drop(columns="late"), tmp_path, "later.csv"))["alarm"]


def test_a_reference_with_other_columns_is_fitted_or_refused_by_name(run: OpenedRun, tmp_path: Path) -> None:
    new = new_rows(table(60, seed=29).drop(columns="late"), tmp_path)
    capital = new_rows(table(100, seed=30).rename(columns={"x": "X", "z": "other"}), tmp_path, "capital.csv")
    with pytest.raises(BadInput) as lacking:
        watch(run, new, source=capital)
    assert lacking.value.code == "missing-columns"
    assert "'z'" in lacking.value.what or "z" in lacking.value.what
    assert "--reference" in lacking.value.where
    named = new_rows(table(60, seed=29).drop(columns="late").rename(columns={"z": "other"}), tmp_path, "named.csv")
    assert watch(run, named, names={"other": "z"}, source=capital)["compared"] == 60


def test_a_file_of_rows_the_model_is_unsure_of_alone_is_refused(run: OpenedRun, tmp_path: Path) -> None:
    with pytest.raises(BadInput) as refused:
        watch(run, new_rows(table(40, seed=31).assign(why="unsure"), tmp_path))
    assert refused.value.code == "no-random-rows"


def test_rows_that_come_while_the_file_is_read_are_new_at_the_next_check(
    run: OpenedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "asked.jsonl"
    lines = [json.dumps(row) + "\n" for row in table(60, seed=32).to_dict("records")]
    path.write_text("".join(lines[:40]), encoding="utf-8")
    left = [[*lines[40:45], lines[45][:20]], [lines[45][20:], *lines[46:]]]

    def read_while_it_grows(file: Path, **options: Any) -> Table:
        found = read_table(file, **options)
        if left:
            with path.open("a", encoding="utf-8") as stream:
                stream.write("".join(left.pop(0)))
        return found

    monkeypatch.setattr("trainers.monitor.watch.read_table", read_while_it_grows)
    first = watch(run, path)
    assert first["rows"] == 45
    second = watch(run, path)
    assert (second["again"], second["rows"], second["rows_seen_before"]) == (False, 15, 45)
    assert second["performance"]["rows"] == 60


def test_what_is_due_outside_ends_with_4_and_is_asked_anew_for_a_file_that_did_not_change(
    mine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = new_rows(table(100, seed=33), tmp_path)
    measured = (Fact("latency_ok", "yes", "measured", as_of="2026-11-01"),)
    climb = ClimbRecord("classify", "accuracy", 0.9, "", (), "prompt", "", None, 0.1, measured, retires="2027-03-01")
    save(mine / "climb.json", climb)
    assert dispatch(["monitor", str(mine), str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["attention"] is False
    for day, words in (
        ("2027-02-27", "is shut down on 2027-03-01, in 2 days."),
        ("2027-02-28", "is shut down on 2027-03-01, tomorrow."),
        ("2027-03-31", "was shut down on 2027-03-01."),
    ):
        monkeypatch.setenv("TRAIN_OR_NOT_TODAY", day)
        assert dispatch(["monitor", str(mine), str(path), "--json"]) == 4
        told = json.loads(capsys.readouterr().out)
        assert (told["again"], told["alarm"], told["attention"]) == (True, False, True)
        assert told["triggers"][0]["why"].endswith(words)
    monkeypatch.setenv("TRAIN_OR_NOT_TODAY", "2026-11-22")
    assert dispatch(["monitor", str(mine), str(path), "--json"]) == 0


@pytest.mark.parametrize(
    ("trainer", "command"),
    [
        ("classical", "train-or-not train {case} --on {file}"),
        ("lora", "train-or-not plan {case} && train-or-not train {case}"),
        ("rung", "train-or-not climb {case}"),
    ],
)
def test_a_fall_names_a_command_that_this_kind_of_run_can_follow(
    trainer: str, command: str, run: OpenedRun, mine: Path, tmp_path: Path
) -> None:
    path = new_rows(fallen(100, 34), tmp_path)
    watch(run, new_rows(table(40, seed=35), tmp_path, "before.csv"))  # keeps the reference
    other = replace(run, record=replace(run.record, plan=replace(run.record.plan, trainer=trainer)))
    check = watch(other, path)
    assert check["triggers"][0]["trigger"] == "performance"
    assert check["triggers"][0]["command"] == command.format(case=mine, file=path)
