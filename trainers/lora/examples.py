"""Rows of a file as conversations: messages, prompt and completion, Alpaca, ShareGPT, pairs of answers, or columns.

Standard library only: a broken file is refused before anything heavy loads. Each fault names its row and its cure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from advisor.base.safetext import plain
from trainers.lora.shapes import READERS, SHAREGPT, checked, from_columns, is_present, rejected_answer
from trainers.lora.shapes import Message as Message
from trainers.lora.shapes import RowFault as RowFault

# Keys under which a shape holds its answers: a target of such a name means the shape, not a column of a table.
ANSWER_KEYS = ("messages", "conversations", "completion", "output", "chosen", "preferred_output")

PAIRS = (("chosen", "rejected"), ("preferred_output", "non_preferred_output"))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row stands: its number over all the data from 1; in a folder also its file, and its number there."""

    row: int
    file: str = ""
    line: int = 0

    def __str__(self) -> str:
        return f"{self.line:,} of {plain(self.file, 80)}" if self.file else f"{self.row:,}"


@dataclass(frozen=True, slots=True)
class Example:
    """One conversation that ends in an answer; `row`, `file` and `line` say where it stands, as in `Place`.

    `rejected` is the answer that people did not choose, where the rows are pairs to prefer between.
    """

    row: int
    messages: tuple[Message, ...]
    rejected: str = ""
    file: str = ""
    line: int = 0

    @property
    def place(self) -> Place:
        """Where it stands, for people."""
        return Place(self.row, self.file, self.line)

    @property
    def answer(self) -> str:
        """The last turn: what the model should say."""
        return self.messages[-1].content

    @property
    def question(self) -> tuple[Message, ...]:
        """Everything before the last turn."""
        return self.messages[:-1]

    @property
    def asked(self) -> str:
        """The last thing the user said, for people to read."""
        return next((m.content for m in reversed(self.question) if m.role == "user"), "")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one row, and what to do about it. `code` is stable."""

    place: Place
    code: str
    what: str
    fix: str

    def told(self) -> dict[str, Any]:
        """As plain data: the row's number in its file, and the file's name where there are several."""
        file = {"file": self.place.file} if self.place.file else {}
        return {**file, "row": self.place.line or self.place.row, "code": self.code, "what": self.what, "fix": self.fix}


def shape_of(row: Mapping[str, Any], target: str = "") -> str:
    """Which of the known shapes a row has: messages, sharegpt, alpaca, prompt, pairs, columns, or "" for none.

    A column named as `target` that is none of a shape's own answer columns makes it plain columns.
    """
    if target and target not in ANSWER_KEYS:
        return "columns" if target in row else ""
    if "messages" in row:
        return "messages"
    if any(all(key in row for key in pair) for pair in PAIRS):
        return "pairs"
    if "conversations" in row:
        return "sharegpt"
    if "instruction" in row and "output" in row:
        return "alpaca"
    if "prompt" in row and "completion" in row:
        return "prompt"
    return "columns" if target in row and not half_a_pair(row, target) else ""


def half_a_pair(row: Mapping[str, Any], target: str = "") -> tuple[str, str] | None:
    """Of a row of preferences with one answer of the two: the key it has, and the one it lacks."""
    if target and target not in ANSWER_KEYS:
        return None
    for pair in PAIRS:
        here = [key for key in pair if key in row]
        # A table may well have a column `chosen` to predict; beside a prompt, or as turns, it is the answer of a pair.
        if len(here) == 1 and (here[0] != target or "prompt" in row or isinstance(row[here[0]], list)):
            return here[0], next(key for key in pair if key not in row)
    return None


def read_example(
    row: Mapping[str, Any],
    number: int,
    shape: str,
    *,
    target: str = "",
    drop: tuple[str, ...] = (),
    instruction: str = "",
) -> Example:
    """One row as a conversation. Raises `RowFault`."""
    messages = checked(READERS[shape](row) if shape != "columns" else from_columns(row, target, drop))
    rejected = rejected_answer(row, messages) if shape == "pairs" else ""
    if instruction and messages[0].role != "system":
        messages = [Message("system", instruction), *messages]
    return Example(number, tuple(messages), rejected)


def question_of(
    row: Mapping[str, Any], number: int, *, target: str = "", drop: tuple[str, ...] = (), instruction: str = ""
) -> Example:
    """A row to be answered: an answer that stands in it is set aside, one that is absent is not missed."""
    shape = shape_of(row, target)
    if shape in ("messages", "sharegpt"):
        key = "messages" if shape == "messages" else "conversations"
        turns = row[key]
        last = turns[-1] if isinstance(turns, list) and turns else {}
        said = last.get("role", last.get("from")) if isinstance(last, dict) else None
        if SHAREGPT.get(str(said)) != "assistant":
            as_others = shape == "messages" or (isinstance(last, dict) and "role" in last)
            name = ("role", "content") if as_others else ("from", "value")
            row = {**row, key: [*(turns if isinstance(turns, list) else []), {name[0]: "assistant", name[1]: "?"}]}
    elif "prompt" in row and target in ("", "completion"):
        row, shape = {**row, "completion": _given(row, "completion")}, "prompt"
    elif "instruction" in row and target in ("", "output"):
        row, shape = {**row, "output": _given(row, "output")}, "alpaca"
    elif "input" in row and isinstance(row["input"], dict):
        row, shape = {**row, "preferred_output": "?", "non_preferred_output": "!"}, "pairs"
    else:
        target = target or "answer"
        row, shape = {**row, target: _given(row, target)}, "columns"
    return read_example(row, number, shape, target=target, drop=drop, instruction=instruction)


def _given(row: Mapping[str, Any], name: str) -> Any:
    """The answer that stands in a row to be answered, or a mark in the place of one that does not."""
    return row[name] if is_present(row.get(name)) else "?"
