"""A run folder is whole or resumable, never half; a case is trained by one process at a time."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from advisor.base.errors import BadInput, EnvironmentMissing
from trainers.common.lock import locked
from trainers.common.runfolder import complete, drop_unstarted, is_complete, keep, start_run, verify, work_file

HOLD = """
import sys, time
from pathlib import Path
from trainers.common.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""
RACE = """
import sys, time
from pathlib import Path
from advisor.base.errors import BadInput, EnvironmentMissing
from trainers.common.lock import locked
from trainers.common.runfolder import start_run
runs = Path(sys.argv[1])
while time.time() < float(sys.argv[2]): pass
for _ in range(20):
    try:
        with locked(runs):
            inside = runs / "inside"
            inside.touch(exist_ok=False)
            time.sleep(0.001)
            inside.unlink()
            print("in")
    except BadInput:
        print("told")
"""


def finished(runs: Path, key: str = "k") -> Path:
    run, _ = start_run(runs, "classical", key, again=True)
    keep(run, "model.json", "{}")
    work_file(run, "piece.npz").parent.mkdir()
    work_file(run, "piece.npz").write_bytes(b"half")
    complete(run)
    return run


def test_work_that_a_kill_left_behind_its_marker_is_swept_and_costs_nothing(tmp_path: Path) -> None:
    run = finished(tmp_path)
    marker = (run / "COMPLETE").read_bytes()
    work_file(run, "piece.npz").parent.mkdir()
    work_file(run, "piece.npz").write_bytes(b"half")
    assert start_run(tmp_path, "classical", "k") == (run, "complete")
    assert not (run / "work").exists()
    assert (run / "COMPLETE").read_bytes() == marker
    verify(run)


def test_a_marker_that_cannot_be_written_keeps_the_work(tmp_path: Path) -> None:
    run, _ = start_run(tmp_path, "classical", "k")
    work_file(run, "piece.npz").parent.mkdir()
    work_file(run, "piece.npz").write_bytes(b"an hour of training")
    (run / "COMPLETE").mkdir()  # what no write can replace
    with pytest.raises(EnvironmentMissing):
        complete(run)
    assert work_file(run, "piece.npz").read_bytes() == b"an hour of training"


def test_the_marker_is_written_last_and_lists_every_file(tmp_path: Path) -> None:
    run = finished(tmp_path)
    listed = json.loads((run / "COMPLETE").read_text(encoding="utf-8"))["files"]
    assert [entry["name"] for entry in listed] == ["key.json", "model.json"]
    assert not (run / "work").exists()
    verify(run)


@pytest.mark.parametrize("damage", ["flip", "cut", "gone", "marker"])
def test_a_damaged_run_never_answers(tmp_path: Path, damage: str) -> None:
    run = finished(tmp_path)
    if damage == "flip":
        (run / "model.json").write_text("[]", encoding="utf-8")
    elif damage == "cut":
        (run / "model.json").write_text("", encoding="utf-8")
    elif damage == "gone":
        (run / "model.json").unlink()
    else:
        (run / "COMPLETE").write_text("{", encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        verify(run)
    assert caught.value.code == "damaged-run"
    assert "--again" in caught.value.fix


def test_what_a_kill_left_half_written_is_swept_at_the_end_be_it_a_file_or_a_folder(tmp_path: Path) -> None:
    run, _ = start_run(tmp_path, "classical", "k")
    keep(run, "model.json", "{}")
    (run / ".model.json.77.part").write_text("{")
    half = work_file(run, "checkpoints/.step-000005.77.part")  # several files make one checkpoint
    half.mkdir(parents=True)
    (half / "state.json").write_text("{}")
    (run / ".adapter.77.part").mkdir()
    assert sorted(complete(run)) == ["key.json", "model.json"]
    assert sorted(path.name for path in run.iterdir()) == ["COMPLETE", "key.json", "model.json"]


def test_a_marker_cannot_point_outside_the_run(tmp_path: Path) -> None:
    run = finished(tmp_path)
    marker = {"files": [{"name": "../../etc/passwd", "bytes": 1, "sha256": "x"}]}
    (run / "COMPLETE").write_text(json.dumps(marker), encoding="utf-8")
    with pytest.raises(BadInput, match="leads outside"):
        verify(run)


def test_a_run_cut_short_is_taken_up_and_a_finished_one_is_kept(tmp_path: Path) -> None:
    run, state = start_run(tmp_path, "classical", "plan one")
    assert (run.name, state) == ("classical-1", "new")
    assert start_run(tmp_path, "classical", "plan one") == (run, "resumed")
    other, state = start_run(tmp_path, "classical", "plan two")
    assert (other.name, state) == ("classical-2", "new")
    complete(run)
    assert start_run(tmp_path, "classical", "plan one") == (run, "complete")
    again, state = start_run(tmp_path, "classical", "plan one", again=True)
    assert (again.name, state) == ("classical-3", "new")
    with pytest.raises(BadInput, match="cut short"):
        verify(other)
    assert is_complete(run)


def test_the_second_training_is_told_who_holds_the_case(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(BadInput) as caught, locked(tmp_path):
            pass
        assert str(holder.pid) in caught.value.what
        assert socket.gethostname() in caught.value.what
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        with locked(tmp_path):
            assert json.loads((tmp_path / "lock").read_text(encoding="utf-8"))["pid"] == os.getpid()
    assert not (tmp_path / "lock").exists()


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only /proc tells the ended from the living")
def test_a_killed_holder_that_nobody_reaps_does_not_hold(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        holder.send_signal(signal.SIGKILL)
        os.waitid(os.P_PID, holder.pid, os.WEXITED | os.WNOWAIT)  # ended, and left as a zombie
        with locked(tmp_path):
            pass


def test_a_number_given_to_another_process_since_does_not_hold(tmp_path: Path) -> None:
    stale = {"pid": os.getpid(), "host": socket.gethostname(), "born": "1", "since": "long ago"}
    (tmp_path / "lock").write_text(json.dumps(stale), encoding="utf-8")
    with locked(tmp_path):
        pass


def test_a_holder_on_another_machine_is_believed(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text(json.dumps({"pid": 1, "host": "elsewhere", "since": "noon"}), encoding="utf-8")
    with pytest.raises(BadInput, match="elsewhere since noon"), locked(tmp_path):
        pass


def test_many_processes_at_once_never_meet_inside(tmp_path: Path) -> None:
    import time

    (tmp_path / "lock").write_text(json.dumps({"pid": 999_999_999, "host": socket.gethostname()}), encoding="utf-8")
    start = str(time.time() + 2.0)
    racers = [
        subprocess.Popen([sys.executable, "-c", RACE, str(tmp_path), start], stdout=subprocess.PIPE, text=True)
        for _ in range(8)
    ]
    said = [racer.communicate()[0] for racer in racers]
    assert [racer.returncode for racer in racers] == [0] * 8
    assert sum(text.count("in\n") for text in said) >= 1
    assert not (tmp_path / "inside").exists()
    assert not (tmp_path / "lock").exists()


def test_a_folder_that_a_kill_left_before_its_key_is_forgotten_and_its_number_used(tmp_path: Path) -> None:
    for number, left in ((1, ()), (2, (".key.json.x.part",))):
        (tmp_path / f"classical-{number}").mkdir()
        for name in left:
            (tmp_path / f"classical-{number}" / name).write_text("{")
    (tmp_path / "classical-3").mkdir()
    (tmp_path / "classical-3" / "key.json").write_text("{}")
    drop_unstarted(tmp_path)
    assert [run.name for run in tmp_path.iterdir()] == ["classical-3"]
