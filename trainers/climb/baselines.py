"""Rungs that need no model: always the same answer, the best word of each label, and a rule that the user wrote."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from time import perf_counter
from typing import Any

from trainers.climb.rulefile import WrittenRule
from trainers.climb.rungs import Said
from trainers.climb.scoring import normalized
from trainers.climb.task import Item, Task


class Majority:
    """Always the most frequent label."""

    name, rung, paid, slow = "always the same", "no_ml", False, False

    def not_applicable(self, task: Task) -> str:
        return "" if task.kind == "classification" else "Free answers have no most frequent one."

    def prepare(self, task: Task) -> None:
        self._label = Counter(item.accepted[0] for item in task.train).most_common(1)[0][0]

    def kept(self) -> dict[str, Any]:
        """The label."""
        return {"label": self._label}

    def restore(self, task: Task, kept: Mapping[str, Any]) -> None:
        """Ready again."""
        self._label = str(kept["label"])

    def answer(self, item: Item) -> Said:
        return Said(self._label, 0.0)


class OneWordRule:
    """The best word of each label; a text gets the label of the first such word in it, else the most frequent label."""

    name, rung, paid, slow = "one word per label", "no_ml", False, False

    def not_applicable(self, task: Task) -> str:
        return "" if task.kind == "classification" else "Free answers cannot be read off one word."

    def prepare(self, task: Task) -> None:
        sizes = Counter(item.accepted[0] for item in task.train)
        self._majority = sizes.most_common(1)[0][0]
        words = telling_words(task, 1)
        ranked = sorted(((f1, word, label) for label, found in words.items() for f1, word in found), reverse=True)
        self._rules = [(word, label) for _, word, label in ranked]

    def kept(self) -> dict[str, Any]:
        """The words in their order, and what is said without one."""
        return {"words": self._rules, "otherwise": self._majority}

    def restore(self, task: Task, kept: Mapping[str, Any]) -> None:
        """Ready again."""
        self._rules = [(str(word), str(label)) for word, label in kept["words"]]
        self._majority = str(kept["otherwise"])

    def answer(self, item: Item) -> Said:
        started = perf_counter()
        words = set(normalized(item.text).split())
        label = next((label for word, label in self._rules if word in words), self._majority)
        return Said(label, perf_counter() - started)


def telling_words(task: Task, count: int) -> dict[str, list[tuple[float, str]]]:
    """For each label the `count` words whose presence goes best with it in training, by F1, best first."""
    sizes = Counter(item.accepted[0] for item in task.train)
    seen: dict[str, Counter[str]] = defaultdict(Counter)
    for item in task.train:
        for word in set(normalized(item.text).split()):
            seen[word][item.accepted[0]] += 1
    best: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for word, labels in seen.items():
        total = sum(labels.values())
        for label, hits in labels.items():
            best[label].append((2 * hits / (total + sizes[label]), word))
    return {label: sorted(found, key=lambda one: (-one[0], one[1]))[:count] for label, found in best.items()}


class UserRule:
    """A rule that the user wrote down: conditions over the row's columns, first match wins."""

    rung, paid, slow = "no_ml", False, False

    def __init__(self, rule: WrittenRule) -> None:
        self.name = "your rule"
        self._rule = rule

    def not_applicable(self, task: Task) -> str:
        return "" if task.kind == "classification" else "A rule picks one of a few answers."

    def prepare(self, task: Task) -> None:
        self._rule.check_labels(task.labels)

    def answer(self, item: Item) -> Said:
        started = perf_counter()
        return Said(self._rule.answer(item.row), perf_counter() - started)
