"""Stand-ins for a language model: a door that says what a function says, and examples to ask it about."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from advisor.base.llm import Message, Mode, Reply
from trainers.climb.answers import AnswerStore
from trainers.climb.asker import Asker
from trainers.climb.spend import Meter, Price
from trainers.climb.task import Task, classification

CENTS = Price(Decimal("1"), Decimal("1"), "a test's price")
WORDS = {"refund": "money back please", "delivery": "where is my parcel", "login": "password does not work"}


class SayingDoor:
    """Answers with `say(messages)`; `asked` holds every conversation."""

    def __init__(self, say: Callable[[Sequence[Message]], str]) -> None:
        self.name = "a model of the tests"
        self.asked: list[Sequence[Message]] = []
        self._say = say

    def complete(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        schema: dict[str, Any] | None = None,
        mode: Mode = "prompt",
        options: Sequence[str] = (),
    ) -> Reply:
        self.asked.append(messages)
        return Reply(self._say(messages), 10, 2, "stop", self.name, 0.01)


def asker_for(door: Any, folder: Path, *, cap: str | None = None, price: Price = CENTS) -> Asker:
    """An asker over a fresh store in `folder`, with its cap in USD."""
    store = AnswerStore(folder / "answers.sqlite")
    meter = Meter(Decimal(cap) if cap else None, None, store)
    return Asker(door, price, meter, store, sleep=lambda seconds: None)


def tickets(count: int = 300, seed: int = 0) -> Task:
    """Made-up tickets of three even classes, each text different and telling its class."""
    generator = random.Random(seed)
    labels = [list(WORDS)[at % 3] for at in range(count)]
    texts = [f"{WORDS[label]} number {at} {generator.random():.6f}" for at, label in enumerate(labels)]
    return classification(texts, labels)


def right_label(messages: Sequence[Message]) -> str:
    """What a good model says about a ticket."""
    asked = messages[-1]["content"]
    return next((label for label, words in WORDS.items() if words in asked), "")
