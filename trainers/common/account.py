"""Every run tells the same things of its model; what it cannot tell it accounts for in a sentence.

What that is, its words, and why a kind of run leaves one out, stands in rules/telling.yaml.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trainers.common.policy import policy


def accounted(kind: str, found: Mapping[str, Any], lacking: Mapping[str, str] | None = None) -> dict[str, Any]:
    """What was found, with the words of that kind of run, and under `without` a sentence for each thing not told.

    `lacking` says what kept this run from telling one, such as the time; it goes before what the kind says.
    """
    rules = policy("telling")
    of_kind = rules["runs"][rules["same_as"].get(kind, kind)]
    reasons = {**of_kind.get("without", {}), **(lacking or {})}
    without = {
        name: reasons[name]
        for name, places in rules["every_run"].items()
        if name in reasons and not any(found.get(place) for place in places)
    }
    return {**found, "words": of_kind.get("words", {}), "without": without}


def time_is_up(*names: str) -> dict[str, str]:
    """The reason for each of these that the run had no time to measure."""
    return dict.fromkeys(names, policy("telling")["time_is_up"])


def shares_of(rows: int, fewest: int) -> list[int]:
    """How many of the rows each point of a learning curve but the last rests on."""
    counts = [int(rows * share) for share in policy("telling")["curve"]["shares"]]
    return [count for count in counts if count >= fewest]
