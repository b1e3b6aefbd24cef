"""A climb that is killed neither pays twice nor forgets what it spent."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from advisor.base.files import sha256_of_text
from advisor.base.llm import Message, Reply
from tests.climb.doors import CENTS, SayingDoor, asker_for, right_label, tickets
from trainers.climb.ladder import Climb
from trainers.climb.rungs import FewShot, ZeroShot

WORKERS = 3
POINTS = range(1, 61, 3)  # twenty kills, from the first question to the last rung


class PayingDoor(SayingDoor):
    """Writes each question into a bill that outlives us, and may kill us before or after it answers one."""

    def __init__(self, bill: Path, *, kill_at: int = 0, answered: bool = False) -> None:
        super().__init__(right_label)
        self._bill, self._kill_at, self._answered = bill, kill_at, answered

    def complete(self, messages: Sequence[Message], **options: Any) -> Reply:
        descriptor = os.open(self._bill, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(descriptor, f"{sha256_of_text(repr((messages, options)))}\n".encode())
        os.close(descriptor)
        reply = super().complete(messages, **options)
        # Killed when the question was paid for and not answered, or when the answer before it was kept.
        if self._kill_at and len(self.asked) == self._kill_at + self._answered:
            os.kill(os.getpid(), signal.SIGKILL)
        return reply


def climbed(door: SayingDoor, folder: Path, cap: str | None = None) -> tuple[Decimal, Decimal]:
    """Climb, and what the meter says was spent before and now."""
    asker = asker_for(door, folder, cap=cap)
    task = replace(tickets(120), most=20)
    climb = Climb(task, None, asker.meter, lambda rung: 1, workers=WORKERS)
    climb.climb([ZeroShot(asker), FewShot(asker, pilot=4)], endpoint=door.name, as_of="2026-11-22")
    asker.store.close()
    return asker.meter.before_usd, asker.meter.spent_usd


@pytest.mark.parametrize("point", POINTS)
def test_a_kill_at_any_point_pays_for_no_kept_answer_twice(point: int, tmp_path: Path) -> None:
    bill = tmp_path / "bill"
    child = os.fork()
    if child == 0:
        climbed(PayingDoor(bill, kill_at=point, answered=point % 2 == 0), tmp_path)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), "the kill must have hit, or this test shows nothing"
    before, now = climbed(PayingDoor(bill), tmp_path)

    asked = Counter(bill.read_text().splitlines())
    # Only what was under way when the kill fell is asked again: at most one question a worker.
    again = sum(count - 1 for count in asked.values())
    assert max(asked.values()) <= 2
    assert again <= WORKERS
    assert before + now >= CENTS.cost(10, 2) * asked.total(), "an attempt was forgotten"
    third = climbed(PayingDoor(bill), tmp_path)
    assert third[1] == 0
    assert Counter(bill.read_text().splitlines()) == asked


def test_a_cap_holds_over_all_climbs_of_a_case(tmp_path: Path) -> None:
    spent = []
    for _ in range(3):
        door = PayingDoor(tmp_path / "bill")
        before, now = climbed(door, tmp_path, cap="0.002")
        spent.append(before + now)
    assert all(total <= Decimal("0.002") for total in spent)
    # A later climb may still afford what workers side by side had reserved; it never pays for a kept answer again.
    assert 0 < spent[0] <= spent[1] <= spent[2]
    assert max(Counter((tmp_path / "bill").read_text().splitlines()).values()) == 1
