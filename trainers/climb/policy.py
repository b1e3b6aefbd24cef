"""The figures a climb goes by: rules/climb.yaml, where each stands with its reason and source."""

from __future__ import annotations

from trainers.common.policy import policy


def figure(group: str, name: str) -> float:
    """A figure as it stands there."""
    return float(policy("climb")[group][name]["value"])


def count(group: str, name: str) -> int:
    """A figure that is a whole number."""
    return int(figure(group, name))
