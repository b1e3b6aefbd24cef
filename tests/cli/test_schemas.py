"""What verbs print with --json fits the schema that they publish: real output, every verb."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from advisor.cli.main import VERBS, main
from advisor.cli.schemas import schema_for
from tests.command import train_or_not

Say = Callable[..., Any]


@pytest.fixture
def say(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Say:
    """Run a verb in this process and in an empty folder; its JSON, held to its schema."""
    monkeypatch.chdir(tmp_path)

    def run(*words: str, code: int = 0) -> Any:
        with pytest.raises(SystemExit) as ended:
            main([*words, "--json", "--no-input"])
        printed = capsys.readouterr()
        assert (ended.value.code or 0) == code, printed.err
        content = json.loads(printed.out)
        validate(words[0], content)
        return content

    return run


def validate(verb: str, content: Any) -> None:
    """Fits the whole schema; and fits an answer, not only an error, unless it is one."""
    schema = schema_for(verb)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(content, schema)
    answers = {**schema, "anyOf": [one for one in schema["anyOf"] if one != {"$ref": "#/$defs/Failed"}]}
    assert jsonschema.Draft202012Validator(answers).is_valid(content) is ("error" not in content)


def rows(file: Path) -> None:
    generator = random.Random(0)
    lines = ["size,colour,label"]
    for at in range(300):
        big = at % 3 > 0
        size = (60 if big else 30) + generator.gauss(0, 8)
        lines.append(f"{size:.2f},{generator.choice(['red', 'blue'])},{'big' if big else 'small'}")
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_publishes_a_schema_that_refuses_something_else(verb: str) -> None:
    schema = schema_for(verb)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["title"] == f"train-or-not {verb} --json"
    for wrong in ({}, {"error": {}}, [], "text", {"error": "text"}):
        assert not jsonschema.Draft202012Validator(schema).is_valid(wrong), wrong


def test_a_case_from_start_to_plan(say: Say, tmp_path: Path) -> None:
    rows(tmp_path / "rows.csv")
    say("new", "sizes")
    assert "missing" in say("ask", "sizes", "--set", "task_type=classify", code=3)["error"]
    say("look", "sizes", "--data", "rows.csv", "--target", "label")
    say("look", "rows.csv")
    say("decide", "sizes")
    say("explain", "sizes")
    say("explain", "sizes", "fine_tune", "--what-if", "n_labeled=20")
    say("climb", "sizes", "--dry-run", "--max-minutes", "1")
    say("report", "sizes")
    assert say("plan", "sizes", "--approach", "classical")["machine"]["processors"] >= 1
    assert say("list")["cases"][0]["case"] == "sizes"
    assert say("diff", "sizes")["same"]


def test_without_a_case(say: Say) -> None:
    say("ask", "none", "--set", "rules_can_solve=yes", "--set", "decision_uses_output=true", code=0)
    say("decide", "--set", "task_type=classify", "--set", "n_labeled=0")
    for topic in ("R10", "n_labeled", "P402"):
        say("explain", topic)
    for what in (["graph"], ["show", "R10"], ["show", "n_labeled"], ["show", "sources"]):
        say("rules", *what)
    say("mcp", "--skill")
    say("decide", "--set", "task_typ=classify", code=2)
    say("report", "nowhere", code=2)


def test_schema_needs_no_other_word(tmp_path: Path) -> None:
    said = train_or_not("report", "--schema", folder=tmp_path)
    assert said.code == 0 and said.json == schema_for("report")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.heavy
def test_a_run_and_what_follows_from_it(say: Say, tmp_path: Path) -> None:
    rows(tmp_path / "rows.csv")
    say("look", "sizes", "--data", "rows.csv", "--target", "label")
    say("climb", "sizes", "--max-minutes", "1")
    say("plan", "sizes", "--approach", "classical", "--budget-seconds", "20")
    known = ("--accept", "size=It is measured before the label is known.")
    trained = train_or_not("train", "sizes", *known, "--json", folder=tmp_path)
    assert trained.code in (0, 4), trained.err
    validate("train", trained.json)
    run = next(path.parent for path in (tmp_path / "sizes" / "runs").glob("*/COMPLETE")).relative_to(tmp_path)
    assert say("predict", str(run), "rows.csv")["rows"] == 300
    say("predict", str(run), "rows.csv", "--output", "scored.csv")
    say("monitor", str(run), "rows.csv")
    say("export", str(run))


@pytest.mark.heavy
def test_the_rulebook_and_the_machine(say: Say) -> None:
    say("rules", "check")
    say("rules", "test")
    examined = train_or_not("doctor", "--json", folder=Path.cwd())
    assert examined.code in (0, 5)
    validate("doctor", examined.json)
