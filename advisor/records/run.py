"""A run record: what was trained, how it did, and whether training earned its place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from advisor.records.plan import Plan


@dataclass(frozen=True, slots=True)
class Score:
    """A metric on some rows, with its interval: `value` in [`low`, `high`] at the stated `confidence`, over `rows`."""

    metric: str
    value: float
    low: float
    high: float
    rows: int
    confidence: float = 0.95
    method: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One model or baseline that was tried. `development` is its cross-validated score; `seconds` the time to fit."""

    name: str
    development: Score | None = None
    seconds: float = 0.0
    note: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The chosen model against one cheaper rung on the same sealed rows: the paired gain and its interval."""

    against: str
    theirs: Score
    ours: Score
    gain: float
    low: float
    high: float
    method: str
    passed: bool


@dataclass(frozen=True, slots=True)
class GateVerdict:
    """Did training earn its place? `earned` only when every deciding comparison passed; `owed` while people must act.

    `comparisons` are by the metric; `costs` by what answers cost a row, where that was stated: `gain` is the saving.
    """

    outcome: Literal["earned", "not_earned", "owed"]
    text: str
    comparisons: tuple[Comparison, ...]
    costs: tuple[Comparison, ...] = ()
    decided_by: Literal["metric", "cost"] = "metric"

    @property
    def deciding(self) -> tuple[Comparison, ...]:
        """The comparisons that the outcome rests on."""
        return self.costs if self.decided_by == "cost" else self.comparisons


@dataclass(frozen=True, slots=True)
class RunRecord:
    """Everything needed to believe a run, and to do it again.

    `sealed` is the score on the test part, opened once. `rows` counts rows by part (train, development, test). `times`
    are seconds by phase. `files` maps file names in the run folder to their SHA-256. `stages` are the plan's stages as
    this run left them.
    """

    run: str
    plan: Plan
    chosen: str
    candidates: tuple[Candidate, ...]
    sealed: Score
    gate: GateVerdict
    rows: dict[str, int]
    secondary: dict[str, float] = field(default_factory=dict)
    hyperparameters: dict[str, object] = field(default_factory=dict)
    times: dict[str, float] = field(default_factory=dict)
    peak_memory_mb: float = 0.0
    versions: dict[str, str] = field(default_factory=dict)
    machine: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    diagnostics: dict[str, object] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    stages: tuple[dict[str, str], ...] = ()
    started: str = ""
    finished: str = ""
    schema: int = 1
    tool_version: str = ""
