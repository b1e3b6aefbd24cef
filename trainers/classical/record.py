"""What a run leaves in writing: the record, and each sealed row's prediction."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from advisor.base.case import now
from advisor.records.plan import Plan
from advisor.records.run import Candidate, GateVerdict, RunRecord, Score
from trainers.classical.model_file import Model
from trainers.classical.problem import Problem
from trainers.classical.search import Tried
from trainers.common.decide import cut_told
from trainers.common.ending import overrun_note
from trainers.common.machine import machine, peak_memory_mb, versions
from trainers.common.metrics import METRICS, Floats, Output
from trainers.common.rows import Rows
from trainers.common.runfolder import files_of
from trainers.common.splits import Split
from trainers.common.stages import stages_after


def run_record(
    plan: Plan,
    run: Path,
    problem: Problem,
    rows: Rows,
    split: Split,
    tried: list[Tried],
    chosen: str,
    settings: dict[str, object],
    model: Model,
    judged: tuple[Score, GateVerdict],
    secondary_scores: dict[str, float],
    diagnostics: dict[str, object],
    notes: tuple[str, ...],
    times: dict[str, float],
    started: str,
) -> RunRecord:
    """The record of a finished run; every other file of the run is already written."""
    sealed, gate = judged
    return RunRecord(
        run=run.name,
        plan=plan,
        chosen=chosen,
        candidates=_candidates(tried, problem),
        sealed=sealed,
        gate=gate,
        rows={"train": len(split.train), "development": len(problem.folds[0][1]), "test": len(split.test)},
        secondary=secondary_scores,
        hyperparameters={
            **settings,
            "cut": cut_told(model.cut),
            "classes": list(rows.target.classes),
            "folds": len(problem.folds),
            "seed": plan.seed,
        },
        times=times,
        peak_memory_mb=peak_memory_mb(),
        versions=versions("numpy", "scipy", "pandas", "scikit-learn", "skops", "threadpoolctl", *model.packages()),
        machine=machine(),
        files=files_of(run),
        diagnostics=diagnostics,
        notes=(*notes, *filter(None, [overrun_note(plan, times)])),
        stages=stages_after(plan, chosen, gate, len(split.train), len(split.test)),
        started=started,
        finished=now(),
        tool_version=versions()["train-or-not"],
    )


def secondary(task: str, truth: Floats, ours: Output, primary: str, counts: Floats | None = None) -> dict[str, float]:
    """Every other metric of the task that is defined on these rows, `counts` [rows] being how much each counts."""
    found = {
        metric.name: metric.value(truth, ours, counts)
        for metric in METRICS.values()
        if task in metric.tasks and metric.name != primary
    }
    return {name: value for name, value in found.items() if np.isfinite(value)}


def predictions_table(rows: Rows, split: Split, truth: Floats, outputs: dict[str, Output]) -> str:
    """One line a sealed row: its number in the file, the truth, what it counts where rows differ, and each output.

    Classes are codes.

    Enough to compute every comparison again; the names of the classes are in model.json.
    """
    table: dict[str, Any] = {"row": rows.numbers[split.test], "truth": truth}
    if rows.weights is not None:
        table["weight"] = rows.weights[split.test]
    for name, output in outputs.items():
        if output.labels is None or output.probabilities is None:
            table[name] = output.numbers
            continue
        table[name] = output.labels
        for code in range(output.probabilities.shape[1]):
            table[f"{name}_p{code}"] = output.probabilities[:, code]
    return pd.DataFrame(table).to_csv(index=False)


def _candidates(tried: list[Tried], problem: Problem) -> tuple[Candidate, ...]:
    records = []
    for one in tried:
        score = one.score(problem) if one.answers else None
        known = score if score and np.isfinite(score.value) else None  # a file of numbers has no word for "undefined"
        records.append(Candidate(one.candidate.name, known, round(sum(one.seconds.values()), 3), one.note))
    return tuple(records)
