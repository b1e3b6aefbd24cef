"""The smallest changes of known facts that lead to another approach, proven minimal by looking at all smaller ones.

A change is looked at through the same bits that decided. For every fact the other facts' bits are known at once from
"bad in at least one, two, three facts", so one change costs a few operations on integers.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import combinations
from typing import NamedTuple

from advisor.reasoning.domains import Domain
from advisor.reasoning.reasons import spoken
from advisor.reasoning.rulebook import Rulebook
from advisor.reasoning.standing import standing
from advisor.reasoning.table import Table
from advisor.records.decision import Flip
from advisor.records.facts import Value

Facts = Mapping[str, Value | None]


class _Way(NamedTuple):
    """One way to change a fact, or two that are compared with each other."""

    changes: dict[str, Value]
    bad: int


def flips(
    facts: Facts,
    rulebook: Rulebook,
    *,
    locked: Collection[str] = (),
    most_changes: int = 2,
    at_most: int | None = 12,
    target: str | None = None,
) -> tuple[Flip, ...]:
    """Changes of at most `most_changes` known facts that lead to another approach (to `target` if given).

    Smallest first: no change of only some of its facts leads to the same approach. Every fact known, the list is
    complete; with facts open, changes are left out that make no rule true and yet leave one approach only. Facts marked
    `fixed`, and those in `locked`, are not changed. Of values that decide alike the nearest is given. `at_most` cuts
    the list, never the search for smaller changes.
    """
    table = rulebook.table
    known = {name: value for name, value in facts.items() if value is not None}
    before = standing(known, rulebook).approach
    fixed = {name for name, fact in rulebook.facts.items() if fact.fixed} | set(locked)
    groups, rest = _groups(facts, table, fixed)
    found: list[tuple[dict[str, Value], str]] = []
    for bad, changes in _changed(table, groups, rest, most_changes, before):
        rule = table.first(bad)
        approach = table.rules[rule].approach if rule >= 0 else None
        if approach is None or approach == before or (target is not None and approach != target):
            continue
        # Not minimal when fewer of its facts get there too; of the same facts, the first is the nearest.
        if any(near.keys() <= changes.keys() and approach == end for near, end in found):
            continue
        # With facts still open, a rule that is true may be sure to be overtaken: then this leads elsewhere.
        if standing({**known, **changes}, rulebook).approach != approach:
            continue
        if len(changes) > 1 and any(
            standing({**known, name: value}, rulebook).approach == approach for name, value in changes.items()
        ):
            continue
        found.append((changes, approach))
        if at_most is not None and len(found) == at_most:
            break
    return tuple(_flip(changes, approach, facts, rulebook) for changes, approach in found[:at_most])


def _groups(facts: Facts, table: Table, fixed: Collection[str]) -> tuple[list[tuple[int, list[_Way]]], int]:
    """Each changeable fact with its present bad boxes and its ways to change; and the bad boxes of all other facts."""
    groups: list[tuple[int, list[_Way]]] = []
    rest = 0
    partner = {}
    for pair in table.derived.values():
        partner[pair.left] = partner[pair.right] = pair
    done: set[str] = set()
    for name, domain in table.space.items():
        if name in done or not table.constrained[name]:
            continue
        if name in partner:
            pair = partner[name]
            done |= {pair.left, pair.right}
            present = _pair_bad(table, facts, name, {})
            names = [one for one in (pair.left, pair.right) if facts.get(one) is not None and one not in fixed]
            ways = _pair_ways(facts, table, names, present)
        else:
            value = facts.get(name)
            present = table.constrained[name] if value is None else table.bad[name][domain.slot(value)]
            ways = [] if value is None or name in fixed else _ways(name, value, domain, table, present)
        if ways:
            groups.append((present, ways))
        else:
            rest |= present
    return groups, rest


def _ways(name: str, value: Value, domain: Domain, table: Table, present: int) -> list[_Way]:
    here = domain.slot(value)
    seen = {present}
    ways = []
    for slot in sorted(range(len(domain.slots)), key=lambda slot: abs(slot - here)):
        bad = table.bad[name][slot]
        if slot != here and bad not in seen:
            seen.add(bad)
            ways.append(_Way({name: _nearest(domain, slot, here)}, bad))
    return ways


def _nearest(domain: Domain, slot: int, here: int) -> Value:
    """The value of a slot that lies nearest to the present slot."""
    if domain.type in ("boolean", "choice") or slot > here:
        return domain.example(slot)
    low, high = domain.two(domain.slots[slot][0])
    top = domain.ends(domain.slots[slot][0])[1]
    return high if top is not None and isinstance(top, int | float) and top >= float(low) else low


def _pair_bad(table: Table, facts: Facts, name: str, changes: Mapping[str, Value]) -> int:
    pair = next(pair for pair in table.derived.values() if name in (pair.left, pair.right))
    values = {**{one: facts.get(one) for one in (pair.left, pair.right)}, **changes}
    slots = table.pair_slots(pair, values[pair.left], values[pair.right])
    bad = 0
    for one, slot in zip((pair.left, pair.right), slots, strict=True):
        bad |= table.constrained[one] if slot is None else table.bad[one][slot]
    return bad


def _pair_ways(facts: Facts, table: Table, names: list[str], present: int) -> list[_Way]:
    """Ways to change two compared facts: each to every interval, and to just where the comparison turns."""
    candidates: list[dict[str, Value]] = []
    values: dict[str, list[Value]] = {}
    for name in names:
        domain = table.space[name]
        # Where the comparison turns comes first: of values that decide alike the first is given.
        options: list[Value] = [turn for other in names if other != name for turn in _turns(facts[other], domain)]
        for interval in dict.fromkeys(slot[0] for slot in domain.slots):
            options.extend(domain.two(interval))
        values[name] = [one for one in options if domain.low <= float(one) <= domain.high]
        candidates.extend({name: value} for value in values[name])
    if len(names) == 2:
        candidates.extend({names[0]: a, names[1]: b} for a in values[names[0]] for b in values[names[1]])
    seen: set[tuple[tuple[str, ...], int]] = set()
    ways = []
    for changes in candidates:
        bad = _pair_bad(table, facts, next(iter(changes)), changes)
        if bad != present and (tuple(changes), bad) not in seen:
            seen.add((tuple(changes), bad))
            ways.append(_Way(changes, bad))
    return ways


def _turns(other: Value | None, domain: Domain) -> tuple[Value, ...]:
    """The value a fact is compared with, and the next ones below and above: a whole one, or a hundredth, away."""
    if isinstance(other, bool) or not isinstance(other, int | float):
        return ()
    step = 1 if domain.type == "integer" else 0.01
    return (other, round(other - step, 10), round(other + step, 10))


def _changed(
    table: Table, groups: list[tuple[int, list[_Way]]], rest: int, most: int, before: str | None
) -> list[tuple[int, dict[str, Value]]]:
    """The bad boxes after every change worth looking at, fewest facts first."""
    ones = twos = threes = 0
    for present, _ in groups:
        threes |= twos & present
        twos |= ones & present
        ones |= present
    other = table.deciding
    if before is not None:
        other &= ~table.of_approach[table.approaches.index(before)]
    result: list[tuple[int, dict[str, Value]]] = []
    for present, ways in groups:
        others = rest | (ones & ~present) | twos
        if other & ~others:
            result.extend((others | way.bad, way.changes) for way in ways if len(way.changes) <= most)
    if most >= 2:
        for (a, first), (b, second) in combinations(groups, 2):
            others = rest | (ones & ~(a | b)) | (twos & ~(a & b)) | threes
            if not other & ~others:
                continue
            for one in first:
                both = others | one.bad
                if not other & ~both:
                    continue
                result.extend(
                    (both | two.bad, {**one.changes, **two.changes})
                    for two in second
                    if other & ~(both | two.bad) and len(one.changes) + len(two.changes) <= most
                )
    result.sort(key=lambda item: len(item[1]))
    return result


def _flip(changes: dict[str, Value], approach: str, facts: Facts, rulebook: Rulebook) -> Flip:
    parts = [f"{name} were {spoken(value)} (now {spoken(facts.get(name))})" for name, value in changes.items()]
    effort = "; ".join(rulebook.facts[name].effort for name in changes if rulebook.facts[name].effort)
    text = f"If {' and '.join(parts)}: {rulebook.approaches[approach].title}."
    return Flip(changes, approach, f"{text} To change it: {effort}." if effort else text)  # type: ignore[arg-type]
