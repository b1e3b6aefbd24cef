"""Small trained runs that the tests of use, serving and watching share, and a run that answers by arithmetic."""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "trainers"))

from training_plans import Silent, plan_for, run_folder, written

from advisor.records.run import Comparison, GateVerdict, RunRecord, Score
from trainers.registry import find_trainer
from trainers.use.answers import Answers
from trainers.use.inputs import InputColumn
from trainers.use.opened import Backend, OpenedRun, open_run

LIGHT: dict[str, object] = {
    "explainable": True,
    "folds": 2,
    "leave_out": ["linear, strongly held back", "additive curves"],
}
PLACES = ["north", "south", "east", "west"]


def table(rows: int, seed: int = 0, shift: float = 0.0) -> pd.DataFrame:
    """Numbers, a category, a date, a text and a label that depends on the first two."""
    draw = np.random.default_rng(seed)
    x = draw.normal(size=rows) + shift
    frame = pd.DataFrame({"x": x, "z": draw.normal(size=rows), "place": draw.choice(PLACES, rows)})
    frame["day"] = pd.date_range("2024-01-01", periods=rows, freq="7h").strftime("%Y-%m-%d")
    words = ["late", "lost", "thanks", "refund", "broken", "again", "driver", "parcel", "invoice", "wrong"]
    frame["note"] = [" ".join(draw.choice(words, 6)) + f" {n}" for n in range(rows)]
    lifted = 1.5 * x + (frame["place"] == "north") + 0.8 * frame["z"]
    frame["late"] = np.where(lifted + draw.normal(size=rows) > 0.3, "yes", "no")
    return frame


@pytest.fixture(scope="session")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A case with one finished classical run on `table(600)`. Tests that write into it copy it first."""
    folder = tmp_path_factory.mktemp("case") / "parcels"
    data = written(table(600), folder)
    plan = replace(plan_for(data, "late", "binary", "roc_auc", settings=LIGHT), data="data.csv")
    find_trainer("classical").train(plan, folder, run_folder(folder), Silent())
    return folder


@pytest.fixture(scope="session")
def opened(case: Path) -> OpenedRun:
    return open_run(case / "runs" / "classical-1")


@pytest.fixture
def mine(case: Path, tmp_path: Path) -> Path:
    """The case, to write into."""
    shutil.copytree(case, tmp_path / "parcels")
    return tmp_path / "parcels"


@pytest.fixture
def run(mine: Path) -> OpenedRun:
    """The run of `mine`."""
    return open_run(mine / "runs" / "classical-1")


def new_rows(frame: pd.DataFrame, folder: Path, name: str = "new.csv") -> Path:
    """A file of rows to check."""
    frame.to_csv(folder / name, index=False)
    return folder / name


@pytest.fixture
def reckoner(tmp_path: Path) -> OpenedRun:
    """A run that doubles a number: nothing to train or load, so that a test can fork and kill it a hundred times."""
    folder = tmp_path / "runs" / "reckoner-1"
    folder.mkdir(parents=True)
    (folder / "COMPLETE").write_text("{}", encoding="utf-8")
    plan = plan_for(written(table(3), tmp_path), "late", "regression", "mae")
    score = Score("mae", 0.0, 0.0, 0.0, 3)
    verdict = GateVerdict("earned", "", (Comparison("trivial", score, score, 0.0, 0.0, 0.0, "", True),))
    record = RunRecord("reckoner-1", plan, "doubling", (), score, verdict, {})

    def answer(frame: pd.DataFrame) -> Answers:
        return Answers((frame["x"] * 2).tolist())

    return OpenedRun(folder, record, Backend((InputColumn("x", "number"),), (), answer))
