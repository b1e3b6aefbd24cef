"""How a run ends: the record from what was found, `run.json`, and the marker that says the folder is whole."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from advisor.base.case import now
from advisor.records.plain import save
from advisor.records.plan import Plan
from advisor.records.run import Candidate, GateVerdict, RunRecord, Score
from trainers.common.machine import machine, peak_memory_mb, versions
from trainers.common.policy import policy
from trainers.common.runfolder import complete, files_of
from trainers.common.stages import stages_after


@dataclass
class Watch:
    """When a run began, and the seconds of each phase."""

    started: str = field(default_factory=now)
    times: dict[str, float] = field(default_factory=dict)
    clock: float = field(default_factory=time.monotonic)

    def lap(self, phase: str) -> None:
        """The phase that ran until now has ended."""
        self.times[phase] = round(self.seconds() - sum(self.times.values()), 3)

    def seconds(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self.clock


def overrun_note(plan: Plan, times: Mapping[str, float]) -> str:
    """What a reader must know when a run took longer than it was given; empty within what is allowed.

    `times` are seconds by phase; rules/training.yaml says how much longer is told.
    """
    used, most = sum(times.values()), policy("training")["overrun"]["told_beyond"]
    if used <= most * plan.budget_seconds:
        return ""
    phase = max(times, key=lambda name: times[name])
    return (
        f"It took {used:,.0f} s of a budget of {plan.budget_seconds:,.0f} s: {phase.replace('_', ' ')} alone took "
        f"{times[phase]:,.0f} s, and could not be cut short."
    )


def end_run(
    run: Path,
    plan: Plan,
    watch: Watch,
    *,
    chosen: str,
    candidates: tuple[Candidate, ...],
    judged: tuple[Score, GateVerdict],
    rows: dict[str, int],
    packages: tuple[str, ...],
    secondary: dict[str, float] | None = None,
    hyperparameters: dict[str, object] | None = None,
    diagnostics: dict[str, object] | None = None,
    notes: tuple[str, ...] = (),
    represented: str = "",
) -> RunRecord:
    """The record of a run whose other files are all written; saves it and completes the folder."""
    sealed, gate = judged
    record = RunRecord(
        run=run.name,
        plan=plan,
        chosen=chosen,
        candidates=candidates,
        sealed=sealed,
        gate=gate,
        rows=rows,
        secondary=secondary or {},
        hyperparameters=hyperparameters or {},
        times=watch.times,
        peak_memory_mb=peak_memory_mb(),
        versions=versions("numpy", "scipy", "pandas", "scikit-learn", *packages),
        machine=machine(),
        files=files_of(run),
        diagnostics=diagnostics or {},
        notes=(*notes, *filter(None, [overrun_note(plan, watch.times)])),
        stages=stages_after(plan, chosen, gate, rows.get("train", 0), rows.get("test", 0), represented),
        started=watch.started,
        finished=now(),
        tool_version=versions()["train-or-not"],
    )
    save(run / "run.json", record, made_from={"data": plan.data_sha256}, kind="run")
    complete(run)
    return record
