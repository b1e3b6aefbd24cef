"""A forecasting run on disk: its ways as JSON, what was learnt as skops, and the latest stretch of each series."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from advisor.base.errors import BadInput
from advisor.base.files import inside, read_text, to_json
from trainers.common.metrics import Floats
from trainers.common.runfolder import keep
from trainers.common.skops_io import skops_io
from trainers.forecast.candidates import Candidate, Forecaster, local
from trainers.forecast.clock import Clock
from trainers.forecast.lags import Boosted, Linear, Shape
from trainers.forecast.panel import Layout
from trainers.forecast.search import Together

_FORM = 1
# What skops does not know by itself and boosted trees need; never taken from the file.
TRUSTED = ("sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor", "numpy.dtype")


@dataclass(frozen=True)
class ForecastModel:
    """What answers for a run. `tail` [series, steps] are the latest values, the first of them step number `start`."""

    members: tuple[Candidate, ...]
    forecaster: Forecaster
    layout: Layout
    clock: Clock
    names: tuple[str, ...]
    horizon: int
    seasons: tuple[int, ...]
    scale: Floats
    half: Floats
    share: float
    tail: Floats
    start: int


def save_model(run: Path, model: ForecastModel, fitted: tuple[Forecaster, ...]) -> None:
    """Write the model into a run folder, and read it back: a model that cannot be read is no model."""
    members = []
    for number, (candidate, forecaster) in enumerate(zip(model.members, fitted, strict=True), start=1):
        entry: dict[str, Any] = {"name": candidate.name, "kind": candidate.kind, "settings": candidate.settings}
        if isinstance(forecaster, Linear | Boosted):
            entry["file"] = f"model-{number}.skops"
            keep(run, entry["file"], skops_io().dumps(forecaster.model, compression=zipfile.ZIP_DEFLATED))
        members.append({**entry, "simplicity": candidate.simplicity})
    stream = io.BytesIO()
    np.savez_compressed(stream, tail=model.tail, scale=model.scale, half=model.half)
    keep(run, "history.npz", stream.getvalue())
    content = {
        "form": _FORM,
        "members": members,
        "time": list(model.layout.time),
        "series": model.layout.series,
        "target": model.layout.target,
        "clock": {"step": model.clock.step, "start": model.clock.start, "unit": model.clock.unit},
        "names": list(model.names),
        "horizon": model.horizon,
        "seasons": list(model.seasons),
        "share": model.share,
        "start": model.start,
    }
    keep(run, "model.json", to_json(content))
    load_model(run)


def load_model(run: Path) -> ForecastModel:
    """The model of a run. The caller has verified the run's files against their hashes."""
    try:
        content = json.loads(read_text(run / "model.json"))
        if content["form"] != _FORM:
            raise BadInput(
                f"The model was written in form {content['form']}; this version reads form {_FORM}.",
                where=str(run / "model.json"),
                fix=f"Use the version named in {run / 'run.json'}, or train again.",
                code="model-form",
            )
        with np.load(inside(run, "history.npz"), allow_pickle=False) as kept:
            tail, scale, half = (np.asarray(kept[name], dtype=np.float64) for name in ("tail", "scale", "half"))
        clock = Clock(tuple(content["time"]), **content["clock"])
        horizon, seasons = int(content["horizon"]), tuple(map(int, content["seasons"]))
        members = tuple(Candidate(m["name"], m["simplicity"], m["kind"], m["settings"]) for m in content["members"])
        ready = tuple(
            _forecaster(run, one, str(entry.get("file", "")), horizon, seasons, clock)
            for one, entry in zip(members, content["members"], strict=True)
        )
        layout = Layout(tuple(content["time"]), str(content["series"]), str(content["target"]))
        names, share = tuple(map(str, content["names"])), float(content["share"])
        start = int(content["start"])
        return ForecastModel(
            members, Together(ready), layout, clock, names, horizon, seasons, scale, half, share, tail, start
        )
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise _damaged(run, error) from error


def _forecaster(
    run: Path, one: Candidate, file: str, horizon: int, seasons: tuple[int, ...], clock: Clock
) -> Forecaster:
    if not one.learns:
        return local(one.kind, one.settings, horizon)
    try:
        model = skops_io().load(inside(run, file), trusted=list(TRUSTED))
    except Exception as error:  # a hostile or torn file can make skops fail in any way; none may pass as our bug
        raise _damaged(run, error) from error
    shape = Shape(horizon, seasons, bool(one.settings["logarithm"]))
    return Linear(shape, model) if one.kind == "linear" else Boosted(shape, clock, model)


def _damaged(run: Path, error: Exception) -> BadInput:
    return BadInput(
        f"The model of {run.name} cannot be used: {type(error).__name__}.",
        where=str(run / "model.json"),
        why="Only a fixed list of types is ever loaded, so that a model file cannot run code.",
        fix=f"Train it again: train-or-not train {run.parent.parent} --again",
        code="untrusted-model",
    )
