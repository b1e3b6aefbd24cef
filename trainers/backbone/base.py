"""The pretrained image model: a folder of the user's, checked before it is loaded, and what it sees in an image."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from advisor.base.errors import BadInput
from advisor.base.files import read_text
from advisor.base.safetext import one_of, plain
from trainers.common.metrics import Floats
from trainers.lora.base import locate

PROCESSOR = "preprocessor_config.json"


def check_base(name: str, folder: Path) -> Path:
    """The folder of the base, absolute or from the case's `folder`. Raises `BadInput` for one that cannot serve.

    No weights are read and nothing heavy is loaded.
    """
    if not name:
        raise BadInput(
            "The plan names no pretrained image model.",
            where="plan.yaml: settings.base",
            why="No hub is reached: the model to start from is a folder of yours.",
            fix="train-or-not plan CASE --setting base=FOLDER   (a ViT, ResNet, ConvNeXt … with config.json, "
            f"{PROCESSOR} and *.safetensors)",
            code="no-base-model",
        )
    place = Path(name) if Path(name).is_absolute() else folder / name
    if not place.is_dir():
        raise BadInput(
            f"There is no folder {plain(place, 120)}.",
            where="plan.yaml: settings.base",
            fix="Name the folder of a saved image model: --setting base=FOLDER",
            code="no-base-model",
        )
    locate(str(place.absolute()), folder)
    if not (place / PROCESSOR).is_file():
        raise BadInput(
            f"{place.name} holds no {PROCESSOR}.",
            where=str(place),
            why="It says how large an image must be and how its colours were scaled when the model learned.",
            fix="Save it beside the model: AutoImageProcessor.from_pretrained(…).save_pretrained(folder)",
            code="no-image-processor",
        )
    config = json.loads(read_text(place / "config.json"))
    channels = config.get("num_channels", 3)
    if channels != 3:
        raise BadInput(
            f"{place.name} reads images of {plain(channels, 20)} channels.",
            where=str(place / "config.json"),
            why="Images are read in red, green and blue.",
            fix="Choose an image model with num_channels 3.",
            code="wrong-channels",
        )
    return place


def size_of(place: Path) -> int:
    """Bytes of the base's weights."""
    return sum(path.stat().st_size for path in place.glob("*.safetensors"))


def side_of(place: Path) -> int:
    """Pixels a side of what the model reads, as its image processor says; 224 where it does not say."""
    size = json.loads(read_text(place / PROCESSOR)).get("size", 224)
    if isinstance(size, dict):
        size = size.get("height") or size.get("shortest_edge") or 224
    return int(size)


@dataclass(frozen=True)
class Backbone:
    """A loaded image model, its body only. `pooled` says whether it was saved with its own summary of an image.

    `convolves`: what it says of an image is a map of places, as convolutions make it, and no row of tokens.
    `threads` is how many processors share one image: the last bits follow from it, so a run keeps the number.
    """

    model: Any
    processor: Any
    pooled: bool
    convolves: bool = False
    threads: int = 1

    def features(self, image: Any) -> Floats:
        """[width] of one image: the body's own summary, or the mean over all places, after the first token if any.

        One image at a time: the last bits of a product follow from how many share it, and an answer must not depend
        on who else asks.
        """
        import torch

        torch.set_num_threads(self.threads)
        with torch.no_grad():
            found = self.summary(self.model(pixel_values=self.pixels(image).to(self.model.device)))
        return np.asarray(found[0].float().cpu().numpy(), dtype=np.float64)

    def pixels(self, image: Any) -> Any:
        """[1, 3, height, width] of one image as the model wants it, on the processor."""
        return self.processor(images=image, return_tensors="pt")["pixel_values"]

    def summary(self, seen: Any) -> Any:
        """[images, width] of what the body said, `seen`; gradients pass."""
        import torch

        if self.pooled:
            return seen.pooler_output.flatten(1)
        if self.convolves:
            return seen.last_hidden_state.mean(dim=(2, 3))
        tokens = seen.last_hidden_state
        return torch.cat([tokens[:, 0], tokens[:, 1:].mean(dim=1)], dim=1)


def open_backbone(place: Path, threads: int = 1) -> Backbone:
    """Load a checked folder. Raises `BadInput` for a model of no images, and for weights that do not fit it."""
    from trainers.lora.machine import find_device
    from trainers.lora.trainer import need_packages

    need_packages()
    import torch
    from safetensors import SafetensorError
    from transformers import AutoImageProcessor, AutoModel

    safe = {"local_files_only": True, "trust_remote_code": False}
    # What is of another size is asked to be told, not to be passed over: it is refused below.
    told_all = {"output_loading_info": True, "ignore_mismatched_sizes": True}
    try:
        reader: Any = AutoImageProcessor
        processor = reader.from_pretrained(str(place), backend="pil", **safe)
        loader: Any = AutoModel
        model, told = loader.from_pretrained(str(place), use_safetensors=True, dtype=torch.float32, **safe, **told_all)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, ImportError, SafetensorError) as error:
        raise _unfit(place, plain(error, 160)) from error
    if getattr(model, "main_input_name", "") != "pixel_values":
        raise _unfit(place, f"{type(model).__name__} reads no images")
    # A classifier is often saved without the layer that its body would sum up with: that one is not used then.
    missing = sorted(name for name in told["missing_keys"] if not name.startswith("pooler."))
    if missing or told["mismatched_keys"]:
        raise _unfit(place, f"its weights lack {one_of(missing, 3)}" if missing else "its weights are of another size")
    model.requires_grad_(False)
    model.eval().to(find_device().kind)
    said = _tried(model, processor, place)
    pooled = not told["missing_keys"] and said.get("pooler_output") is not None
    return Backbone(model, processor, pooled, said["last_hidden_state"].ndim == 4, threads)


def _tried(model: Any, processor: Any, place: Path) -> Any:
    """What the body says of a grey image: a folder whose parts do not fit each other shows it here."""
    import torch
    from PIL import Image

    try:
        with torch.no_grad():
            given = processor(images=Image.new("RGB", (64, 48), (128, 128, 128)), return_tensors="pt")
            said = model(pixel_values=given["pixel_values"].to(model.device))
            said["last_hidden_state"]
            return said
    except (ValueError, KeyError, TypeError, RuntimeError, AttributeError, IndexError) as error:
        raise _unfit(place, f"it cannot read an image: {plain(error, 160)}") from error


def _unfit(place: Path, why: str) -> BadInput:
    return BadInput(
        f"{place.name} is no image model that can be used here: {why}.",
        where=str(place),
        why="The body, its weights and its image processor must belong to each other.",
        fix="Save model and processor of one image model into a folder: save_pretrained(folder) of both.",
        code="cannot-load-base",
    )
