"""Plans for tests, written as `plan` would write them."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from advisor.base.files import sha256_of_file
from advisor.base.tables import read_table
from advisor.records.look import SplitProposal
from advisor.records.plan import DroppedColumn, Gate, Plan, Setting
from advisor.records.run import RunRecord
from trainers.common.policy import policy

# Two folds of the quickest models: for tests whose point is not which model wins.
LIGHT: dict[str, object] = {
    "folds": 2,
    "leave_out": [
        "boosted trees, small",
        "boosted trees",
        "boosted trees on the logarithm",
        "boosted trees, random cuts",
        "boosted trees on pairs",
        "boosted trees on pairs, random cuts",
        "boosted trees, large",
        "ordered boosting",
        "extra trees",
    ],
}


class Silent:
    """Progress that nobody watches, with what was said."""

    def __init__(self) -> None:
        self.phases: list[str] = []
        self.steps: list[tuple[float, float, str]] = []

    def phase(self, text: str) -> None:
        self.phases.append(text)

    def step(self, done: float, total: float, note: str = "") -> None:
        self.steps.append((done, total, note))


def plan_for(
    data: Path,
    target: str,
    task: str,
    metric: str,
    *,
    split: SplitProposal | None = None,
    drop: tuple[str, ...] = (),
    against: tuple[str, ...] = ("trivial", "one_rule"),
    seed: int = 0,
    budget: float = 600.0,
    settings: dict[str, object] | None = None,
) -> Plan:
    """A plan whose budget never cuts the search short, so that tests do not hang on the machine's speed."""
    return Plan(
        approach="classical",
        trainer="classical",
        task=task,
        data=str(data),
        data_sha256=sha256_of_file(data),
        target=target,
        split=split or SplitProposal(),
        metric=Setting(metric),
        gate=Gate(metric, against),
        drop=tuple(DroppedColumn(name, "for a test") for name in drop),
        settings={name: Setting(value) for name, value in (settings or {}).items()},
        budget_seconds=budget,
        seed=seed,
    )


def some_rows(source: Path, folder: Path, rows: int, seed: int = 0) -> Path:
    """A random part of a data set, in its order, as a CSV of its own."""
    frame = read_table(source).frame
    part = frame.sample(min(rows, len(frame)), random_state=seed).sort_index()
    return written(part, folder)


def written(frame: pd.DataFrame, folder: Path, name: str = "data.csv") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    frame.to_csv(path, index=False)
    return path


def run_folder(case: Path, name: str = "classical-1") -> Path:
    folder = case / "runs" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def ledger(case: Path) -> list[dict[str, object]]:
    path = case / "ledger.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def untold(record: RunRecord) -> set[str]:
    """What every run is to tell, or to say why not, and this one does neither."""
    found, without = record.diagnostics, record.diagnostics["without"]
    return {
        name
        for name, places in policy("telling")["every_run"].items()
        if name not in without and not any(found.get(place) for place in places)
    }
