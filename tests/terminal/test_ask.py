"""The interview as a person meets it: every question, way, interruption and ending, in real terminals."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from advisor.base.case import Case
from advisor.interview.answers import load_answers
from advisor.reasoning.rulebook import load_rulebook
from advisor.reasoning.walk import decide
from advisor.records.facts import Fact, Value
from tests.command import train_or_not
from tests.terminal.screen import CONTROL_C, CONTROL_U, ENTER, UP, Terminal
from tests.terminal.walk import CHURN, SUMMARY, expected_path, give, shown, wait_for_question, walk

KINDS = pytest.mark.parametrize("kind", ["arrows", "dumb"])


def asking(folder: Path, *words: str, kind: str = "arrows", rows: int = 24, columns: int = 80) -> Terminal:
    plain = ["--plain"] if kind == "plain" else []
    term = "dumb" if kind == "dumb" else "xterm-256color"
    return Terminal("ask", "case", *words, *plain, folder=folder, rows=rows, columns=columns, term=term)


def stated(folder: Path) -> dict[str, Value | None]:
    return {fact.name: fact.value for fact in load_answers(Case(folder / "case"), load_rulebook()).facts}


def on_path(facts: dict[str, Value]) -> list[str]:
    return expected_path(facts, load_rulebook())


@pytest.mark.parametrize(
    ("kind", "rows", "columns"), [("arrows", 24, 80), ("arrows", 10, 40), ("plain", 24, 80), ("dumb", 10, 40)]
)
def test_a_walk_asks_exactly_what_matters_and_ends_with_the_answer_and_the_next_command(
    tmp_path: Path, kind: str, rows: int, columns: int
) -> None:
    path = on_path(CHURN)
    with asking(tmp_path, kind=kind, rows=rows, columns=columns) as terminal:
        walk(terminal, CHURN, path, typed=kind != "arrows")
        terminal.wait_any(SUMMARY)
        terminal.send("1" + ENTER)
        assert terminal.finish() == 0
        said = shown(terminal.everything)
    assert stated(tmp_path) == {name: CHURN.get(name) for name in path}
    known = {name: CHURN[name] for name in path if name in CHURN}
    declined = [name for name in path if name not in CHURN]
    decision = decide(known, load_rulebook(), declined=declined)
    assert shown(decision.headline) in said
    assert "Next: train-or-not decide case" in said


@KINDS
def test_nobody_knows_anything_and_it_still_ends_honestly(tmp_path: Path, kind: str) -> None:
    with asking(tmp_path, kind=kind) as terminal:
        walk(terminal, {}, on_path({}), typed=kind != "arrows")
        terminal.wait_any(SUMMARY)
        terminal.send("1" + ENTER)
        assert terminal.finish() == 0
        assert "Still possible:" in shown(terminal.everything)
    assert set(stated(tmp_path).values()) == {None}


@KINDS
def test_why_shows_the_reason_what_is_still_open_and_the_rules_and_comes_back(tmp_path: Path, kind: str) -> None:
    first = load_rulebook().facts[on_path({})[0]]
    with asking(tmp_path, kind=kind) as terminal:
        terminal.wait(first.question)
        terminal.send("?" + ENTER)
        for words in (first.why, "Still possible:", "Rules that need it"):
            terminal.wait_any(words)
        while "If you don't know, say so" not in shown(terminal.everything):
            terminal.wait("(Enter goes on)")
            terminal.send(ENTER)
            terminal.wait_quietly()
        terminal.send(ENTER)
        terminal.wait(first.question)
        assert wait_for_question(terminal, first.name, 1)
    assert stated(tmp_path) == {}


@pytest.mark.parametrize(
    ("kind", "rows", "columns"),
    [("arrows", 24, 80), ("dumb", 24, 80), pytest.param("arrows", 10, 40, marks=pytest.mark.heavy)],
)
def test_back_twice_changes_an_answer_and_keeps_the_later_ones(
    tmp_path: Path, kind: str, rows: int, columns: int
) -> None:
    path = on_path(CHURN)
    changed = {**CHURN, path[1]: _other(path[1], CHURN[path[1]])}
    back = ("b" if kind == "arrows" else "back") + ENTER
    with asking(tmp_path, kind=kind, rows=rows, columns=columns) as terminal:
        walk(terminal, CHURN, path[:3], typed=kind != "arrows")
        wait_for_question(terminal, path[3], 4)
        terminal.send(back)
        terminal.wait("Question 3, again")
        terminal.send(back)
        terminal.wait("Question 2, again")
        give(terminal, path[1], changed[path[1]])
        known = {name: changed[name] for name in path[:3]}
        after = expected_path(changed, load_rulebook())
        following = next((name for name in after if name not in known), None)
        terminal.wait_any(load_rulebook().facts[following].question if following else SUMMARY)
        terminal.send(CONTROL_C)
        assert terminal.finish() == 130
    assert stated(tmp_path) == known


def test_back_at_the_first_question_stays_there(tmp_path: Path) -> None:
    first = on_path({})[0]
    with asking(tmp_path) as terminal:
        wait_for_question(terminal, first, 1)
        terminal.send("b" + ENTER)
        terminal.wait("This is the first question.")
        wait_for_question(terminal, first, 1)


@pytest.mark.parametrize(
    ("kind", "rows", "columns"),
    [("arrows", 24, 80), ("dumb", 24, 80), pytest.param("arrows", 10, 40, marks=pytest.mark.heavy)],
)
def test_jump_goes_to_any_earlier_answer(tmp_path: Path, kind: str, rows: int, columns: int) -> None:
    path = on_path(CHURN)
    with asking(tmp_path, kind=kind, rows=rows, columns=columns) as terminal:
        walk(terminal, CHURN, path[:3], typed=kind != "arrows")
        wait_for_question(terminal, path[3], 4)
        terminal.send(("j" if kind == "arrows" else "jump") + ENTER)
        terminal.wait("Which answer do you want to change?" if rows > 10 else "goes on" if kind == "arrows" else "> ")
        terminal.send("1" + ENTER)
        terminal.wait_any("Question 1, again")
        give(terminal, path[0], _other(path[0], CHURN[path[0]]))
        terminal.wait_until(lambda: stated(tmp_path)[path[0]] != CHURN[path[0]])
        terminal.send(("j" if kind == "arrows" else "jump") + ENTER)
        terminal.wait_quietly()
        terminal.send("1" + ENTER)
        give(terminal, path[0], CHURN[path[0]])
        terminal.wait_until(lambda: stated(tmp_path)[path[0]] == CHURN[path[0]])
        wait_for_question(terminal, path[3], 4)
    assert stated(tmp_path) == {name: CHURN[name] for name in path[:3]}


@KINDS
def test_control_c_loses_nothing_says_how_to_go_on_and_goes_on(tmp_path: Path, kind: str) -> None:
    path = on_path(CHURN)
    with asking(tmp_path, kind=kind) as terminal:
        walk(terminal, CHURN, path[:3], typed=kind != "arrows")
        wait_for_question(terminal, path[3], 4)
        terminal.send(CONTROL_C)
        assert terminal.finish() == 130
        assert "train-or-not ask case" in shown(terminal.everything)
        assert "3 answers are saved" in shown(terminal.everything)
    assert stated(tmp_path) == {name: CHURN[name] for name in path[:3]}
    with asking(tmp_path, kind=kind) as terminal:
        terminal.wait_any("3 answers so far")
        walk(terminal, CHURN, path[3:], start=4, typed=kind != "arrows")
        terminal.wait_any(SUMMARY)


def test_a_kill_between_answers_loses_nothing_and_leaves_no_lock(tmp_path: Path) -> None:
    path = on_path(CHURN)
    for number, name in enumerate(path[:5], 1):
        with asking(tmp_path) as terminal:
            wait_for_question(terminal, name, number)
            give(terminal, name, CHURN.get(name))
            terminal.wait_any(f"{number}. {load_rulebook().facts[name].question}")
            os.kill(terminal.child.pid, signal.SIGKILL)
            terminal.finish()
        assert list(stated(tmp_path)) == path[:number]


def test_a_second_questionnaire_on_the_same_case_is_told_who_holds_it(tmp_path: Path) -> None:
    with asking(tmp_path) as terminal:
        wait_for_question(terminal, on_path({})[0], 1)
        said = train_or_not("ask", "case", "--set", "n_rows=5", folder=tmp_path)
        assert said.code == 2
        assert f"process {terminal.child.pid}" in said.err
    assert stated(tmp_path) == {}


@KINDS
def test_the_summary_lets_any_line_be_changed(tmp_path: Path, kind: str) -> None:
    path = on_path(CHURN)
    other = {**CHURN, path[0]: _other(path[0], CHURN[path[0]])}
    with asking(tmp_path, kind=kind) as terminal:
        walk(terminal, CHURN, path, typed=kind != "arrows")
        terminal.wait_any(SUMMARY)
        options = 2 if "Yes, and go on" in shown(terminal.everything) else 1
        terminal.send(f"{options + 1}{ENTER}")
        terminal.wait_any("Question 1, again")
        give(terminal, path[0], other[path[0]])
        terminal.wait_until(lambda: stated(tmp_path)[path[0]] == other[path[0]])
    assert {name: value for name, value in stated(tmp_path).items() if name != path[0]} == {
        name: CHURN.get(name) for name in path[1:]
    }


def test_numbers_are_checked_at_once_and_may_carry_words(tmp_path: Path) -> None:
    given = {name: value for name, value in CHURN.items() if name != "n_labeled"}
    words = [f"--set={name}={str(value).lower()}" for name, value in given.items() if name in on_path(CHURN)]
    assert "n_labeled" in on_path(CHURN)
    with asking(tmp_path, *words) as terminal:
        question = load_rulebook().facts["n_labeled"].question
        terminal.wait(question)
        for wrong in ("many", "-3", "1.5", "5 apples", "12,34"):
            terminal.answer(CONTROL_U + wrong)
            terminal.wait_any("The answer must" if wrong in ("-3", "1.5") else f"'{wrong}' is no number")
        terminal.answer(CONTROL_U + "7,043 examples")
        terminal.wait_any(f"{question} 7,043 examples")
    assert stated(tmp_path)["n_labeled"] == 7043


def test_a_broken_answers_file_is_shown_with_its_line_and_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "case").mkdir()
    file = tmp_path / "case" / "answers.yaml"
    file.write_text("schema: 1\nanswers:\n  task_tipe: classify\n")
    with asking(tmp_path) as terminal:
        assert terminal.finish() == 2
        said = shown(terminal.everything)
    assert "case/answers.yaml:3:3" in said
    assert "Did you mean 'task_type'?" in said
    assert file.read_text() == "schema: 1\nanswers:\n  task_tipe: classify\n"
    assert [path.name for path in (tmp_path / "case").iterdir()] == ["answers.yaml"]


def test_an_answer_that_no_longer_matters_is_kept_unused_and_counts_again_later(tmp_path: Path) -> None:
    path = on_path(CHURN)
    ending = next(value for value in ("yes", "mostly") if value != CHURN["rules_can_solve"])
    with asking(tmp_path) as terminal:
        walk(terminal, CHURN, path)
        terminal.wait_any(SUMMARY)
        terminal.send(CONTROL_C)
        terminal.finish()
    train_or_not("ask", "case", "--set", f"rules_can_solve={ending}", folder=tmp_path)
    assert set(stated(tmp_path)) == set(path)
    said = train_or_not("ask", "case", "--json", folder=tmp_path)
    unused = said.json["not_used"] if said.code == 0 else said.json["error"]["not_used"]
    assert unused
    back = train_or_not("ask", "case", "--json", "--set", "rules_can_solve=no", folder=tmp_path)
    assert (back.json if back.code == 0 else back.json["error"])["not_used"] == []


def test_moving_up_from_the_top_reaches_the_last_line(tmp_path: Path) -> None:
    with asking(tmp_path, rows=10, columns=40) as terminal:
        wait_for_question(terminal, on_path({})[0], 1)
        terminal.send(UP)
        terminal.wait("> j) Jump to an earlier answer")
        terminal.send(ENTER)
        terminal.wait("There is no earlier answer yet.")


def _other(name: str, value: Value) -> Value:
    definition = load_rulebook().facts[name]
    if isinstance(value, bool):
        return not value
    if definition.choices:
        return next(choice.value for choice in definition.choices if choice.value != value)
    return value + 1 if isinstance(value, int) else value


def test_the_profile_of_these_walks_reaches_a_settled_answer() -> None:
    decision = decide(CHURN, load_rulebook())
    assert decision.settled
    assert len(on_path(CHURN)) >= 6
    assert Fact("n_labeled", 7043) == Fact("n_labeled", CHURN["n_labeled"])
