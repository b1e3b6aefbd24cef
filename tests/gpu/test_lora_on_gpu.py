"""The trainer's promises where a GPU is present; elsewhere each test says that it was not run here.

python -m pytest tests/gpu -q -rs
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
torch = pytest.importorskip("torch", reason="not run here: the extra lora is not installed")
pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="not run here: torch sees no GPU")


def rows_of(encoder: object, count: int) -> list[object]:
    from tests.lora.conftest import ticket_rows
    from trainers.lora.examples import read_example

    examples = [read_example(row, n, "columns", target="answer") for n, row in enumerate(ticket_rows(count), 1)]
    return [encoder.encode(example) for example in examples]  # type: ignore[attr-defined]  # an Encoder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.lora.conftest import write_tiny_model

    return write_tiny_model(tmp_path_factory.mktemp("models") / "tiny")


def test_the_gpu_is_found_and_its_arithmetic_is_bfloat16() -> None:
    from trainers.lora.machine import choose_arithmetic, find_device

    device = find_device()
    assert device.kind == "cuda"
    assert device.memory_mb > 1000
    assert choose_arithmetic(device).dtype == (
        "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float32"
    )


@pytest.mark.parametrize("prefix", [0, 20])
def test_gradients_on_the_gpu_equal_the_processors(model: Path, prefix: int) -> None:
    from trainers.lora.base import load_model, load_tokenizer
    from trainers.lora.forward import AnswerLoss, step_gradients
    from trainers.lora.recipe import Recipe
    from trainers.lora.session import adapted_model
    from trainers.lora.tokens import Encoder

    found = []
    rows = rows_of(Encoder(load_tokenizer(model), [2]), 8)
    head = rows[0].ids[:prefix] if prefix else ()  # type: ignore[attr-defined]  # an Encoded
    if prefix and len({row.ids[:prefix] for row in rows}) > 1:  # type: ignore[attr-defined]  # an Encoded
        pytest.skip("these rows share no head of that length")
    for device in ("cpu", "cuda"):
        torch.manual_seed(0)
        base = load_model(model, dtype="float32", attention="sdpa", device="cpu")
        adapted = adapted_model(base, Recipe(r=4, alpha=8)).to(device)
        step_gradients(AnswerLoss(base), [rows], head)  # type: ignore[list-item]  # Encoded
        found.append(torch.cat([p.grad.flatten().cpu() for p in adapted.parameters() if p.grad is not None]))
    assert float((found[0] - found[1]).norm() / found[0].norm()) < 1e-3


def test_a_whole_run_on_the_gpu_leaves_a_complete_folder(model: Path, tmp_path: Path) -> None:
    from tests.lora.conftest import Quiet
    from tests.lora.test_trainer import make_case, plan_for
    from trainers.common.runfolder import is_complete
    from trainers.registry import find_trainer

    case = make_case(tmp_path / "case", model)
    run = case / "runs" / "lora-1"
    run.mkdir(parents=True)
    record = find_trainer("lora").train(plan_for(case), case, run, Quiet())
    assert is_complete(run)
    assert record.machine["device"]


def test_quantised_training_learns(model: Path, tmp_path: Path) -> None:
    pytest.importorskip("bitsandbytes", reason="not run here: bitsandbytes is not installed")
    from tests.lora.conftest import Quiet
    from tests.lora.test_trainer import make_case, plan_for
    from trainers.registry import find_trainer

    case = make_case(tmp_path / "case", model)
    run = case / "runs" / "lora-1"
    run.mkdir(parents=True)
    record = find_trainer("lora").train(plan_for(case, quantization="nf4"), case, run, Quiet())
    curve = record.diagnostics["curve"]
    assert curve[-1]["development_loss"] < curve[0]["development_loss"]  # type: ignore[index]  # plain JSON
    assert record.hyperparameters["recipe"]["micro_tokens"] == 256  # type: ignore[index]  # plain JSON; the plan's own


def test_a_quantised_run_merges_into_whole_weights(model: Path, tmp_path: Path) -> None:
    pytest.importorskip("bitsandbytes", reason="not run here: bitsandbytes is not installed")
    from safetensors.torch import load_file

    from tests.lora.conftest import Quiet
    from tests.lora.test_trainer import make_case, plan_for
    from trainers.registry import find_trainer

    case = make_case(tmp_path / "case", model)
    run = case / "runs" / "lora-1"
    run.mkdir(parents=True)
    find_trainer("lora").train(plan_for(case, quantization="nf4", export="merged"), case, run, Quiet())
    found, base = load_file(run / "merged" / "model.safetensors"), load_file(model / "model.safetensors")
    assert {weight.dtype for weight in found.values()} == {torch.bfloat16}
    for name, weight in found.items():
        assert weight.shape == base[name].shape
    untouched = "model.embed_tokens.weight"
    assert torch.equal(found[untouched], base[untouched].to(torch.bfloat16))


def test_the_memory_that_is_told_is_the_cards(model: Path, tmp_path: Path) -> None:
    from tests.lora.conftest import Quiet
    from tests.lora.test_trainer import make_case, plan_for
    from trainers.registry import find_trainer

    case = make_case(tmp_path / "case", model)
    run = case / "runs" / "lora-1"
    run.mkdir(parents=True)
    torch.cuda.reset_peak_memory_stats()
    record = find_trainer("lora").train(plan_for(case), case, run, Quiet())
    found = record.diagnostics
    most = torch.cuda.max_memory_reserved() / 2**20
    assert 0 < found["actual"]["peak_memory_mb"] <= most + 1  # type: ignore[index]  # plain JSON
    assert 0 < found["forecast"]["peak_memory_mb"] <= 2 * most  # type: ignore[index]  # plain JSON


def test_a_paged_optimiser_learns_and_goes_on_where_it_stopped() -> None:
    pytest.importorskip("bitsandbytes", reason="not run here: bitsandbytes is not installed")
    from trainers.lora.optimiser import Optimiser, Schedule

    def made() -> Optimiser:
        torch.manual_seed(0)
        # Above 100,000 weights bitsandbytes pages a moment; below 4,096 it keeps it in 32 bits.
        named = [(str(size), torch.randn(size, 64, device="cuda").requires_grad_()) for size in (2000, 96, 2)]
        return Optimiser(named, Schedule(0.01, 1, 20), clip=1.0, weight_decay=0.0, paged=True)

    def steps(one: Optimiser, first: int, last: int) -> None:
        for number in range(first, last):
            for _, weight in one.named:
                weight.grad = torch.full_like(weight, 1.0 + number)
            one.step(number)

    whole, cut, resumed = made(), made(), made()
    steps(whole, 0, 8)
    steps(cut, 0, 5)
    resumed.set_weights(cut.weights())
    resumed.set_moments(cut.moments())
    steps(resumed, 5, 8)
    for name, weight in whole.weights().items():
        assert torch.allclose(weight, resumed.weights()[name], atol=1e-6)


def test_kernels_that_are_installed_give_the_same_loss(model: Path) -> None:
    from transformers.utils import is_flash_attn_2_available, is_liger_kernel_available

    from trainers.lora.base import load_model, load_tokenizer
    from trainers.lora.forward import AnswerLoss
    from trainers.lora.kernels import with_kernels
    from trainers.lora.tokens import Encoder

    if not torch.cuda.is_bf16_supported(including_emulation=False):
        pytest.skip("not run here: this card has no bfloat16")
    if not (is_flash_attn_2_available() or is_liger_kernel_available()):
        pytest.skip("not run here: neither flash-attn nor liger-kernel is installed")
    rows = rows_of(Encoder(load_tokenizer(model), [2]), 8)
    losses = []
    for kind in ("cpu", "cuda"):  # as if on a processor: torch's own kernels
        made = load_model(model, dtype="bfloat16", attention="sdpa", device="cuda")
        with_kernels(made, kind, "bfloat16", "sdpa", asked=False)
        losses.append(float(AnswerLoss(made)(rows)[0]))  # type: ignore[arg-type]  # Encoded
    assert losses[1] == pytest.approx(losses[0], rel=0.02)
