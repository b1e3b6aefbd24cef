"""Each shape in which people write conversations, read as messages: what is wrong with a row is told with its cure."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from advisor.base.safetext import plain

ROLES = ("system", "user", "assistant")
SHAREGPT = {
    "system": "system",
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "assistant": "assistant",
    "model": "assistant",
}


@dataclass(frozen=True, slots=True)
class Message:
    """One turn. `learn` is false for an answer that is shown to the model but not learned (OpenAI's weight 0)."""

    role: str
    content: str
    learn: bool = True


class RowFault(Exception):
    """Raised while one row is read; becomes a `Fault`."""

    def __init__(self, code: str, what: str, fix: str) -> None:
        super().__init__(what)
        self.code, self.what, self.fix = code, what, fix


def _from_messages(row: Mapping[str, Any], key: str = "messages") -> list[Message]:
    turns = row[key]
    if not isinstance(turns, list) or not turns:
        raise RowFault("missing-messages", f"{key!r} is not a list with at least one message", f"Give {key!r} a list.")
    # ShareGPT's own words; many files keep its key and write the turns as others do.
    as_others = isinstance(turns[0], dict) and "role" in turns[0]
    role_key, text_key = ("role", "content") if key != "conversations" or as_others else ("from", "value")
    return [_turn(turn, place, role_key, text_key) for place, turn in enumerate(turns, 1)]


def _turn(turn: object, place: int, role_key: str, text_key: str) -> Message:
    if not isinstance(turn, dict):
        raise RowFault(
            "not-an-object", f"message {place} is not an object", f'Write {{"{role_key}": …, "{text_key}": …}}.'
        )
    if role_key not in turn:
        raise RowFault("no-role", f"message {place} has no {role_key!r}", f"Add {role_key!r} to it.")
    for key in ("tool_calls", "function_call", "tools"):
        if key in turn:
            raise RowFault(
                "tool-call", f"message {place} holds {key!r}", "Write the call as text, or take the row out."
            )
    said = str(turn[role_key])
    known = SHAREGPT if role_key == "from" else {name: name for name in ROLES} | {"developer": "system"}
    if said not in known:
        raise RowFault(
            "unknown-role", f"message {place} has the role {plain(said, 30)!r}", f"Use one of {', '.join(known)}."
        )
    if text_key not in turn:
        raise RowFault("no-content", f"message {place} has no {text_key!r}", f"Add {text_key!r} to it.")
    strange = set(turn) - {role_key, text_key, "weight", "name"}
    if strange:
        key = plain(sorted(map(str, strange))[0], 40)
        raise RowFault(
            "unknown-key", f"message {place} has the unknown key {key!r}", "Take the key out, or correct it."
        )
    weight = turn.get("weight", 1)
    if weight not in (0, 1):
        raise RowFault("bad-weight", f"message {place} has the weight {plain(repr(weight), 20)}", "Use 0 or 1.")
    return Message(known[said], _text(turn[text_key], f"message {place}", text_key), bool(weight))


def _from_sharegpt(row: Mapping[str, Any]) -> list[Message]:
    messages = _from_messages(row, "conversations")
    if is_present(row.get("system")) and messages[0].role != "system":
        messages.insert(0, Message("system", _text(row["system"], "the row", "system")))
    return messages


def _from_alpaca(row: Mapping[str, Any]) -> list[Message]:
    asked = _text(row["instruction"], "the row", "instruction")
    more = row.get("input")
    if is_present(more):
        asked = f"{asked}\n\n{_text(more, 'the row', 'input')}"
    messages = [Message("user", asked), Message("assistant", _answer_text(row["output"], "output"))]
    if not is_present(row.get("system")):
        return messages
    return [Message("system", _text(row["system"], "the row", "system")), *messages]


def _from_prompt(row: Mapping[str, Any]) -> list[Message]:
    asked, answer = row["prompt"], row["completion"]
    before = (
        _from_messages(row, "prompt")
        if isinstance(asked, list)
        else [Message("user", _text(asked, "the row", "prompt"))]
    )
    if isinstance(answer, list):
        return before + _from_messages(row, "completion")
    return [*before, Message("assistant", _answer_text(answer, "completion"))]


def _from_pairs(row: Mapping[str, Any], key: str = "chosen") -> list[Message]:
    """The conversation with its preferred answer: prompt, chosen, rejected as TRL has them, or OpenAI's three keys."""
    if "preferred_output" in row:
        asked = row.get("input")
        if not isinstance(asked, dict) or "messages" not in asked:
            raise RowFault("no-input", "its 'input' holds no 'messages'", 'Write "input": {"messages": […]}.')
        key = "preferred_output" if key == "chosen" else "non_preferred_output"
        before = _from_messages(asked)
    elif "prompt" in row:
        asked = row["prompt"]
        before = (
            _from_messages(row, "prompt")
            if isinstance(asked, list)
            else [Message("user", _text(asked, "the row", "prompt"))]
        )
    else:
        before = []
    said = row.get(key)
    if isinstance(said, list):
        return before + _from_messages(row, key)
    return [*before, Message("assistant", _answer_text(said, key))]


def rejected_answer(row: Mapping[str, Any], preferred: list[Message]) -> str:
    """The other answer. Raises `RowFault` unless it answers the same question, and otherwise."""
    other = checked(_from_pairs(row, "rejected"))
    if other[:-1] != preferred[:-1]:
        raise RowFault("two-questions", "its two answers do not follow the same turns", "Give both the same question.")
    if other[-1].content.strip() == preferred[-1].content.strip():
        raise RowFault("no-preference", "its two answers are the same", "Take the row out: it prefers nothing.")
    return other[-1].content


def from_columns(row: Mapping[str, Any], target: str, drop: tuple[str, ...]) -> list[Message]:
    """A row of a table: the answer is `target`, the question all other columns but `drop`. Raises `RowFault`."""
    inputs = {name: value for name, value in row.items() if name != target and name not in drop and is_present(value)}
    if not inputs:
        raise RowFault("empty-prompt", "nothing stands beside the answer", "Fill in the row, or take it out.")
    if not is_present(row.get(target)):
        raise RowFault(
            "empty-answer", f"the answer ({plain(target, 40)!r}) is empty", "Fill it in, or take the row out."
        )
    others = [name for name in row if name != target and name not in drop]
    asked = (
        _answer_text(next(iter(inputs.values())), others[0])
        if len(others) == 1
        else "\n".join(f"{name}: {_answer_text(value, name)}" for name, value in inputs.items())
    )
    return [Message("user", asked), Message("assistant", _answer_text(row[target], target))]


READERS: dict[str, Callable[[Mapping[str, Any]], list[Message]]] = {
    "messages": _from_messages,
    "sharegpt": _from_sharegpt,
    "alpaca": _from_alpaca,
    "prompt": _from_prompt,
    "pairs": _from_pairs,
}


def is_present(value: object) -> bool:
    """Whether a cell says anything: no gap of JSON or of a table, and no text of spaces alone."""
    return value is not None and value == value and (not isinstance(value, str) or bool(value.strip()))


def _text(value: object, where: str, name: str) -> str:
    if not isinstance(value, str):
        kind = {list: "a list", dict: "an object", type(None): "null"}.get(type(value), "no text")
        raise RowFault("not-text", f"{name!r} of {where} is {kind}", "Write it as one text.")
    return value


def _answer_text(value: object, name: str) -> str:
    """Text as it stands; an object or list as compact JSON; a number as people write it."""
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    if value is None or value != value:
        raise RowFault(
            "empty-answer", f"{name!r} of the row is null or an empty cell", "Fill it in, or take the row out."
        )
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def checked(messages: list[Message]) -> list[Message]:
    """The order of turns: system first if at all, then user and assistant in turn, an answer at the end."""
    for place, message in enumerate(messages, 1):
        if "\0" in message.content:
            raise RowFault("nul", f"message {place} holds a NUL character", "Export the file again as UTF-8 text.")
        if not message.content.strip():
            empty = (
                ("empty-answer", "the answer") if message.role == "assistant" else ("empty-prompt", f"message {place}")
            )
            raise RowFault(empty[0], f"{empty[1]} is empty", "Fill it in, or take the row out.")
        if message.role == "system" and place > 1:
            raise RowFault("system-not-first", f"message {place} is a system message", "Put the system message first.")
    turns = [m for m in messages if m.role != "system"]
    for place, (message, role) in enumerate(zip(turns, ["user", "assistant"] * len(turns), strict=False), 1):
        if message.role != role:
            raise RowFault(
                "roles-out-of-order",
                f"turn {place} is {message.role!r} where {role!r} should stand",
                "Let user and assistant take turns, the user first; join two messages of one role.",
            )
    if not turns or turns[-1].role != "assistant":
        raise RowFault("no-answer", "the last message is not the assistant's", "End the row with the answer to learn.")
    if not turns[-1].learn:
        raise RowFault("nothing-to-learn", "the last answer has the weight 0", "Give it the weight 1, or cut it off.")
    return messages
