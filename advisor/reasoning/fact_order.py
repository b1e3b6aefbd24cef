"""In which order a diagram looks at facts."""

from __future__ import annotations

from advisor.reasoning.table import Table


def default_order(table: Table) -> list[str]:
    """Facts in the order in which the walk needs them: of the first rule first; decided rules drop out early."""
    order: dict[str, None] = {}
    partner = {}
    for pair in table.derived.values():
        partner[pair.left], partner[pair.right] = pair.right, pair.left
    for bit, box in enumerate(table.flat):
        if not table.deciding >> bit & 1:
            break
        approach = table.box_approach[bit]
        names = list(box)
        guard = table.guard[approach]
        while guard:
            low = guard & -guard
            names.extend(table.flat[low.bit_length() - 1])
            guard ^= low
        for name in names:
            order.setdefault(name)
            if name in partner:
                order.setdefault(partner[name])
    for name in table.space:
        order.setdefault(name)
    return list(order)
