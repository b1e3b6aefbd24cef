"""How both kinds of looking begin: rows, the sealed part, features. And how they read a plan's own choices."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from advisor.base.errors import BadInput
from advisor.base.safetext import plain
from advisor.records.look import SplitProposal
from advisor.records.plan import Plan
from trainers.common.metrics import Floats, Integers
from trainers.common.policy import policy
from trainers.common.sealed import freeze, sealed_before
from trainers.common.splits import Split, split_rows
from trainers.forecast.clock import learn_clock
from trainers.forecast.panel import layout_of, make_panel
from trainers.forecast.seasons import seasons_of
from trainers.unsupervised.data import Unlabelled, load_unlabelled
from trainers.unsupervised.lenses import Lens, SeriesLens, table_lens, text_lens
from trainers.unsupervised.steps import learn_profile

GROUPS, TOPICS, ODDITIES, LABELLED = "groups", "topics", "oddities", "anomalies"
TASKS = (GROUPS, TOPICS, ODDITIES, LABELLED)


@dataclass(frozen=True)
class Begun:
    """Rows, their split, and their features by a lens that was learnt on the training part alone."""

    rows: Unlabelled
    split: Split
    lens: Lens
    features: Floats
    test_part: str

    @property
    def sample(self) -> Integers:
        """The training rows, at most as many as are compared."""
        most = policy("discovering")["limits"]["rows"]
        train = self.split.train
        if len(train) <= most:
            return train
        return np.asarray(train[np.linspace(0, len(train) - 1, most).astype(int)], dtype=np.int64)


def begin(plan: Plan, folder: Path) -> Begun:
    """Read the rows, seal the test part, learn how to look at rows."""
    if plan.task not in TASKS:
        raise BadInput(
            f"Groups and oddities are not looked for in a {plain(plan.task, 40)!r} task.",
            where="plan.yaml: task",
            fix=f"Choose one of: {', '.join(TASKS)}.",
            code="no-task",
        )
    rows = load_unlabelled(plan, folder, labels=plan.task == LABELLED)
    whole = rows.frame if rows.split_by is None else rows.frame.assign(**{"split by": rows.split_by})
    labels = np.nan_to_num(rows.odd, nan=0.0)
    proposal = plan.split
    if proposal.kind == "stratified" and not labels.any():
        proposal = SplitProposal("random", "", plan.split.test_share, plan.split.reason)
    before = sealed_before(plan, folder)
    split = split_rows(rows.frame, labels, proposal, rows.split_by, plan.seed, whole_rows=whole, sealed_before=before)
    test_part = freeze(plan, folder, split)
    lens = _lens(plan, rows, split)
    return Begun(rows, split, lens, lens.features(rows.frame), test_part)


def _lens(plan: Plan, rows: Unlabelled, split: Split) -> Lens:
    if plan.task == TOPICS:
        return text_lens(rows.frame, split.train, _texts(rows.frame, split.train), plan.seed)
    value = _one_series(plan, rows, split)
    if value:
        return _series_lens(plan, rows, split, value)
    return table_lens(rows.frame, split.train, rarity=plan.task != GROUPS)


def _texts(frame: pd.DataFrame, train: Integers) -> tuple[str, ...]:
    """The columns of free text; of several the longest."""
    lengths = {
        str(name): float(frame[name].iloc[train[:500]].dropna().map(lambda cell: len(str(cell).split())).mean())
        for name in frame
        if not pd.api.types.is_numeric_dtype(frame[name])
    }
    best = max(lengths, key=lambda name: lengths[name], default="")
    if not best or not lengths[best] >= 2:
        raise BadInput(
            "No column holds texts.",
            where=plain(best, 60),
            why="Topics are found by the words that texts have in common.",
            fix="Look for groups of rows instead: write task: groups into plan.yaml.",
            code="no-texts",
        )
    return (best,)


def _one_series(plan: Plan, rows: Unlabelled, split: Split) -> str:
    """The column of the one number that is measured over time; empty for a table."""
    if plan.task not in (ODDITIES, LABELLED) or split.order is None:
        return ""
    others = [str(name) for name in rows.frame if str(name) != plan.split.column]
    numbers = [name for name in others if pd.api.types.is_numeric_dtype(rows.frame[name])]
    return numbers[0] if len(others) == len(numbers) == 1 else ""


def _series_lens(plan: Plan, rows: Unlabelled, split: Split, value: str) -> SeriesLens:
    from dataclasses import replace

    layout = layout_of(rows.frame, replace(plan, target=value))
    clock = learn_clock(rows.frame, layout.time, None)
    panel = make_panel(rows.frame, layout, clock)
    steps = np.nonzero(panel.rows[0] >= 0)[0]
    of_row = np.zeros(len(rows.frame), dtype=np.int64)
    of_row[panel.rows[0][steps]] = steps
    until = int(of_row[split.train].max()) + 1
    profile = learn_profile(panel.values[0, :until], np.arange(until), seasons_of(panel, until)[0])
    kept = min(panel.steps, 2 * max(profile.windows))
    return SeriesLens(layout, clock, profile, panel.values[0, -kept:], panel.steps - kept)
