"""Rows without a label, labelled by a teacher under its cap: who said what, and what was left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from advisor.base.errors import BudgetReached
from advisor.base.files import sha256_of_text
from trainers.climb.task import Item, Task
from trainers.contract import Progress
from trainers.use.opened import OpenedRun


@dataclass(frozen=True)
class Sifted:
    """Texts that may be labelled, and how many rows were left out: empty, repeated, or known to the examples."""

    texts: tuple[str, ...]
    empty: int
    repeated: int
    known: int


def sift(cells: Sequence[object], task: Task) -> Sifted:
    """Each text once. A text of the sealed or development examples would teach the very answers that are judged."""
    known = {item.id for part in (task.train, task.development, task.sealed) for item in part}
    texts: dict[str, str] = {}
    empty = repeated = met = 0
    for cell in cells:
        text = str(cell).strip() if isinstance(cell, str) else ""
        name = sha256_of_text(text)
        if not text:
            empty += 1
        elif name in known:
            met += 1
        elif name in texts:
            repeated += 1
        else:
            texts[name] = text
    # In the order of their hashes: where a cap ends the labelling, what was labelled is a random part of the rows.
    return Sifted(tuple(texts[name] for name in sorted(texts)), empty, repeated, met)


@dataclass(frozen=True)
class Labels:
    """What the teacher said, as examples to learn from; `unread` answers were none of the labels. USD of all asked.

    `stopped` says why rows were left without a label, if any were.
    """

    items: tuple[Item, ...]
    unread: int
    usd: float
    stopped: str = ""

    @property
    def asked(self) -> int:
        return len(self.items) + self.unread


def label(teacher: OpenedRun, texts: Sequence[str], progress: Progress) -> Labels:
    """Ask the teacher about each text. Answers it gave before cost nothing; a cap ends it with what is labelled."""
    column, step = teacher.columns[0].name, teacher.backend.at_once
    found: list[tuple[str, str | None, float]] = []
    stopped = ""
    for start in range(0, len(texts), step):
        part = list(texts[start : start + step])
        try:
            found += _said(teacher, column, part)
        except BudgetReached as reached:
            stopped = reached.what
            # Some of these were paid for before the cap was met: asked one by one, they come from the store.
            for text in part:
                try:
                    found += _said(teacher, column, [text])
                except BudgetReached:
                    continue
            break
        progress.step(len(found), len(texts), f"{len(found):,} rows, {sum(usd for _, _, usd in found):.4f} USD")
    items = tuple(Item(sha256_of_text(text), text, (said,)) for text, said, _ in found if said is not None)
    return Labels(items, len(found) - len(items), sum(usd for _, _, usd in found), stopped)


def _said(teacher: OpenedRun, column: str, texts: list[str]) -> list[tuple[str, str | None, float]]:
    answers = teacher.answer(pd.DataFrame({column: texts}))
    return list(zip(texts, answers.predictions, answers.usd or [0.0] * len(texts), strict=True))
