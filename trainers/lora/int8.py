"""A model in eight bits: each linear layer's weights rounded once, what flows into it rounded token by token.

The form is that of compressed-tensors (`int-quantized`, weights by channel, inputs by token, both symmetric), which
vLLM and transformers load: a quarter of float32 for the linear layers. Head and embeddings stay as they are.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from advisor.base.files import to_json, write_atomically
from trainers.lora.bundle import write_tensors

_HALF_RANGE = 127.5  # (127 - -128) / 2, as compressed-tensors reckons a symmetric scale
_LEFT_OUT = ("lm_head", "score", "classifier")


def write_int8(model: Any, merged: Path, into: Path) -> None:
    """Write `model`, which `merged` holds, in eight bits into the folder `into`.

    From now on `model` itself does the very arithmetic that a loader of the form does, so that it can be asked.
    """
    into.mkdir(parents=True, exist_ok=True)
    for file in merged.iterdir():
        if file.is_file() and file.suffix != ".safetensors" and not file.name.endswith(".index.json"):
            write_atomically(into / file.name, file.read_bytes())
    tied = {"lm_head.weight"} if getattr(model.config.get_text_config(), "tie_word_embeddings", False) else set()
    tensors = {name: weight.detach() for name, weight in model.state_dict().items() if name not in tied}
    tensors |= _rounded_layers(model)
    whole = {name: weight.contiguous() for name, weight in tensors.items()}
    write_tensors(into / "model.safetensors", whole, {"format": "pt"})
    config = json.loads((merged / "config.json").read_text())
    write_atomically(into / "config.json", to_json({**config, "quantization_config": _form()}))


def _rounded_layers(model: Any) -> dict[str, Tensor]:
    """Every linear layer's weights and scales in eight bits; the layers compute with what is rounded from now on."""
    found: dict[str, Tensor] = {}
    for name, layer in model.named_modules():
        if not isinstance(layer, nn.Linear) or name.rpartition(".")[2] in _LEFT_OUT:
            continue
        weight = layer.weight.detach().float()
        scale = _scale(weight)
        bits = (weight / scale).round().clamp(-128, 127)
        found |= {f"{name}.weight": bits.to(torch.int8), f"{name}.weight_scale": scale}
        layer.weight.data = (bits * scale).to(layer.weight.dtype)
        layer.register_forward_pre_hook(_rounds_what_comes)
    return found


def _rounds_what_comes(_: Any, given: tuple[Any, ...]) -> tuple[Any, ...]:
    scale = _scale(given[0])
    return ((given[0] / scale).round().clamp(-128, 127) * scale, *given[1:])


def _scale(values: Tensor) -> Tensor:
    return (values.abs().amax(dim=-1, keepdim=True) / _HALF_RANGE).clamp_min(1e-8)


def _form() -> dict[str, Any]:
    eight = {"num_bits": 8, "type": "int", "symmetric": True}
    group = {
        "targets": ["Linear"],
        "weights": {**eight, "strategy": "channel", "dynamic": False},
        "input_activations": {**eight, "strategy": "token", "dynamic": True},
        "output_activations": None,
        "format": "int-quantized",
    }
    return {
        "quant_method": "compressed-tensors",
        "format": "int-quantized",
        "quantization_status": "compressed",
        "ignore": list(_LEFT_OUT),
        "kv_cache_scheme": None,
        "config_groups": {"group_0": group},
    }
