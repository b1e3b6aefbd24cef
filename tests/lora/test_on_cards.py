"""What a graphics card is told and asked, checked without one: torch hears what its driver would answer there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from advisor.base.errors import EnvironmentMissing
from advisor.base.machine import Card, Machine
from advisor.cli.plan import _refuse_what_does_not_fit
from advisor.records.plan import Setting
from tests.lora.test_trainer import make_case, plan_for
from trainers.lora.accelerators import loading_options, quantization_config
from trainers.lora.base import load_model, read_shape
from trainers.lora.forward import AnswerLoss
from trainers.lora.machine import Device, choose_arithmetic, find_device
from trainers.lora.memory import fit, need
from trainers.lora.policy import larger_pieces
from trainers.lora.recipe import Recipe
from trainers.lora.tokens import Encoded
from trainers.registry import find_trainer

CARD = Device("cuda", "a card", 16_000.0)


def plug_in(patch: pytest.MonkeyPatch, name: str, major: int) -> None:
    """Torch's driver answers as on a card of that generation: every one of them can at least emulate bfloat16."""
    about = SimpleNamespace(name=name, major=major, total_memory=15 * 2**30)
    patch.setattr(torch.version, "hip", None)
    patch.setattr(torch.cuda, "is_available", lambda: True)
    patch.setattr(torch.cuda, "current_device", lambda: 0)
    patch.setattr(torch.cuda, "get_device_properties", lambda *_: about)
    patch.setattr(torch.cuda, "_check_bf16_tensor_supported", lambda *_: True)


