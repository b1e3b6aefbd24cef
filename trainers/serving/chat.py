"""A fine-tuned run as an OpenAI-compatible server: a client of Chat Completions changes one address.

Answers are greedy, as they were measured: `temperature`, `top_p`, `seed` and penalties are taken and change nothing.
What would change the answer's form and cannot be given (several choices, tools, log probabilities) is refused.
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from advisor.base.errors import BadInput, Problem
from trainers.serving.requests import Refused, parsed
from trainers.use.answers import Answers
from trainers.use.opened import Chat

_CANNOT = ("tools", "tool_choice", "functions", "function_call", "audio", "modalities")
_STEP = tuple[str, int, bool]
MOST_STOPS, LONGEST_STOP = 4, 200  # OpenAI's own limit on their number


@dataclass(frozen=True)
class Asked:
    """A request that can be answered: what was said, as tokens, how many more, where to stop, and how to send it."""

    messages: list[dict[str, Any]]
    tokens: list[int]
    longest: int
    stop: tuple[str, ...]
    stream: bool
    count: bool


def offer_chat(
    app: FastAPI,
    chat: Chat,
    name: str,
    thread: Executor,
    body_of: Callable[[Request], Any],
    seconds: float,
    told: Callable[[int], None],
    keep: Callable[[list[dict[str, Any]], Answers, float], None],
) -> None:
    """Add /v1/chat/completions. `body_of` reads a body within the server's limits, key and all.

    The model works in `thread`, one token at a time, so that several clients and /predict take turns. `told` counts
    each answered request by its status; `keep` writes down what was asked and answered, and the seconds that took.
    """
    talk = _Talk(chat, name, thread, seconds, keep)

    async def completions(request: Request) -> Response:
        try:
            asked = read_request(await body_of(request), chat)
            response = await talk.answer(asked)
        except Refused as refused:
            response = _problem(refused.status, refused.faults[0]["msg"])
        except BadInput as bad:
            response = _problem(400, f"{bad.what} {bad.fix}".strip())
        except Problem as problem:  # a disk that is full
            response = _problem(503, problem.what)
        except Exception:
            told(500)
            raise
        told(response.status_code)
        return response

    app.post("/v1/chat/completions", summary="As OpenAI's Chat Completions; greedy answers, streamed if asked")(
        completions
    )


def read_request(body: bytes, chat: Chat) -> Asked:
    """What a body asks for. Raises `BadInput` for what cannot be given."""
    try:
        content = parsed(body)
    except ValueError:
        content = None
    messages = content.get("messages") if isinstance(content, dict) else None
    if not isinstance(messages, list) or not messages or not all(isinstance(one, dict) for one in messages):
        raise BadInput("A request holds a list of messages.", fix='{"messages": [{"role": "user", "content": "…"}]}')
    refused = [name for name in _CANNOT if content.get(name)]
    if refused or content.get("n") not in (None, 1) or content.get("logprobs"):
        what = refused[0] if refused else "logprobs" if content.get("logprobs") else "n"
        raise BadInput(f"{what} cannot be given by this model.", fix=f"Leave {what} out.")
    form = content.get("response_format")
    if isinstance(form, dict) and form.get("type") not in (None, "text"):
        raise BadInput(
            "A response format cannot be forced on this model.", fix="Leave it out: it answers as it learned."
        )
    longest = content.get("max_completion_tokens", content.get("max_tokens"))
    if longest is not None and (not isinstance(longest, int) or longest < 1):
        raise BadInput("max_tokens is a whole number above zero.", fix="Leave it out.")
    stop = content.get("stop") or []
    stop = [stop] if isinstance(stop, str) else stop
    if not isinstance(stop, list) or not all(isinstance(one, str) and one for one in stop):
        raise BadInput("stop is a text, or a list of texts.", fix="Leave it out.")
    if len(stop) > MOST_STOPS or max(map(len, stop), default=0) > LONGEST_STOP:
        # Each is looked for after each token: without a limit one request could hold the server for hours.
        raise BadInput(f"stop holds at most {MOST_STOPS} texts of {LONGEST_STOP} letters.", fix="Shorten it.")
    options = content.get("stream_options")
    count = isinstance(options, dict) and bool(options.get("include_usage"))
    limit = min(longest or chat.longest, chat.longest)
    return Asked(messages, chat.asked(messages), limit, tuple(stop), bool(content.get("stream")), count)


class _Talk:
    def __init__(
        self,
        chat: Chat,
        name: str,
        thread: Executor,
        seconds: float,
        keep: Callable[[list[dict[str, Any]], Answers, float], None],
    ) -> None:
        self._chat, self._name, self._thread, self._seconds, self._write_down = chat, name, thread, seconds, keep

    def _keep(self, asked: Asked, said: list[str], started: float) -> None:
        row = {"messages": asked.messages}
        self._write_down([row], Answers(["".join(said)]), time.perf_counter() - started)

    async def answer(self, asked: Asked) -> Response:
        if asked.stream:
            return StreamingResponse(self._events(asked), media_type="text/event-stream")
        pieces, tokens, finish, started = list[str](), 0, "length", time.perf_counter()
        try:
            async for words, count, ended in self._words(asked):
                pieces.append(words)
                tokens, finish = count, "stop" if ended else finish
        except TimeoutError:
            return _problem(504, "No whole answer in time; ask for fewer tokens, or for a stream.")
        self._keep(asked, pieces, started)
        message = {"role": "assistant", "content": "".join(pieces)}
        choice = {"index": 0, "message": message, "finish_reason": finish, "logprobs": None}
        return JSONResponse(self._head("chat.completion") | {"choices": [choice], "usage": _usage(asked, tokens)})

    async def _events(self, asked: Asked) -> AsyncIterator[str]:
        head = self._head("chat.completion.chunk")

        def event(delta: dict[str, str], finish: str | None = None) -> str:
            choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
            return f"data: {json.dumps(head | {'choices': [choice]}, ensure_ascii=False)}\n\n"

        yield event({"role": "assistant", "content": ""})
        pieces, tokens, finish, started = list[str](), 0, "length", time.perf_counter()
        try:
            async for words, count, ended in self._words(asked):
                tokens, finish = count, "stop" if ended else finish
                if words:
                    pieces.append(words)
                    yield event({"content": words})
        except TimeoutError:
            finish = "length"
        finally:  # also for a client that went away: what it had read by then was an answer
            if tokens:
                self._keep(asked, pieces, started)
        yield event({}, finish)
        if asked.count:
            yield f"data: {json.dumps(head | {'choices': [], 'usage': _usage(asked, tokens)})}\n\n"
        yield "data: [DONE]\n\n"

    async def _words(self, asked: Asked) -> AsyncIterator[_STEP]:
        """The answer's words, cut at the first of the texts to stop at."""
        loop = asyncio.get_running_loop()
        steps: Iterator[_STEP] = self._chat.words(asked.tokens, asked.longest)
        said, held, count = "", "", 0
        async with asyncio.timeout(self._seconds):
            while (step := await loop.run_in_executor(self._thread, next, steps, None)) is not None:
                words, count, ended = step
                held += words
                found = [at for one in asked.stop if (at := (said + held).find(one)) >= 0]
                if found:
                    yield (said + held)[len(said) : min(found)], count, True
                    return
                # Words that may be the beginning of a text to stop at wait for what follows them.
                keep = 0 if ended else _begun(held, asked.stop)
                ready, held = held[: len(held) - keep], held[len(held) - keep :]
                said += ready
                yield ready, count, ended
            if held:
                yield held, count, False

    def _head(self, kind: str) -> dict[str, Any]:
        name = f"chatcmpl-{uuid.uuid4().hex}"
        return {"id": name, "object": kind, "created": int(time.time()), "model": self._name}


def _begun(text: str, stop: tuple[str, ...]) -> int:
    """How many characters at the end of `text` begin one of the texts to stop at."""
    sizes = [size for one in stop for size in range(1, len(one)) if text.endswith(one[:size])]
    return max(sizes, default=0)


def _usage(asked: Asked, tokens: int) -> dict[str, int]:
    told = len(asked.tokens)
    return {"prompt_tokens": told, "completion_tokens": tokens, "total_tokens": told + tokens}


def _problem(status: int, message: str) -> JSONResponse:
    kind = "invalid_request_error" if status < 500 else "server_error"
    return JSONResponse({"error": {"message": message, "type": kind, "param": None, "code": None}}, status)
