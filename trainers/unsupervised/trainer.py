"""Look for groups, topics or oddities as the plan says, and say whether they are more than chance.

In order: read the rows; seal the test part; learn on the rest; open the sealed part once; hold against chance, or
against the few labels there are; leave sheets that a person can judge.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
from threadpoolctl import threadpool_limits

from advisor.base.files import to_json
from advisor.base.tablefolder import bytes_of_rows
from advisor.base.tables import read_table
from advisor.records.plain import to_plain
from advisor.records.plan import Estimate, Plan, Setting
from advisor.records.run import RunRecord
from trainers.common.ending import Watch
from trainers.common.gate import check_gate
from trainers.common.policy import policy
from trainers.common.rows import data_path
from trainers.common.runfolder import keep, verify
from trainers.contract import Progress
from trainers.unsupervised.find_groups import find_groups
from trainers.unsupervised.find_odd import find_odd
from trainers.unsupervised.model_file import Found, load_found
from trainers.unsupervised.start import GROUPS, LABELLED, TOPICS, begin

RUNGS = {GROUPS: ("chance", "shuffled"), TOPICS: ("chance", "shuffled"), LABELLED: ("trivial", "one_column")}


class UnsupervisedTrainer:
    """The trainer named `unsupervised`."""

    def settings(self, plan: Plan, folder: Path) -> dict[str, Setting]:
        """The choices it would make, each with its reason."""
        rules = policy("discovering")
        if plan.task in (GROUPS, TOPICS):
            found = {"groups": Setting(0, "How many groups; 0 leaves it to how well two halves of the rows agree.")}
        else:
            found = {
                "share": Setting(
                    rules["oddities"]["share"], "The share of rows called odd: as many as you can look at."
                ),
                "positive_class": Setting("", "Of two labels the rarer one is the odd one unless named here."),
            }
        return {name: plan.settings.get(name, setting) for name, setting in found.items()}

    def estimate(self, plan: Plan, folder: Path) -> Estimate:
        """Time, memory and disk from the size of the table, capped by the plan's budget."""
        path = data_path(plan, folder)
        sample = read_table(path, max_rows=2_000).frame
        rows = max(len(sample), int(bytes_of_rows(path) / max(1.0, len(sample.to_csv(index=False)) / len(sample))))
        compared = min(rows, policy("discovering")["limits"]["rows"])
        cells = compared * (
            policy("discovering")["topics"]["dimensions"] if plan.task == TOPICS else len(sample.columns)
        )
        by = policy("discovering")["estimate"]
        time, memory, disk = (
            by["groups" if plan.task in (GROUPS, TOPICS) else "oddities"],
            by["memory_mb"],
            by["disk_mb"],
        )
        seconds = time["least"] + cells / 1e6 * time["a_million_cells"] + rows / 1e6 * time["a_million_rows"]
        megabytes = memory["least"] + cells / 1e6 * memory["a_million_cells"]
        megabytes += rows * len(sample.columns) / 1e6 * memory["a_million_cells_read"]
        return Estimate(
            seconds=round(min(seconds, plan.budget_seconds), 1),
            peak_memory_mb=round(megabytes, 1),
            disk_mb=round(disk["least"] + bytes_of_rows(path) / 2**20 * disk["times_the_file"], 1),
            usd=0.0,
            formula=f"From {rows:,} rows and {len(sample.columns):,} columns on one core, at most the budget of "
            f"{plan.budget_seconds:g} s.",
            error_band=by["told"],
        )

    def train(self, plan: Plan, folder: Path, run: Path, progress: Progress) -> RunRecord:
        """Do what the plan says and leave the run folder complete."""
        with threadpool_limits(1):
            watch = Watch()
            check_gate(plan.gate, RUNGS.get(plan.task, ("chance",)))
            keep(run, "plan.json", to_json(to_plain(plan)))
            progress.phase("Reading the rows and sealing the test part")
            begun = begin(plan, folder)
            watch.lap("read_and_split")
            find = find_groups if plan.task in (GROUPS, TOPICS) else find_odd
            return find(plan, folder, run, progress, watch, begun)

    def predict(self, run: Path, rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """One answer a row, in order: its group, or whether it is odd and how much."""
        verify(run)
        yield from answers(load_found(run), pd.DataFrame(list(rows)))


def answers(found: Found, frame: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """The group of each row, or usual and odd with their scores."""
    if found.detector is None:
        yield from ({"prediction": name} for name in found.groups(frame))
        return
    for score in found.oddness(frame).tolist():
        yield {"prediction": "odd" if score >= found.line else "usual", "scores": {"usual": 1 - score, "odd": score}}
