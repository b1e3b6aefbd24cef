"""Both doors in real terminals: every key, every way out, small screens."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.terminal.screen import CONTROL_C, CONTROL_D, CONTROL_U, DOWN, ENTER, Terminal

PROGRAM = """
import sys
from advisor.interview.door import Option, Screen, Way
kind, count, current = sys.argv[1], int(sys.argv[2]), sys.argv[3]
if kind == "prompts":
    from advisor.interview.prompts import Prompts as Door
else:
    from advisor.interview.typed import Typed as Door
options = tuple(
    Option(f"value{i}", f"Label number {i}", f"what {i} means, in a few more words") for i in range(1, count + 1)
)
screen = Screen("Question 4; at most 6 more", "What should come out at the end of all this?", "Help for it.",
                "Type a whole number." if not count else "", options, current, tuple(Way))
try:
    for turn in range(1, 99):
        print(f"REPLY {turn}:", Door().ask(screen), flush=True)
except KeyboardInterrupt:
    print("STOPPED", flush=True)
"""


@pytest.fixture
def program(tmp_path: Path) -> str:
    path = tmp_path / "door.py"
    path.write_text(PROGRAM)
    return str(path)


def opened(program: str, kind: str, count: int, current: str = "", rows: int = 24, columns: int = 80) -> Terminal:
    folder = Path(__file__).resolve().parents[2]
    return Terminal(program, kind, str(count), current, folder=folder, rows=rows, columns=columns, program=True)


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[2]))


@pytest.mark.parametrize(("rows", "columns"), [(24, 80), pytest.param(10, 40, marks=pytest.mark.heavy)])
def test_a_list_takes_arrows_numbers_and_letters(program: str, rows: int, columns: int) -> None:
    turns = [
        (ENTER, "value1"),
        (DOWN + DOWN + ENTER, "value3"),
        ("7" + ENTER, "value7"),
        ("12" + ENTER, "value12"),
        ("99" + ENTER, "value9"),
        ("?" + ENTER, "Way.WHY"),
        ("b" + ENTER, "Way.BACK"),
        ("j" + ENTER, "Way.JUMP"),
        ("d" + ENTER, "Way.DONT_KNOW"),
        (DOWN * 13 + ENTER, "Way.DONT_KNOW"),
        (DOWN * 16 + ENTER, "Way.JUMP"),
        ("xyz0" + ENTER, "value1"),
    ]
    with opened(program, "prompts", 13, rows=rows, columns=columns) as terminal:
        for turn, (keys, reply) in enumerate(turns, 1):
            shown = terminal.wait(">  1) Label number 1")
            assert "Question 4; at most 6 more" in shown
            assert "What should come out" in shown
            terminal.send(keys)
            terminal.wait_any(f"REPLY {turn}: {reply}")


@pytest.mark.parametrize(("rows", "columns"), [(24, 80), pytest.param(10, 40, marks=pytest.mark.heavy)])
def test_the_pointer_stays_in_sight_on_the_way_down_a_long_list(program: str, rows: int, columns: int) -> None:
    with opened(program, "prompts", 40, rows=rows, columns=columns) as terminal:
        terminal.wait("Label number 1")
        for number in (2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12):
            terminal.send(DOWN)
            shown = terminal.wait(f"> {number:>2}) Label number {number}")
            assert "What should come out" in shown


def test_the_list_begins_at_the_current_answer(program: str) -> None:
    with opened(program, "prompts", 5, current="value4") as terminal:
        terminal.wait(">  4) Label number 4")
        terminal.send(ENTER)
        terminal.wait_any("REPLY 1: value4")


def test_help_of_the_answers_is_shown_where_there_is_room(program: str) -> None:
    with opened(program, "prompts", 5) as terminal:
        assert "what 5 means" in terminal.wait("Label number 5")
    with opened(program, "prompts", 5, rows=10, columns=40) as terminal:
        assert "what 5 means" not in terminal.wait("Label number 1")


@pytest.mark.parametrize("kind", ["prompts", "typed"])
def test_a_line_takes_an_answer_or_a_word(program: str, kind: str) -> None:
    turns = [
        ("5,000", "5,000"),
        ("?", "Way.WHY"),
        ("why", "Way.WHY"),
        ("back", "Way.BACK"),
        ("jump", "Way.JUMP"),
        ("Don’t know", "Way.DONT_KNOW"),
    ]
    with opened(program, kind, 0) as terminal:
        for turn, (words, reply) in enumerate(turns, 1):
            terminal.wait("or type: don't know, ?, back, jump")
            terminal.wait_quietly()
            terminal.answer(words)
            terminal.wait_any(f"REPLY {turn}: {reply}")


@pytest.mark.parametrize("kind", ["prompts", "typed"])
def test_the_current_answer_is_kept_with_enter(program: str, kind: str) -> None:
    with opened(program, kind, 0, current="120") as terminal:
        terminal.wait("120")
        terminal.send(ENTER)
        terminal.wait_any("REPLY 1: 120")


def test_the_current_answer_can_be_typed_over(program: str) -> None:
    with opened(program, "prompts", 0, current="120") as terminal:
        terminal.wait("120")
        terminal.answer(CONTROL_U + "77")
        terminal.wait_any("REPLY 1: 77")


@pytest.mark.parametrize("count", [0, 5])
@pytest.mark.parametrize("kind", ["prompts", "typed"])
@pytest.mark.parametrize("key", [CONTROL_C, CONTROL_D])
def test_control_c_and_a_closed_input_stop(program: str, kind: str, count: int, key: str) -> None:
    with opened(program, kind, count) as terminal:
        terminal.wait("Question 4")
        terminal.send(key)
        terminal.wait("STOPPED")


@pytest.mark.parametrize(("rows", "columns"), [(24, 80), pytest.param(10, 40, marks=pytest.mark.heavy)])
def test_typed_lists_take_numbers_values_labels_and_words(program: str, rows: int, columns: int) -> None:
    turns = [
        ("12", "value12"),
        ("value3", "value3"),
        ("label number 4", "value4"),
        ("?", "Way.WHY"),
        ("back", "Way.BACK"),
        ("jump", "Way.JUMP"),
        ("don't know", "Way.DONT_KNOW"),
    ]
    with opened(program, "typed", 13, rows=rows, columns=columns) as terminal:
        for turn, (words, reply) in enumerate(turns, 1):
            terminal.wait("1-13>")
            terminal.wait_quietly()
            terminal.answer(words)
            terminal.wait_any(f"REPLY {turn}: {reply}")


def test_a_typed_list_turns_its_pages_and_refuses_what_is_not_in_it(program: str) -> None:
    with opened(program, "typed", 13, rows=10, columns=40) as terminal:
        assert "Label number 1" in terminal.wait("1-13>")
        assert "Label number 13" not in terminal.text
        for last in (6, 9, 12, 13):
            terminal.send(ENTER)
            terminal.wait(f"Label number {last}")
        for wrong in ("14", "0", "label", "nothing like it"):
            terminal.answer(wrong)
            terminal.wait(f"{wrong} Type a number from 1 to 13")
        terminal.answer("13")
        terminal.wait_any("REPLY 1: value13")
