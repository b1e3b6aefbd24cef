"""How much each open fact would settle."""

from __future__ import annotations

import math
from collections.abc import Mapping

from advisor.reasoning.diagram import Diagram


def settling(diagram: Diagram) -> dict[str, float]:
    """For each relevant fact, how many bits its answer is expected to settle if all slots are equally likely.

    Only an order of importance is read from it, never a probability.
    """
    nodes = diagram.reachable()
    below: dict[int, dict[int, float]] = {}
    for node in reversed(nodes):
        level, children = diagram.nodes[node]
        slots = [slot for slot in range(len(children)) if diagram.open_slots[level] >> slot & 1]
        total: dict[int, float] = {}
        for slot in slots:
            child = children[slot]
            for label, share in (below[child] if child >= 0 else {child: 1.0}).items():
                total[label] = total.get(label, 0.0) + share / len(slots)
        below[node] = total
    if diagram.root < 0:
        return {}
    reach = dict.fromkeys(nodes, 0.0)
    reach[diagram.root] = 1.0
    # Mass that passes through a node of each fact, split by slot and outcome.
    through: dict[int, list[dict[int, float]]] = {}
    for node in nodes:
        level, children = diagram.nodes[node]
        columns = through.setdefault(level, [{} for _ in children])
        for slot, child in enumerate(children):
            if child >= 0:
                reach[child] += reach[node] / len(children)
            for label, share in (below[child] if child >= 0 else {child: 1.0}).items():
                columns[slot][label] = columns[slot].get(label, 0.0) + reach[node] * share
    overall = below[diagram.root]
    before = _entropy(overall)
    result = {}
    for level, columns in through.items():
        passed: dict[int, float] = {}
        for column in columns:
            for label, mass in column.items():
                passed[label] = passed.get(label, 0.0) + mass / len(columns)
        after = sum(
            _entropy({label: overall[label] - passed.get(label, 0.0) + column.get(label, 0.0) for label in overall})
            for column in columns
        ) / len(columns)
        result[diagram.names[level]] = before - after
    return result


def _entropy(shares: Mapping[int, float]) -> float:
    return -sum(share * math.log2(share) for share in shares.values() if share > 1e-12)
