"""The rungs that fine-tune: they learn the training part only, within their time, and take up what was cut off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from advisor.base.errors import BudgetReached
from tests.climb.doors import tickets
from tests.lora.conftest import Quiet, write_tiny_model
from trainers.climb import tuned
from trainers.climb.clock import Clock
from trainers.climb.ladder import Climb
from trainers.climb.rungs import Said
from trainers.climb.spend import Meter
from trainers.climb.task import Item
from trainers.climb.tuned import Bench, FineTuned, FineTunedRetrieval


@pytest.fixture
def tiny_base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tiny model in the place of the embedded one."""
    base = write_tiny_model(tmp_path / "tiny")

    def opened(recipe: Any, folder: Path, progress: Any) -> Any:
        from trainers.lora.base import load_tokenizer
        from trainers.lora.machine import Arithmetic, find_device

        return base, load_tokenizer(base), find_device(), Arithmetic("float32", "highest", "a test's")

    import trainers.lora.session

    monkeypatch.setattr(trainers.lora.session, "open_base", opened)
    return base


@pytest.mark.heavy
def test_it_learns_from_the_training_part_and_answers_one_at_a_time(tiny_base: Path, tmp_path: Path) -> None:
    task = tickets(220)
    rung = FineTuned(Bench(tmp_path / "work", Quiet(), Clock(600)))
    climb = Climb(task, None, Meter(None), lambda name: 1)
    record = climb.climb([rung], endpoint="x", as_of="2026-11-22")
    found = record.rungs[0]
    assert found.status == "measured", found.text
    assert found.score is not None and found.items == len(task.development)
    assert "passes over" in found.text and found.latency_p50 > 0
    again = FineTuned(Bench(tmp_path / "work", Quiet(), Clock(600)))
    again.prepare(task)
    asked = task.development[:5]
    assert [again.answer(item).text for item in asked] == [rung.answer(item).text for item in asked]
    steps = [note for _, _, note in again._bench.progress.steps]  # type: ignore[attr-defined]
    assert not steps, "what was learned before is taken up, not learned again"


@pytest.mark.heavy
@pytest.mark.parametrize(("fits", "learned"), [(8, 64), (3, 0)])
def test_where_time_is_short_it_learns_fewer_examples_and_goes_on_with_those(
    fits: int, learned: int, tiny_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trainers.lora import loop, probe

    real, asked = loop.train, []

    def slow(*given: Any, **named: Any) -> Any:
        """A machine on which so many steps of a long run fit the time."""
        asked.append(len(given[2]))
        if len(asked) == 1:
            probe.fitted([1.0] * 600, 1.0, 2, budget=3.0 + fits)
        return real(*given, **named)

    monkeypatch.setattr(loop, "train", slow)
    task = tickets(400)
    rung = FineTuned(Bench(tmp_path / "work", Quiet(), Clock(600)))
    if not learned:
        with pytest.raises(BudgetReached, match="steps") as short:
            rung.prepare(task)
        assert short.value.code == "time-reached", "this rung's time alone is over, not the climb's"
        return
    rung.prepare(task)
    assert asked[1:] == [learned]
    assert f"passes over {learned} examples" in rung.told
    again = FineTuned(Bench(tmp_path / "work", Quiet(), Clock(600)))
    again.prepare(task)
    assert asked[2:] == [learned]


def test_no_time_left_is_said_before_anything_is_loaded(tmp_path: Path) -> None:
    with pytest.raises(BudgetReached, match="too few to learn"):
        Bench(tmp_path, Quiet(), Clock(1)).seconds()
    assert Bench(tmp_path, Quiet(), Clock(9_999)).seconds() <= tuned.figure("tuning", "most_seconds")


def test_it_says_when_it_does_not_apply(tmp_path: Path) -> None:
    bench = Bench(tmp_path, Quiet(), Clock(600))
    assert "examples to learn from" in FineTuned(bench).not_applicable(tickets(90))
    assert "no folder of documents" in FineTunedRetrieval(bench).not_applicable(tickets(300))
    assert not FineTuned(bench).not_applicable(tickets(300))


def test_the_passage_that_holds_the_answer_is_what_it_is_taught_on(tmp_path: Path) -> None:
    from dataclasses import replace

    from trainers.climb.retrieval import Passage

    passages = (Passage("a.md", 0, "The depot stands in Oslo."), Passage("a.md", 30, "Trams run daily."))
    task = replace(tickets(300), passages=passages)
    rung = FineTunedRetrieval(Bench(tmp_path, Quiet(), Clock(600)))
    rung._begin(task)
    messages, given = rung._taught(Item("1", "Where do the trams end?", ("Oslo",), document="a.md"))
    assert given == passages[:1] and "Oslo" in messages[-1]["content"]
    _, given = rung.messages(Item("1", "Where do the trams end?", ("Oslo",), document="a.md"))
    assert given == passages[1:], "what is looked up is found by the question alone"
    assert isinstance(Said("x", 0.0), Said)
