"""An agent takes a case from nothing to a report, over stdio, with the `mcp` package's own client."""

from __future__ import annotations

import csv
import random
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("mcp", reason="the extra mcp is not installed")

import jsonschema
from client import Person, call, refused, session
from mcp import Client

from advisor.agents.server import skill
from tests.climb.bad_server import BadServer

# What the person would say; everything else they do not know.
KNOWN: dict[str, Any] = {
    "task_type": "classify",
    "rules_can_solve": "no",
    "decision_uses_output": True,
    "success_metric_defined": True,
    "label_agreement": 0.95,
    "history_representative": True,
    "features_at_prediction_time": True,
    "labels_obtainable": "cheap",
    "needs_private_facts": False,
    "accuracy_target": 0.95,
    "api_score": 0.6,
    "prompting_tried": "systematic",
    "failure_kind": "skill",
}
PAID = {"model": "m", "price": "1,1", "max_usd": 1.0, "examples": 20, "run": True}


def rows(folder: Path, *, text: bool = False) -> None:
    """300 rows of two classes, told apart by a number or by a word."""
    generator = random.Random(0)
    with (folder / "rows.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["message" if text else "size", "label"])
        for at in range(300):
            big = at % 3 > 0
            told = f"this one is {'huge and heavy' if big else 'tiny and light'} number {at}"
            size = round((60 if big else 30) + generator.gauss(0, 8), 2)
            writer.writerow([told if text else size, "big" if big else "small"])


@pytest.mark.heavy
def test_an_agent_takes_a_case_from_nothing_to_a_report(tmp_path: Path) -> None:
    rows(tmp_path, text=True)
    person = Person("no")

    async def walk(client: Client) -> dict[str, Any]:
        listed = await client.list_tools()
        assert {tool.name for tool in listed.tools} == {"ask", "look", "decide", "explain", "climb", "report"}
        schemas = {tool.name: tool.output_schema for tool in listed.tools}
        answers = {}
        standing = await call(client, "ask", case="sizes")
        assert standing["open"] and not (tmp_path / "sizes").exists(), "asking without answers makes nothing"
        looked = await call(client, "look", case="sizes", data="rows.csv", target="label")
        assert (looked["rows"], looked["columns"]) == (300, 2) and looked["facts"]["n_labeled"] == 300
        answers["look"] = looked
        standing = await call(client, "ask", case="sizes")
        asked = []
        while standing["open"]:
            question = standing["open"][0]
            assert question["question"].endswith("?") and question["allowed"]
            assert question["fact"] not in standing["seen_in_data"], "what the data shows is not asked"
            asked.append(question["fact"])
            value = KNOWN.get(question["fact"], "?")
            standing = await call(client, "ask", case="sizes", answers={question["fact"]: value})
        assert standing["nothing_left_to_ask"] and len(asked) == len(set(asked)) <= 20
        answers["ask"] = standing
        answers["decide"] = await call(client, "decide", case="sizes")
        answers["explain"] = await call(client, "explain", case="sizes", topic="fine_tune", what_if={"n_labeled": 5})
        answers["climb"] = await call(client, "climb", case="sizes", endpoint=server.url, **PAID)
        assert answers["climb"]["dry_run"] and not (tmp_path / "sizes" / "climb.json").exists()
        answers["report"] = await call(client, "report", case="sizes")
        for tool, answer in answers.items():
            jsonschema.validate(answer, schemas[tool])
        return answers

    with BadServer("none") as server:
        answers = session(tmp_path, walk, person, TRAIN_OR_NOT_API_KEY="sk-not-a-real-key")
        assert server.requests == 0, "the person said no"
    assert len(person.asked) == 1 and server.url in person.asked[0] and "1.00 USD" in person.asked[0]
    decision = answers["decide"]
    assert decision["settled"] and decision["approach"] and decision["ladder"]
    assert "Should we train a model?" in answers["report"]["first_page"]
    for name in ("html", "markdown"):
        assert (tmp_path / answers["report"][name]).stat().st_size > 5_000


@pytest.mark.heavy
def test_on_this_machine_a_climb_runs_and_the_decision_is_taken_again(tmp_path: Path) -> None:
    rows(tmp_path)

    async def walk(client: Client) -> dict[str, Any]:
        await call(client, "look", case="sizes", data="rows.csv", target="label")
        return await call(client, "climb", case="sizes", run=True, max_minutes=1)

    climbed = session(tmp_path, walk)
    assert climbed["recommended"] and not climbed["dry_run"] and climbed["approach"]
    assert (tmp_path / "sizes" / "climb.json").exists()


@pytest.mark.heavy
@pytest.mark.parametrize("says", ["no", "nothing", "cannot be asked", "yes"])
def test_examples_leave_only_when_the_person_says_yes(says: str, tmp_path: Path) -> None:
    rows(tmp_path, text=True)
    person = None if says == "cannot be asked" else Person(says)

    async def walk(client: Client) -> dict[str, Any]:
        await call(client, "look", case="texts", data="rows.csv", target="label")
        return await call(client, "climb", case="texts", endpoint=server.url, **PAID)

    with BadServer("none") as server:
        climbed = session(tmp_path, walk, person, TRAIN_OR_NOT_API_KEY="sk-not-a-real-key")
        sent = server.requests
    if person is not None:
        assert len(person.asked) == 1 and server.url in person.asked[0] and "1.00 USD" in person.asked[0]
    if says == "yes":
        assert sent > 20 and not climbed["dry_run"] and climbed["usd"] <= 1
    else:
        assert sent == 0 and climbed["dry_run"] and climbed["approve_by"].startswith("train-or-not climb texts")
        assert not (tmp_path / "texts" / "climb.json").exists()


def test_nothing_outside_the_folder_is_read_and_errors_say_the_cure(tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("name,label\nmy secret,1\n" * 30, encoding="utf-8")
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "link.csv").symlink_to(secret)

    async def walk(client: Client) -> None:
        for name in ("../secret.csv", str(secret), "link.csv"):
            said = await refused(client, "look", case="one", data=name, target="label")
            assert "not inside" in said and "my secret" not in said
        for name in ("../outside", "/tmp/x", "--help", "a/b", ""):
            assert "name of a case" in await refused(client, "report", case=name)
        assert "topic is a word" in await refused(client, "explain", case="one", topic="--json")
        said = await refused(client, "ask", case="one", answers={"task_typ": "classify"})
        assert "task_type" in said, "an unknown fact is named with the one that was meant"
        assert "Fix" in await refused(client, "decide", case="nothing-here")

    session(inside, walk)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["inside", "secret.csv"]


def test_the_skill_names_only_tools_and_verbs_that_exist() -> None:
    import re

    from advisor.cli.main import VERBS

    named = set(re.findall(r"`train-or-not ([a-z]+)", skill()))
    assert named and named <= set(VERBS)
    head = skill().split("\n---\n")[0]
    assert "name: train-or-not" in head and "description:" in head
