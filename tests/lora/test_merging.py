"""The merged model: the base's own weights and the adapters' sum, in the type that it is held in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from trainers.lora.base import EMBEDDED_SHAPE, load_tokenizer
from trainers.lora.export import export_model
from trainers.lora.machine import Arithmetic, find_device
from trainers.lora.memory import disk_mb
from trainers.lora.recipe import Recipe
from trainers.lora.session import Session, open_session

LAYER = "model.layers.0.self_attn.q_proj"


def learned(model: Path, dtype: str) -> Session:
    """A session whose adapters do something; its base is held in `dtype`."""
    arithmetic = Arithmetic(dtype, "highest", "")
    session = open_session(Recipe(r=4, alpha=8), model, load_tokenizer(model), find_device(), arithmetic, 200, 5)
    torch.manual_seed(1)
    for name, weight in session.trainable():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.05)
    return session


def added(session: Session) -> torch.Tensor:
    """What the adapters add to the layer, in float32."""
    layer = session.model.get_submodule(LAYER)
    return 2.0 * layer.lora_B["default"].weight.detach().float() @ layer.lora_A["default"].weight.detach().float()


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_merged_model_is_kept_in_the_type_it_is_held_in_and_summed_in_float32(
    dtype: str, tiny_model: Path, tmp_path: Path
) -> None:
    session = learned(tiny_model, dtype)
    kind = getattr(torch, dtype)
    wanted = (session.model.get_submodule(LAYER).base_layer.weight.detach().float() + added(session)).to(kind)
    export_model(session, tmp_path / "merged", "model", tiny_model)
    found = load_file(tmp_path / "merged" / "model.safetensors")
    assert {weight.dtype for weight in found.values()} == {kind}
    assert torch.equal(found[f"{LAYER}.weight"], wanted)
    assert not any("lora" in name for name in found)


def test_a_model_held_in_4_bits_is_merged_into_its_whole_weights(tiny_model: Path, tmp_path: Path) -> None:
    """As 4 bits do, the session's weights are rounded; what is merged must come from the base's own file."""
    session = learned(tiny_model, "float32")
    session.recipe = replace(session.recipe, quantization="nf4")
    with torch.no_grad():
        for name, weight in session.model.named_parameters():
            if "base_layer" in name:
                weight.mul_(8).round_().div_(8)
    wanted = load_file(tiny_model / "model.safetensors")[f"{LAYER}.weight"].to(torch.bfloat16).float() + added(session)
    export_model(session, tmp_path / "merged", "model", tiny_model)
    found = load_file(tmp_path / "merged" / "model.safetensors")
    assert {weight.dtype for weight in found.values()} == {torch.bfloat16}
    assert torch.equal(found[f"{LAYER}.weight"], wanted.to(torch.bfloat16))


def test_the_disk_that_is_counted_is_what_the_merged_model_takes() -> None:
    held, half = (disk_mb(EMBEDDED_SHAPE, Recipe(), dtype) for dtype in ("float32", "bfloat16"))
    assert held - half == pytest.approx(2 * EMBEDDED_SHAPE.parameters / 2**20)
    assert disk_mb(EMBEDDED_SHAPE, Recipe(quantization="nf4"), "float32") == half
