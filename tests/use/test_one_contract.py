"""For a run of each backend: the numbers of its record, from a file, by HTTP, and from its export in a new process."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from advisor.cli.main import dispatch
from tests.command import train_or_not
from tests.interview.model_server import ModelServer
from tests.use import contract_runs as runs
from tests.use.contract_runs import Held
from tests.use.test_serving import ask, serving
from trainers.common.policy import policy
from trainers.export.bundle import export_run
from trainers.use.opened import Allowance, OpenedRun, open_run


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with ModelServer(runs.sorts) as one:
        yield one


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAIN_OR_NOT_API_KEY", "sk-none-at-all")


def same_everywhere(held: Held, folder: Path) -> Path:
    """Predict from a file, ask over HTTP, export and ask the export in a fresh process: the same, to the bit."""
    file, options = folder / "held.jsonl", ("--max-usd", "5")
    file.write_text("".join(json.dumps(row) + "\n" for row in held.rows))
    predict = ["predict", str(held.run), str(file), *options]
    assert dispatch([*predict, "--output", str(folder / "out.jsonl"), "--only-answers"]) == 0
    answered = [json.loads(line) for line in (folder / "out.jsonl").read_text().splitlines()]
    assert [row["prediction"] for row in answered] == held.predictions
    opened = open_run(held.run, Allowance(5))
    with serving(opened) as port:
        status, told = ask(port, {"rows": held.rows})
        assert (status, told["predictions"]) == (200, answered)
        if not held.together:
            assert ask(port, held.rows[0]) == (200, answered[0])
        if opened.backend.chat is not None:
            in_conversation(port, held)
    export_run(opened, folder / "shipped", lambda _: None)
    away = folder / "away"
    shutil.move(folder / "shipped", away)
    fresh = train_or_not("predict", str(away), str(file), *options, "--json", folder=folder)
    assert fresh.code == 0, fresh.err
    assert fresh.json["predictions"] == answered
    return away


def in_conversation(port: int, held: Held) -> None:
    """A client of Chat Completions gets the run's own answer, whole and streamed."""
    for row, expected in list(zip(held.rows, held.predictions, strict=True))[:3]:
        body = {"model": "any", "messages": [{"role": "user", "content": held.asked(row)}]}
        status, whole = ask(port, body, path="/v1/chat/completions")
        assert (status, whole["choices"][0]["message"]["content"]) == (200, expected)
        _, streamed = ask(port, {**body, "stream": True}, path="/v1/chat/completions")
        events = [line.removeprefix("data: ") for line in streamed.splitlines() if line.startswith("data: ")]
        assert events[-1] == "[DONE]"
        deltas = [json.loads(event)["choices"][0]["delta"] for event in events[:-1]]
        assert len(deltas) > 3
        assert "".join(delta.get("content", "") for delta in deltas) == expected


QUICK = ("forecast", "groups", "actions")
SLOW = (
    "prompt",
    "oddities",
    "pictures",
    "table",
    "text",
    "tiny lora",
    "retrieval",
    "rule",
    "words",
    "meaning",
    "embedded prompt",
    "lora",
)


@pytest.mark.parametrize("kind", [*QUICK, *(pytest.param(one, marks=pytest.mark.heavy) for one in SLOW)])
def test_a_file_a_client_and_the_export_get_the_numbers_of_the_record(
    kind: str, tmp_path: Path, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(policy("scratch")["stop"], "rounds", 3)
    monkeypatch.setitem(policy("scratch")["network"], "channels", 8)
    monkeypatch.setattr("trainers.forecast.candidates.is_installed", lambda: False)
    makers: dict[str, Any] = {
        "table": lambda: runs.classical(tmp_path / "case"),
        "text": lambda: runs.classical(tmp_path / "case", text=True),
        "forecast": lambda: runs.foretold(tmp_path),
        "groups": lambda: runs.grouped(tmp_path),
        "oddities": lambda: runs.odd_ones(tmp_path),
        "pictures": lambda: runs.seen(tmp_path),
        "actions": lambda: runs.acted(tmp_path),
        "tiny lora": lambda: runs.fine_tuned(tmp_path),
        "lora": lambda: runs.really_fine_tuned(tmp_path),
        "prompt": lambda: runs.asked_of_a_server(tmp_path, server),
        "retrieval": lambda: runs.looked_up(tmp_path, server),
        "words": lambda: runs.climbed(tmp_path, "linear on words", server.url),
        "rule": lambda: runs.climbed(tmp_path, "one word per label", server.url),
        "meaning": lambda: runs.read_by_meaning(tmp_path),
        "embedded prompt": lambda: runs.asked_here(tmp_path),
    }
    away = same_everywhere(makers[kind](), tmp_path)
    if kind == "retrieval":
        quotes_are_in_their_sources(open_run(next((away / "runs").iterdir()), Allowance(5)), tmp_path)


def quotes_are_in_their_sources(opened: OpenedRun, folder: Path) -> None:
    """Each right answer brings words that stand in the document that it names; what is unknown brings none."""
    rows = [json.loads(line) for line in (folder / "questions.jsonl").read_text().splitlines()][:40]
    with serving(opened) as port:
        status, told = ask(port, {"rows": [{"question": row["question"]} for row in rows]})
    assert status == 200
    right = 0
    for row, answer in zip(rows, told["predictions"], strict=True):
        if answer["prediction"] == row["answer"]:
            right += 1
            assert answer["quote"]
            assert answer["quote"] in (folder / "docs" / answer["source"]).read_text()
        else:
            assert (answer["quote"], answer["source"]) == ("", "")
    assert right >= 20
