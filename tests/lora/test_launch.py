"""Several processes train one run: the same steps as one takes, but for rounding, and by a launcher that is known."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from advisor.base.errors import BadInput, EnvironmentMissing
from advisor.base.strictyaml import dump
from advisor.records.plain import to_plain
from advisor.records.plan import Gate
from tests.lora.conftest import Quiet
from tests.lora.test_trainer import make_case, plan_for
from trainers.lora.accelerators import Card
from trainers.lora.accelerators import plan_for as cards_plan
from trainers.lora.base import read_shape
from trainers.lora.bundle import newest_bundle
from trainers.lora.launching import VARIABLE, launch_command, launched_by, train_launched
from trainers.lora.recipe import recipe_of
from trainers.registry import find_trainer


@pytest.mark.parametrize(
    "words", ["", "rm -rf /", "python evil.py", "accelerate config", "bash -c 'accelerate launch'"]
)
def test_only_known_launchers_are_started(words: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="is not known") as refused:
        launch_command(words, tmp_path)
    assert "--nproc_per_node" in refused.value.fix


def test_a_launcher_is_typed_and_never_read_from_a_plan(tiny_model: Path, tmp_path: Path) -> None:
    case = make_case(tmp_path / "case", tiny_model, 20)
    with pytest.raises(BadInput, match="no setting 'launch'"):
        find_trainer("lora").train(plan_for(case, launch="torchrun evil.py"), case, tmp_path / "run", Quiet())


def test_the_users_own_python_starts_the_launcher(tmp_path: Path) -> None:
    command = launch_command("accelerate launch --num_processes 2 --config_file 'my file.yaml'", tmp_path)
    assert command[:3] == [sys.executable, "-m", "accelerate.commands.accelerate_cli"]
    assert command[3:] == [
        *("launch", "--num_processes", "2", "--config_file", "my file.yaml"),
        *("-m", "trainers.lora.worker", str(tmp_path)),
    ]


def test_a_launcher_that_fails_leaves_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentMissing, match="ended with") as failed:
        train_launched("torchrun --no-such-option", tmp_path, Quiet())
    assert "launch.log" in failed.value.where


@pytest.mark.parametrize(
    "words",
    [
        "accelerate launch --num_processes 0",
        "accelerate launch --num-processes=0 --cpu",
        "torchrun --nproc_per_node -1",
        "torchrun --nnodes 0",
    ],
)
def test_a_launcher_of_no_process_is_refused_before_anything_is_read(words: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="starts no process") as refused, launched_by(words, tmp_path):
        pass
    assert "1 or more" in refused.value.fix


@pytest.mark.heavy
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_ending_the_command_ends_its_processes_and_a_later_one_goes_on(
    how: signal.Signals, tiny_model: Path, tmp_path: Path
) -> None:
    case = make_case(tmp_path / "case", tiny_model, 60)
    plan = plan_for(case, learning_rate=0.002, micro_tokens=64, epochs=12.0, evaluations=12, patience=12)
    plan = dataclasses.replace(plan, gate=Gate("json_exact", ("trivial",)))
    (case / "plan.yaml").write_text(dump(to_plain(plan)))
    launcher = (
        "accelerate launch --multi_gpu --num_processes 2 --num_machines 1 --mixed_precision no --main_process_port 0"
    )
    command = [sys.executable, "-m", "advisor", "train", str(case), "--no-input", "--launch", launcher]
    run = case / "runs" / "lora-1"

    train = psutil.Popen(command, stderr=subprocess.PIPE, text=True)
    while newest_bundle(run / "work" / "checkpoints") is None:
        assert train.poll() is None, train.stderr.read()
        time.sleep(0.1)
    started = train.children(recursive=True)
    assert sum("trainers.lora.worker" in process.cmdline()[:4] for process in started) == 2
    train.send_signal(how)
    _, alive = psutil.wait_procs(started, timeout=60)  # before the command itself is waited for: it may be a zombie
    assert not alive
    _, said = train.communicate()
    if how == signal.SIGTERM:
        assert train.returncode == 130
        assert "what was finished is kept in lora-1" in said

    again = subprocess.run(command, capture_output=True, text=True)
    assert again.returncode in (0, 4), again.stderr
    assert "Going on with lora-1" in again.stderr
    assert not (run / "work").exists()


@pytest.mark.heavy
def test_two_processes_take_the_same_steps_as_one(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = []
    # Without a card `--multi_gpu` only means several processes, which here work on processors.
    here = "accelerate launch --multi_gpu --num_processes 2 --num_machines 1 --mixed_precision no --dynamo_backend no"
    for words in ("", "torchrun --standalone --nproc_per_node 2", f"{here} --main_process_port 0"):
        case = make_case(tmp_path / f"case{len(weights)}", tiny_model, 60)
        plan = dataclasses.replace(
            plan_for(case, learning_rate=0.002, micro_tokens=64), gate=Gate("json_exact", ("trivial",))
        )
        run = case / "runs" / "lora-1"
        run.mkdir(parents=True)
        told = Quiet()
        with launched_by(words, case / "runs"):
            record = find_trainer("lora").train(plan, case, run, told)
        assert any("several processes" in note for note in record.notes) == bool(words)
        taken: Any = record.diagnostics["actual"]
        assert len(taken["processes_mb"]) == (2 if words else 0)
        assert min(taken["processes_mb"], default=200) > 150  # MiB: torch and transformers alone are more
        assert taken["peak_memory_mb"] == max(taken["processes_mb"], default=taken["peak_memory_mb"]) > 150
        assert told.steps[0][1] == 10
        weights.append(load_file(run / "adapter" / "adapter_model.safetensors"))
    monkeypatch.delenv(VARIABLE, raising=False)
    _same(weights)


def _same(weights: list[dict[str, Tensor]]) -> None:
    alone = weights[0]
    for together in weights[1:]:
        assert alone.keys() == together.keys()
        for name, weight in alone.items():
            assert float((weight - together[name]).norm()) <= 1e-4 * float(weight.norm()), name


class Watching(Quiet):
    """Progress that reads the launcher's log, and that may kill a worker after some steps, as a full memory does."""

    def __init__(self, run: Path, *, kills: bool) -> None:
        super().__init__()
        self.log, self.text, self.kills, self.killed = run / "work" / "launch.log", "", kills, False

    def step(self, done: float, total: float, note: str = "") -> None:
        super().step(done, total, note)
        if self.log.exists():
            self.text = self.log.read_text()
        if self.kills and not self.killed and total == 30 and 5 <= done < 25:
            workers = [p for p in psutil.Process().children(recursive=True) if "trainers.lora.worker" in p.cmdline()]
            os.kill(max(workers, key=lambda p: p.create_time()).pid, signal.SIGKILL)
            self.killed = True


