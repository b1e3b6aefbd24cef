"""Several processes train one run: the same steps as one takes, but for rounding, and by a launcher that is known."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from safetensors.torch import load_file

from advisor.base.errors import BadInput, EnvironmentMissing
from advisor.records.plan import Gate
from tests.lora.conftest import Quiet
from tests.lora.test_trainer import make_case, plan_for
from trainers.lora.launching import VARIABLE, launch_command, launched_by, train_launched
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
    import sys

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
        assert told.steps[0][1] == 10
        weights.append(load_file(run / "adapter" / "adapter_model.safetensors"))
    monkeypatch.delenv(VARIABLE, raising=False)
    alone = weights[0]
    for together in weights[1:]:
        assert alone.keys() == together.keys()
        for name, weight in alone.items():
            assert float((weight - together[name]).norm()) <= 1e-4 * float(weight.norm()), name