@pytest.mark.parametrize(("name", "major", "dtype"), [("Tesla T4", 7, "float32"), ("A100", 8, "bfloat16")])
def test_a_card_that_only_emulates_bfloat16_computes_in_float32(
    name: str, major: int, dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plug_in(monkeypatch, name, major)
    device = find_device()
    assert (device.kind, device.name) == ("cuda", name)
    found = choose_arithmetic(device)
    assert (found.dtype, found.precision) == (dtype, "high")
    assert str(quantization_config("nf4", found.dtype).bnb_4bit_compute_dtype) == f"torch.{dtype}"


@pytest.mark.parametrize("kind", ["Gemma2", "Cohere", "Granite"])
def test_a_head_that_caps_or_scales_in_bfloat16_is_known_and_one_that_does_more_is_not(kind: str) -> None:
    import transformers

    own = {
        "Gemma2": {"head_dim": 8, "final_logit_softcapping": 30.0},
        "Cohere": {"logit_scale": 0.0625},
        "Granite": {"logits_scaling": 6.0},
    }[kind]
    config = getattr(transformers, f"{kind}Config")(
        vocab_size=300,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        pad_token_id=2,
        initializer_range=3.0,
        **own,
    )
    torch.manual_seed(0)
    loss = AnswerLoss(getattr(transformers, f"{kind}ForCausalLM")(config).to(torch.bfloat16).eval())
    assert loss.is_the_models_own()
    loss.cap, loss.scale = 0.0, 1.0
    assert not loss.is_the_models_own()


def test_every_process_loads_a_quantised_model_onto_its_own_card(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("bitsandbytes", reason="not run here: bitsandbytes is not installed")
    recipe = Recipe(quantization="nf4")
    assert loading_options(recipe, CARD, "bfloat16")["device_map"] == {"": 0}
    assert loading_options(Recipe(quantization="nf4", device_map="auto"), CARD, "bfloat16")["device_map"] == "auto"
    monkeypatch.setenv("WORLD_SIZE", "4")
    monkeypatch.setenv("LOCAL_RANK", "3")
    assert loading_options(recipe, CARD, "bfloat16")["device_map"] == {"": 3}
    assert loading_options(Recipe(quantization="nf4", device_map="auto"), CARD, "bfloat16")["device_map"] == {"": 3}


def test_a_model_is_spread_over_cards_only_where_a_plan_says_so_and_one_process_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert loading_options(Recipe(), CARD, "bfloat16") == {}
    assert loading_options(Recipe(device_map="auto"), CARD, "bfloat16") == {"device_map": "auto"}
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert loading_options(Recipe(device_map="auto"), CARD, "bfloat16") == {}


def test_a_model_whose_layers_lie_on_two_devices_gives_its_loss_on_the_last(tiny_model: Path) -> None:
    """The second device is torch's own `meta`, which refuses to be mixed with another as a second card does."""
    model = load_model(tiny_model, dtype="float32", attention="sdpa")
    loss = AnswerLoss(model)
    model.lm_head = torch.nn.Linear(48, model.config.vocab_size, bias=False, device="meta")
    loss.head = model.lm_head
    loss.decoder.register_forward_hook(
        lambda _, given, made: setattr(made, "last_hidden_state", made.last_hidden_state.to("meta"))
    )
    rows = [Encoded(1, (5, 6, 7, 8), (False, False, True, True)), Encoded(2, (5, 6, 7), (False, False, True))]
    summed, counted = loss(rows)
    assert (summed.device.type, counted) == ("meta", 3)
    hidden, targets, owner = loss.learned_states(rows)
    assert {hidden.device.type, targets.device.type, owner.device.type} == {"meta"}


BIG = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "num_hidden_layers": 32,
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "vocab_size": 128256,
    "max_position_embeddings": 8192,
}


@pytest.fixture
def big_case(tiny_model: Path, tmp_path: Path) -> Path:
    """A case whose base has the sizes of an 8B model; its weights are never read to make a plan."""
    case = make_case(tmp_path / "case", tiny_model, 40)
    (case / "big").mkdir()
    (case / "big" / "config.json").write_text(json.dumps(BIG))
    (case / "big" / "model.safetensors").write_bytes(b"")
    return case


def driver(patch: pytest.MonkeyPatch, folder: Path, megabytes: int) -> None:
    """A driver's own program that names one card of so much memory."""
    folder.mkdir(exist_ok=True)
    (folder / "nvidia-smi").write_text(f"#!/bin/sh\necho 'NVIDIA L4, {megabytes}, 550.54'\n")
    (folder / "nvidia-smi").chmod(0o755)
    patch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def test_a_plan_for_a_card_is_held_against_the_cards_memory_and_not_the_machines(
    big_case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver(monkeypatch, tmp_path / "bin", 24_564)
    plan = plan_for(big_case, base="big", micro_tokens=512)
    plan = replace(plan, estimate=find_trainer("lora").estimate(plan, big_case))
    assert plan.estimate.on_card
    assert 16_500 < plan.estimate.peak_memory_mb < 22_000
    with_card = Machine("", "", 2, memory_free_mb=16_000, cards=(Card("NVIDIA L4", 24_564, ""),))
    _refuse_what_does_not_fit(plan, with_card, "case")
    with pytest.raises(EnvironmentMissing, match="of memory"):
        _refuse_what_does_not_fit(plan, replace(with_card, cards=(Card("T4", 15_360, ""),)), "case")


def test_what_the_run_would_settle_on_is_what_is_costed(
    big_case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it stands it would not fit; the run makes its pieces smaller by itself, so the plan is not refused."""
    driver(monkeypatch, tmp_path / "bin", 24_564)
    shape = read_shape(big_case / "big")
    assert shape is not None
    asis = Recipe(micro_tokens=8192, batch=256, checkpointing="off", attention="sdpa")
    assert need(shape, asis, "bfloat16", 90, gpu=True).total > 24_564
    found = find_trainer("lora").estimate(plan_for(big_case, base="big", micro_tokens=8192, batch=256), big_case)
    assert found.peak_memory_mb < 22_000


def test_too_small_a_card_is_told_with_the_command_that_would_fit(
    big_case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver(monkeypatch, tmp_path / "bin", 15_360)
    with pytest.raises(EnvironmentMissing, match="are on the card") as refused:
        find_trainer("lora").estimate(plan_for(big_case, base="big"), big_case)
    assert refused.value.fix == "train-or-not plan CASE --setting quantization=nf4"


def test_a_card_is_given_larger_pieces_unless_somebody_chose_their_size(
    big_case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shape = read_shape(big_case / "big")
    assert shape is not None
    plan = replace(plan_for(big_case), settings={})
    preset = find_trainer("lora").settings(plan, big_case)["micro_tokens"]
    for named, sizes in ((preset, [16384, 8192, 4096, 2048, 1024]), (Setting(512), [])):
        larger = larger_pieces(replace(plan, settings={"micro_tokens": named}))
        assert larger == sizes
        recipe = Recipe(batch=64, micro_tokens=512)
        on_card = fit(shape, recipe, "bfloat16", 100, 70_000, gpu=True, larger=larger)
        assert (on_card.micro_tokens >= 4096, on_card.checkpointing) == (bool(sizes), "off")
        assert fit(shape, recipe, "bfloat16", 100, 70_000, larger=larger).micro_tokens == 512


LIGER = """
import sys
from pathlib import Path
from trainers.lora.base import load_model
from trainers.lora.kernels import with_kernels

model = load_model(Path(sys.argv[1]), dtype="bfloat16", attention="sdpa")
forward = type(model).forward
of_liger = lambda module: module.forward.__func__.__module__.startswith("liger_kernel")
assert with_kernels(model, "cpu", "bfloat16", "eager", asked=False) == "eager"
assert not of_liger(model.model.norm)
assert with_kernels(model, "cuda", "bfloat16", "sdpa", asked=True) == "sdpa"
assert of_liger(model.model.norm)
assert of_liger(model.model.layers[0].mlp)
assert model.forward.__func__ is forward
"""


def test_ligers_kernels_replace_what_they_know_and_leave_the_loss_alone(tiny_model: Path) -> None:
    """In a process of its own: they replace classes of transformers too, for every model that is loaded later."""
    pytest.importorskip("liger_kernel", reason="not run here: liger-kernel is not installed")
    pytest.importorskip("triton", reason="not run here: triton is not installed")
    done = subprocess.run([sys.executable, "-c", LIGER, str(tiny_model)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
