"""Conversations as token ids, with a mask of what is learned: the assistant's words and the token that ends them.

The mask follows positions, never token ids: many tokenizers pad with the very token that ends an answer, and a mask by
id then teaches the model never to stop (trl #1623, unsloth #416, peft #1672).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from advisor.base.errors import BadInput
from advisor.base.safetext import plain
from trainers.lora.corpus import refuse
from trainers.lora.examples import Example, Fault, Message

if TYPE_CHECKING:
    from trainers.lora.tokenised import Kept


@dataclass(frozen=True, slots=True)
class Encoded:
    """One example as tokens: `learn[i]` says that token i is to be predicted. Both have the same length.

    `label` is the number of the row's class where a classification head learns; -1 where it has none. `pair` holds the
    preferred and the other answer, each with its question, where preferences are learned.
    """

    row: int
    ids: tuple[int, ...]
    learn: tuple[bool, ...]
    label: int = -1
    pair: tuple[Encoded, Encoded] | None = None

    @property
    def learned(self) -> int:
        """How many tokens carry loss."""
        return sum(self.learn)


class Encoder:
    """Turns conversations into tokens as the model's own chat template writes them."""

    def __init__(self, tokenizer: Any, end_ids: Sequence[int]) -> None:
        self.tokenizer = tokenizer
        self.end_ids = frozenset(end_ids) or frozenset({int(tokenizer.eos_token_id)})
        self.has_template = bool(tokenizer.chat_template)
        self.control = [token for token in tokenizer.get_added_vocab() if len(token) > 2]
        self.kept: Kept | None = None

    def prompt(self, messages: Sequence[Message]) -> list[int]:
        """The tokens after which the model is to answer."""
        return self._ids(self._render(messages, answer_next=True), first=True)

    def text(self, ids: Sequence[int]) -> str:
        """The words of an answer, without its end token."""
        kept = [token for token in ids if token not in self.end_ids]
        return str(self.tokenizer.decode(kept, skip_special_tokens=True)).strip()

    def encode(self, example: Example) -> Encoded:
        """Tokens and mask of one example. Each answer is cut into tokens apart, exactly as it will be generated."""
        return self.kept.row(example, self._encoded) if self.kept else self._encoded(example)

    def _encoded(self, example: Example) -> Encoded:
        ids: list[int] = []
        learn: list[bool] = []
        written = ""
        for place, message in enumerate(example.messages):
            if message.role != "assistant":
                continue
            before = self._render(example.messages[:place], answer_next=True)
            after = self._render(example.messages[: place + 1], answer_next=False)
            if not (before.startswith(written) and after.startswith(before)):
                raise BadInput(
                    "This model's chat template rewrites earlier turns, so answers before the last cannot be learned.",
                    where=f"row {example.place}",
                    fix="Keep one question and one answer a row.",
                    code="template-rewrites",
                )
            question = self._ids(before[len(written) :], first=not ids)
            ids += question
            learn += [False] * len(question)
            answer, tail = self._answer(after[len(before) :])
            ids += answer
            learn += [message.learn] * len(answer)
            if place + 1 < len(example.messages):  # the template's line break after an answer is never learned
                ids += tail
                learn += [False] * len(tail)
            written = after
        return Encoded(example.row, tuple(ids), tuple(learn))

    def encode_all(self, examples: Sequence[Example], path: Path, longest: int) -> list[Encoded]:
        """Every example, or `BadInput` with all rows that hold control tokens or are longer than `longest` tokens."""
        return checked_rows(self.encode, self.control, examples, path, longest)

    def _answer(self, text: str) -> tuple[list[int], list[int]]:
        """The answer up to and with its end token, and what the template writes after it."""
        ids = self._ids(text, first=False)
        ends = [place for place, token in enumerate(ids) if token in self.end_ids]
        if ends:
            return ids[: ends[-1] + 1], ids[ends[-1] + 1 :]
        return [*ids, int(self.tokenizer.eos_token_id)], []

    def _render(self, messages: Sequence[Message], *, answer_next: bool) -> str:
        if not self.has_template:
            # A base model without a template of its own: plain text, one blank line between turns. An answer ends as
            # it is learned to end, or examples in a prompt would run into the next question.
            end = {"assistant": self.tokenizer.eos_token or ""}
            return "".join(f"{message.content}{end.get(message.role, '')}\n\n" for message in messages)
        turns = [{"role": message.role, "content": message.content} for message in messages]
        try:
            return str(self.tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=answer_next))
        except Exception as error:  # templates are programs: they raise whatever their authors chose
            raise BadInput(
                f"The model's chat template refuses this conversation: {plain(error, 160)}.",
                fix="Leave out the system message, or let user and assistant take turns.",
                code="template-refuses",
            ) from error

    def _ids(self, text: str, *, first: bool) -> list[int]:
        return list(self.tokenizer(text, add_special_tokens=first and not self.has_template)["input_ids"])


def checked_rows(
    encode: Callable[[Example], Encoded],
    control: Sequence[str],
    examples: Sequence[Example],
    path: Path,
    longest: int,
) -> list[Encoded]:
    """Every example encoded, or `BadInput` with all rows that hold one of `control` or exceed `longest` tokens."""
    faults: list[Fault] = []
    encoded = []
    for example in examples:
        token = next((t for t in control for m in example.messages if t in m.content), None)
        if token is not None:
            what = f"it holds {plain(token, 30)!r}, which the model reads as a command"
            faults.append(Fault(example.place, "control-token", what, "Take it out of the text, or write it apart."))
            continue
        one = encode(example)
        if len(one.ids) > longest:
            over = len(one.ids) - longest
            lost = sum(one.learn[longest:])
            what = f"it has {len(one.ids):,} tokens; the limit is {longest:,}, so its last {over:,} would be cut"
            what += f", {lost:,} of them the answer's with its end token" if lost else ""
            faults.append(Fault(example.place, "too-long", what, "Shorten or split the row, or take it out."))
        elif not any(one.learn):
            faults.append(Fault(example.place, "nothing-to-learn", "no token of it is learned", "Give it an answer."))
        encoded.append(one)
    refuse(faults, path)
    return encoded


def room_for_answers(rows: Sequence[Encoded]) -> int:
    """Tokens an answer may have: a quarter more than the longest learned, and a few."""
    return int(1.25 * max(one.learned for row in rows for one in (row.pair or (row,)))) + 8
