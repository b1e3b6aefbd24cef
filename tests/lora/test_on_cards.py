"""What a graphics card is told and asked, checked without one: torch hears what its driver would answer there."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from trainers.lora.accelerators import loading_options, quantization_config
from trainers.lora.base import load_model
from trainers.lora.forward import AnswerLoss
from trainers.lora.machine import Device, choose_arithmetic, find_device
from trainers.lora.recipe import Recipe
from trainers.lora.tokens import Encoded

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
