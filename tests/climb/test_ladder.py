"""The ladder stops at the cheapest rung that is enough, and recommends nothing that the sealed part does not prove."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from advisor.base.llm import AttemptFailed, Message
from advisor.records.climb import ClimbRecord
from advisor.records.facts import beats_trivial
from tests.climb.doors import SayingDoor, asker_for, right_label, tickets
from trainers.climb.baselines import Majority, OneWordRule
from trainers.climb.clock import Clock
from trainers.climb.confirm import confirm
from trainers.climb.ladder import Climb
from trainers.climb.learned import WordsAndLinear
from trainers.climb.measure import measure
from trainers.climb.rungs import FewShot, Said, ZeroShot
from trainers.climb.spend import Meter
from trainers.climb.task import Item, Task, classification


def climbed(door: SayingDoor, folder: Path, requirement: float | None, task: Task | None = None) -> ClimbRecord:
    asker = asker_for(door, folder)
    climb = Climb(task or tickets(), requirement, asker.meter, lambda rung: 1)
    rungs = [Majority(), ZeroShot(asker), FewShot(asker, pilot=4), WordsAndLinear()]
    return climb.climb(rungs, endpoint=door.name, as_of="2026-11-22")


def status(record: ClimbRecord, name: str) -> str:
    return next(rung.status for rung in record.rungs if rung.name == name)


def test_a_ready_model_that_is_enough_ends_the_climb(tmp_path: Path) -> None:
    door = SayingDoor(right_label)
    record = climbed(door, tmp_path, 0.8)
    assert record.recommended == "ready model"
    assert status(record, "always the same") == "insufficient"
    assert status(record, "few-shot prompt") == "not_reached"
    assert status(record, "linear on words") == "enough", "what costs nothing is measured all the same"
    assert record.sealed is not None and record.sealed.low > 0.8
    facts = {fact.name: fact.value for fact in record.facts}
    assert facts["api_score"] == 1.0
    assert facts["baseline_beats_trivial"] == "yes"
    assert "prompting_tried" not in facts


def test_a_paid_rung_stops_as_soon_as_it_is_certain(tmp_path: Path) -> None:
    door = SayingDoor(lambda messages: "delivery")
    record = climbed(door, tmp_path, 0.9)
    ready = next(rung for rung in record.rungs if rung.name == "ready model")
    assert ready.status == "insufficient" and ready.stopped_early
    assert ready.items < len(tickets().development) / 2


def test_answers_that_cannot_be_read_are_wrong_and_counted(tmp_path: Path) -> None:
    record = climbed(SayingDoor(lambda messages: "delivery or refund, who knows"), tmp_path, None)
    ready = next(rung for rung in record.rungs if rung.name == "ready model")
    assert ready.score is not None and ready.score.value == 0.0
    assert ready.invalid_share == 1.0


def test_without_a_requirement_the_cheapest_within_noise_of_the_best_is_taken(tmp_path: Path) -> None:
    record = climbed(SayingDoor(right_label), tmp_path, None)
    assert record.recommended == "ready model"
    assert {rung.status for rung in record.rungs} == {"measured"}
    assert "Surely below the best" in next(rung.text for rung in record.rungs if rung.name == "always the same")


def test_too_few_examples_say_how_many_would_tell(tmp_path: Path) -> None:
    generator = np.random.default_rng(3)
    wrong = {item.text for item in tickets(120).development if generator.random() < 0.08}

    def mostly_right(messages: Sequence[Message]) -> str:
        return "nothing" if any(text in messages[-1]["content"] for text in wrong) else right_label(messages)

    asker = asker_for(SayingDoor(mostly_right), tmp_path)
    climb = Climb(tickets(120), 0.9, asker.meter, lambda rung: 1)
    record = climb.climb([ZeroShot(asker)], endpoint="x", as_of="2026-11-22")
    assert status(record, "ready model") == "undecided"
    assert record.recommended == ""
    assert re.search(r"examples to choose on|sits at the bar", record.rungs[0].text)


def test_a_server_that_fails_does_not_take_the_other_rungs(tmp_path: Path) -> None:
    def refuse(messages: Sequence[Message]) -> str:
        raise AttemptFailed("The key is not valid.", retry=False, billed=False, status=401)

    record = climbed(SayingDoor(refuse), tmp_path, 0.8)
    assert status(record, "ready model") == "failed"
    assert status(record, "few-shot prompt") == "not_reached"
    assert record.recommended == "linear on words"


def test_whether_there_is_anything_to_learn_stays_open_where_the_examples_cannot_tell(tmp_path: Path) -> None:
    drawn = np.random.default_rng(0)
    words, labels = ("red", "green", "blue", "late", "broken", "new"), ("delivery", "refund")
    texts = [f"{' '.join(drawn.choice(words, 6))} {at}" for at in range(200)]
    by_lot = classification(texts, [str(label) for label in drawn.choice(labels, 200)])
    record = climbed(SayingDoor(lambda messages: "refund"), tmp_path, None, by_lot)
    assert "baseline_beats_trivial" not in {fact.name for fact in record.facts}


@pytest.mark.parametrize(("low", "high", "told"), [(0.01, 0.2, "yes"), (-0.02, 0.05, None), (-0.2, -0.01, "no")])
def test_an_interval_that_holds_zero_tells_nothing(low: float, high: float, told: str | None) -> None:
    assert beats_trivial(low, high) == told


class Lucky:
    """A rung that is right on each item with a fixed chance, whatever the item."""

    rung, paid, slow = "api", False, False

    def __init__(self, rate: float, seed: int) -> None:
        self.name = f"lucky {seed}"
        self._generator = np.random.default_rng(seed)
        self._rate = rate

    @staticmethod
    def not_applicable(task: Task) -> str:
        return ""

    def prepare(self, task: Task) -> None:
        pass

    def answer(self, item: Item) -> Said:
        return Said(item.accepted[0] if self._generator.random() < self._rate else "", 0.0)


def familywise(runs: int, rungs: int = 5) -> tuple[float, float]:
    """Share of climbs over rungs at the boundary that recommend one, and that would have without the sealed part."""
    task, requirement = tickets(300), 0.85
    wrong = hasty = 0
    for run in range(runs):
        chosen = None
        for number in range(rungs):
            measured = measure(Lucky(requirement, run * rungs + number), task, requirement)
            if measured.verdict == "meets":
                chosen = measured
                break
        hasty += chosen is not None
        wrong += confirm(chosen, task, requirement, lambda rung: 1)[0]
    return wrong / runs, hasty / runs


def test_five_rungs_at_the_boundary_are_rarely_recommended() -> None:
    wrong, hasty = familywise(250)
    print(f"\nfive rungs at the requirement: recommended {wrong:.1%}; chosen before the sealed part {hasty:.1%}")
    assert wrong <= 0.05
    assert hasty > wrong


def test_a_sealed_part_that_was_opened_before_must_be_surer(tmp_path: Path) -> None:
    task = tickets(300)
    count = len(task.sealed)
    wrong = {item.id for item in task.sealed[: round(0.06 * count)]}

    class Fixed(Lucky):
        def answer(self, item: Item) -> Said:
            return Said("" if item.id in wrong else item.accepted[0], 0.0)

    measured = measure(Fixed(1.0, 0), task, 0.85)
    first = confirm(measured, task, 0.85, lambda rung: 1)
    later = confirm(measured, task, 0.85, lambda rung: 40)
    assert first[0] and not later[0]
    assert "opened 40 times" in later[3][0]


class Slow(Lucky):
    """A rung whose every answer moves the test's time on by so many seconds."""

    paid = True

    def __init__(self, seconds: float, name: str, time: list[float]) -> None:
        super().__init__(1.0, 0)
        self.name, self._seconds, self._time = name, seconds, time

    def answer(self, item: Item) -> Said:
        self._time[0] += self._seconds
        return replace(super().answer(item), seconds=self._seconds)


