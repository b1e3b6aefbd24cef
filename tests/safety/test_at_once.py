"""Many processes at the same moment in one case: they never share a run, and a dead one holds nothing."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest
from cases import light_plan, table_case, walked
from promises import Figure

from advisor.base.errors import BadInput
from tests.command import train_or_not
from trainers.common.lock import locked


@pytest.mark.heavy
def test_sixteen_trainings_at_once_make_one_run(tmp_path: Path, figure: Figure) -> None:
    folder = table_case(tmp_path / "work")
    assert train_or_not("look", "my-case", folder=folder).code == 0
    assert train_or_not("plan", "my-case", "--approach", "classical", folder=folder).code == 0
    light_plan(folder)
    runs = folder / "my-case" / "runs"
    runs.mkdir()
    dead = {"pid": 999_999_999, "host": socket.gethostname(), "born": "1", "since": "long ago"}
    (runs / "lock").write_text(json.dumps(dead), encoding="utf-8")  # a killed training left this behind
    found = walked(folder, "at-once", "16", "train", "my-case")
    told = [said for end, said in zip(found["ends"], found["said"], strict=True) if end == 2]
    assert all("already-training" in said for said in told), told
    assert set(found["ends"]) <= {0, 2, 4}, found["said"]
    assert len(told) < 16
    made = [entry.name for entry in runs.iterdir() if entry.is_dir()]
    assert made == ["classical-1"]
    assert (runs / "classical-1" / "COMPLETE").exists()
    assert not (runs / "lock").exists()
    assert found["torn"] == []
    events = [json.loads(line)["event"] for line in (folder / "my-case" / "ledger.jsonl").read_text().splitlines()]
    assert events.count("sealed_opened") == 1
    figure(18, "collisions of 16 trainings at once", "0; the stale lock was taken")


@pytest.mark.parametrize("odd", ["a link to nothing", "a folder", "no text", "cut short"])
def test_a_lock_that_nobody_holds_is_taken_or_told(odd: str, tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    if odd == "a link to nothing":
        lock.symlink_to(tmp_path / "nothing")
    elif odd == "a folder":
        lock.mkdir()
    else:
        lock.write_bytes(b"\xff\xfe\x00" if odd == "no text" else b'{"pid": 1')
        os.utime(lock, (0, 0))
    if odd in ("a link to nothing", "a folder"):
        with pytest.raises(BadInput) as caught, locked(tmp_path):
            pass
        assert caught.value.fix.startswith("Remove it")
    else:
        with locked(tmp_path):
            assert json.loads(lock.read_text())["pid"] == os.getpid()
        assert not lock.exists()


def test_sixteen_decisions_at_once_leave_whole_files_and_whole_lines(tmp_path: Path, figure: Figure) -> None:
    folder = table_case(tmp_path / "work")
    found = walked(folder, "at-once", "16", "decide", "my-case")
    assert found["ends"] == [0] * 16, found["said"]
    assert found["torn"] == []
    assert not list((folder / "my-case").glob(".*.part"))
    for line in (folder / "my-case" / "ledger.jsonl").read_text(encoding="utf-8").splitlines():
        json.loads(line)
    figure(18, "torn files of 16 decisions at once", "0")
