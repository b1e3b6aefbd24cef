"""What a report is made from: the records of one case, and the words the rulebook has for its facts and sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from advisor.base.safetext import plain
from advisor.records.climb import ClimbRecord
from advisor.records.decision import Decision
from advisor.records.facts import FactSheet
from advisor.records.look import Look
from advisor.records.plan import Plan
from advisor.records.run import RunRecord


class ChoiceWords(Protocol):
    """One answer a person can choose, and how it reads."""

    @property
    def value(self) -> Any: ...
    @property
    def label(self) -> str: ...


class FactWords(Protocol):
    """How a fact is asked for and read aloud; the rulebook's fact definitions fit."""

    @property
    def question(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def choices(self) -> Sequence[ChoiceWords]: ...
    @property
    def fixed(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Move:
    """Where one answer to an open question would lead: `approach` is None when it would still be open."""

    answer: str
    approach: str | None
    settled: bool


@dataclass(frozen=True, slots=True)
class Swing:
    """What one assumption alone does to the bill: the whole at its low end and at its high end, in US dollars."""

    label: str
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Given:
    """Everything a story is told from. `case` is its name, `folder` how a command reaches it.

    `inputs` maps file names to SHA-256; `moves` maps open facts to where their answers lead; `titles` holds the
    rulebook's own words for approaches and side answers, as in {"hosting.own_server": "your own server"}.
    """

    case: str
    folder: str
    decision: Decision
    facts: FactSheet
    definitions: Mapping[str, FactWords]
    sources: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    look: Look | None = None
    plan: Plan | None = None
    run: RunRecord | None = None
    climb: ClimbRecord | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)
    moves: Mapping[str, tuple[Move, ...]] = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=dict)
    swings: tuple[Swing, ...] = ()
    tool_version: str = ""

    def title(self, name: str | None, answer: str = "") -> str:
        """What the rulebook calls an approach, or the value of a side answer (hosting, trainer, metric, ...)."""
        if name is None:
            return "nothing yet"
        key = f"{answer}.{name}" if answer else name
        return plain(self.titles.get(key) or name.replace("_", " "))