def test_a_slow_rung_leaves_time_for_those_after_it_and_says_on_how_many_examples_it_stands() -> None:
    task, time = tickets(600), [0.0]
    rungs = [Majority(), Slow(2, "slow", time), Slow(0.1, "quick", time), Slow(30, "too slow", time)]
    climb = Climb(task, None, Meter(None), lambda rung: 1, clock=Clock(400, now=lambda: time[0]))
    record = climb.climb(rungs, endpoint="x", as_of="2026-11-22")
    found = {rung.name: rung for rung in record.rungs}
    many = len(task.development)
    assert found["slow"].status == "measured" and found["slow"].items == 50, "a quarter of 400 seconds, two each"
    assert f"held {found['slow'].items} of {many} examples" in found["slow"].text
    assert found["quick"].items == many, "what one rung takes too long for is not taken from the next"
    assert found["too slow"].status == "not_reached" and found["too slow"].items < 20
    assert "--max-minutes gives it more" in found["too slow"].text
    assert record.recommended == "slow" and record.sealed is not None and record.sealed.rows >= 20
    assert time[0] <= 400 + 2, "the time for confirming was kept free: no more than the answer at hand"
    assert not record.stopped, "nothing was broken off: every rung had its part"


def test_equal_texts_and_groups_stay_on_one_side() -> None:
    from trainers.climb.task import classification

    texts = [f"text {at}" for at in range(200)] + ["text 7"] * 5
    labels = ["a" if at % 2 else "b" for at in range(205)]
    groups = [str(at // 4) for at in range(205)]
    task = classification(texts, labels, groups=groups)
    parts = [{item.group for item in part} for part in (task.train, task.development, task.sealed)]
    assert not (parts[0] & parts[1] or parts[0] & parts[2] or parts[1] & parts[2])
    assert "repeated texts" in task.notes[0]


def test_a_rare_class_is_measured_by_balanced_accuracy() -> None:
    task = tickets()
    rare = replace(task, labels=task.labels)
    assert rare.metric.name == "accuracy"
    from trainers.climb.metric import metric_for

    assert metric_for("classification", ["a"] * 95 + ["b"] * 5).name == "balanced_accuracy"
    with pytest.raises(Exception, match="does not measure"):
        metric_for("classification", ["a", "b"], "rouge_l")


def test_one_word_rules_learn_the_words() -> None:
    task = tickets()
    rule = OneWordRule()
    rule.prepare(task)
    assert np.mean([task.score(item, rule.answer(item).text) for item in task.development]) == 1.0


def test_when_the_time_is_over_only_what_takes_seconds_is_measured(tmp_path: Path) -> None:
    from trainers.climb.learned import EmbeddingsAndLinear

    def never(texts: Sequence[str]) -> NDArray[np.float32]:
        raise AssertionError("nothing that takes long begins")

    asker = asker_for(SayingDoor(right_label), tmp_path)
    climb = Climb(tickets(), None, asker.meter, lambda rung: 1, clock=Clock(0.0))
    rungs = [Majority(), ZeroShot(asker), WordsAndLinear(), EmbeddingsAndLinear(never)]
    record = climb.climb(rungs, endpoint="x", as_of="2026-11-22")
    assert [rung.status for rung in record.rungs] == ["measured", "not_reached", "measured", "not_reached"]
    assert record.stopped == "The time for this climb is over." and record.calls == 0
    assert record.recommended == "linear on words"
