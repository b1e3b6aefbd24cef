"""What a GPU, or several, are told: type, attention, quantization, device map, accelerate's configuration.

Made of plain values and checked here, so that a plan for a rented card can be written and tested without one.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from advisor.base.errors import BadInput, EnvironmentMissing
from trainers.lora.base import Shape
from trainers.lora.machine import Device
from trainers.lora.memory import need, shared_out
from trainers.lora.policy import presets
from trainers.lora.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Card:
    """A card a run may be planned for. `memory_gb` is what programs can use; `count` how many of them."""

    name: str
    memory_gb: float
    bfloat16: bool = True
    count: int = 1


@dataclass(frozen=True, slots=True)
class GpuPlan:
    """How a run would be set on a card, as settings of a recipe; `reasons` says why for each value.

    `peak_mb` is the memory that each card needs, in MiB.

    What the card's own machine decides is not here: kernels that are installed there (trainers/lora/kernels.py), and
    TF32 for what stays in float32, which every run on a card has (trainers/lora/machine.py).
    """

    dtype: str
    attention: str
    quantization: str
    checkpointing: str
    optimiser: str
    micro_tokens: int
    accelerate: dict[str, Any]
    reasons: dict[str, str]
    peak_mb: float

    def settings(self) -> dict[str, str | int]:
        """The values that a plan for the card bears."""
        names = ("dtype", "attention", "quantization", "checkpointing", "optimiser", "micro_tokens")
        return {name: getattr(self, name) for name in names}


def plan_for(card: Card, recipe: Recipe, shape: Shape, longest: int, larger: Sequence[int] = ()) -> GpuPlan:
    """The settings for `card`. Raises `BadInput` with the next larger card's name when the model cannot fit.

    `larger` are sizes of a piece to try before the recipe's own.

    Full fine-tuning is shared out over several cards; but each loads the whole model once, and one answers with it.
    """
    dtype = "bfloat16" if card.bfloat16 else "float32"
    reasons = {
        "dtype": "the card has bfloat16" if card.bfloat16 else "no bfloat16 here, and float16 needs loss scaling"
    }
    room, usable = card.memory_gb * 1024, presets()["memory"]["usable_share"]
    chosen, shared = None, recipe.learning == "full" and card.count > 1
    ways = [("none", "off", size) for size in (*larger, recipe.micro_tokens)]
    ways += [("none", "on", recipe.micro_tokens), ("nf4", "on", recipe.micro_tokens)]
    for quantization, checkpointing, size in ways:
        if recipe.learning == "full" and quantization != "none":
            continue
        tried = replace(
            recipe, quantization=quantization, checkpointing=checkpointing, attention="sdpa", micro_tokens=size
        )
        needed = need(shape, tried, dtype, longest, gpu=True)
        wanted = needed.total
        loaded = needed.process + needed.weights + needed.head
        if shared:
            wanted = max(loaded, shared_out(needed, shape, dtype, card.count).total)
        if wanted <= usable * room:
            chosen = (tried, wanted)
            break
    if chosen is None:
        roomier = [c for c in presets()["cards"] if c["memory_gb"] * 1024 * usable >= wanted]
        raise BadInput(
            f"{shape.parameters / 1e9:.1f} billion weights do not fit {card.name} ({card.memory_gb:g} GB).",
            where="plan.yaml: settings.base",
            why=f"Even in the smallest way it needs about {wanted / 1024:,.1f} GB{' on each card' * shared}.",
            fix=_instead(roomier, divides=recipe.learning == "full" and loaded <= usable * room),
            code="does-not-fit",
            details={"needed_mb": wanted},
        )
    settled, wanted = chosen
    quantization, checkpointing = settled.quantization, settled.checkpointing
    reasons |= {
        "quantization": {
            "none": f"about {wanted / 1024:,.1f} GB fit "
            + ("each card: weights, gradients and AdamW's states are shared out" if shared else "as they are"),
            "nf4": "4 bits (QLoRA) are what fits; about a fifth slower",
        }[quantization],
        "checkpointing": "needed to fit" if checkpointing == "on" else "not needed, and it costs a fifth of the time",
        "attention": "flash attention where its package is installed, else torch's own fused kind",
        "optimiser": "paged 8-bit Adam spills to main memory instead of failing" if settled.is_paged else "fused",
        "micro_tokens": "as many tokens at once as fit" if size in larger else "as the plan has it",
    }
    several = card.count > 1
    return GpuPlan(
        dtype=dtype,
        attention=recipe.attention,
        quantization=quantization,
        checkpointing=checkpointing,
        optimiser="paged_adamw_8bit" if settled.is_paged else "adamw",
        micro_tokens=settled.micro_tokens,
        accelerate=_accelerate(card, recipe, dtype, checkpointing) if several else {},
        reasons=reasons,
        peak_mb=wanted,
    )


def _instead(larger: Sequence[Mapping[str, Any]], *, divides: bool) -> str:
    ways = [str(card["name"]) for card in larger[:1]] + ["more cards, which share the weights out"] * divides
    return f"Take {' or '.join(ways) or 'a smaller base model'}."


def _accelerate(card: Card, recipe: Recipe, dtype: str, checkpointing: str) -> dict[str, Any]:
    """The content of accelerate's configuration file: plain copies for LoRA, sharded weights for full fine-tuning.

    The trainer shards by itself whenever several processes tune all weights; the file says the same to who reads it.
    """
    shard = recipe.learning == "full"
    content: dict[str, Any] = {
        "compute_environment": "LOCAL_MACHINE",
        "distributed_type": "FSDP" if shard else "MULTI_GPU",
        "mixed_precision": "bf16" if dtype == "bfloat16" else "no",
        "num_machines": 1,
        "num_processes": card.count,
        "use_cpu": False,
    }
    if shard:
        content["fsdp_config"] = {
            "fsdp_version": 2,
            "fsdp_auto_wrap_policy": "TRANSFORMER_BASED_WRAP",
            "fsdp_reshard_after_forward": True,
            "fsdp_state_dict_type": "FULL_STATE_DICT",
            "fsdp_activation_checkpointing": checkpointing == "on",
            "fsdp_cpu_ram_efficient_loading": False,
        }
    return content


def refuse_without_card(recipe: Recipe, card: bool) -> None:
    """Raise `EnvironmentMissing` where 4 or 8 bits are asked for and there is no NVIDIA card to work with them."""
    if recipe.quantization != "none" and not card:
        raise EnvironmentMissing(
            f"Quantised training ({recipe.quantization}) needs an NVIDIA GPU, and none is seen here.",
            where="plan.yaml: settings.quantization",
            fix="Plan without it: --setting quantization=none; or for a rented card: train-or-not plan CASE --rent L4; "
            "or plan and train on a machine with a GPU.",
            code="no-gpu",
        )


def loading_options(recipe: Recipe, device: Device, dtype: str) -> dict[str, Any]:
    """What `from_pretrained` is told beyond type and attention. Raises when 4 or 8 bits are asked for without CUDA.

    Every process loads onto its own card: spread over all of them, the processes would fill each other's.
    """
    options: dict[str, Any] = {}
    refuse_without_card(recipe, device.kind == "cuda")
    if recipe.is_paged and importlib.util.find_spec("bitsandbytes") is None:
        raise EnvironmentMissing(
            "Quantised training, and a paged optimiser, need the package bitsandbytes.",
            where="plan.yaml: settings.quantization, settings.optimiser",
            fix='pip install "train-or-not[gpu]"',
            code="extra-missing",
        )
    if recipe.quantization != "none":
        options["quantization_config"] = quantization_config(recipe.quantization, dtype)
    alone = int(os.environ.get("WORLD_SIZE", "1")) == 1
    if device.kind == "cuda" and recipe.device_map and alone:
        options["device_map"] = recipe.device_map
    elif options:
        options["device_map"] = {"": int(os.environ.get("LOCAL_RANK", "0"))}
    return options


def quantization_config(kind: str, dtype: str) -> Any:
    """The configuration as QLoRA has it: NF4, twice quantised, multiplied in the type of the rest; or 8 bits."""
    import torch
    from transformers import BitsAndBytesConfig

    if kind == "int8":
        return BitsAndBytesConfig(load_in_8bit=True)  # type: ignore[no-untyped-call]
    return BitsAndBytesConfig(  # type: ignore[no-untyped-call]
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=getattr(torch, dtype),
    )
