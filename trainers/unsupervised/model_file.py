"""What was found, on disk: JSON, plain arrays and skops files, read back against a fixed list of types."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from advisor.base.errors import BadInput
from advisor.base.files import inside, read_text, to_json
from advisor.records.plain import to_plain
from trainers.classical.columns import Column, Schema
from trainers.common.metrics import Floats
from trainers.common.runfolder import keep
from trainers.common.skops_io import skops_io
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
    content: dict[str, Any] = {"form": _FORM, "names": list(found.names), "ways": list(found.ways), "line": found.line}
    lens = found.lens
    if isinstance(lens, TableLens):
        content["table"] = {"columns": to_plain(lens.schema)["columns"], "encoder": to_plain(lens.encoder)}
    elif isinstance(lens, TextLens):
        content["text"] = list(lens.names)
        keep(run, "words.skops", skops_io().dumps(lens.pipeline, compression=zipfile.ZIP_DEFLATED))
    else:
        content["series"] = {
            "time": list(lens.layout.time),
            "target": lens.layout.target,
            "clock": {"step": lens.clock.step, "start": lens.clock.start, "unit": lens.clock.unit},
            "season": lens.profile.season,
            "windows": list(lens.profile.windows),
            "start": lens.start,
        }
        arrays |= {"middle": lens.profile.middle, "scale": lens.profile.scale, "tail": lens.tail}
    if found.centres is not None:
        arrays["centres"] = found.centres
    if found.detector is not None:
        keep(run, "forest.skops", skops_io().dumps(found.detector.forest, compression=zipfile.ZIP_DEFLATED))
        arrays |= {"columns": found.detector.columns, "sample": found.detector.sample}
        arrays |= {f"known_{way}": found.detector.known[way] for way in WAYS}
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    keep(run, "arrays.npz", stream.getvalue())
    keep(run, "model.json", to_json(content))
    load_found(run)


def load_found(run: Path) -> Found:
    """What a run found. The caller has verified the run's files against their hashes."""
    try:
        content = json.loads(read_text(run / "model.json"))
        if content["form"] != _FORM:
            raise BadInput(
                f"The model was written in form {content['form']}; this version reads form {_FORM}.",
                where=str(run / "model.json"),
                fix=f"Use the version named in {run / 'run.json'}, or train again.",
                code="model-form",
            )
        with np.load(inside(run, "arrays.npz"), allow_pickle=False) as kept:
            arrays = {name: np.asarray(kept[name], dtype=np.float64) for name in kept.files}
        detector = None
        if content["ways"]:
            known = {way: arrays[f"known_{way}"] for way in WAYS}
            detector = Detector(_skops(run, "forest.skops"), arrays["columns"], arrays["sample"], known)
        names, ways = tuple(map(str, content["names"])), tuple(map(str, content["ways"]))
        lens = _lens(run, content, arrays)
        return Found(lens, arrays.get("centres"), names, detector, ways, float(content["line"]))
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise _damaged(run, error) from error


def _lens(run: Path, content: dict[str, Any], arrays: dict[str, Floats]) -> Lens:
    if "table" in content:
        told = content["table"]
        encoder = told["encoder"]
        numbers = tuple((str(n), float(m), float(s)) for n, m, s in encoder["numbers"])
        categories = tuple((str(n), tuple(map(str, v)), tuple(map(float, s))) for n, v, s in encoder["categories"])
        schema = Schema(tuple(Column(**column) for column in told["columns"]))
        return TableLens(schema, Encoder(numbers, categories, bool(encoder["rarity"])))
    if "text" in content:
        return TextLens(tuple(map(str, content["text"])), _skops(run, "words.skops"))
    told = content["series"]
    clock = Clock(tuple(told["time"]), **told["clock"])
    profile = Profile(int(told["season"]), arrays["middle"], arrays["scale"], tuple(map(int, told["windows"])))
    layout = Layout(tuple(told["time"]), "", str(told["target"]))
    return SeriesLens(layout, clock, profile, arrays["tail"], int(told["start"]))


def _skops(run: Path, name: str) -> Any:
    try:
        return skops_io().load(inside(run, name), trusted=list(TRUSTED))
    except Exception as error:  # a hostile or torn file can make skops fail in any way; none may pass as our bug
        raise _damaged(run, error) from error


def _damaged(run: Path, error: Exception) -> BadInput:
    return BadInput(
        f"What {run.name} found cannot be used: {type(error).__name__}.",
        where=str(run / "model.json"),
        why="Only a fixed list of types is ever loaded, so that a model file cannot run code.",
        fix=f"Train it again: train-or-not train {run.parent.parent} --again",
        code="untrusted-model",
    )
