"""Planted pitfalls are noticed, and unplanted tables stay quiet."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.evidence.bases import BASES
from tests.evidence.planting import PLANTINGS, run, table_of

QUICK = tuple(base for base in BASES if base.name in ("german_credit", "diabetes", "sms_spam"))


def test_eighteen_pitfalls_and_more_are_planted() -> None:
    assert len({planting.code for planting in PLANTINGS}) >= 18


@pytest.mark.heavy
def test_planted_pitfalls_are_noticed_on_a_few_sets(shared_data: Path) -> None:
    tallies = run(shared_data, 1, strengths=(1, 2), bases=QUICK)
    print(table_of(tallies))
    missed = {code: tally.found for code, tally in tallies.items() if tally.found[1:] != tally.tried[1:]}
    assert not missed
    assert not {code: tally.false_alarms for code, tally in tallies.items() if tally.false_alarms}


@pytest.mark.heavy
def test_detection_and_precision_hold_on_all_sets(shared_data: Path) -> None:
    tallies = run(shared_data, 3)
    print(table_of(tallies))
    tried = [sum(tally.tried[strength] for tally in tallies.values()) for strength in (0, 1, 2)]
    found = [sum(tally.found[strength] for tally in tallies.values()) for strength in (0, 1, 2)]
    alarms = sum(tally.false_alarms for tally in tallies.values())
    assert found[1] >= 0.95 * tried[1]
    assert found[2] == tried[2]
    assert found[1] / (found[1] + alarms) >= 0.95
