"""The shapes of what `rules` and `explain` print about the rulebook itself: one rule, one fact, a proof, a list."""

from __future__ import annotations

from typing import Any

# pydantic, which brings this package, reads only its TypedDict before Python 3.12.
from typing_extensions import TypedDict


class RulePage(TypedDict):
    """One rule."""

    id: str
    name: str
    because: str
    sources: list[str]
    when: list[str]
    example: dict[str, Any]
    counter_example: dict[str, Any]


class FactPage(TypedDict):
    """One fact: its question, its answers, and the rules that look at it."""

    name: str
    type: str
    question: str
    help: str
    why: str
    choices: list[dict[str, Any]]
    rules: list[str]


class PitfallPage(TypedDict):
    """One pitfall that `look` may find."""

    code: str
    name: str


class Proof(TypedDict):
    """What `rules check` found."""

    proven: bool
    findings: list[dict[str, Any]]
    rules: int
    facts: int
    decided_by_order: int
    hash: str


class Share(TypedDict):
    """How many of how many."""

    shown: int
    of: int


class Tested(TypedDict):
    """What `rules test` found."""

    tests: int
    failures: list[dict[str, str]]
    rules: Share
    conditions: Share
    mcdc: Share
    mutants: Share
    mutation_score: float
    alive: list[str]


class Drawn(TypedDict):
    """The rulebook as Mermaid text."""

    mermaid: str


class Rules(TypedDict):
    """All rules by id, each with its name and effect."""

    rules: dict[str, str]


class Facts(TypedDict):
    """All facts, each with its question."""

    facts: dict[str, str]


class Places(TypedDict):
    """All places of the walk, each with its title."""

    places: dict[str, str]


class Sources(TypedDict):
    """All sources, each with its title and date."""

    sources: dict[str, str]
