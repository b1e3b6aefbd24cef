"""A run of a pretrained image model on disk: the model itself, the linear model on top, and what a row must hold."""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from advisor.base.files import inside
from trainers.backbone.base import PROCESSOR, Backbone, open_backbone
from trainers.backbone.images import Source, open_images
from trainers.common.metrics import Floats
from trainers.common.model_files import read_arrays, read_model, told_as_damage, write_arrays, write_model
from trainers.scratch.linear import Linear
from trainers.scratch.shapes import Shape

_FORM = 1
_BASE = "base"


@dataclass(frozen=True)
class Seer:
    """What answers for a run."""

    source: Source
    classes: tuple[str, ...]
    backbone: Backbone
    linear: Linear

    def probabilities(self, frame: pd.DataFrame, folder: Path | None) -> Floats:
        """[rows, classes]. `folder` is where file names lead; None refuses them."""
        images = open_images(frame.reset_index(drop=True), self.source, folder)
        found = [self.of_features(self.backbone.features(image)[None]) for image in images]
        return np.concatenate(found) if found else np.zeros((0, len(self.classes)))

    def of_features(self, features: Floats) -> Floats:
        """[rows, classes] of what the pretrained model said of each row, row by row for the same last bits."""
        return np.concatenate([self.linear.probabilities(features[at : at + 1]) for at in range(len(features))])


def save_seer(run: Path, seer: Seer, place: Path, *, tuned: bool = False) -> None:
    """Write it into a run folder, the base too: a run answers whatever becomes of the user's folder.

    The base is the files of `place`, or where it was `tuned` its weights as the seer's body has them now.
    """
    base = inside(run, _BASE)
    shutil.rmtree(base, ignore_errors=True)  # what a killed attempt left may be another way's
    base.mkdir()
    for path in (place / "config.json", place / PROCESSOR, *([] if tuned else place.glob("*.safetensors*"))):
        if path.is_file():
            shutil.copyfile(path, inside(run, f"{_BASE}/{path.name}"))
    if tuned:
        from trainers.backbone.adapters import save_weights

        save_weights(seer.backbone, base)
    write_arrays(run, "linear.npz", **asdict(seer.linear))
    shape = seer.source.shape
    content = {"column": seer.source.column, "shape": asdict(shape) if shape else None, "classes": list(seer.classes)}
    write_model(run, _FORM, {**content, "threads": seer.backbone.threads})


def load_seer(run: Path) -> Seer:
    """The model of a run. The caller has verified the run's files against their hashes."""
    with told_as_damage(run):
        content = read_model(run, _FORM)
        told = content["shape"]
        shape = None
        if told is not None:
            columns = tuple(map(str, told["columns"]))
            shape = Shape(columns, int(told["side"]), float(told["low"]), float(told["high"]))
        arrays = read_arrays(run, "linear.npz")
        linear = Linear(*(arrays[name] for name in ("middle", "scale", "weights", "start")))
        classes = tuple(map(str, content["classes"]))
        backbone = open_backbone(inside(run, _BASE), int(content["threads"]))
        return Seer(Source(str(content["column"]), shape), classes, backbone, linear)
