"""SIGKILL at twenty points of `predict`, `monitor` and `serve`: nothing that was told is lost, nothing is doubled."""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import uvicorn
from training_plans import Silent

import trainers.use.wholefile as wholefile
from tests.use.conftest import table
from trainers.monitor.watch import watch
from trainers.serving.app import application
from trainers.serving.journal import Journal
from trainers.serving.limits import limits
from trainers.serving.server import listen
from trainers.use.opened import OpenedRun
from trainers.use.wholefile import answer_file

pytestmark = pytest.mark.heavy
POINTS = 20


def killed_at(call: int, work: Callable[[], object]) -> bool:
    """Do it in a child that kills itself at its `call`-th flush to disk; whether it died."""
    child = os.fork()
    if child == 0:
        left, flush = [call], os.fsync

        def fsync(descriptor: int) -> None:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            flush(descriptor)

        os.fsync = fsync
        work()
        os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_predict_ends_with_the_same_file_wherever_it_was_killed(
    ending: str, reckoner: OpenedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wholefile, "PIECE", 60)
    source = tmp_path / "new.csv"
    frame = pd.DataFrame({"id": range(1000), "x": np.random.default_rng(0).normal(size=1000)})
    frame.assign(word=[None, "=a", "b", "c"] * 250).to_csv(source, index=False)
    answer_file(reckoner, source, tmp_path / f"whole.{ending}", Silent())
    whole = (tmp_path / f"whole.{ending}").read_bytes()
    kills = 0
    for point in range(1, POINTS + 1):
        target = tmp_path / f"killed-{point}.{ending}"
        kills += killed_at(point, lambda target=target: answer_file(reckoner, source, target, Silent()))
        kills += killed_at(2, lambda target=target: answer_file(reckoner, source, target, Silent()))
        assert not target.exists()
        answer_file(reckoner, source, target, Silent())
        assert target.read_bytes() == whole
    assert kills == 2 * POINTS
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_monitor_counts_each_row_once_wherever_it_was_killed(case: Path, tmp_path: Path) -> None:
    import shutil

    from trainers.use.opened import open_run

    mine = tmp_path / "parcels"
    shutil.copytree(case, mine)
    run = open_run(mine / "runs" / "classical-1")
    answers = run.answer(table(60, seed=17))
    still = type(run.backend)(run.columns, run.classes, lambda frame: answers.part(0, len(frame)))
    run = OpenedRun(run.folder, run.record, still)  # a fork must not wake the threads of a fitted model
    kills = files = 0
    while kills < POINTS:
        files += 1
        table(60, seed=500 + files).to_csv(tmp_path / f"{files}.csv", index=False)
        point = 1
        while killed_at(point, lambda number=files: watch(run, tmp_path / f"{number}.csv")):
            kills, point = kills + 1, point + 1
        check = watch(run, tmp_path / f"{files}.csv")
        assert check["performance"]["rows"] == 60 * files
        assert check["check"] == files
        events = [json.loads(line) for line in (mine / "ledger.jsonl").read_text(encoding="utf-8").splitlines()]
        told = [event["check"] for event in events if event["event"] == "monitored"]
        assert told == list(range(1, files + 1))
    assert kills >= POINTS


def test_serve_keeps_what_it_answered_wherever_it_was_killed(reckoner: OpenedRun, tmp_path: Path) -> None:
    """A client asks without pause; the server is killed at a random moment, twenty times, and appends to one file."""
    draw, answered, kept = random.Random(0), list[float](), tmp_path / "asked.jsonl"
    number = 0
    for _ in range(POINTS):
        address = listen("127.0.0.1", 0)
        child = os.fork()
        if child == 0:
            app = application(reckoner, limits(), journal=Journal(kept))
            uvicorn.Server(uvicorn.Config(app, log_level="critical", access_log=False)).run(sockets=[address])
            os._exit(0)
        port = address.getsockname()[1]
        address.close()
        until = time.monotonic() + 2 + draw.random()
        while True:
            if time.monotonic() > until and answered:
                os.kill(child, signal.SIGKILL)
            number += 1
            try:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
                connection.request("POST", "/predict", json.dumps({"x": number}), {"Content-Type": "application/json"})
                told = json.loads(connection.getresponse().read())
                assert told == {"prediction": 2 * number}
                answered.append(number)
            except (OSError, http.client.HTTPException, ValueError):
                if time.monotonic() > until:
                    break
                time.sleep(0.02)
            finally:
                connection.close()
        os.waitpid(child, 0)
    lines = [json.loads(line) for line in kept.read_text(encoding="utf-8").splitlines()]
    written = [line["x"] for line in lines]
    assert all(line["prediction"] == 2 * line["x"] for line in lines)
    assert len(written) == len(set(written)), "nothing is doubled"
    assert set(answered) <= set(written), "nothing that was answered is lost"
    assert len(set(written) - set(answered)) <= POINTS, "at most the one request that each kill cut off"
    assert len(answered) > POINTS
