"""What a climb measured: each rung on the same examples, with its interval, its cost and its latency."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from advisor.records.facts import Fact
from advisor.records.run import Score

# `measured` stands where no requirement says what is enough.
RungStatus = Literal["enough", "insufficient", "undecided", "measured", "not_applicable", "not_reached", "failed"]


@dataclass(frozen=True, slots=True)
class RungMeasure:
    """One rung on the development part. `usd_per_thousand` and latencies (seconds) are of prediction, not of set-up.

    `invalid_share` is the share of outputs that could not be read as an answer: they count as wrong, never dropped.
    """

    name: str
    rung: str
    status: RungStatus
    text: str
    score: Score | None = None
    usd: float = 0.0
    usd_per_thousand: float = 0.0
    latency_p50: float = 0.0
    latency_p95: float = 0.0
    invalid_share: float = 0.0
    items: int = 0
    stopped_early: bool = False
    extra: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Disagreement:
    """An item on which rungs differ, for a person to read."""

    item: str
    expected: str
    answers: dict[str, str]


@dataclass(frozen=True, slots=True)
class ClimbRecord:
    """The whole climb. `recommended` is the cheapest rung that is enough; `sealed` its one score on the sealed part.

    `usd` and `tokens` are this climb's, `before_usd` what earlier climbs of the case spent. `retires` is the date on
    which the server says that it shuts the model down. `stopped` says why a climb ended early, if it did.
    `asked` holds the options that say what was measured and on which model, so that the chosen rung can be made again;
    files are paths relative to the case.
    """

    task: str
    metric: str
    requirement: float | None
    endpoint: str
    rungs: tuple[RungMeasure, ...]
    recommended: str
    text: str
    sealed: Score | None
    visible_difference: float
    facts: tuple[Fact, ...]
    disagreements: tuple[Disagreement, ...] = ()
    usd: float = 0.0
    tokens: int = 0
    calls: int = 0
    seconds: float = 0.0
    split: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    metric_reason: str = ""
    model: str = ""
    retires: str = ""
    before_usd: float = 0.0
    stopped: str = ""
    asked: dict[str, str] = field(default_factory=dict)
    schema: int = 1
    tool_version: str = ""
