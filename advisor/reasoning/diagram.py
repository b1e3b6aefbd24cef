"""Every completion at once: a reduced decision diagram of what the open facts can still lead to.

The walk over slots is a finite function, so a reduced ordered decision diagram holds it exactly (Bryant, Graph-Based
Algorithms for Boolean Function Manipulation, 1986; many-valued as in Srinivasan and others, 1990). A state of the
construction is the set of boxes that can still matter; equal states are built once. From the diagram one reads: which
outcomes remain (its leaves), which facts can still change the outcome (its variables; exactly those, because it is
reduced), how much each would settle, and witnesses. Known facts are fixed before building: it shrinks as one answers.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from advisor.reasoning.fact_order import default_order
from advisor.reasoning.table import Table


class TooLarge(Exception):
    """The diagram passed its limit: nothing was proven."""


class Diagram:
    """Nodes are (variable, children by slot); a leaf is a negative number, -1 for "no rule" and -2-k for label k."""

    def __init__(
        self,
        table: Table,
        known: Mapping[str, int] | None = None,
        *,
        labels: Sequence[int] | None = None,
        order: Sequence[str] | None = None,
        within: Mapping[str, int] | None = None,
        never: Collection[str] = (),
        limit: int = 200_000,
    ) -> None:
        """`labels` gives each deciding box its outcome (its approach if left out); `within` limits slots as bits.

        `never` names facts that will stay unknown: no cell over them is ever true.
        """
        self.table = table
        self.labels = list(labels) if labels is not None else table.box_approach
        known = known or {}
        used = [
            name
            for name in (order or default_order(table))
            if table.constrained[name] and name not in known and name not in never
        ]
        self.names = used
        self._limit = limit
        self.open_slots = [(within or {}).get(name, table.space[name].full) for name in used]
        self._cons = [table.constrained[name] for name in used]
        self._later = [0] * (len(used) + 1)
        for level in range(len(used) - 1, -1, -1):
            self._later[level] = self._later[level + 1] | self._cons[level]
        self._bad = [table.bad[name] for name in used]
        # Boxes of one label, for spotting that all that is left ends alike.
        self._with_label: dict[int, int] = {}
        for bit, label in enumerate(self.labels):
            if table.deciding >> bit & 1:
                self._with_label[label] = self._with_label.get(label, 0) | 1 << bit
        self.nodes: list[tuple[int, tuple[int, ...]]] = []
        self._unique: dict[tuple[int, tuple[int, ...]], int] = {}
        self._states: dict[tuple[int, int], int] = {}
        alive = table.all_boxes
        for name, slot in known.items():
            alive &= ~table.bad[name][slot]
        for name in never:
            if name not in known:
                alive &= ~table.constrained[name]
        self.root = self._build(alive, 0)

    def _trim(self, alive: int, level: int) -> tuple[int, int | None]:
        """The boxes that still matter, and the leaf when the outcome is certain."""
        table = self.table
        satisfied = alive & ~self._later[level]
        deciding = alive & table.deciding
        guards = 0
        last_certain = 0
        open_guard = 0
        for approach, mine in enumerate(table.of_approach):
            if not deciding & mine:
                continue
            guard = alive & table.guard[approach]
            if guard & satisfied:
                deciding &= ~mine
                continue
            done = satisfied & mine
            if guard:
                guards |= guard
                open_guard |= mine
                if done:  # later boxes of this approach can add nothing: free or ruled out, the first one says it
                    deciding &= ~(mine & ~((done & -done) * 2 - 1))
            elif done:
                first = done & -done
                if not last_certain or first < last_certain:
                    last_certain = first
        if last_certain:
            deciding &= last_certain * 2 - 1
            label = self.labels[last_certain.bit_length() - 1]
            rest = deciding & ~self._with_label[label]
            if not rest:
                return 0, -2 - label
            # Boxes between the last other outcome and the certain one end as it does anyway.
            keep = (1 << rest.bit_length()) - 1 | last_certain
            deciding &= keep
            # What cannot be ruled out and stands before it only matters through its own facts.
        if not deciding:
            return 0, -1
        kept = 0
        if deciding & open_guard:
            for approach, mine in enumerate(table.of_approach):
                if deciding & mine:
                    kept |= guards & table.guard[approach]
        return deciding | kept, None

    def _build(self, alive: int, level: int) -> int:
        state, leaf = self._trim(alive, level)
        if leaf is not None:
            return leaf
        if not state:
            return -1
        count = len(self.names)
        while level < count and not state & self._cons[level]:
            level += 1
        key = (level, state)
        found = self._states.get(key)
        if found is not None:
            return found
        if len(self._states) >= self._limit:
            raise TooLarge
        seen: dict[int, int] = {}
        children: list[int | None] = []
        within = self.open_slots[level]
        for slot, bad in enumerate(self._bad[level]):
            if not within >> slot & 1:
                children.append(None)
                continue
            rest = state & ~bad
            child = seen.get(rest)
            if child is None:
                child = seen[rest] = self._build(rest, level + 1)
            children.append(child)
        some = next(child for child in children if child is not None)
        node = self._node(level, tuple(some if child is None else child for child in children))
        self._states[key] = node
        return node

    def restricted(self, known: Mapping[str, int]) -> Diagram:
        """The diagram of what is left when more facts are known; equal to building it anew, and quick."""
        made = Diagram.__new__(Diagram)
        made.table, made.labels, made.names, made.open_slots = self.table, self.labels, self.names, self.open_slots
        made.nodes, made._unique = [], {}
        slots = {level: known[name] for level, name in enumerate(self.names) if name in known}
        new: dict[int, int] = {}
        for node in reversed(self._below(slots)):
            level, children = self.nodes[node]
            slot = slots.get(level)
            if slot is not None:
                child = children[slot]
                new[node] = child if child < 0 else new[child]
            else:
                new[node] = made._node(level, tuple([child if child < 0 else new[child] for child in children]))
        made.root = self.root if self.root < 0 else new[self.root]
        return made

    def _node(self, level: int, children: tuple[int, ...]) -> int:
        """The one node with these children; the child itself when all are alike."""
        first = children[0]
        if children.count(first) == len(children):
            return first
        entry = (level, children)
        found = self._unique.get(entry)
        if found is None:
            found = self._unique[entry] = len(self.nodes)
            self.nodes.append(entry)
        return found

    def as_plain(self) -> dict[str, object]:
        """What the cache keeps."""
        return {"names": self.names, "nodes": self.nodes, "root": self.root}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any], table: Table) -> Diagram:
        """The diagram that `as_plain` kept."""
        made = cls.__new__(cls)
        made.table, made.labels, made.names = table, table.box_approach, list(plain["names"])
        made.open_slots = [table.space[name].full for name in made.names]
        made.nodes = [(level, tuple(children)) for level, children in plain["nodes"]]
        made._unique, made.root = {}, int(plain["root"])
        return made

    def reachable(self) -> list[int]:
        """The nodes below the root, parents before children."""
        return self._below({})

    def _below(self, slots: Mapping[int, int]) -> list[int]:
        if self.root < 0:
            return []
        seen = {self.root}
        stack = [self.root]
        while stack:
            level, children = self.nodes[stack.pop()]
            slot = slots.get(level)
            for child in children if slot is None else (children[slot],):
                if child >= 0 and child not in seen:
                    seen.add(child)
                    stack.append(child)
        # Children are always numbered before their parents.
        return sorted(seen, reverse=True)

    def outcomes(self) -> set[int]:
        """Every label that some completion reaches; -1 for a completion that no rule decides."""
        leaves = {self.root} if self.root < 0 else set()
        for node in self.reachable():
            leaves.update(child for child in self.nodes[node][1] if child < 0)
        return {-1 if leaf == -1 else -2 - leaf for leaf in leaves}

    def relevant(self) -> set[str]:
        """The facts by which alone some completion can change its outcome; exact."""
        return {self.names[self.nodes[node][0]] for node in self.reachable()}

    def witness(self, want: Callable[[int], bool]) -> dict[str, int] | None:
        """Slots of a completion whose label fits `want`, as few facts as the path needs; None if there is none."""
        good: dict[int, tuple[int, int]] = {}
        if self.root < 0:
            return {} if want(-1 if self.root == -1 else -2 - self.root) else None
        for node in reversed(self.reachable()):
            level, children = self.nodes[node]
            for slot, child in enumerate(children):
                if not self.open_slots[level] >> slot & 1:
                    continue
                if child in good or (child < 0 and want(-1 if child == -1 else -2 - child)):
                    good[node] = (slot, child)
                    break
        if self.root not in good:
            return None
        path, node = {}, self.root
        while node >= 0:
            slot, child = good[node]
            path[self.names[self.nodes[node][0]]] = slot
            node = child
        return path

    def within(self, box: Mapping[str, int]) -> dict[int, dict[str, int]]:
        """The labels reached when some facts are kept inside slots (as bits), each with a path that reaches it."""
        masks = {level: box[name] for level, name in enumerate(self.names) if name in box}
        if self.root < 0:
            return {-1 if self.root == -1 else -2 - self.root: {}}
        parent: dict[int, tuple[int, int]] = {}
        found: dict[int, tuple[int, int]] = {}
        seen, stack = {self.root}, [self.root]
        while stack:
            node = stack.pop()
            level, children = self.nodes[node]
            mask = masks.get(level, -1) & self.open_slots[level]
            for slot, child in enumerate(children):
                if not mask >> slot & 1:
                    continue
                if child < 0:
                    found.setdefault(-1 if child == -1 else -2 - child, (node, slot))
                elif child not in seen:
                    seen.add(child)
                    parent[child] = (node, slot)
                    stack.append(child)
        return {label: self.path_to(node, slot, parent) for label, (node, slot) in found.items()}

    def path_to(self, node: int, slot: int, parent: Mapping[int, tuple[int, int]]) -> dict[str, int]:
        """The slots on the way to a slot of a node, given each node's parent."""
        path = {self.names[self.nodes[node][0]]: slot}
        while node in parent:
            node, slot = parent[node]
            path[self.names[self.nodes[node][0]]] = slot
        return path
