"""A fact: what we know about a situation, and how we know it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

Value = bool | int | float | str
Origin = Literal["default", "stated", "observed", "measured"]

# A later origin overrules an earlier one: what was measured beats what was seen, which beats what was said.
STRENGTH: tuple[Origin, ...] = ("default", "stated", "observed", "measured")


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing known, or known to be unknown.

    `value` is None for "don't know". `evidence` says in a sentence where it comes from; `as_of` is its ISO date.
    `confirmed` marks an answer that the user repeated after being shown that the data says otherwise: it is kept.
    """

    name: str
    value: Value | None
    origin: Origin = "stated"
    evidence: str = ""
    as_of: str = ""
    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two origins that disagree about one fact: the one that counts, and the one it overrules."""

    name: str
    kept: Fact
    overruled: Fact


@dataclass(frozen=True, slots=True)
class FactSheet:
    """All facts of a case, each with its origin, and where the origins disagree."""

    facts: tuple[Fact, ...] = ()
    contradictions: tuple[Contradiction, ...] = ()
    _by_name: dict[str, Fact] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._by_name.update({fact.name: fact for fact in self.facts})

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def get(self, name: str) -> Fact | None:
        """The fact of that name, or None when nobody asked."""
        return self._by_name.get(name)

    def values(self) -> dict[str, Value]:
        """The known values by name."""
        return {fact.name: fact.value for fact in self.facts if fact.value is not None}

    def declined(self) -> tuple[str, ...]:
        """The facts that were asked and answered "don't know"."""
        return tuple(fact.name for fact in self.facts if fact.value is None)


def beats_trivial(low: float, high: float) -> Value | None:
    """`baseline_beats_trivial` by the interval of a model's gain over always the same answer; None: it cannot tell."""
    return "yes" if low > 0 else "no" if high <= 0 else None


def merge(*layers: Iterable[Fact]) -> FactSheet:
    """One fact sheet from several sources: measured beats observed beats stated, and every disagreement is kept.

    A known value always beats "don't know". An answer confirmed by the user beats an observation.
    """
    kept: dict[str, Fact] = {}
    contradictions: list[Contradiction] = []
    for fact in (fact for layer in layers for fact in layer):
        before = kept.get(fact.name)
        if before is None:
            kept[fact.name] = fact
            continue
        winner, loser = (fact, before) if _outranks(fact, before) else (before, fact)
        kept[fact.name] = winner
        if winner.value is not None and loser.value is not None and winner.value != loser.value:
            contradictions.append(Contradiction(fact.name, winner, loser))
    return FactSheet(tuple(kept.values()), tuple(contradictions))


def _outranks(new: Fact, old: Fact) -> bool:
    def rank(fact: Fact) -> tuple[bool, bool, int]:
        return (fact.value is not None, fact.confirmed, STRENGTH.index(fact.origin))

    return rank(new) >= rank(old)


def from_mapping(values: Mapping[str, Value | None], origin: Origin, evidence: str = "", as_of: str = "") -> list[Fact]:
    """Facts of one origin from plain names and values."""
    return [Fact(name, value, origin, evidence, as_of) for name, value in values.items()]
