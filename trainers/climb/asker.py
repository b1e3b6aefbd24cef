"""Ask a model, and count: stored answers first, money set aside before each attempt, waits that the server asks for."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any, TypeVar

from advisor.base.errors import BudgetReached
from advisor.base.llm import AttemptFailed, Door, Message, Mode, Reply
from trainers.climb.answers import Answer, AnswerStore
from trainers.climb.policy import count, figure
from trainers.climb.spend import Meter, Price, Reserved

T = TypeVar("T")
U = TypeVar("U")
ATTEMPTS, UNCOUNTED = count("server", "attempts"), count("server", "uncounted")
LONGEST_WAIT = figure("server", "longest_wait")
REFUSED = (400, 404, 415, 422, 501)  # statuses that say: not in this form
_JSON = {
    "type": "object",
    "properties": {"colour": {"type": "string", "enum": ["q7-red", "q7-blue"]}},
    "required": ["colour"],
    "additionalProperties": False,
}


class ImpossibleUsage(BudgetReached):
    """The server counts more than a question can hold: its counting cannot be trusted, so nothing more is sent."""


class Asker:
    """A door with a price, a meter and a memory. Safe to share between threads."""

    def __init__(
        self,
        door: Door,
        price: Price,
        meter: Meter,
        store: AnswerStore,
        *,
        until: float = float("inf"),
        together: int = 1,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.door = door
        self.price = price
        self.meter = meter
        self.store = store
        self.until = until
        self.together = together
        self.guessed_usage = 0
        self._sleep = sleep
        self._distrusted: ImpossibleUsage | None = None
        self._mode: Mode | None = None
        self._weighs: bool | None = None

    def ask(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        schema: dict[str, Any] | None = None,
        mode: Mode = "prompt",
        options: Sequence[str] = (),
    ) -> Answer:
        """The answer to one conversation, paid for at most once; with `options`, how likely each of them is.

        Raises `BudgetReached` before a call that could pass a cap, `AttemptFailed` when the server gives none.
        """
        chosen = [list(options)] if options else []
        key = self.store.key(self.door.name, list(map(dict, messages)), max_tokens, schema, mode, *chosen)
        if stored := self.store.get(key):
            return stored
        most_in, most_out = most_tokens(messages, schema, options), max_tokens + UNCOUNTED
        for attempt in range(1, ATTEMPTS + 1):
            self._check_time()
            reserved = self.meter.reserve(self.price, most_in, most_out)
            try:
                reply = self.door.complete(messages, max_tokens=max_tokens, schema=schema, mode=mode, options=options)
            except AttemptFailed as failure:
                if failure.billed:
                    self.meter.keep(reserved)
                else:
                    self.meter.settle(reserved, Decimal(0), 0)
                if not failure.retry or attempt == ATTEMPTS or failure.wait > LONGEST_WAIT:
                    raise
                self._sleep(min(max(failure.wait, _backoff(attempt)), max(0.0, self.until - time.monotonic())))
                continue
            except BaseException:
                self.meter.keep(reserved)
                raise
            answer = self._settled(reply, reserved, most_in, most_out)
            self.store.put(key, answer)
            return answer
        raise AssertionError("the last attempt either returned or raised")

    def each(self, answer: Callable[[T], U], items: Sequence[T]) -> list[U]:
        """What `answer` makes of each item, in order, as many at once as this model is asked together."""
        if self.together == 1:
            return [answer(item) for item in items]
        with ThreadPoolExecutor(self.together) as pool:
            return list(pool.map(answer, items))

    def mode(self) -> Mode:
        """The strongest form of structured output this server really gives: tried once, with a tiny paid question.

        Servers may accept a response format and ignore it, so what counts is the answer, not the absence of an error.
        """
        if self._mode is None:
            self._mode = self._probed()
        return self._mode

    def _probed(self) -> Mode:
        messages = [{"role": "user", "content": "Name a colour of the sky on a clear day, as JSON."}]
        modes: tuple[Mode, ...] = ("json_schema", "json_object")
        for mode in modes:
            try:
                text = self.ask(messages, max_tokens=60, schema=_JSON, mode=mode).text
            except AttemptFailed as failure:
                if failure.status in REFUSED:
                    continue
                raise
            said = read_strictly(text)
            if isinstance(said, dict) and (mode == "json_object" or said.get("colour") in ("q7-red", "q7-blue")):
                return mode
        return "prompt"

    def weighs(self, messages: Sequence[Message], options: Sequence[str]) -> bool:
        """Whether this server tells how likely each option is: tried once, with a question that is asked anyway."""
        if self._weighs is None:
            try:
                self._weighs = bool(self.ask(messages, max_tokens=1, options=options).weights)
            except AttemptFailed as failure:
                if failure.status not in REFUSED:
                    raise
                self._weighs = False
        return self._weighs

    def _check_time(self) -> None:
        if self._distrusted is not None:
            raise self._distrusted
        if time.monotonic() >= self.until:
            raise BudgetReached(
                "The time for this climb is over.",
                why="Every answer so far is kept.",
                fix="Run the same command with a higher --max-minutes.",
                code="time-reached",
            )

    def _settled(self, reply: Reply, reserved: Reserved, most_in: int, most_out: int) -> Answer:
        # A question of no tokens is a server that does not count.
        told = bool(reply.tokens_in) and reply.tokens_out is not None
        self.guessed_usage += not told
        tokens_in = reply.tokens_in or most_in
        tokens_out = reply.tokens_out if reply.tokens_out is not None else most_out
        usd = self.price.cost(tokens_in, tokens_out)
        if tokens_in > most_in or tokens_out > most_out:
            self.meter.keep(reserved)
            self._distrusted = ImpossibleUsage(
                f"{self.door.name} claims {tokens_in:,} tokens in and {tokens_out:,} out for a question that can have "
                f"at most {most_in:,} and {most_out:,}.",
                why="A cap means nothing with a server that counts like this, so nothing more was sent.",
                fix="Check what this server counts before you let it spend.",
                code="impossible-usage",
            )
            raise self._distrusted
        self.meter.settle(reserved, usd, tokens_in + tokens_out)
        return Answer(
            text=reply.text,
            tokens_in=tokens_in,
            tokens_out=tokens_out,
            usd=str(usd),
            seconds=reply.seconds,
            model=reply.model,
            usage_told=told,
            finish=reply.finish,
            weights=reply.weights,
        )


def read_strictly(text: str) -> Any:
    """The JSON value that a text is, or None."""
    import json

    try:
        return json.loads(text)
    except ValueError:
        return None


def most_tokens(messages: Sequence[Message], schema: dict[str, Any] | None = None, options: Sequence[str] = ()) -> int:
    """An upper bound of a conversation's tokens: byte-pair tokens are at least a byte long, and templates add some."""
    told = sum(len(message["content"].encode()) + 64 for message in messages)
    return told + sum(len(option.encode()) + 16 for option in options) + len(str(schema or "")) + 256


def _backoff(attempt: int) -> float:
    """Seconds to wait before the next attempt: doubling, with jitter so that threads do not come back together."""
    return float(2 ** (attempt - 1)) * random.uniform(0.5, 1.0)  # noqa: S311  # no secret rests on it
