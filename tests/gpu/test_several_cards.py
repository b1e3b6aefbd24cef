"""What several cards do together, and what is merged on one; elsewhere each test says that it was not run here.

python -m pytest tests/gpu -q -rs
"""

from __future__ import annotations

import dataclasses
import os
import re
from pathlib import Path
from typing import Any

import pytest

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
torch = pytest.importorskip("torch", reason="not run here: the extra lora is not installed")

on_one = pytest.mark.skipif(not torch.cuda.is_available(), reason="not run here: torch sees no GPU")
on_two = pytest.mark.skipif(torch.cuda.device_count() < 2, reason="not run here: torch sees fewer than two GPUs")
TWO = "torchrun --standalone --nproc_per_node 2"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.lora.conftest import write_tiny_model

    return write_tiny_model(tmp_path_factory.mktemp("models") / "tiny")


def trained(folder: Path, model: Path, launcher: str, **settings: object) -> tuple[Path, Any, str]:
    """The run, its record, and what the launcher's processes said while they trained."""
    from advisor.records.plan import Gate
    from tests.lora.test_launch import Watching
    from tests.lora.test_trainer import make_case, plan_for
    from trainers.lora.launching import launched_by
    from trainers.registry import find_trainer

    case = make_case(folder, model, 60)
    own = {"learning_rate": 0.002, "micro_tokens": 64, "dtype": "float32", **settings}
    plan = dataclasses.replace(plan_for(case, **own), gate=Gate("json_exact", ("trivial",)))
    run = case / "runs" / "lora-1"
    run.mkdir(parents=True)
    told = Watching(run, kills=False)
    with launched_by(launcher, case / "runs"):
        return run, find_trainer("lora").train(plan, case, run, told), told.text


def differ(left: Path, right: Path) -> float:
    """The largest relative difference between the weights of two files."""
    from safetensors.torch import load_file

    ours, theirs = load_file(left), load_file(right)
    assert ours.keys() == theirs.keys()
    return max(float((ours[name] - theirs[name]).norm() / ours[name].norm().clamp(min=1e-9)) for name in ours)


@on_two
def test_two_cards_take_the_steps_that_one_takes_and_each_tells_its_memory(model: Path, tmp_path: Path) -> None:
    alone, _, _ = trained(tmp_path / "alone", model, "")
    together, record, _ = trained(tmp_path / "together", model, TWO)
    file = "adapter/adapter_model.safetensors"
    assert differ(alone / file, together / file) < 1e-2  # TF32, and sums in another order
    taken = record.diagnostics["actual"]
    assert len(taken["processes_mb"]) == 2 and min(taken["processes_mb"]) > 0
    assert taken["peak_memory_mb"] == max(taken["processes_mb"])


@on_two
def test_full_fine_tuning_is_sharded_over_two_cards_and_its_merged_model_is_whole(model: Path, tmp_path: Path) -> None:
    from trainers.lora.base import read_shape

    shape = read_shape(model)
    assert shape is not None
    alone, _, _ = trained(tmp_path / "alone", model, "", learning="full")
    together, record, said = trained(tmp_path / "together", model, TWO, learning="full")
    shares = [int(held.replace(",", "")) for held in re.findall(r"Process \d of 2 holds ([\d,]+) of", said)]
    assert len(shares) == 2 and sum(shares) == shape.parameters
    assert max(shares) < 0.52 * shape.parameters
    assert differ(alone / "merged/model.safetensors", together / "merged/model.safetensors") < 1e-2
    assert len(record.diagnostics["actual"]["processes_mb"]) == 2


@on_one
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_merged_model_answers_on_the_card_as_the_base_with_its_adapters(
    dtype: str, model: Path, tmp_path: Path
) -> None:
    from tests.lora.test_merging import learned
    from trainers.lora.base import load_model
    from trainers.lora.export import export_model

    if dtype == "bfloat16" and torch.cuda.is_available() and not torch.cuda.is_bf16_supported(False):
        pytest.skip("not run here: this card has no bfloat16")
    session = learned(model, dtype)
    ids = torch.arange(5, 45, device=next(session.model.parameters()).device)[None]
    with torch.no_grad():
        apart = session.model(input_ids=ids).logits.float()
        export_model(session, tmp_path / "merged", "model", model)
        merged = load_model(tmp_path / "merged", dtype=dtype, attention="sdpa", device=str(ids.device))
        whole = merged(input_ids=ids).logits.float()
    assert float((apart - whole).norm() / apart.norm()) < {"float32": 1e-3, "bfloat16": 3e-2}[dtype]
