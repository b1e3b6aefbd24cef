"""The one door to language models: Chat Completions at any OpenAI-compatible address, one honest attempt at a time.

Works with OpenAI, vLLM, Ollama, llama.cpp and `transformers serve`. A key is read from the environment when a call is
made and never written, printed or put into an error. Retrying, counting money and remembering answers are the caller's.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from advisor.base.choices import decision_request, decision_weights, letter_weights, lettered
from advisor.base.errors import EnvironmentMissing, Problem
from advisor.base.keys import KEY_NAMES, check_address, key_for, on_this_machine, without_key
from advisor.base.replies import TooLarge, asked_to_wait, careful
from advisor.base.replies import read_json as read_json
from advisor.base.safetext import plain

OPENAI = "https://api.openai.com/v1"
_LIMITS = ("max_tokens", "max_completion_tokens")
WALL_SECONDS = 60.0  # the client's own limit is 600 s between two bytes: a drip could hold a run for hours

Message = Mapping[str, str]
Mode = Literal["json_schema", "json_object", "prompt"]


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back. Token counts are None when the server does not tell them.

    `weights` holds the natural logarithm of each option's probability where options were asked about and the server
    tells probabilities; else it is empty.
    """

    text: str
    tokens_in: int | None = None
    tokens_out: int | None = None
    finish: str = ""
    model: str = ""
    seconds: float = 0.0
    weights: tuple[float, ...] = ()


class AttemptFailed(Problem):
    """One attempt that failed. `retry` says whether another may do better, `wait` the seconds the server asked for.

    `billed` is False only when the server surely did no work: then the attempt cost nothing.
    """

    exit_code = 5

    def __init__(
        self, what: str, *, retry: bool, billed: bool, status: int = 0, wait: float = 0.0, fix: str = ""
    ) -> None:
        super().__init__(what, fix=fix, code="model-call")
        self.retry = retry
        self.billed = billed
        self.status = status
        self.wait = wait


class Door(Protocol):
    """Something that answers a conversation: a server, or the embedded model of this machine."""

    name: str

    def complete(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        schema: dict[str, Any] | None = None,
        mode: Mode = "prompt",
        options: Sequence[str] = (),
    ) -> Reply:
        """One attempt; with `options`, how likely each of them is as the answer. Raises `AttemptFailed`."""


