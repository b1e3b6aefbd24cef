"""Which layers of an image model's body learn, by adapters beside them, and how what those learnt joins its weights."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from torch import nn

from advisor.base.files import inside
from trainers.backbone.base import Backbone
from trainers.common.policy import policy
from trainers.common.runfolder import WORK


def layers_of(backbone: Backbone) -> list[str]:
    """Names of the layers that learn: the linear ones, and of a body of convolutions those too.

    A layer of a derived kind may compute something else of its weights, and into convolutions by groups or with gaps an
    adapter cannot be added: such layers stay as they are, and so does a summary that nobody reads.
    """
    return [
        name
        for name, layer in backbone.model.named_modules()
        if (type(layer) is nn.Linear and (backbone.pooled or not name.startswith("pooler.")))
        or (backbone.convolves and type(layer) is nn.Conv2d and layer.groups == 1 and layer.dilation == (1, 1))
    ]


def with_adapters(backbone: Backbone, seed: int) -> Any:
    """The body with fresh adapters beside its layers, which change nothing yet and alone learn. Norms stay as they are.

    The body itself is given the adapters; `unload()` takes them off again.
    """
    rules = policy("backbone")["tune"]
    torch.manual_seed(seed)
    config = LoraConfig(r=rules["rank"], lora_alpha=rules["alpha"], target_modules=layers_of(backbone))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # peft warns of what it renames in other libraries
        return get_peft_model(backbone.model, config, autocast_adapter_dtype=False).eval()


@contextmanager
def tried(backbone: Backbone, seed: int) -> Iterator[Any]:
    """Inside, the body with adapters; afterwards it is what it was."""
    adapted = with_adapters(backbone, seed)
    try:
        yield adapted
    finally:
        adapted.unload()


def merge(adapted: Any) -> None:
    """Add the adapters into the body's weights and take them off."""
    adapted.merge_and_unload(safe_merge=True)


def save_weights(backbone: Backbone, into: Path) -> None:
    """The body's weights as they are now, for `open_backbone` beside the base's own config and image processor.

    A summary that was not saved with the model is left out again: it holds random numbers.
    """
    weights = backbone.model.state_dict()
    kept = {name: value for name, value in weights.items() if backbone.pooled or not name.startswith("pooler.")}
    unfinished = inside(into.parent, WORK)
    unfinished.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=unfinished, prefix="weights-") as scratch:
        backbone.model.save_pretrained(scratch, state_dict=kept)
        for file in sorted(Path(scratch).glob("*.safetensors*")):
            file.chmod(0o644)
            file.replace(inside(into, file.name))
