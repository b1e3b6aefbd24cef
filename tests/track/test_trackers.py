"""A run told to each tracker, read back by the tracker's own reader: every figure, once, and no row of the data."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import sysconfig
import tomllib
import venv
from dataclasses import replace
from pathlib import Path

import pytest

from advisor.base.errors import EnvironmentMissing
from advisor.cli.main import dispatch
from advisor.records.plan import Setting
from advisor.records.run import Candidate, Score
from tests.trainers.training_plans import plan_for, written
from tests.use.conftest import table
from trainers.common.ending import Watch, end_run
from trainers.common.gate import Comparison, GateVerdict
from trainers.track.told import Told, told_of

ROOT = Path(__file__).resolve().parents[2]
SECRET = "canary-of-the-data-4711"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run, as a fine-tuning with a curve would leave it, whose samples hold a row of the data."""
    case = tmp_path_factory.mktemp("cases") / "parcels"
    folder = case / "runs" / "lora-1"
    folder.mkdir(parents=True)
    plan = replace(plan_for(written(table(3), case), "late", "binary", "accuracy"), trainer="lora")
    plan = replace(plan, settings={"learning_rate": Setting(0.001), "names, odd": Setting(["a", "b"])})
    ours, theirs = (Score("accuracy", value, value - 0.1, value + 0.1, 40) for value in (0.9, 0.7))
    comparison = Comparison("trivial", theirs, ours, 0.2, 0.1, 0.3, "", True)
    curve = [{"step": step, "development_loss": 1 / (step + 1)} for step in (0, 5, 10)]
    end_run(
        folder,
        plan,
        Watch(),
        chosen="blend of one, two",
        candidates=(Candidate("one, with commas", ours), Candidate("never scored")),
        judged=(ours, GateVerdict("earned", "It earned its place.", (comparison,))),
        rows={"train": 100, "test": 40},
        packages=(),
        secondary={"f1": 0.8},
        diagnostics={"curve": curve, "samples": [{"asked": SECRET}]},
    )
    return folder


def told(run: Path) -> Told:
    from advisor.records.plain import load
    from advisor.records.run import RunRecord

    return told_of(run, load(run / "run.json", RunRecord))


def test_what_is_told_holds_every_figure_and_no_row(run: Path) -> None:
    said = told(run)
    assert said.figures["sealed/accuracy"] == 0.9
    assert said.figures["beside/trivial/gain_low"] == 0.1
    assert said.figures["development/one__with_commas/accuracy"] == 0.9
    assert said.figures["secondary/f1"] == 0.8
    assert said.settings == {"learning_rate": "0.001", "names__odd": '["a", "b"]'}
    assert [step for step, _ in said.curve] == [0, 5, 10]
    assert SECRET not in repr(said)


PACKAGES = {"mlflow": "mlflow", "tensorboard": "tensorboardX", "wandb": "wandb"}