class OpenAIDoor:
    """A server that speaks Chat Completions."""

    def __init__(self, model: str, base_url: str = OPENAI, *, wall_seconds: float = WALL_SECONDS) -> None:
        check_address(base_url)
        self.model = model
        self.base_url = base_url.rstrip("/")
        self.name = f"{model} at {self.base_url}"
        self.wall_seconds = wall_seconds
        # OpenAI refuses the old name of the limit on its newer models; most other servers know only that one.
        self._limit = _LIMITS["openai.com" in self.base_url]
        self._renamed = False
        self._own = threading.local()  # a client a thread: making one takes longer than a short call
        self._temperature = True
        self._decides = True  # until the server says that it knows no decisions; asking is free

    def complete(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        schema: dict[str, Any] | None = None,
        mode: Mode = "prompt",
        options: Sequence[str] = (),
    ) -> Reply:
        """One attempt, at most `wall_seconds` long. Raises `AttemptFailed`, or `EnvironmentMissing` without a key."""
        if options:
            return self._choice(messages, options)
        client = self._client()
        request: dict[str, Any] = {
            "model": self.model,
            "messages": [dict(message) for message in messages],
            self._limit: max_tokens,
        }
        if self._temperature:
            request["temperature"] = 0.0
        if mode == "json_schema" and schema is not None:
            request["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": schema, "strict": True},
            }
        elif mode == "json_object":
            request["response_format"] = {"type": "json_object"}
        started = time.monotonic()
        try:
            completion = self._within_the_wall(lambda: client.chat.completions.create(**request))
        except AttemptFailed as failure:
            refused = failure.status in (400, 422)
            failure.retry = failure.retry or (refused and self._asks_differently(request, failure.what))
            raise
        return _reply(completion, time.monotonic() - started)

    def _choice(self, messages: Sequence[Message], options: Sequence[str]) -> Reply:
        """How likely each option is: by the server's decisions where it makes some, else by the letter it would say."""
        client = self._client()
        started = time.monotonic()
        try:
            if self._decides:
                decided = decision_request(self.model, messages, options)
                made = self._within_the_wall(lambda: client.decisions.create(**decided))
                weights, usage = decision_weights(made, options), made.usage
                tokens: tuple[int | None, int | None] = (_count(usage, "input_tokens"), 0)
            else:
                asked = {"messages": lettered(messages, options), self._limit: 1, "logprobs": True, "top_logprobs": 20}
                if self._temperature:
                    asked["temperature"] = 0.0
                made = self._within_the_wall(lambda: client.chat.completions.create(model=self.model, **asked))
                weights = letter_weights(made, len(options))
                tokens = _count(made.usage, "prompt_tokens"), _count(made.usage, "completion_tokens")
        except AttemptFailed as failure:
            if self._decides and failure.status in (400, 404, 405, 422, 501):
                self._decides, failure.retry = False, True
            elif failure.status in (400, 422):
                failure.retry = self._asks_differently(asked, failure.what)
            raise
        if self._decides and not weights:
            self._decides = False
            raise AttemptFailed(f"{self.name} makes no decisions.", retry=True, billed=True)
        text = options[max(range(len(weights)), key=weights.__getitem__)] if weights else ""
        told = plain(without_key(getattr(made, "model", None) or self.model), 100)
        return Reply(text, *tokens, "choice", told, time.monotonic() - started, weights)

    def _asks_differently(self, request: dict[str, Any], refusal: str) -> bool:
        """Whether the next attempt leaves out or renames the option that a refusal names. The refused one is free."""
        if "temperature" in refusal and "temperature" in request:
            self._temperature = False
            return True
        if "max_tokens" not in refusal and "max_completion_tokens" not in refusal:
            return False
        if self._limit in request:
            if self._renamed:
                return False
            self._limit, self._renamed = next(name for name in _LIMITS if name not in request), True
        return True

    def retirement(self) -> str:
        """The ISO date on which the server says that it shuts this model down; empty where it does not tell."""
        try:
            client = self._client()
            listed = self._within_the_wall(lambda: list(client.models.list()))
            told = next((getattr(one, "shutdown_date", None) for one in listed if one.id == self.model), None)
            return told[:10] if told and re.match(r"\d{4}-\d{2}-\d{2}", told) else ""
        except (Problem, AttributeError, TypeError):
            return ""

    def check(self) -> None:
        """Raise `EnvironmentMissing` now rather than at the first question: no package, no key."""
        self._client()

    def call(self, ask: Callable[[Any], Any]) -> Any:
        """Any other request of the client, at most `wall_seconds` long. Raises as `complete` does."""
        client = self._client()
        return self._within_the_wall(lambda: ask(client))

    def _client(self) -> Any:
        if (client := getattr(self._own, "client", None)) is not None:
            return client
        try:
            import openai
        except ImportError:
            raise EnvironmentMissing(
                "The package `openai` is not installed.",
                why="It is how any model server is reached.",
                fix="pip install 'train-or-not[llm]'",
                code="no-openai",
            ) from None
        # With OPENAI_LOG=debug the client would log headers of the server, and a server can send the key back in one.
        for library in ("openai", "httpx", "httpcore", "httpx2", "httpcore2"):
            logging.getLogger(library).setLevel(logging.CRITICAL)
        self._own.client = openai.OpenAI(
            api_key=key_for(self.base_url),
            base_url=self.base_url,
            max_retries=0,
            timeout=self.wall_seconds,
            http_client=openai.DefaultHttpxClient(**careful(here=on_this_machine(self.base_url))),
        )
        return self._own.client

    def _within_the_wall(self, call: Callable[[], Any]) -> Any:
        """Run `call` in a thread of its own, so that a server which drips a byte a minute cannot hold us."""
        outcome: list[Any] = []
        failure: list[BaseException] = []

        def work() -> None:
            try:
                outcome.append(call())
            except BaseException as error:
                failure.append(error)

        worker = threading.Thread(target=work, daemon=True)
        worker.start()
        worker.join(self.wall_seconds)
        if worker.is_alive():
            self._own.client.close()
            self._own.client = None
            raise AttemptFailed(
                f"{self.name} gave no whole answer within {self.wall_seconds:.0f} seconds.", retry=True, billed=True
            )
        if failure:
            raise self._told(failure[0]) from None
        return outcome[0]

    def _told(self, error: BaseException) -> BaseException:
        """A client error as ours, with nothing secret in it."""
        import openai

        if isinstance(error, openai.APITimeoutError):
            return AttemptFailed(f"{self.name} did not answer in time.", retry=True, billed=True)
        for refused in (error, error.__cause__):
            if isinstance(refused, TooLarge):
                return AttemptFailed(f"{self.name} {refused}.", retry=False, billed=True)
        if isinstance(error, openai.APIConnectionError):
            # Only where no connection came about did the server surely do no work.
            reached = type(error.__cause__).__name__ != "ConnectError"
            what = "broke off" if reached else "cannot be reached"
            return AttemptFailed(f"{self.name} {what}.", retry=True, billed=reached, fix="Check address and network.")
        if isinstance(error, openai.APIStatusError):
            status = error.status_code
            # The key goes first: cut in two, its first half would no longer be told for a key.
            said = plain(without_key(str(getattr(error, "message", ""))), 200)
            fix = f"Set {KEY_NAMES[0]} to a valid key." if status in (401, 403) else ""
            if 300 <= status < 400:
                said, fix = "look elsewhere. Nothing was sent there", "Give the address that it moved to."
            return AttemptFailed(
                f"{self.name} answered {status}: {said}",
                retry=status in (408, 409, 429) or status >= 500,
                # A refused request (4xx) does no work; what a failing server did, nobody can tell.
                billed=status >= 500,
                status=status,
                wait=asked_to_wait(error.response.headers),
                fix=fix,
            )
        if isinstance(error, openai.OpenAIError | ValueError | TypeError | KeyError | AttributeError):
            return AttemptFailed(f"{self.name} sent an answer that cannot be read.", retry=True, billed=True)
        return error


def _reply(completion: Any, seconds: float) -> Reply:
    try:
        choice = completion.choices[0]
        text = without_key(choice.message.content or "")
        usage = completion.usage
        return Reply(
            text=text,
            tokens_in=_count(usage, "prompt_tokens"),
            tokens_out=_count(usage, "completion_tokens"),
            finish=choice.finish_reason or "",
            model=plain(without_key(completion.model or ""), 100),
            seconds=seconds,
        )
    except (AttributeError, IndexError, TypeError):
        raise AttemptFailed("The server sent an answer that cannot be read.", retry=True, billed=True) from None


def _count(usage: Any, name: str) -> int | None:
    value = getattr(usage, name, None)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
