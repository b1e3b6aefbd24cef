"""Trainings killed at random moments go on and end as if nothing had been: the same bytes on a processor."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from promises import Figure

sys.path.append(str(Path(__file__).resolve().parents[1] / "trainers"))

from training_plans import LIGHT, Silent, ledger, plan_for, run_folder, written

from advisor.records.plain import to_plain
from advisor.records.plan import Plan
from trainers.common.runfolder import verify

TESTS = Path(__file__).resolve().parents[1]
# A fork for each attempt, so that libraries load once; killed at random until `kills` is reached, then left in peace.
TRAIN = """
import os, random, signal, sys, time
sys.path[:0] = [sys.argv[1] + "/trainers", str(__import__("pathlib").Path(sys.argv[1]).parent)]
from pathlib import Path
from training_plans import Silent
from advisor.records.plain import load
from advisor.records.plan import Plan
from trainers.common.policy import policy
from trainers.registry import find_trainer
case, kills, longest = Path(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
chance = random.Random(f"{kills} {case.name}")
plan = load(case / "plan.json", Plan)
run = case / "runs" / f"{plan.trainer}-1"
trainer = find_trainer(plan.trainer)
if plan.trainer == "forecast":  # one of its libraries compiles for a minute, in every fork anew
    import trainers.forecast.candidates
    trainers.forecast.candidates.is_installed = lambda: False
if plan.trainer == "scratch":
    policy("scratch")["stop"]["rounds"], policy("scratch")["network"]["channels"] = 8, 8
if plan.trainer == "hosted":
    import openai, trainers.hosted.running
killed = tries = 0
while killed < kills and tries < 3 * kills and not (run / "COMPLETE").exists():
    tries += 1
    child = os.fork()
    if child == 0:
        trainer.train(plan, case, run, Silent())
        os._exit(0)
    time.sleep(chance.uniform(0.02, longest))
    ended, _ = os.waitpid(child, os.WNOHANG)
    if not ended:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        killed += 1
began = time.monotonic()
child = os.fork()
if child == 0:
    if not (run / "COMPLETE").exists():
        trainer.train(plan, case, run, Silent())
    os._exit(0)
print(killed, os.waitpid(child, 0)[1], time.monotonic() - began, flush=True)
"""


def a_table(rows: int) -> pd.DataFrame:
    draw = np.random.default_rng(0)
    columns = {"x": draw.normal(size=rows), "z": draw.normal(size=rows), "c": [f"c{n % 5}" for n in range(rows)]}
    frame = pd.DataFrame(columns)
    frame["label"] = np.where(frame["x"] * frame["z"] + draw.normal(size=rows) / 3 > 0, "yes", "no")
    return frame


def classical_plan(folder: Path) -> Plan:
    from trainers.classical.candidates import names

    tried = ("linear", "additive curves", "boosted trees, small")
    settings = {"folds": 4, "leave_out": [name for name in names() if name not in tried]}
    return plan_for(written(a_table(300), folder), "label", "binary", "roc_auc", settings=settings)


def forecast_plan(folder: Path) -> Plan:
    from tests.forecast.test_forecasting import forecast_plan as planned
    from tests.forecast.test_forecasting import shops

    return planned(written(shops(120), folder))


def discovery_plan(folder: Path, task: str) -> Plan:
    from tests.unsupervised.test_discovering import looking

    return looking(written(a_table(300).drop(columns="label"), folder), task)


def scratch_plan(folder: Path, task: str) -> Plan:
    from tests.scratch.test_pictures_and_signals import digits, seeing, waves

    frame, target = (digits(3), "digit") if task == "pictures" else (waves(300), "machine")
    return seeing(written(frame, folder), task, target)


def acting_plan(folder: Path) -> Plan:
    from tests.logged.test_acting import acting, world

    return acting(written(world(4_000, 0)[0], folder))


def labelling_plan(folder: Path, people: int) -> Plan:
    frame = a_table(400)
    draw = np.random.default_rng(1)
    for person in range(1, people + 1):
        frame[f"label by {person}"] = np.where(draw.random(len(frame)) < 0.1, "no", frame["label"])
    frame.loc[frame.index % 3 > 0, "label"] = None
    plan = plan_for(written(frame, folder), "label", "labels", "alpha" if people else "rows_to_label", against=())
    return replace(plan, trainer="labelling", approach="get_labels")


BACKENDS: dict[str, Callable[[Path], Plan]] = {
    "tables": classical_plan,
    "forecasts": forecast_plan,
    "groups": lambda folder: discovery_plan(folder, "groups"),
    "oddities": lambda folder: discovery_plan(folder, "oddities"),
    "pictures": lambda folder: scratch_plan(folder, "pictures"),
    "signals": lambda folder: scratch_plan(folder, "signals"),
    "logged actions": acting_plan,
    "rows to label": lambda folder: labelling_plan(folder, 0),
    "agreement of labels": lambda folder: labelling_plan(folder, 3),
}
# Their whole work is seconds: they start anew. All others go on from what was finished.
ANEW = ("signals", "logged actions", "rows to label", "agreement of labels")


@dataclass(frozen=True)
class Ended:
    """How often a training was really killed, the seconds of its last attempt, and what it left."""

    killed: int
    seconds: float
    files: dict[str, bytes]
    ledger: list[dict[str, object]]


def trained(plan: Plan, case: Path, kills: int, longest: float = 0.5) -> Ended:
    """Train in forks that are killed within `longest` seconds, until `kills` is reached; then in peace."""
    run = run_folder(case, f"{plan.trainer}-1")
    (case / "plan.json").write_text(json.dumps(to_plain(plan)), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", TRAIN, str(TESTS), str(case), str(kills), str(longest)],
        capture_output=True, text=True, check=True, timeout=900, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    killed, status, seconds = map(float, done.stdout.split())
    assert status == 0, done.stderr[-2000:]
    verify(run)
    assert not [path for path in run.rglob("*") if path.suffix == ".part" or path.name == "work"]
    # The record and the card hold the times that it took; everything else is compared.
    timed = ("run.json", "COMPLETE", "MODEL_CARD.md")
    files = {
        str(path.relative_to(run)): content_of(path)
        for path in sorted(run.rglob("*"))
        if path.is_file() and path.name not in timed
    }
    record = json.loads((run / "run.json").read_text(encoding="utf-8"))
    files["run.json"] = json.dumps(
        [record[part] for part in ("chosen", "sealed", "gate", "rows", "secondary")]
    ).encode()
    return Ended(int(killed), seconds, files, [{**event, "at": ""} for event in ledger(case)])


def content_of(path: Path) -> bytes:
    """A file's bytes; of a zip those of its members, which are named by the time and by where they lay in memory."""
    if path.suffix not in (".skops", ".npz"):
        return path.read_bytes()
    import zipfile

    with zipfile.ZipFile(path) as archive:
        return b"".join(sorted(archive.read(name) for name in archive.namelist() if name != "schema.json"))


KILLS = {
    "tables": 40, "forecasts": 15, "groups": 10, "oddities": 8, "pictures": 20, "signals": 5, "logged actions": 5,
    "rows to label": 5, "agreement of labels": 5,
}  # fmt: skip


@pytest.mark.heavy
@pytest.mark.parametrize("backend", KILLS)
def test_a_training_killed_at_random_moments_ends_the_same(backend: str, tmp_path: Path, figure: Figure) -> None:
    plan, kills = BACKENDS[backend](tmp_path / "data"), KILLS[backend]
    whole = trained(plan, tmp_path / "whole", 0)
    total = runs = 0
    while total < kills:
        runs += 1
        longest = whole.seconds if backend in ANEW else 0.5
        case = tmp_path / f"killed-{runs}"
        ended = trained(plan, case, min(10 + runs, kills - total + 5), longest)
        assert [name for name in whole.files if ended.files.get(name) != whole.files[name]] == []
        assert set(ended.files) == set(whole.files)
        assert ended.ledger == whole.ledger  # the sealed part was frozen once and opened once
        total += ended.killed
        shutil.rmtree(case)
        assert runs < 40, "it ends before it can be killed"
    how = "begun anew" if backend in ANEW else "resumed"
    figure(16, f"{backend}: {how} after SIGKILL, same bytes", f"{total} of {total}")


@pytest.mark.heavy
def test_a_hosted_job_killed_at_random_moments_is_made_and_paid_for_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, figure: Figure
) -> None:
    from tests.hosted.jobs_server import JobsServer
    from tests.hosted.test_hosted import plan_for as hosted_plan
    from tests.lora.conftest import ticket_rows

    monkeypatch.setenv("TRAIN_OR_NOT_API_KEY", "sk-not-a-real-key")
    rows = pd.DataFrame(ticket_rows(80))

    def job(case: Path, kills: int) -> tuple[Ended, JobsServer]:
        written(rows, case, "tickets.csv")
        with JobsServer(slow=0.15) as server:
            return trained(hosted_plan(case, server.url), case, kills), server

    whole, _ = job(tmp_path / "whole", 0)
    total = runs = 0
    while total < 25:
        runs += 1
        case = tmp_path / f"killed-{runs}"
        ended, server = job(case, min(8 + runs, 25 - total + 3))
        assert len(server.jobs) == 1
        assert len(server.files) == 2
        assert len(server.questions) <= 24 + ended.killed  # only what was under way at a kill is asked once more
        assert ended.files["test_answers.jsonl"] == whole.files["test_answers.jsonl"]
        assert ended.ledger == whole.ledger
        spent = json.loads((case / "runs" / "hosted-1" / "run.json").read_text())["diagnostics"]["usd"]["answers"]
        assert spent * 1e6 >= len(server.questions) * (50 * 0.4 + 10 * 1.6) - 1e-6  # no attempt is forgotten
        total += ended.killed
        assert runs < 40, "it ends before it can be killed"
    figure(16, "hosted jobs: second jobs and second uploads after SIGKILL", f"0 after {total}")


