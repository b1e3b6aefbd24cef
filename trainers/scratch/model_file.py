"""A picture or signal model on disk: JSON, plain arrays, and safetensors for the weights of a network."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from advisor.base.files import inside
from trainers.common.metrics import Floats
from trainers.common.model_files import read_arrays, read_model, told_as_damage, write_arrays, write_model
from trainers.common.runfolder import keep
from trainers.scratch.kernels import Kernels
from trainers.scratch.linear import Linear
from trainers.scratch.network import SmallNetwork, probabilities
from trainers.scratch.shapes import Shape

_FORM = 1


@dataclass(frozen=True)
class Seer:
    """What answers for a run: a network for pictures, or random kernels with a linear classifier for signals."""

    shape: Shape
    classes: tuple[str, ...]
    network: SmallNetwork | None = None
    kernels: Kernels | None = None
    linear: Linear | None = None

    def probabilities(self, frame: pd.DataFrame) -> Floats:
        """[rows, classes] of rows as they stand in a file."""
        return self.of_values(self.shape.values(frame))

    def of_values(self, values: Floats) -> Floats:
        """[rows, classes] of rows that were already read by the shape.

        One row at a time: the last bits of a product follow from how many rows share it, and an answer must not depend
        on who else asks.
        """
        if self.network is not None:
            network, side = self.network, self.shape.side
            found = [probabilities(network, values[at : at + 1], side) for at in range(len(values))]
        elif self.kernels is not None and self.linear is not None:
            features = self.kernels.features(values)
            found = [self.linear.probabilities(features[at : at + 1]) for at in range(len(values))]
        else:
            raise TypeError("a model of signals needs kernels and weights")
        return np.concatenate(found) if found else np.zeros((0, len(self.classes)))


def save_seer(run: Path, seer: Seer, channels: int) -> None:
    """Write it into a run folder, and read it back."""
    shape = {
        "columns": list(seer.shape.columns),
        "side": seer.shape.side,
        "low": seer.shape.low,
        "high": seer.shape.high,
    }
    if seer.network is not None:
        import safetensors.torch

        keep(run, "network.safetensors", safetensors.torch.save(dict(seer.network.state_dict())))
    elif seer.kernels is not None and seer.linear is not None:
        arrays: dict[str, Any] = {**seer.kernels.__dict__, "linear_weights": seer.linear.weights}
        arrays |= {"middle": seer.linear.middle, "scale": seer.linear.scale, "start": seer.linear.start}
        write_arrays(run, "kernels.npz", **arrays)
    write_model(run, _FORM, {"shape": shape, "classes": list(seer.classes), "channels": channels})
    load_seer(run)


def load_seer(run: Path) -> Seer:
    """The model of a run. The caller has verified the run's files against their hashes."""
    with told_as_damage(run):
        content = read_model(run, _FORM)
        told = content["shape"]
        shape = Shape(tuple(map(str, told["columns"])), int(told["side"]), float(told["low"]), float(told["high"]))
        classes = tuple(map(str, content["classes"]))
        if shape.side:
            import safetensors.torch

            network = SmallNetwork(len(classes), int(content["channels"]))
            network.load_state_dict(safetensors.torch.load_file(inside(run, "network.safetensors")))
            return Seer(shape, classes, network)
        arrays = read_arrays(run, "kernels.npz")
        kernels = Kernels(arrays["weights"], arrays["gaps"].astype(np.int64), arrays["thresholds"])
        names = ("middle", "scale", "linear_weights", "start")
        return Seer(shape, classes, None, kernels, Linear(*(arrays[name] for name in names)))
