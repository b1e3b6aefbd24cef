"""What was seen in a team's data: facts with evidence, pitfalls, and an honest split."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from advisor.records.facts import Fact

Outcome = Literal["issue", "tip", "passed", "not_applicable", "skipped", "ignored"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `kind` is number, category, text, date, boolean, id, constant or empty; counts are rows.

    `role` is feature, target, id, split, annotator, weight or constant. `examples` stays empty where personal data is
    suspected.
    """

    name: str
    kind: str
    missing: int = 0
    distinct: int = 0
    examples: tuple[str, ...] = ()
    role: str = "feature"


@dataclass(frozen=True, slots=True)
class Pitfall:
    """One check on the data. `code` is stable; `severity` is severe, moderate or mild; `fix` is what to do."""

    code: str
    name: str
    outcome: Outcome
    severity: str = ""
    text: str = ""
    fix: str = ""
    columns: tuple[str, ...] = ()
    evidence: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SplitProposal:
    """How to hold rows back: `kind` is stratified, random, group or time, by `column` where it needs one.

    `development_share` is for choosing between models; 0 means cross-validation in `folds` folds on what is not test.
    A group without a `column` is every set of rows that are equal in all the columns `same`. Near copies stay in one
    part, judged by the columns `near`: a text by its words (`similarity`), numbers by their `distance` in deviations.
    """

    kind: str = "stratified"
    column: str = ""
    test_share: float = 0.2
    reason: str = ""
    development_share: float = 0.0
    folds: int = 5
    same: tuple[str, ...] = ()
    near: tuple[str, ...] = ()
    similarity: float = 0.8
    distance: float = 0.01


@dataclass(frozen=True, slots=True)
class Baseline:
    """A quick model against the trivial answer on rows neither was fitted on: the paired gain and its 95 % interval.

    `gain` is in the units of `loss` (log-loss in nats, or squared error as a share of the target's variance) and is
    positive when the model is better; `score` and `trivial` are in the units of `metric`, for people.
    """

    model: str
    loss: str
    gain: float
    low: float
    high: float
    metric: str
    score: float
    trivial: float
    rows: int
    folds: str = ""


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """The error of a quick model trained on `rows` rows: the mean over repeats, or the band of two fits ahead."""

    rows: int
    error: float
    low: float
    high: float
    measured: bool = True


@dataclass(frozen=True, slots=True)
class Curve:
    """Would more labels help? Measured points, then the band ahead; `certainty` is good, fair or poor."""

    metric: str
    points: tuple[CurvePoint, ...]
    text: str = ""
    certainty: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """A profile of one data file. `shape` is rows × columns as read; `sampled` says what was not read.

    `task` is binary, multiclass, regression, forecast, anomaly, extract, generate, or empty without a target.
    `suggestions` are facts that the data only hints at: a person has to confirm them, so they decide nothing.
    `candidates` are columns that look like a target, best first.
    """

    path: str
    sha256: str
    format: str
    shape: tuple[int, int]
    target: str
    columns: tuple[Column, ...]
    facts: tuple[Fact, ...]
    pitfalls: tuple[Pitfall, ...]
    split: SplitProposal
    sampled: str = ""
    schema: int = 1
    tool_version: str = ""
    task: str = ""
    notes: tuple[str, ...] = ()
    candidates: tuple[str, ...] = ()
    suggestions: tuple[Fact, ...] = ()
    baseline: Baseline | None = None
    curve: Curve | None = None
    charts: dict[str, list[tuple[str, float]]] = field(default_factory=dict)
