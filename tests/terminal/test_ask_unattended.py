"""Nobody at a terminal: never a prompt, never an answer made up, nothing left behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from advisor.base.case import Case
from advisor.interview.answers import load_answers
from advisor.reasoning.relevance import open_questions
from advisor.reasoning.rulebook import load_rulebook
from advisor.records.facts import Fact
from tests.command import train_or_not
from tests.terminal.screen import Terminal
from tests.terminal.walk import CHURN, expected_path


@pytest.mark.parametrize("stdin", ["", "\n", "\n" * 50, "1\n" * 50, "classify\n"])
def test_a_pipe_answers_nothing_and_leaves_nothing(tmp_path: Path, stdin: str) -> None:
    said = train_or_not("ask", "case", folder=tmp_path, stdin=stdin)
    assert said.code == 3
    assert list(tmp_path.iterdir()) == []
    for name in open_questions({}, load_rulebook()):
        assert f"--set {name}=…" in said.out
    assert "nobody can be asked" in said.err


def test_no_input_never_prompts_even_in_a_terminal(tmp_path: Path) -> None:
    with Terminal("ask", "case", "--no-input", folder=tmp_path) as terminal:
        assert terminal.finish() == 3


def test_a_closed_standard_input_is_no_terminal(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "advisor", "ask", "case"],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert "Traceback" not in done.stderr


def test_json_lists_every_missing_fact_with_its_question_and_values(tmp_path: Path) -> None:
    said = train_or_not("ask", "case", "--set", "task_type=classify", "--set", "n_labeled=?", "--json", folder=tmp_path)
    error = said.json["error"]
    assert (said.code, error["exit_code"], error["code"]) == (3, 3, "facts-missing")
    expected = open_questions({"task_type": "classify"}, load_rulebook(), ("n_labeled",))
    assert [one["fact"] for one in error["missing"]] == list(expected) == error["open"]
    assert error["next_question"] == expected[0]
    assert all(one["question"] and one["allowed"] for one in error["missing"])
    answers = load_answers(Case(tmp_path / "case"), load_rulebook())
    assert answers.facts == (Fact("task_type", "classify"), Fact("n_labeled", None))


def test_enough_answers_end_well_without_a_terminal(tmp_path: Path) -> None:
    path = expected_path(CHURN, load_rulebook())
    words = [f"--set={name}={str(CHURN[name]).lower() if name in CHURN else '?'}" for name in path]
    said = train_or_not("ask", "case", *words, folder=tmp_path)
    assert said.code == 0
    assert "Next: train-or-not decide case" in said.err
    again = train_or_not("ask", "case", "--json", folder=tmp_path)
    assert again.code == 0
    assert again.json["open"] == []
    assert again.json["leading"] in said.out


def test_each_answer_is_in_the_ledger(tmp_path: Path) -> None:
    train_or_not("ask", "case", "--set", "n_rows=5", "--set", "n_labeled=?", folder=tmp_path)
    events = [(one["fact"], one["value"]) for one in Case(tmp_path / "case").history() if one["event"] == "answered"]
    assert events == [("n_rows", 5), ("n_labeled", "don't know")]


def test_a_name_that_cannot_be_a_case_is_refused(tmp_path: Path) -> None:
    said = train_or_not("ask", "a\nb", "--set", "n_rows=5", folder=tmp_path)
    assert said.code == 2
    assert list(tmp_path.iterdir()) == []


def test_new_makes_a_file_in_which_taking_a_mark_away_answers(tmp_path: Path) -> None:
    assert train_or_not("new", "case", folder=tmp_path).code == 0
    file = tmp_path / "case" / "answers.yaml"
    rulebook = load_rulebook()
    assert load_answers(Case(tmp_path / "case"), rulebook).facts == ()
    file.write_text(file.read_text().replace("  # n_rows:\n", "  n_rows: 5000\n"))
    said = train_or_not("ask", "case", "--set", "task_type=classify", folder=tmp_path)
    assert said.code == 3
    assert {fact.name: fact.value for fact in load_answers(Case(tmp_path / "case"), rulebook).facts} == {
        "n_rows": 5000,
        "task_type": "classify",
    }
    text = file.read_text()
    assert text.count("task_type:") == text.count("n_rows:") == 1
    assert all(f"# {name}:" in text for name in rulebook.facts if name not in ("n_rows", "task_type"))
    again = train_or_not("new", "case", folder=tmp_path)
    assert again.code == 2
    assert file.read_text() == text


def test_list_shows_where_each_case_stands(tmp_path: Path) -> None:
    assert "No case" in train_or_not("list", folder=tmp_path).out
    train_or_not("ask", "one", "--set", "n_rows=5", folder=tmp_path)
    train_or_not("new", "two", folder=tmp_path)
    (tmp_path / "no-case").mkdir()
    train_or_not("decide", "one", folder=tmp_path)
    said = train_or_not("list", "--json", folder=tmp_path)
    cases = {case["case"]: case for case in said.json["cases"]}
    assert list(cases) == ["one", "two"]
    assert cases["one"]["next"] == "train-or-not ask one"
    assert cases["two"]["next"] == "train-or-not ask two"
    (tmp_path / "one" / "decision.json").write_text('{"torn')
    assert train_or_not("list", folder=tmp_path).code == 0