def tuned(model: Path, work: Path, seed: int) -> tuple[int, Path]:
    """How often a fine-tuning was killed before it was left in peace (never with seed 0), and its weights."""
    work.mkdir()
    jobs = [*([f"{work}:random:{seed}"] if seed else []), f"{work}:whole"]
    command = [sys.executable, str(TESTS / "lora" / "train_harness.py"), str(model), *jobs]
    said = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=600).stdout.splitlines()
    assert said[-1] == "done"
    return (int(said[0].split()[1]) if seed else 0), work / "final.safetensors"


@pytest.mark.heavy
def test_fine_tunings_killed_at_random_moments_end_the_same(tmp_path: Path, figure: Figure) -> None:
    pytest.importorskip("torch", reason="fine-tuning is in the lora extra")
    from advisor.base.files import sha256_of_file
    from tests.lora.conftest import write_tiny_model

    model = write_tiny_model(tmp_path / "tiny")
    whole = tuned(model, tmp_path / "whole", 0)[1]
    total = seed = 0
    while total < 40:
        seed += 1
        killed, weights = tuned(model, tmp_path / str(seed), seed)
        assert sha256_of_file(weights) == sha256_of_file(whole)
        total += killed
        assert seed < 20, "it ends before it can be killed"
    figure(16, "fine-tuning: resumed after SIGKILL, same weights", f"{total} of {total}")


def test_a_training_killed_once_ends_the_same(tmp_path: Path) -> None:
    """The quick form of the above: killed when the first fits are on disk."""
    from trainers.classical.trainer import ClassicalTrainer

    draw = random.Random(0)
    frame = pd.DataFrame({"x": [draw.gauss(0, 1) for _ in range(150)]})
    frame["label"] = np.where(frame["x"] > 0, "yes", "no")
    plan = plan_for(written(frame, tmp_path / "data"), "label", "binary", "roc_auc", settings=LIGHT)
    left = {}
    for name in ("whole", "killed"):
        case = tmp_path / name
        run = run_folder(case)
        if name == "killed":
            child = os.fork()
            if child == 0:
                ClassicalTrainer().train(plan, case, run, Silent())
                os._exit(0)
            until = time.monotonic() + 60
            while not list(run.glob("work/*.npz")) and time.monotonic() < until:
                time.sleep(0.002)
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        ClassicalTrainer().train(plan, case, run, Silent())
        left[name] = (run / "test_predictions.csv").read_bytes()
    assert left["whole"] == left["killed"]
