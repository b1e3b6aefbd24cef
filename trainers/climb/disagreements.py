"""Items on which rungs disagree, for a person to read: often it is the label that is wrong."""

from __future__ import annotations

from collections.abc import Sequence

from advisor.base.safetext import plain
from advisor.records.climb import Disagreement
from trainers.climb.measure import Measured
from trainers.climb.policy import count
from trainers.climb.task import Item

SHOWN = count("examples", "shown_disagreements")


def disagreements(done: Sequence[Measured], most: int = SHOWN) -> tuple[Disagreement, ...]:
    """Items that some rungs get right and others wrong, those that split the rungs most evenly first."""
    if len(done) < 2:
        return ()
    said: dict[str, dict[str, tuple[str, float]]] = {}
    items: dict[str, Item] = {}
    for measured in done:
        for item, read, score in zip(measured.items, measured.read, measured.scores, strict=True):
            items[item.id] = item
            said.setdefault(item.id, {})[measured.rung.name] = (plain(read or "(unreadable)", 80), score)
    mixed = [
        (abs(sum(score for _, score in answers.values()) / len(answers) - 0.5), key)
        for key, answers in said.items()
        if len({score > 0.5 for _, score in answers.values()}) > 1
    ]
    return tuple(
        Disagreement(
            plain(items[key].text, 200),
            plain(items[key].accepted[0], 80),
            {name: answer for name, (answer, _) in said[key].items()},
        )
        for _, key in sorted(mixed)[:most]
    )