@pytest.mark.parametrize(("tracker", "package"), PACKAGES.items())
def test_a_tracker_that_is_not_there_is_named_with_what_to_install(
    run: Path, tracker: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [one for one in sys.modules if one.split(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(EnvironmentMissing) as missing:
        dispatch(["track", str(run), "--to", tracker])
    assert missing.value.fix == f"pip install 'train-or-not[{tracker}]'"


READ_EVENTS = """
import json, struct, sys
from pathlib import Path
from tensorboardX.proto.event_pb2 import Event
found, texts = {}, {}
for file in Path(sys.argv[1]).glob("events.*"):
    data = file.read_bytes()
    while data:
        size = struct.unpack("<Q", data[:8])[0]
        event = Event.FromString(data[12:12 + size])
        data = data[16 + size:]
        for value in event.summary.value:
            if value.HasField("simple_value"):
                found.setdefault(value.tag, []).append([event.step, value.simple_value])
            else:
                texts[value.tag] = value.tensor.string_val[0].decode()
print(json.dumps([found, texts]))
"""
READ_WANDB = """
import json, struct, sys
from pathlib import Path
from wandb.proto.wandb_internal_pb2 import Record
files = list(Path(sys.argv[1]).glob("wandb/offline-run-*/*.wandb"))
assert len(files) == 1, files
# LevelDB's log: blocks of 32 KiB, whose last bytes are empty where no head fits; a record may go over several pieces.
data, at, record_bytes, records = files[0].read_bytes(), 7, b"", []
while at < len(data):
    if 32768 - at % 32768 < 7:
        at += 32768 - at % 32768
        continue
    _, size, piece = struct.unpack("<IHB", data[at:at + 7])
    record_bytes += data[at + 7:at + 7 + size]
    at += 7 + size
    if piece in (1, 4):
        records.append(record_bytes)
        record_bytes = b""
found = {"history": [], "summary": {}, "config": {}, "run": {}}
plain = lambda items: {(i.key or "/".join(i.nested_key)): json.loads(i.value_json) for i in items}
for one in records:
    record = Record.FromString(one)
    kind = record.WhichOneof("record_type")
    if kind == "history":
        found["history"].append(plain(record.history.item))
    elif kind == "summary":
        found["summary"].update(plain(record.summary.update))
    elif kind == "run":
        found["run"] = {"id": record.run.run_id, "name": record.run.display_name, "project": record.run.project}
        found["config"] = {i.key: json.loads(i.value_json) for i in record.run.config.update}
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with this one's packages and the three trackers beside them, installed as a user would."""
    place = tmp_path_factory.mktemp("trackers") / "venv"
    venv.create(place, with_pip=True)
    own = next(place.glob("lib/python*/site-packages"))
    (own / "shared.pth").write_text(sysconfig.get_path("purelib"))
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    wanted = [line for name in ("mlflow", "tensorboard", "wandb") for line in extras[name]]
    pip = [place / "bin" / "python", "-m", "pip", "install", "-q", "-c", ROOT / "tests" / "constraints.txt", *wanted]
    done = subprocess.run(pip, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return place / "bin" / "python"


def said(python: Path, *words: str | Path) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([python, *words], capture_output=True, text=True, env=environment, cwd=python.parent)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.mark.heavy
def test_each_tracker_reads_back_what_was_written_and_twice_is_once(run: Path, python: Path, tmp_path: Path) -> None:
    expected = told(run)
    names = set()
    for tracker in ("mlflow", "tensorboard", "wandb"):
        for _ in range(2):
            printed = said(
                python, "-m", "advisor", "track", run, "--to", tracker, "--into", tmp_path / tracker, "--json"
            )
            names.add(json.loads(printed)["id"])
    assert len(names) == 3

    with sqlite3.connect(tmp_path / "mlflow" / "mlflow.db") as store:
        runs = store.execute("select name, status, lifecycle_stage from runs").fetchall()
        assert runs == [("lora-1", "FINISHED", "active")]
        metrics = store.execute("select key, value, step from metrics").fetchall()
        parameters = dict(store.execute("select key, value from params").fetchall())
    assert {key: value for key, value, _ in metrics if not key.startswith("curve/")} == expected.figures
    assert sorted(step for key, _, step in metrics if key == "curve/development_loss") == [0, 5, 10]
    assert parameters == expected.settings

    found, texts = json.loads(said(python, "-c", READ_EVENTS, tmp_path / "tensorboard" / "lora-1"))
    curve = found.pop("curve/development_loss")
    assert [step for step, _ in curve] == [0, 5, 10]
    assert {name: values[0][1] for name, values in found.items()} == pytest.approx(expected.figures, rel=1e-6)
    assert all(len(values) == 1 for values in found.values())
    assert any(expected.verdict in text for text in texts.values())

    kept = json.loads(said(python, "-c", READ_WANDB, tmp_path / "wandb"))
    assert kept["run"] == {"id": expected.id, "name": "lora-1", "project": "parcels"}
    assert {name: one for name, one in kept["summary"].items() if name in expected.figures} == expected.figures
    assert [point["curve/development_loss"] for point in kept["history"]] == pytest.approx([1, 1 / 6, 1 / 11])
    assert kept["config"]["learning_rate"] == "0.001"

    written_files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written_files) > 3
    assert not [path for path in written_files if SECRET.encode() in path.read_bytes()]
