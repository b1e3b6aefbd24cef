"""What was found, on disk: JSON, plain arrays and skops files, read back against a fixed list of types."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from advisor.records.plain import to_plain
from trainers.classical.columns import Column, Schema
from trainers.common.metrics import Floats
from trainers.common.model_files import (
    read_arrays,
    read_fitted,
    read_model,
    told_as_damage,
    write_arrays,
    write_fitted,
    write_model,
)
from trainers.forecast.clock import Clock
from trainers.forecast.panel import Layout
from trainers.unsupervised.encoder import Encoder
from trainers.unsupervised.grouping import nearest
from trainers.unsupervised.lenses import Lens, SeriesLens, TableLens, TextLens
from trainers.unsupervised.oddness import WAYS, Detector
from trainers.unsupervised.steps import Profile

_FORM = 1
# What skops does not know by itself and these two files need; never taken from the file.
TRUSTED = ("numpy.dtype", "scipy.sparse._csr.csr_matrix", "sklearn.tree._tree.Tree")


@dataclass(frozen=True)
class Found:
    """What answers for a run: groups by their `centres` and names, or a detector with its line from usual to odd."""

    lens: Lens
    centres: Floats | None = None
    names: tuple[str, ...] = ()
    detector: Detector | None = None
    ways: tuple[str, ...] = ()
    line: float = 0.0

    def groups(self, frame: pd.DataFrame) -> list[str]:
        """The name of each row's group."""
        centres = np.zeros((0, 0)) if self.centres is None else self.centres
        return [self.names[at] for at in nearest(self.lens.features(frame), centres)]

    def oddness(self, frame: pd.DataFrame) -> Floats:
        """How odd each row is: about the share of training rows that are less odd."""
        if self.detector is None:
            return np.zeros(len(frame))
        return self.detector.score(self.lens.features(frame), self.ways)


def save_found(run: Path, found: Found) -> None:
    """Write it into a run folder, and read it back: what cannot be read is no model."""
    arrays: dict[str, Any] = {}
    content: dict[str, Any] = {"names": list(found.names), "ways": list(found.ways), "line": found.line}
    lens = found.lens
    if isinstance(lens, TableLens):
        content["table"] = {"columns": to_plain(lens.schema)["columns"], "encoder": to_plain(lens.encoder)}
    elif isinstance(lens, TextLens):
        content["text"] = list(lens.names)
        write_fitted(run, "words.skops", lens.pipeline)
    else:
        content["series"] = {
            "time": list(lens.layout.time),
            "target": lens.layout.target,
            "clock": lens.clock.told(),
            "season": lens.profile.season,
            "windows": list(lens.profile.windows),
            "start": lens.start,
        }
        arrays |= {"middle": lens.profile.middle, "scale": lens.profile.scale, "tail": lens.tail}
    if found.centres is not None:
        arrays["centres"] = found.centres
    if found.detector is not None:
        write_fitted(run, "forest.skops", found.detector.forest)
        arrays |= {"columns": found.detector.columns, "sample": found.detector.sample}
        arrays |= {f"known_{way}": found.detector.known[way] for way in WAYS}
    write_arrays(run, "arrays.npz", **arrays)
    write_model(run, _FORM, content)
    load_found(run)


def load_found(run: Path) -> Found:
    """What a run found. The caller has verified the run's files against their hashes."""
    with told_as_damage(run):
        content = read_model(run, _FORM)
        kept = read_arrays(run, "arrays.npz")
        arrays = {name: np.asarray(array, dtype=np.float64) for name, array in kept.items()}
        detector = None
        if content["ways"]:
            known = {way: arrays[f"known_{way}"] for way in WAYS}
            detector = Detector(read_fitted(run, "forest.skops", TRUSTED), arrays["columns"], arrays["sample"], known)
        names, ways = tuple(map(str, content["names"])), tuple(map(str, content["ways"]))
        lens = _lens(run, content, arrays)
        return Found(lens, arrays.get("centres"), names, detector, ways, float(content["line"]))


def _lens(run: Path, content: dict[str, Any], arrays: dict[str, Floats]) -> Lens:
    if "table" in content:
        told = content["table"]
        encoder = told["encoder"]
        numbers = tuple((str(n), float(m), float(s)) for n, m, s in encoder["numbers"])
        categories = tuple((str(n), tuple(map(str, v)), tuple(map(float, s))) for n, v, s in encoder["categories"])
        schema = Schema(tuple(Column(**column) for column in told["columns"]))
        return TableLens(schema, Encoder(numbers, categories, bool(encoder["rarity"])))
    if "text" in content:
        return TextLens(tuple(map(str, content["text"])), read_fitted(run, "words.skops", TRUSTED))
    told = content["series"]
    clock = Clock(tuple(told["time"]), **told["clock"])
    profile = Profile(int(told["season"]), arrays["middle"], arrays["scale"], tuple(map(int, told["windows"])))
    layout = Layout(tuple(told["time"]), "", str(told["target"]))
    return SeriesLens(layout, clock, profile, arrays["tail"], int(told["start"]))
