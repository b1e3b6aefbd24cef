"""A killed run resumes to the very same weights; a broken checkpoint is passed over; nothing in one can run."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from advisor.base.files import sha256_of_file
from trainers.lora.bundle import Bundle, newest_bundle, save_bundle
from trainers.lora.optimiser import Optimiser, Schedule

HARNESS = Path(__file__).with_name("train_harness.py")


def run_trainings(model: Path, *jobs: str) -> list[str]:
    """How each of the jobs ended: see the harness."""
    command = [sys.executable, str(HARNESS), str(model), *jobs]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.split("\n")[:-1]


def final_weights(work: Path) -> str:
    return sha256_of_file(work / "final.safetensors")


@pytest.fixture(scope="module")
def killed_and_not(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, list[str]]:
    """One training killed three times by SIGKILL, after different checkpoints, then let end; and one left in peace."""
    killed, whole = tmp_path_factory.mktemp("killed"), tmp_path_factory.mktemp("whole")
    jobs = [f"{killed}:{how}" for how in ("save:1", "save:6", "save:5", "whole")]
    return killed, whole, run_trainings(tiny_model, *jobs, f"{whole}:whole")


@pytest.fixture(scope="module")
def uninterrupted(killed_and_not: tuple[Path, Path, list[str]]) -> Path:
    return killed_and_not[1]


@pytest.mark.heavy
def test_kills_at_several_moments_change_nothing(killed_and_not: tuple[Path, Path, list[str]]) -> None:
    killed, whole, ends = killed_and_not
    assert ends == [f"killed {signal.SIGKILL:d}"] * 3 + ["done", "done"]
    assert final_weights(killed) == final_weights(whole)
    curves = [json.loads((work / "curve.json").read_text()) for work in (killed, whole)]
    without_time = [[{k: v for k, v in point.items() if k != "seconds"} for point in curve] for curve in curves]
    assert without_time[0] == without_time[1]


@pytest.mark.heavy
def test_kills_at_twenty_random_moments_change_nothing(tiny_model: Path, uninterrupted: Path, tmp_path: Path) -> None:
    assert run_trainings(tiny_model, f"{tmp_path}:random:20", f"{tmp_path}:whole") == ["killed 20", "done"]
    assert final_weights(tmp_path) == final_weights(uninterrupted)


def make_bundle(step: int) -> Bundle:
    weights = {"w": torch.full((3,), float(step))}
    return Bundle(weights, {"exp_avg:w": torch.zeros(3)}, torch.get_rng_state(), {"step": step})


@pytest.mark.parametrize("fault", ["truncated", "flipped", "missing", "no marker"])
def test_a_broken_newest_checkpoint_is_passed_over(fault: str, tmp_path: Path) -> None:
    save_bundle(tmp_path, make_bundle(1))
    newest = save_bundle(tmp_path, make_bundle(2))
    victim = newest / "adapter.safetensors"
    if fault == "truncated":
        victim.write_bytes(victim.read_bytes()[:-5])
    elif fault == "flipped":
        content = bytearray(victim.read_bytes())
        content[-1] ^= 1
        victim.write_bytes(bytes(content))
    elif fault == "missing":
        victim.unlink()
    else:
        (newest / "COMPLETE").unlink()
    found = newest_bundle(tmp_path)
    assert found is not None
    assert found.state["step"] == 1


def test_two_checkpoints_are_kept_and_no_scratch_is_left(tmp_path: Path) -> None:
    for step in range(1, 6):
        save_bundle(tmp_path, make_bundle(step))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["step-000004", "step-000005"]


def test_a_full_disk_leaves_the_checkpoint_before_and_says_what_to_do(tmp_path: Path) -> None:
    save_bundle(tmp_path, make_bundle(1))
    small = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (65_536, 65_536))"
    large = "save_bundle(Path(sys.argv[1]), Bundle({'w': torch.ones(99_999)}, {}, torch.get_rng_state(), {'step': 2}))"
    code = f"import sys, torch; from pathlib import Path; from trainers.lora.bundle import *; {small}; {large}"
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True)
    assert "EnvironmentMissing: No room to write adapter.safetensors: it needs 399,996 bytes." in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["step-000001"]
    found = newest_bundle(tmp_path)
    assert found is not None
    assert found.state["step"] == 1


def test_a_checkpoint_holds_no_pickle(uninterrupted: Path) -> None:
    files = [path for path in (uninterrupted / "checkpoints").rglob("*") if path.is_file()]
    assert {path.name for path in files} == {"adapter.safetensors", "optimiser.safetensors", "state.json", "COMPLETE"}
    for path in files:
        assert path.read_bytes()[:2] not in (b"\x80\x02", b"\x80\x04", b"\x80\x05", b"PK")


def test_bfloat16_adapters_learn_what_they_cannot_hold() -> None:
    """A thousand steps of 1e-4 on a weight of 1: lost in bfloat16 alone, summed up in its float32 master."""
    weight = torch.ones(1, dtype=torch.bfloat16, requires_grad=True)
    optimiser = Optimiser([("w", weight)], Schedule(1e-4, 1, 10**9), clip=1e9, weight_decay=0.0)
    for number in range(1000):
        weight.grad = torch.ones_like(weight)
        optimiser.step(number)
    assert float(optimiser.weights()["w"]) == pytest.approx(0.9, abs=1e-3)
    assert weight.dtype == torch.bfloat16
    assert float(weight.detach()) == pytest.approx(0.9, abs=4e-3)


def test_the_rate_rises_then_falls_to_nothing() -> None:
    schedule = Schedule(1.0, 2, 10)
    assert [schedule.at(step) for step in range(11)] == [0.5, 1.0, 1.0, *[1 - n / 8 for n in range(1, 9)]]


def test_the_best_weights_are_the_ones_kept(uninterrupted: Path) -> None:
    curve = json.loads((uninterrupted / "curve.json").read_text())
    best = max(curve[1:], key=lambda point: (point["exact"], -point["development_loss"]))
    assert json.loads((uninterrupted / "best.json").read_text()) == best["step"]
    assert load_file(uninterrupted / "final.safetensors").keys() == load_file(uninterrupted / "best.safetensors").keys()
