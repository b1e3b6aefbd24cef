"""Examples for a language model: chat messages, prompt and completion, question and answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from advisor.base.errors import BadInput
from advisor.base.safetext import plain

if TYPE_CHECKING:
    import pandas as pd

    from advisor.records.facts import Value

_PAIRS = (
    ("prompt", "completion"),
    ("prompt", "response"),
    ("instruction", "output"),
    ("instruction", "response"),
    ("question", "answer"),
    ("question", "answers"),
    ("input", "output"),
)
_CHARACTERS_A_TOKEN = 4.0  # OpenAI help centre: about four characters of English a token
_FEW_ANSWERS = 50


@dataclass(frozen=True)
class Conversations:
    """What goes in and what should come out, one example a row, and the instructions that all rows share."""

    kind: str
    table: pd.DataFrame
    system: str

    @property
    def of_classes(self) -> bool:
        """Whether the answers are a short list of labels and not texts of their own."""
        answers = self.table["completion"].dropna()
        return 2 <= answers.nunique() <= min(_FEW_ANSWERS, len(answers) / 3)


def conversations_in(frame: pd.DataFrame, where: Callable[[int], str]) -> Conversations | None:
    """The examples in a table read from JSON lines, or None for an ordinary table. `where` tells a row's place."""
    import pandas as pd

    names = {str(name).lower(): name for name in frame.columns}
    if "messages" in names:
        rows = [_turns(cell, place, where) for place, cell in enumerate(frame[names["messages"]], start=1)]
        table = pd.DataFrame({"prompt": [row[1] for row in rows], "completion": [row[2] for row in rows]})
        systems = pd.Series([row[0] for row in rows])
        return Conversations("chat messages", table, _shared(systems))
    for question, answer in _PAIRS:
        if question in names and answer in names and len(frame.columns) <= 6:
            prompts = frame[names[question]].map(str)
            if "input" in names and question == "instruction":
                prompts = prompts + "\n" + frame[names["input"]].fillna("").map(str)
            answers = frame[names[answer]].map(_text_of)
            system = _shared(frame[names["system"]].map(str)) if "system" in names else ""
            table = pd.DataFrame({"prompt": prompts, "completion": answers})
            return Conversations(f"{question} and {answer}", table, system)
    return None


def facts_of_conversations(found: Conversations) -> list[tuple[str, Value, str]]:
    """Lengths and counts that only examples of this kind can tell, each with its evidence."""
    prompts, answers = found.table["prompt"].fillna("").map(str), found.table["completion"]
    length = prompts.str.len() + answers.fillna("").map(str).str.len()
    tokens = round(float(length.median()) / _CHARACTERS_A_TOKEN) + tokens_of(found.system)
    words = round(float(prompts.str.count(r"\S+").median()))
    answered = int(answers.notna().sum())
    facts: list[tuple[str, Value, str]] = [
        ("n_labeled", answered, f"{answered:,} of {len(answers):,} examples ({found.kind}) have an answer"),
        ("median_words", words, f"half of the inputs have at most {words:,} words"),
        (
            "tokens_per_call",
            tokens,
            "half of the examples with their instructions are no longer, at 4 characters a token",
        ),
    ]
    if found.system:
        share = tokens_of(found.system)
        facts.append(("fixed_prompt_tokens", share, "the same system message opens nearly every example"))
    return facts


def tokens_of(text: str) -> int:
    """About how many tokens a text is."""
    return round(len(text) / _CHARACTERS_A_TOKEN)


def _turns(cell: Any, place: int, where: Callable[[int], str]) -> tuple[str, str, str | None]:
    """System message, everything before the last answer, and that answer."""
    try:
        messages = json.loads(cell) if isinstance(cell, str) else cell
        turns = [(str(turn["role"]), str(turn["content"])) for turn in messages]
    except (ValueError, TypeError, KeyError) as error:
        raise BadInput(
            f"The messages of example {place:,} are not a list of role and content.",
            where=where(place),
            why=plain(error, 100),
            fix='Write {"messages": [{"role": "user", "content": "…"}, {"role": "assistant", "content": "…"}]}.',
            code="bad-messages",
        ) from None
    system = "\n".join(text for role, text in turns if role in ("system", "developer"))
    answer = next((text for role, text in reversed(turns) if role == "assistant"), None)
    before = turns[:-1] if turns and turns[-1][0] == "assistant" else turns
    asked = "\n".join(text for role, text in before if role not in ("system", "developer"))
    return system, asked, answer


def _shared(systems: pd.Series[Any]) -> str:
    common = systems.mode()
    text = str(common.iloc[0]) if len(common) else ""
    return text if text and float((systems == text).mean()) >= 0.9 else ""


def _text_of(cell: Any) -> str | None:
    """An answer as text; the first of several, and None for an empty one."""
    if isinstance(cell, str) and cell[:1] in "[{":
        try:
            content = json.loads(cell)
        except ValueError:
            return cell
        if isinstance(content, dict):
            content = content.get("text", content)
        if isinstance(content, list):
            content = content[0] if content else None
        return None if content is None else _text_of(content) if isinstance(content, str) else json.dumps(content)
    text = "" if cell is None or cell != cell else str(cell)
    return text or None
