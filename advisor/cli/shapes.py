"""The shapes of what verbs print with --json where that is no record of its own: names and types, nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NotRequired

# pydantic, which brings this package, reads only its TypedDict before Python 3.12.
from typing_extensions import TypedDict

from advisor.records.climb import ClimbRecord
from advisor.records.decision import Flip, Step
from advisor.records.facts import Contradiction, Fact, Value
from advisor.records.plan import Plan
from advisor.records.run import RunRecord


class Problem(TypedDict):
    """An error: a stable code, what, where, why, the cure, and the exit code. Some errors carry more."""

    code: str
    what: str
    where: str
    why: str
    fix: str
    exit_code: int
    missing: NotRequired[list[Any]]
    run: NotRequired[dict[str, Any]]


class Failed(TypedDict):
    """What every verb prints when it could not do what was asked."""

    error: Problem


class Started(TypedDict):
    """A new case, its file of answers, and how many questions stand in it."""

    case: str
    answers: str
    questions: int


class Asked(TypedDict):
    """Where the questionnaire stands when nothing is left to ask."""

    leading: str
    case: str
    next_question: str | None
    open: list[str]
    optional: list[str]
    answers: list[Fact]
    observed: list[Fact]
    contradictions: list[Contradiction]
    not_used: list[str]


class Standing(TypedDict):
    """One case and the step that comes next."""

    case: str
    approach: str | None
    verdict: str | None
    settled: bool
    headline: str
    next: str


class Cases(TypedDict):
    """The cases of a folder."""

    folder: str
    cases: list[Standing]


class Before(TypedDict):
    """The decision before a what-if."""

    approach: str | None
    verdict: str | None


class Explained(TypedDict):
    """Why, why not, and what would change it."""

    topic: str | None
    what_if: dict[str, Value | None] | None
    before: NotRequired[Before]
    flips: list[Flip]
    approach: str | None
    verdict: str | None
    settled: bool
    also_possible: list[str]
    unknown: list[str]
    steps: list[Step]
    single_facts: Any


class Announced(TypedDict):
    """What a climb would measure and cost; nothing was sent."""

    dry_run: bool
    task: str
    metric: str
    calls: int
    most_usd: float
    endpoint: NotRequired[str]
    requirement: NotRequired[float | None]
    usd: NotRequired[float]
    most_calls: NotRequired[int]
    visible_difference: NotRequired[float]


@dataclass(frozen=True)
class Climbed(ClimbRecord):
    """The climb's record, and the decision on what was measured: `approach`, `settled`."""

    decision: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Planned(Plan):
    """The plan, the machine it was made for, and whether it is over the stated budget."""

    machine: dict[str, Any] = field(default_factory=dict)
    over_budget: str = ""


class Predicted(TypedDict):
    """Answers, or where they were written; columns that were read under another name; cells that could not be read."""

    run: str
    rows: int
    predictions: NotRequired[list[dict[str, Any]]]
    output: NotRequired[str]
    resumed_after: NotRequired[int]
    renamed: dict[str, str]
    unreadable_cells: dict[str, int]


class Retrained(TypedDict):
    """A run over old and new rows beside the run that was in use, on the same sealed rows."""

    run: dict[str, Any]
    against: str
    comparison: dict[str, Any]
    parts: dict[str, list[float]]


class Serving(TypedDict):
    """Where a run answers, and whether a key is asked for."""

    url: str
    run: str
    key: bool


class Exported(TypedDict):
    """The manifest of what was exported."""

    folder: str
    run: dict[str, Any]
    gate: dict[str, str]
    files: list[dict[str, Any]]
    not_exported: dict[str, str]


class ToDistil(TypedDict):
    """What a teacher would be asked and may cost; nothing was sent."""

    dry_run: bool
    teacher: str
    rows: int
    empty: int
    repeated: int
    known: int
    usd: float


class Distilled(TypedDict):
    """A student's run, the labels it was taught by, and why labelling ended early, if it did."""

    run: RunRecord
    labels: dict[str, float]
    sheet: str
    stopped: str


class Tracked(TypedDict):
    """Where a run's record was written, and under which name it stands there."""

    to: str
    place: str
    run: str
    id: str


class Watched(TypedDict):
    """One check of new rows: whether anything is the matter, and what follows from it."""

    alarm: bool
    attention: bool
    again: bool
    triggers: list[dict[str, Any]]


class Check(TypedDict):
    """One check of this machine: its group says what it blocks."""

    name: str
    group: str
    status: str
    text: str
    fix: str


class Examined(TypedDict):
    """Whether the machine is ready, and every check."""

    ready: bool
    sentence: str
    checks: list[Check]
    machine: dict[str, Any]


class Shown(TypedDict):
    """The cases of the demonstration and how each ended."""

    folder: str
    cases: list[dict[str, Any]]


class Skill(TypedDict):
    """The page that teaches an agent."""

    skill: str
