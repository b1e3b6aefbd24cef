"""Get labels: write the sheet of rows to label next, or, when one has come back, say how far people agree.

Nothing is trained. A sheet that comes back is looked at as data: its columns `label by …` hold one person's answers.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from advisor.base.errors import BadInput, did_you_mean
from advisor.base.files import to_json
from advisor.base.safetext import one_of, plain
from advisor.base.tables import read_table
from advisor.records.plain import to_plain
from advisor.records.plan import Estimate, Plan, Setting
from advisor.records.run import Comparison, GateVerdict, RunRecord, Score
from trainers.common.ending import Watch, end_run
from trainers.common.intervals import wilson
from trainers.common.labels import label_text
from trainers.common.metrics import Floats
from trainers.common.policy import policy
from trainers.common.rows import data_path
from trainers.common.runfolder import keep
from trainers.contract import Progress
from trainers.labelling import planning
from trainers.labelling.agreement import cohen, fleiss, krippendorff, krippendorff_interval
from trainers.labelling.hand_back import to_settle, to_use
from trainers.labelling.picking import learn_quickly, pick
from trainers.labelling.sheets import (
    BOTH,
    ROW,
    WHY,
    Answered,
    answered,
    conflicts,
    decisions,
    labelled,
    new_sheet,
    people_in,
)
from trainers.unsupervised.lenses import table_lens, text_lens
from trainers.unsupervised.telling import table


class LabellingTrainer:
    """The trainer named `labelling`."""

    def settings(self, plan: Plan, folder: Path) -> dict[str, Setting]:
        """How many rows, by how many people, at what cost, each with its reason."""
        return planning.with_decisions(plan, folder)

    def estimate(self, plan: Plan, folder: Path) -> Estimate:
        """People's time in money; the machine takes seconds."""
        frame = read_table(data_path(plan, folder)).frame
        free = sum(1 for label in _labels(frame, plan.target) if not label)
        return planning.estimate(plan, free)

    def train(self, plan: Plan, folder: Path, run: Path, progress: Progress) -> RunRecord:
        """The sheet to fill in, or what a filled one says; the run folder is left complete."""
        with threadpool_limits(1):
            watch = Watch()
            keep(run, "plan.json", to_json(to_plain(plan)))
            progress.phase("Reading the rows")
            frame = read_table(data_path(plan, folder)).frame
            people = people_in(frame, planning.named_people(plan))
            for name in people:
                if name not in frame.columns:
                    raise BadInput(
                        f"The data has no column {plain(name, 60)!r} of labels.",
                        where="plan.yaml: settings.annotators",
                        fix=did_you_mean(name, map(str, frame.columns))
                        or f"Its columns: {one_of(list(frame.columns))}.",
                        code="no-column",
                    )
            told = answered(frame, people) if people else None
            if told is not None and told.classes and not len(told.shared):
                raise _nobody_twice(told)
            if told is not None and len(told.shared):
                progress.phase("Holding the answers of different people against each other")
                return _agreed(plan, folder, run, watch, frame, told)
            progress.phase("Choosing the rows to label next")
            return _picked(plan, run, watch, frame)

    def predict(self, run: Path, rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Nothing was trained, so nothing can answer."""
        raise BadInput(
            "This run chose rows to label; it holds no model.",
            where=str(run),
            fix="Have its label_sheet.csv filled in, then look at it: train-or-not look CASE --data label_sheet.csv",
            code="no-model",
        )


def _nobody_twice(told: Answered) -> BadInput:
    """Labels came back, and no two of them for the same row."""
    count = int((told.codes >= 0).sum())
    return BadInput(
        f"{count:,} labels came back, and no row has the labels of two people.",
        where=one_of([plain(name, 60) for name in told.people], 6),
        why="Whether people agree shows only where two of them label the same rows, apart from each other.",
        fix=f"Let somebody else label the rows that are for everybody; or learn from the labels of one person: "
        f"train-or-not look CASE --target {shlex.quote(told.people[int((told.codes >= 0).sum(axis=0).argmax())])}",
        code="nobody-twice",
    )


def _picked(plan: Plan, run: Path, watch: Watch, frame: pd.DataFrame) -> RunRecord:
    want = planning.wanted(plan)
    labels = _labels(frame, plan.target)
    free = int(sum(1 for label in labels if not label))
    if free < 10:
        raise BadInput(
            f"Only {free} rows are without a label.",
            where=plain(plan.target or plan.data, 60),
            why="There is nothing left to choose from.",
            fix="Add rows that nobody has labelled yet, or go on: train-or-not look CASE --target COLUMN",
            code="all-labelled",
        )
    test, rows = want.fitting(free)
    kept = frame.drop(columns=[plan.target, *(one.name for one in plan.drop)], errors="ignore")
    features = _features(kept, plan.seed)
    teacher = learn_quickly(features, labels, plan.seed)
    picked = pick(features, labels, test, rows, teacher, plan.seed, want.both)
    asked = frame.drop(columns=[plan.target], errors="ignore")  # empty there, and filled in by mistake
    keep(run, "label_sheet.csv", new_sheet(asked, picked, want.people, want.both))
    watch.lap("choose")
    count = want.labels(test, rows)
    cost = f"{count:,} single labels, about {count * want.seconds / 3600:.1f} hours and ${want.usd(count):,.0f}"
    text = (
        f"Nothing was trained. {len(picked.rows):,} rows wait for labels in {run.name}/label_sheet.csv: "
        f"{test:,} drawn at random for the test, {rows:,} to learn from. {cost}."
    )
    reach = f"to within {_reach(test, want.expected):.1%}, if about {want.expected:.0%} are right"
    notes = [
        f"{test:,} random rows tell the share of right answers {reach}.",
        f"The first {min(want.both, test):,} rows are for everybody: label them apart from each other.",
    ]
    if teacher is not None:
        notes.append(f"A quick model of the labels there are is right in {teacher.score:.0%}, so its doubts were used.")
    kinds = pd.Series(picked.why).value_counts()
    lines = [[why, int(number)] for why, number in kinds.items()]
    waiting = Score("rows_to_label", float(len(picked.rows)), float(len(picked.rows)), float(len(picked.rows)), 0)
    return end_run(
        run,
        plan,
        watch,
        chosen=f"{len(picked.rows):,} rows to label",
        candidates=(),
        judged=(waiting, GateVerdict("owed", text, ())),
        rows={"all": len(frame), "labelled": len(frame) - free, "to label": len(picked.rows)},
        packages=(),
        hyperparameters={"test_rows": test, "rows": rows, "people": want.people, "seed": plan.seed},
        diagnostics={
            "tables": [table("What is to be labelled, and why", ["Why", "Rows"], lines)],
            "usd": want.usd(count),
        },
        notes=tuple(notes),
    )


def _reach(rows: int, share: float) -> float:
    return float(1.96 * (share * (1 - share) / rows) ** 0.5)


def _labels(frame: pd.DataFrame, target: str) -> Any:
    """The label of each row, empty where there is none."""
    if not target or target not in frame.columns:
        return np.array([""] * len(frame), dtype=object)
    texts = frame[target].map(label_text, na_action="ignore").fillna("")
    return texts.map(lambda text: str(text).strip()).to_numpy(dtype=object)


def _features(frame: pd.DataFrame, seed: int) -> Floats:
    """Rows as numbers: the words of the longest texts where there are texts, else the columns."""
    lengths = {
        str(name): float(frame[name].dropna().head(300).map(lambda cell: len(str(cell).split())).mean())
        for name in frame
        if not pd.api.types.is_numeric_dtype(frame[name])
    }
    every = np.arange(len(frame))
    best = max(lengths, key=lambda name: lengths[name], default="")
    if best and lengths[best] >= 3:
        return text_lens(frame, every, (best,), seed).features(frame)
    return table_lens(frame, every, rarity=False).features(frame)


def _agreed(plan: Plan, folder: Path, run: Path, watch: Watch, frame: pd.DataFrame, told: Answered) -> RunRecord:
    want = planning.wanted(plan)
    shared = told.shared
    sheet, differ = conflicts(frame, told)
    keep(run, "conflicts.csv", sheet)
    own = frame.drop(columns=[name for name in (ROW, WHY, BOTH) if name in frame.columns])
    came_back = planning.decided_file(plan, folder)
    decided = decisions(came_back, told, differ) if came_back else {}
    keep(run, "labelled.csv", labelled(own, told, plan.target, decided))
    watch.lap("agree")
    ours, verdict = _judged(plan, told, want.least, len(differ))
    pairs = [
        [f"{told.people[a]} and {told.people[b]}", _kappa(cohen(told.codes[:, a], told.codes[:, b]))]
        for a in range(len(told.people))
        for b in range(a + 1, len(told.people))
    ]
    shown = table("Agreement of each pair", ["Who", "Cohen's kappa"], pairs)
    counts = [[told.classes[at], int((told.codes == at).sum())] for at in range(len(told.classes))]
    once = [str(name) for name, count in counts if count == 1]
    slips = (f"Given once only: {one_of(once)}. A slip of the pen counts as a label of its own; mend it in the sheet.",)
    secondary = {"fleiss_kappa": fleiss(told.codes), "share_alike": _alike(told)}
    return end_run(
        run,
        plan,
        watch,
        chosen="agreement of people",
        candidates=(),
        judged=(ours, verdict),
        rows={"all": len(frame), "labelled twice": len(shared), "in conflict": len(differ)}
        | ({"settled": len(decided)} if came_back else {}),
        packages=(),
        secondary={name: value for name, value in secondary.items() if np.isfinite(value)},
        diagnostics={"tables": [shown, table("Labels given", ["Label", "Times"], counts)]},
        notes=(
            *to_settle(folder, run, len(differ), len(decided), came_back),
            to_use(folder, run, plan.target or "label", settled=bool(decided)),
            *(slips if once else ()),
        ),
    )


def _judged(plan: Plan, told: Answered, least: float, conflicts: int) -> tuple[Score, GateVerdict]:
    """How far people agree, and whether that is enough; where nothing can tell, the rows that could are owed."""
    rows, alpha = len(told.shared), krippendorff(told.codes)
    if not np.isfinite(alpha):
        alike = Score("share_alike", 1.0, *wilson(rows, rows), rows, 0.95, "Wilson")
        text = (
            f"It cannot be told yet whether people agree: {rows:,} shared rows all got one label. People who never say "
            "anything else would look the same. Have rows of other labels answered by two people as well."
        )
        return alike, GateVerdict("owed", text, ())
    low, high = krippendorff_interval(told.codes, plan.seed)
    ours = Score("alpha", alpha, low, high, rows, 0.95, "bootstrap of rows, and Wilson for their conflicts")
    line = Score("alpha", least, least, least, rows, 0.95, "fixed before")
    passed = bool(low > least)
    gap = Comparison("least_agreement", line, ours, alpha - least, low - least, high - least, "", passed)
    good = policy("labelling")["agreement"]["good"]
    between = f"alpha {alpha:.3f}, between {low:.3f} and {high:.3f} (95 %), over {rows:,} rows"
    if passed:
        text = f"People agree well enough to learn from their labels: {between}."
        text += "" if low > good else f" From {good:g} on they could be relied on."
    elif alpha > least:
        text = (
            f"Too few rows to tell whether people agree: {between}; the line is {least:g}. "
            "Have more rows labelled by two people, of every label."
        )
    else:
        text = (
            f"People do not agree enough yet: {between}; the line is {least:g}. "
            f"Settle the {conflicts:,} conflicts, mend the guidelines by them, and label other rows."
        )
    return ours, GateVerdict("earned" if passed else "not_earned", text, (gap,))


def _kappa(value: float) -> float | str:
    return round(value, 3) if np.isfinite(value) else "cannot be told"


def _alike(told: Answered) -> float:
    """The share of rows labelled by two or more on which all of them say the same."""
    same = [len({code for code in told.codes[row].tolist() if code >= 0}) == 1 for row in told.shared]
    return float(np.mean(same))
