"""What a run needs before it starts: memory and disk by formula; the next smaller option when it is too much.

Peak memory in MiB = process + weights + trained weights' states + activations + the head's slice:

    process   what python, torch and transformers hold before a model is there
    weights   P × bytes of the type; in 4 or 8 bits only what bitsandbytes replaces, the layers' products: embeddings,
              the head over the vocabulary and the norms stay in the type of the rest
    states    Pt × 18 bytes: float32 master, its gradient, the weight's own, AdamW's two moments (12 when the weight is
              its own master); checkpoints are written from where they stand, without a copy
    activ.    tokens × layers × (11 hidden + 4 intermediate) × bytes × κ; with checkpointing on a GPU one layer
              whole and the others' inputs; on a processor a measured share, as the heap keeps what it was given
    attention eager only: rows × heads × length² × bytes × 3 for each layer
    head      256 positions × vocabulary × 4 bytes × 3
    gathered  full fine-tuning on several cards: weights and states are divided by their number, and what computes is
              whole for its time: the vocabulary's matrices and two layers (one is fetched ahead), with their gradients

κ and the growth of the heap are fitted (rules/presets.yaml, memory); tests/benchmarks/lora_memory.py holds the formula
to measured peaks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from trainers.lora.base import Shape
from trainers.lora.bases import listed
from trainers.lora.policy import presets
from trainers.lora.recipe import Recipe

_BYTES = {"float32": 4, "bfloat16": 2}
_MIB = 2**20


@dataclass(frozen=True, slots=True)
class Need:
    """The parts of the peak, in MiB; `tokens` is the padded tokens of the largest micro-batch."""

    process: float
    weights: float
    states: float
    activations: float
    head: float
    tokens: int
    gathered: float = 0.0

    @property
    def total(self) -> float:
        """All parts together."""
        return self.process + self.weights + self.states + self.gathered + self.activations + self.head

    def words(self) -> str:
        """The sum as a person can check it."""
        return (
            f"{self.process:,.0f} MB process + {self.weights:,.0f} weights + {self.states:,.0f} adapters' states + "
            f"{self.activations:,.0f} activations of {self.tokens:,} tokens + {self.head:,.0f} head"
        )


def need(shape: Shape, recipe: Recipe, dtype: str, longest: int, *, prefix: int = 0, gpu: bool = False) -> Need:
    """Peak memory of a run whose longest row has `longest` tokens, `prefix` of them shared by all rows."""
    constants = presets()["memory"]
    width = _BYTES[dtype]
    full = recipe.learning == "full"
    trained = shape.parameters if full else shape.adapter_parameters(recipe.r)
    own = max(1, longest - prefix)
    rows = min(recipe.batch, max(1, recipe.micro_tokens // own))
    tokens = rows * own + prefix
    layer = 11 * shape.hidden + 4 * shape.intermediate
    kappa = constants["kappa"][f"{'full' if full else 'lora'}_{dtype}"]
    if recipe.checkpointing == "on" and gpu:
        activations = tokens * width * (shape.layers * shape.hidden + layer * kappa)
    elif recipe.checkpointing == "on":
        activations = tokens * width * shape.layers * layer * kappa * constants["checkpointing_share"][dtype]
    else:
        activations = tokens * width * shape.layers * layer * kappa
    if recipe.attention == "eager":
        activations += shape.layers * rows * shape.heads * own * longest * width * 3
    states = trained * (12 if width == 4 else 18)
    growth = constants["growth"]
    return Need(
        process=constants["gpu_context_mb"] if gpu else constants["process_mb"],
        weights=_weights(shape, recipe.quantization, width) / _MIB,
        states=states / _MIB,
        activations=activations * growth / _MIB,
        head=min(256, tokens) * shape.vocabulary * 4 * 3 / _MIB,
        tokens=tokens,
    )


def _weights(shape: Shape, quantization: str, width: int) -> float:
    """Bytes of the loaded weights."""
    if quantization == "none":
        return shape.parameters * width
    kept = shape.word_parameters + shape.hidden * (2 * shape.layers + 1)
    return kept * width + (shape.parameters - kept) * float(presets()["memory"]["bytes_a_weight"][quantization])


def shared_out(whole: Need, shape: Shape, dtype: str, cards: int) -> Need:
    """What each of `cards` needs of a run that needs `whole` on one, where weights and their states are shared out."""
    layer = (shape.parameters - shape.word_parameters) / shape.layers
    gathered = 2 * (shape.word_parameters + 2 * layer) * _BYTES[dtype] / _MIB
    return replace(whole, weights=whole.weights / cards, states=whole.states / cards, gathered=gathered)


def disk_mb(shape: Shape, recipe: Recipe, dtype: str) -> float:
    """Two checkpoints while training, the best weights, and what is left at the end: adapter and merged model."""
    trained = shape.parameters if recipe.learning == "full" else shape.adapter_parameters(recipe.r)
    width = _BYTES["bfloat16" if recipe.quantization != "none" else dtype]  # what a merged model is kept in
    return (trained * 4 * (2 * 3 + 1 + 1) + shape.parameters * width) / _MIB + 8


def fit(
    shape: Shape,
    recipe: Recipe,
    dtype: str,
    longest: int,
    available_mb: float,
    prefix: int = 0,
    *,
    gpu: bool = False,
    larger: Sequence[int] = (),
) -> Recipe:
    """The recipe with `checkpointing` settled: as it is when that fits, else smaller pieces, then recomputing.

    On a card the `larger` sizes of a piece are tried before the recipe's own.
    """
    if recipe.checkpointing != "auto":
        return recipe
    asis = replace(recipe, checkpointing="off")
    smaller = replace(asis, micro_tokens=min(recipe.micro_tokens, 256))
    for tried in (*(replace(asis, micro_tokens=size) for size in larger if gpu), asis, smaller):
        if need(shape, tried, dtype, longest, prefix=prefix, gpu=gpu).total <= available_mb:
            return tried
    return replace(smaller, checkpointing="on")


def next_smaller(
    shape: Shape,
    recipe: Recipe,
    dtype: str,
    longest: int,
    available_mb: float,
    prefix: int = 0,
    *,
    gpu: bool = False,
) -> str:
    """The first change that would fit into `available_mb`, as the command that makes it; or what is left to do."""
    smaller, done = recipe, list[str]()
    ladder: list[dict[str, Any]] = [{"micro_tokens": 256}, {"checkpointing": "on"}, {"learning": "lora"}]
    ladder += [{"quantization": "nf4"}] * gpu + [{"r": 4}]
    for step in ladder:
        for name, value in step.items():
            held = getattr(smaller, name)
            if held == value or (isinstance(value, int) and held < value):
                continue
            smaller = replace(smaller, **{name: value})
            done.append(f"--setting {name}={value}")
        shared = 0 if smaller.checkpointing == "on" else prefix
        if done and need(shape, smaller, dtype, longest, prefix=shared, gpu=gpu).total <= available_mb:
            return f"train-or-not plan CASE {' '.join(done)}"
    most = presets()["memory"]["usable_share"]
    gigabytes = need(shape, smaller, dtype, longest, gpu=True).total / 1024
    cards = [card["name"] for card in presets()["cards"] if card["memory_gb"] * most >= gigabytes]
    rented = f", or rent a card that holds it: train-or-not plan CASE --rent '{cards[0]}'" if cards else ""
    lighter = {
        name: one.parameters
        for name, one in listed().items()
        if one.parameters < shape.parameters
        and need(one, smaller, dtype, longest, prefix=shared, gpu=gpu).total <= available_mb
    }
    such = f", such as {max(lighter, key=lighter.__getitem__)}" if lighter else ""
    return f"Take a smaller base model{such}{rented}."
