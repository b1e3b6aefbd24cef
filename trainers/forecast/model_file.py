"""A forecasting run on disk: its ways as JSON, what was learnt as skops, and the latest stretch of each series."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

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

    @property
    def fitted_anew(self) -> bool:
        """Whether a way of it is fitted by statsforecast each time it is asked."""
        return any(member.kind == "statistical" for member in self.members)


def save_model(run: Path, model: ForecastModel, fitted: tuple[Forecaster, ...]) -> None:
    """Write the model into a run folder, and read it back: a model that cannot be read is no model."""
    members = []
    for number, (candidate, forecaster) in enumerate(zip(model.members, fitted, strict=True), start=1):
        entry: dict[str, Any] = {"name": candidate.name, "kind": candidate.kind, "settings": candidate.settings}
        if isinstance(forecaster, Linear | Boosted):
            entry["file"] = f"model-{number}.skops"
            write_fitted(run, entry["file"], forecaster.model)
        members.append({**entry, "simplicity": candidate.simplicity})
    write_arrays(run, "history.npz", tail=model.tail, scale=model.scale, half=model.half)
    content = {
        "members": members,
        "time": list(model.layout.time),
        "series": model.layout.series,
        "target": model.layout.target,
        "clock": model.clock.told(),
        "names": list(model.names),
        "horizon": model.horizon,
        "seasons": list(model.seasons),
        "share": model.share,
        "start": model.start,
    }
    write_model(run, _FORM, content)
    load_model(run)


def load_model(run: Path) -> ForecastModel:
    """The model of a run. The caller has verified the run's files against their hashes."""
    with told_as_damage(run):
        content = read_model(run, _FORM)
        kept = read_arrays(run, "history.npz")
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


def _forecaster(
    run: Path, one: Candidate, file: str, horizon: int, seasons: tuple[int, ...], clock: Clock
) -> Forecaster:
    if not one.learns:
        return local(one.kind, one.settings, horizon)
    model = read_fitted(run, file, TRUSTED)
    shape = Shape(horizon, seasons, bool(one.settings["logarithm"]))
    return Linear(shape, model) if one.kind == "linear" else Boosted(shape, clock, model)
