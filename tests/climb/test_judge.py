"""A model judges free text; how often people agree with it corrects every score, and the interval holds the truth."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from advisor.base.errors import BadInput
from advisor.base.llm import Message
from tests.climb.bad_server import BadServer
from tests.climb.doors import SayingDoor, asker_for
from tests.command import train_or_not
from trainers.climb.judge import FEWEST, Judge, Trust, Verdict, read_verdicts


@pytest.mark.parametrize("people", [FEWEST, 60])
@pytest.mark.parametrize("truth", [0.5, 0.8, 0.95])
def test_the_corrected_interval_holds_the_truth_and_the_judges_own_share_does_not(people: int, truth: float) -> None:
    generator = np.random.default_rng(round(people * 100 * truth))
    finds, spares, items, runs = 0.9, 0.75, 120, 2000
    held, raw = [], []
    for _ in range(runs):
        right = generator.random(items) < truth
        judged = np.where(right, generator.random(items) < finds, generator.random(items) > spares).mean()
        trust = Trust(people, generator.binomial(people, finds), people, generator.binomial(people, spares))
        if trust.youden < 0.3:
            continue
        _, low, high = trust.corrected(float(judged), items)
        held.append(low <= truth <= high)
        half = 1.96 * np.sqrt(judged * (1 - judged) / items)
        raw.append(judged - half <= truth <= judged + half)
    print(f"\n{people} verdicts a kind, true {truth:.0%}: {np.mean(held):.1%} hold; uncorrected {np.mean(raw):.1%}")
    assert np.mean(held) >= 0.93


def test_a_judge_that_never_errs_is_corrected_by_almost_nothing() -> None:
    value, low, high = Trust(500, 500, 500, 500).corrected(0.8, 100)
    assert value == pytest.approx(0.8) and 0.69 < low < 0.73 and 0.86 < high < 0.9


def test_a_judge_that_guesses_is_refused(tmp_path: Path) -> None:
    verdicts = [Verdict(f"question {at}", f"answer {at}", at % 2 == 0) for at in range(100)]
    yes = Judge(asker_for(SayingDoor(lambda messages: "Yes."), tmp_path), verdicts)
    with pytest.raises(BadInput, match="50 of 50 right answers right and 0 of 50 wrong ones wrong"):
        yes.prepare()


def test_too_few_verdicts_say_how_many_are_needed(tmp_path: Path) -> None:
    file = tmp_path / "verdicts.jsonl"
    file.write_text('{"question": "q", "answer": "a", "right": true}\n')
    with pytest.raises(BadInput, match="1 right and 0 wrong") as caught:
        read_verdicts(file)
    assert f"at least {FEWEST} of each" in caught.value.fix
    file.write_text('{"question": "q", "answer": "a", "right": "yes"}\n')
    with pytest.raises(BadInput, match="no verdict") as caught:
        read_verdicts(file)
    assert caught.value.where == "verdicts.jsonl:1"


@pytest.mark.heavy
def test_a_climb_is_judged_through_a_real_server_and_corrected(tmp_path: Path) -> None:
    """The model answers 8 of 10 requests well; as a judge it finds all good answers and lets 1 of 5 bad ones pass."""

    def says(messages: Sequence[Message]) -> str:
        asked = messages[-1]["content"]
        number = int(asked.split("number ")[1].split()[0])
        if "You judge answers" in messages[0]["content"]:
            return "yes" if "a good reply" in asked or number % 5 == 0 else "no"
        return f"a good reply about number {number}" if number % 10 < 8 else f"nonsense about {number}"

    pairs = [{"input": f"Write about number {at} please", "output": f"what one writes of {at}"} for at in range(300)]
    (tmp_path / "pairs.jsonl").write_text("\n".join(map(json.dumps, pairs)))
    verdicts = [
        {"question": f"Write about number {at} please", "answer": f"{word} of {at}", "right": word == "a good reply"}
        for at in range(1000, 1060)
        for word in ("a good reply", "nonsense")
    ]
    (tmp_path / "verdicts.jsonl").write_text("\n".join(map(json.dumps, verdicts)))
    assert train_or_not("new", "case", folder=tmp_path).code == 0
    with BadServer("none", says) as server:
        words = ("climb", "case", "--pairs", "pairs.jsonl", "--judge", "verdicts.jsonl", "--endpoint", server.url)
        words += ("--model", "m", "--price", "1,1", "--max-usd", "5", "--yes", "--json")
        said = train_or_not(*words, folder=tmp_path, TRAIN_OR_NOT_API_KEY="sk-not-a-real-key")
        dry = train_or_not(*words, "--dry-run", folder=tmp_path, TRAIN_OR_NOT_API_KEY="sk-not-a-real-key")
    assert said.code == 0, said.err
    record = said.json
    ready = next(rung for rung in record["rungs"] if rung["name"] == "ready model")
    assert record["metric"] == "judged" and "Rogan and Gladen" in ready["score"]["method"]
    assert ready["score"]["low"] < 0.8 < ready["score"]["high"]
    assert any("60 of 60 right and 48 of 60 wrong" in note for note in record["notes"])
    assert record["sealed"]["low"] < 0.8 < record["sealed"]["high"]
    assert record["calls"] <= dry.json["calls"] and record["usd"] <= dry.json["most_usd"]


def test_what_needs_no_judge_says_so(tmp_path: Path) -> None:
    rows = [{"input": f"text {at}", "output": "ab"[at % 2]} for at in range(100)]
    (tmp_path / "pairs.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "verdicts.jsonl").write_text("")
    assert train_or_not("new", "case", folder=tmp_path).code == 0
    said = train_or_not("climb", "case", "--pairs", "pairs.jsonl", "--judge", "verdicts.jsonl", folder=tmp_path)
    assert said.code == 2 and "no-judge-needed" in said.err
