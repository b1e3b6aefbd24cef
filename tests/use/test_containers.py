"""What a container installs is enough to serve each kind of run, and its first lines say how to start it."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from packaging.requirements import Requirement

from advisor.base.errors import BadInput
from tests.interview.model_server import ModelServer
from tests.use import contract_runs as runs
from tests.use.test_serving import ask
from trainers.common.policy import policy
from trainers.common.runfolder import complete
from trainers.export.bundle import export_run
from trainers.export.card import card
from trainers.export.container import dockerfile, requirements
from trainers.forecast.candidates import Candidate, local
from trainers.forecast.clock import Clock
from trainers.forecast.model_file import ForecastModel, load_model, save_model
from trainers.forecast.panel import Layout
from trainers.forecast.search import Together
from trainers.forecast.statistical import Statistical
from trainers.use.forecasts import open_forecasts
from trainers.use.inputs import InputColumn
from trainers.use.opened import Allowance, Backend, OpenedRun, open_run
from trainers.use.rung_folder import Kept

ROOT = Path(__file__).resolve().parents[2]


def only_what_is_listed(shipped: Path, site: Path) -> None:
    """A folder of links to the packages that requirements.txt names, with all that they ask for in turn."""
    site.mkdir()
    waiting = [Requirement(line).name for line in (shipped / "requirements.txt").read_text().splitlines()]
    seen: set[str] = set()
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in seen:
            continue
        seen.add(name)
        try:
            found = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # for another system
        asked = map(Requirement, found.requires or [])
        waiting += [one.name for one in asked if one.marker is None or one.marker.evaluate({"extra": ""})]
        for top in {Path(str(file)).parts[0] for file in found.files or []} - {"..", "__pycache__"}:
            if not (site / top).exists():
                (site / top).symlink_to(Path(str(found.locate_file(top))))


def served_from(shipped: Path, site: Path, rows: list[object], *options: str, **more: str) -> list[object]:
    """What the container's own command answers, with no other package than the container's."""
    line = next(one for one in (shipped / "Dockerfile").read_text().splitlines() if one.startswith("ENTRYPOINT "))
    words = [word for word in json.loads(line.removeprefix("ENTRYPOINT "))[1:] if word not in ("--host", "0.0.0.0")]
    environment = {**os.environ, **more, "PYTHONPATH": f"{site}:{ROOT}"}
    server = subprocess.Popen(
        [sys.executable, "-S", "-m", "advisor", *words[:-1], "0", *options],
        cwd=shipped, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert server.stdout is not None and server.stderr is not None
        said = server.stdout.readline()
        assert said, server.stderr.read()
        status, told = ask(int(said.split("/predict")[0].rpartition(":")[2]), {"rows": rows})
        assert status == 200, told
        return list(told["predictions"])
    finally:
        server.terminate()
        server.communicate(timeout=60)


def shipped_and_asked(held: runs.Held, folder: Path, *options: str, **more: str) -> None:
    opened = open_run(held.run, Allowance(5))
    export_run(opened, folder / "shipped", lambda _: None)
    only_what_is_listed(folder / "shipped", folder / "site")
    rows = held.rows[:5] if not held.together else held.rows
    answers = served_from(folder / "shipped", folder / "site", rows, *options, **more)
    assert answers == list(opened.answer(pd.DataFrame(rows)).rows())


def statistical(folder: Path, monkeypatch: pytest.MonkeyPatch) -> runs.Held:
    """A forecasting run whose one member is fitted anew by statsforecast each time it is asked."""
    monkeypatch.setattr("trainers.forecast.candidates.is_installed", lambda: False)  # the others train faster
    held = runs.foretold(folder)
    way = Candidate("theta", 4, "statistical", {"model": "AutoTheta", "seasons": [7], "longest": 100})
    model = load_model(held.run)
    save_model(held.run, replace(model, members=(way,)), (local(way.kind, way.settings, model.horizon),))
    complete(held.run)
    return held


NAIVE = Candidate("naive", 0, "naive", {"longest": 50})
FITTED_ANEW = Candidate("theta", 4, "statistical", {"model": "AutoTheta", "seasons": [7], "longest": 50})


def keep_forecast(way: Candidate, folder: Path) -> None:
    """A forecasting model of one way and one series that never changes, written into `folder`."""
    ready = (local(way.kind, way.settings, 7),)
    one, clock, layout = np.ones(1), Clock(("day",), "86400", 0.0), Layout(("day",), "", "sold")
    tail = np.ones((1, 50))
    model = ForecastModel((way,), Together(ready), layout, clock, ("",), 7, (7,), one, one, 0.9, tail, 0)
    save_model(folder, model, ready)


def rung(reckoner: OpenedRun, endpoint: str) -> OpenedRun:
    """A run that asks the model server at `endpoint`, as far as its container goes."""
    kept = Kept(
        "zero-shot", "prompt", "generation", endpoint, "m", ("note",), (), {}, {}, {"mode": "text", "by_meaning": False}
    )
    (reckoner.folder / "rung.json").write_text(json.dumps(asdict(kept)), encoding="utf-8")
    plan = replace(reckoner.record.plan, trainer="rung", task="generation", target="")
    backend = Backend((InputColumn("note", "text"),), (), reckoner.backend.answer, dear=True)
    return OpenedRun(reckoner.folder, replace(reckoner.record, plan=plan), backend)


def test_a_container_that_asks_a_server_says_the_key_the_address_and_the_cap(reckoner: OpenedRun) -> None:
    head = dockerfile(rung(reckoner, "https://models.example/v1")).partition("FROM ")[0]
    assert all(line.startswith("#") for line in head.splitlines())
    for told in ("TRAIN_OR_NOT_API_KEY", "TRAIN_OR_NOT_SEND_TO=https://models.example/v1", "my-model --max-usd 2"):
        assert told in head
    assert "--network host" not in head
    assert "--network host" in dockerfile(rung(reckoner, "http://127.0.0.1:8001/v1"))
    assert "SEND_TO" not in dockerfile(rung(reckoner, "local"))
    with pytest.raises(BadInput) as refused:
        dockerfile(rung(reckoner, "https://models.example/\nRUN id"))
    assert refused.value.code == "odd-record"


def test_the_card_promises_bounded_numbers_only_where_they_are_bounded(opened: OpenedRun, reckoner: OpenedRun) -> None:
    told = card(rung(reckoner, "https://models.example/v1"))
    assert "a text" in told
    assert "a number" not in told and "range of training" not in told and "category" not in told
    assert "language model" in told
    plan = replace(reckoner.record.plan, trainer="classical")
    bounded = card(replace(reckoner, record=replace(reckoner.record, plan=plan)))
    assert "a number" in bounded and "held within the range of training" in bounded
    forecast = replace(plan, trainer="forecast", task="forecast")
    backend = replace(reckoner.backend, together=True)
    ahead = card(replace(reckoner, record=replace(reckoner.record, plan=forecast), backend=backend))
    assert "a number for each step ahead" in ahead and "range of training" not in ahead and "one row" not in ahead
    assert "one of no, yes" in card(opened)


def test_a_forecast_and_a_network_list_what_their_models_import(reckoner: OpenedRun) -> None:
    plan = reckoner.record.plan

    def listed(trainer: str) -> set[str]:
        record = replace(reckoner.record, plan=replace(plan, trainer=trainer))
        return {line.partition("==")[0] for line in requirements(replace(reckoner, record=record)).splitlines()}

    assert {"torch", "safetensors"} <= listed("scratch")
    for way, needs in ((NAIVE, set()), (FITTED_ANEW, {"statsforecast"})):
        keep_forecast(way, reckoner.folder)
        assert listed("forecast") & {"statsforecast", "torch"} == needs


def test_a_forecast_that_is_fitted_anew_is_made_once_before_it_is_served(
    reckoner: OpenedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[tuple[int, ...], int]] = []

    def made(_: Statistical, history: np.ndarray, ahead: int) -> np.ndarray:
        seen.append((history.shape, ahead))
        return np.ones((len(history), ahead))

    monkeypatch.setattr(Statistical, "__call__", made)
    keep_forecast(FITTED_ANEW, reckoner.folder)
    warm = open_forecasts(reckoner.folder, reckoner.record, Allowance()).warm
    assert warm is not None
    warm()
    assert seen == [((1, 50), 7)]
    keep_forecast(NAIVE, reckoner.folder)
    assert open_forecasts(reckoner.folder, reckoner.record, Allowance()).warm is None


@pytest.mark.heavy
def test_a_network_is_served_by_what_its_container_installs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(policy("scratch")["stop"], "rounds", 2)
    monkeypatch.setitem(policy("scratch")["network"], "channels", 8)
    shipped_and_asked(runs.seen(tmp_path), tmp_path)


@pytest.mark.heavy
def test_statistical_forecasts_are_served_by_what_their_container_installs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("statsforecast")
    shipped_and_asked(statistical(tmp_path, monkeypatch), tmp_path)


@pytest.mark.heavy
def test_a_priced_prompt_is_served_by_what_its_container_installs_and_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRAIN_OR_NOT_API_KEY", "sk-none-at-all")
    with ModelServer(runs.sorts) as server:
        shipped_and_asked(runs.asked_of_a_server(tmp_path, server), tmp_path, "--max-usd", "2")
