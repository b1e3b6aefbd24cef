"""AdamW with moments in 8 bits: it learns, and a killed run goes on with what it remembered; a full card says so."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from advisor.base.errors import EnvironmentMissing
from tests.lora.conftest import Quiet
from tests.lora.test_trainer import make_case, plan_for
from trainers.lora.optimiser import Optimiser, Schedule
from trainers.lora.recipe import Recipe
from trainers.registry import find_trainer


def test_moments_are_paged_where_the_model_is_quantised_or_a_plan_asks_for_it() -> None:
    assert not Recipe().is_paged
    assert Recipe(quantization="nf4").is_paged
    assert not Recipe(quantization="nf4", optimiser="adamw").is_paged
    assert Recipe(optimiser="paged_adamw_8bit").is_paged


@pytest.mark.filterwarnings("ignore:Paged optimizers are not supported on CPU")
def test_a_run_in_8_bits_goes_on_as_if_it_had_never_stopped() -> None:
    pytest.importorskip("bitsandbytes", reason="not run here: bitsandbytes is not installed")

    def made(start: list[torch.Tensor]) -> Optimiser:
        named = [(str(n), weight.clone().requires_grad_()) for n, weight in enumerate(start)]
        return Optimiser(named, Schedule(0.01, 1, 20), clip=1.0, weight_decay=0.0, paged=True)

    def steps(one: Optimiser, first: int, last: int) -> None:
        for number in range(first, last):
            chance = torch.Generator().manual_seed(number)
            for _, weight in one.named:
                weight.grad = torch.randn(weight.shape, generator=chance) + 1.0
            one.step(number)

    torch.manual_seed(0)
    start = [torch.randn(96, 64), torch.randn(8, 4)]  # the smaller is kept in 32 bits by bitsandbytes itself
    whole, cut = made(start), made(start)
    steps(whole, 0, 8)
    steps(cut, 0, 5)
    resumed = made(start)
    resumed.set_weights(cut.weights())
    resumed.set_moments(cut.moments())
    steps(resumed, 5, 8)
    assert {tensor.dtype for name, tensor in cut.moments().items() if name == "state1:0"} == {torch.uint8}
    for name, weight in whole.weights().items():
        assert torch.equal(weight, resumed.weights()[name])
        assert not torch.equal(weight, start[int(name)])


def test_a_card_that_is_full_is_told_with_the_command_that_takes_less(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import trainers.lora.training as training

    def full(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. Of the allocated memory 9 GiB is")

    monkeypatch.setattr(training, "train", full)
    case = make_case(tmp_path / "case", tiny_model, 40)
    run = case / "runs" / "lora-1"
    run.mkdir(parents=True)
    with pytest.raises(EnvironmentMissing, match="memory ran out") as told:
        find_trainer("lora").train(plan_for(case), case, run, Quiet())
    assert "--setting micro_tokens=128 --setting checkpointing=on" in told.value.fix
    assert told.value.why.endswith("2.00 GiB")