@pytest.mark.heavy
def test_full_tuning_is_shared_out_over_the_processes_that_a_plan_for_cards_starts(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = read_shape(tiny_model)
    assert sizes is not None
    weights = []
    for kind in ("alone", "shared", "killed"):
        case = make_case(tmp_path / kind, tiny_model, 60)
        plan = plan_for(
            case, learning="full", learning_rate=0.002, micro_tokens=64, epochs=6.0, save_seconds=0.0, dtype="float32"
        )
        plan = dataclasses.replace(plan, gate=Gate("json_exact", ("trivial",)))
        made = cards_plan(Card("any", 80, bfloat16=False, count=2), recipe_of(plan.settings), sizes, 64)
        (case / "cards.json").write_text(json.dumps(made.accelerate))
        run = case / "runs" / "lora-1"
        run.mkdir(parents=True)
        words = f"accelerate launch --config_file {case}/cards.json --main_process_port 0" if kind != "alone" else ""
        told = Watching(run, kills=kind == "killed")
        with launched_by(words, case / "runs"):
            if told.kills:
                with pytest.raises(EnvironmentMissing, match="The launcher ended") as ended:
                    find_trainer("lora").train(plan, case, run, told)
                assert "goes on from the last checkpoint" in ended.value.fix
                assert told.killed
                begun = newest_bundle(run / "work" / "checkpoints")
                assert begun is not None
                assert 4 <= begun.state["step"] < 30  # a step is told, then kept
            record = find_trainer("lora").train(plan, case, run, told)
        assert record.hyperparameters["steps"] == 30
        weights.append(load_file(run / "merged" / "model.safetensors"))
        if words:
            shares = re.findall(r"Process (\d) of 2 holds ([\d,]+) of ([\d,]+) weights", told.text)
            held, whole = ([int(share[part].replace(",", "")) for share in shares] for part in (1, 2))
            assert sorted(place for place, _, _ in shares) == ["1", "2"]
            assert set(whole) == {sizes.parameters} == {sum(held)}
            assert max(held) < 0.52 * sizes.parameters
    monkeypatch.delenv(VARIABLE, raising=False)
    _same(weights)
    assert all(torch.equal(weight, weights[2][name]) for name, weight in weights[1].items())
