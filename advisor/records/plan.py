"""A plan: exactly what will be trained, on which rows, under which caps. `train` does what it says and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from advisor.records.decision import Stage
from advisor.records.look import SplitProposal


@dataclass(frozen=True, slots=True)
class Setting:
    """One hyper-parameter or choice, with the reason for its value and the source of the reason."""

    value: object
    reason: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class DroppedColumn:
    """A column that the model must not see, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class ColumnQuestion:
    """A column that stays in, and what a person must answer about it first."""

    name: str
    question: str


@dataclass(frozen=True, slots=True)
class AcceptedColumn:
    """A column that may give the answer away and is used all the same: what was asked, and what a person said."""

    name: str
    question: str
    reason: str


@dataclass(frozen=True, slots=True)
class NextStep:
    """One thing to do, why, and how to tell that it is done."""

    what: str
    why: str
    done_when: str


@dataclass(frozen=True, slots=True)
class Gate:
    """What the trained model must beat, by which metric, by how much, and how sure.

    `against` names baselines that the trainer measures on the same rows. It passes when the lower end of the paired
    interval (`confidence`, two-sided) of the gain is above `minimum_gain`, in units of the metric. Where it is stated
    what errors cost, `by` says which decides: cost, or metric. By cost it is the saving a row that must lie above
    `minimum_saving`, in the unit of the costs. `because` says why; an empty `by` means cost where costs are stated.
    """

    metric: str
    against: tuple[str, ...]
    minimum_gain: float = 0.0
    confidence: float = 0.95
    by: Literal["", "cost", "metric"] = ""
    because: str = ""
    minimum_saving: float = 0.0


@dataclass(frozen=True, slots=True)
class Lengths:
    """How many examples (`rows`) have at most `upto` tokens, and more than the step before; `over` exceed `limit`.

    `how` says how they were counted.
    """

    upto: tuple[int, ...]
    rows: tuple[int, ...]
    limit: int
    over: int
    how: str


@dataclass(frozen=True, slots=True)
class CardEstimate:
    """What the whole run would take on one rented graphics card, from published figures.

    `how` says in which way it fits, or what it lacks. `hours` and `usd` are the least and the most, set-up included;
    None where no source tells. `price` is the line of rules/costs.yaml that says what an hour of the card is.
    """

    card: str
    fits: bool
    how: str
    peak_memory_mb: float
    hours: tuple[float, float] | None = None
    usd: tuple[float, float] | None = None
    price: str = ""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What it will take, before it starts. `formula` says how it was computed, `error_band` how far it may be off.

    The memory is the graphics card's where `on_card`, else the machine's. `lengths` are those of examples in words.
    `cards` is the same for cards that can be rented, and `cards_assume` what those figures rest on.
    """

    seconds: float
    peak_memory_mb: float
    disk_mb: float
    usd: float = 0.0
    formula: str = ""
    error_band: str = ""
    on_card: bool = False
    lengths: Lengths | None = None
    cards: tuple[CardEstimate, ...] = ()
    cards_assume: str = ""


@dataclass(frozen=True, slots=True)
class BaseOption:
    """A base model that was weighed: its weights, licence, context in tokens, and why it was `taken` or not.

    `verdict` is taken, fits, to_fetch (it would do, but is not here) or refused.
    """

    name: str
    parameters: int
    licence: str
    context: int
    verdict: str
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The hand-off from deciding to training.

    `data` is a path, absolute or relative to the case; the run refuses when its SHA-256 is no longer `data_sha256`.
    `task` is binary, multiclass, regression, or a trainer's own word. `settings` holds the trainer's choices. `trainer`
    is empty when no program does what comes next: then `steps` say what a person does. `to_ask` are columns that look
    as if they gave the answer away: `train` waits until each is dropped, or `accepted` in writing. `override` says in
    words why the plan follows another approach than the decision. `bases` are the base models that were weighed.
    """

    approach: str
    trainer: str
    task: str
    data: str
    data_sha256: str
    target: str
    split: SplitProposal
    metric: Setting
    gate: Gate
    drop: tuple[DroppedColumn, ...] = ()
    settings: dict[str, Setting] = field(default_factory=dict)
    budget_seconds: float = 60.0
    seed: int = 0
    estimate: Estimate = field(default_factory=lambda: Estimate(0.0, 0.0, 0.0))
    stages: tuple[Stage, ...] = ()
    decision_sha256: str = ""
    rulebook_sha256: str = ""
    schema: int = 1
    tool_version: str = ""
    steps: tuple[NextStep, ...] = ()
    to_ask: tuple[ColumnQuestion, ...] = ()
    accepted: tuple[AcceptedColumn, ...] = ()
    override: str = ""
    bases: tuple[BaseOption, ...] = ()
