"""The sizes of a base model that memory, time and learning rate follow from: its config.json and its files' headers."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any

# One size has other names in older families: GPT-2, BLOOM, Falcon, OPT, MPT, DistilBERT.
_NAMES = {
    "hidden": ("hidden_size", "n_embd", "d_model", "dim"),
    "layers": ("num_hidden_layers", "n_layer", "n_layers", "num_layers"),
    "heads": ("num_attention_heads", "n_head", "n_heads", "num_heads"),
    "kv_heads": ("num_key_value_heads", "num_kv_heads"),
    "intermediate": ("intermediate_size", "n_inner", "ffn_dim", "hidden_dim"),
    "context": ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length"),
    "experts": ("num_local_experts", "num_experts", "n_routed_experts"),
}
_TWO_PRODUCTS = (
    "gpt2",
    "gpt_neo",
    "gpt_neox",
    "gptj",
    "gpt_bigcode",
    "opt",
    "bloom",
    "falcon",
    "mpt",
    "phi",
    "codegen",
)
_MOST_HEADER = 100 * 2**20


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of a model. `intermediate` is what one token passes through; `resting` weights belong to other experts.

    `gated` says whether a layer's feed-forward is three products or two. `counted` is the weights that its files hold,
    where they lie here; 0 where only its configuration is known.
    """

    kind: str
    layers: int
    hidden: int
    intermediate: int
    heads: int
    kv_heads: int
    head_dim: int
    vocabulary: int
    context: int
    tied: bool
    writes: bool = True
    gated: bool = True
    resting: int = 0
    counted: int = field(default=0, compare=False)

    @property
    def parameters(self) -> int:
        """Weights, as counted, else by formula: tied embeddings count once."""
        if self.counted:
            return self.counted
        attention = self.hidden * self.head_dim * (2 * self.heads + 2 * self.kv_heads)
        layer = attention + self._products * self.hidden * self.intermediate + 2 * self.hidden
        return self.layers * layer + self.word_parameters + self.hidden + self.resting

    @property
    def word_parameters(self) -> int:
        """Weights of the tables over the vocabulary: embeddings, and the head where it is not the same table."""
        return self.vocabulary * self.hidden * (2 if self.writes and not self.tied else 1)

    def adapter_parameters(self, r: int) -> int:
        """Trainable weights of LoRA with rank `r` on every linear layer: r × (inputs + outputs) for each."""
        queries, keys = self.heads * self.head_dim, self.kv_heads * self.head_dim
        wide = self._products * (self.hidden + self.intermediate)
        sides = 2 * (self.hidden + queries) + 2 * (self.hidden + keys) + wide
        return self.layers * r * sides

    @property
    def _products(self) -> int:
        return 3 if self.writes and self.gated else 2


# The embedded model's sizes, so that a plan can be made before its 93 MB are fetched; a test holds them to the file.
EMBEDDED_SHAPE = Shape("llama", 30, 576, 1536, 9, 3, 64, 49152, 8192, tied=True)
ENCODER_SHAPE = Shape("bert", 6, 384, 1536, 12, 12, 32, 30522, 512, tied=True, writes=False)


def shape_in(folder: Path) -> Shape | None:
    """The sizes of the model in a folder, or None where its configuration does not say them."""
    try:
        whole = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    own = whole.get("text_config")
    config = {**whole, **own} if isinstance(own, dict) else whole  # a model of pictures and words, such as Gemma 3
    tensors = _tensors(folder) if "quantization_config" not in whole else {}
    hidden, layers = _size(config, "hidden"), _size(config, "layers")
    if not hidden or not layers:
        return None
    heads = _size(config, "heads") or 1
    kind = str(whole.get("model_type", ""))
    writes, gated = _writes(whole), kind not in _TWO_PRODUCTS
    one = int(config.get("moe_intermediate_size") or _size(config, "intermediate") or 4 * hidden)
    experts, active = _size(config, "experts"), int(config.get("num_experts_per_tok") or 1)
    shared = int(config.get("n_shared_experts") or 0)
    heads_apart = any(name.endswith(("lm_head.weight", "embed_out.weight")) for name in tensors)
    return Shape(
        kind=kind,
        layers=layers,
        hidden=hidden,
        intermediate=one * (active + shared) if experts else one,
        heads=heads,
        kv_heads=_size(config, "kv_heads") or heads,
        head_dim=int(config.get("head_dim") or hidden // heads),
        vocabulary=int(config.get("vocab_size") or 0) or _vocabulary(tensors, hidden),
        context=_size(config, "context") or 2048,
        tied=bool(config.get("tie_word_embeddings", bool(tensors) and not heads_apart)),
        writes=writes,
        gated=gated,
        resting=layers * (3 if gated else 2) * hidden * one * max(0, experts - active),
        counted=sum(map(prod, tensors.values())),
    )


def _size(config: Mapping[str, Any], name: str) -> int:
    return next((int(config[key]) for key in _NAMES[name] if config.get(key)), 0)


def _writes(config: Mapping[str, Any]) -> bool:
    """Whether the model writes text (a decoder); an encoder such as BERT only reads it."""
    made = config.get("architectures") or [""]
    return "bert" not in str(config.get("model_type", "")).lower() and not any(
        name.endswith(("ForMaskedLM", "ForSequenceClassification")) for name in made
    )


def _vocabulary(tensors: Mapping[str, tuple[int, ...]], hidden: int) -> int:
    """The rows of the largest table of words, where the configuration leaves their number to its family."""
    return max((shape[0] for shape in tensors.values() if len(shape) == 2 and shape[1] == hidden), default=0)


def _tensors(folder: Path) -> dict[str, tuple[int, ...]]:
    """The shape of every tensor by its name, from the files' headers alone; nothing where a file is not there."""
    try:
        index = folder / "model.safetensors.index.json"
        if index.exists():
            files = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
        else:
            files = ["model.safetensors"]
        found: dict[str, tuple[int, ...]] = {}
        for name in files:
            with (folder / name).open("rb") as stream:
                (length,) = struct.unpack("<Q", stream.read(8))
                header = json.loads(stream.read(min(length, _MOST_HEADER)))
            found |= {key: tuple(one["shape"]) for key, one in header.items() if key != "__metadata__"}
    except (OSError, ValueError, KeyError, TypeError, struct.error):
        return {}
    return found
