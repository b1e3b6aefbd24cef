"""Requests that wait while the model is busy are answered together: one call for many clients, no wait for one.

Nothing is delayed on purpose. While one batch is being answered the next one gathers; a lone request is taken at once.
The answers do not depend on who shares a batch: rows are answered independently, to the bit.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from trainers.use.answers import Answers

Row = dict[str, Any]


class Full(Exception):
    """More rows wait than may."""


@dataclass
class _Waiting:
    rows: list[Row]
    answer: asyncio.Future[Answers] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Batcher:
    """One model, one thread, many clients. `answer` is called with the rows of whole requests, never of parts."""

    def __init__(self, answer: Callable[[list[Row]], Answers], batch_rows: int, waiting_rows: int) -> None:
        self._answer, self._most, self._room = answer, batch_rows, waiting_rows
        self._queue: deque[_Waiting] = deque()
        self.thread = ThreadPoolExecutor(1, thread_name_prefix="model")
        self._worker: asyncio.Task[None] | None = None
        self.rows_waiting = 0
        self.batches: dict[int, int] = {}

    async def ask(self, rows: list[Row]) -> Answers:
        """The answers for one request's rows. Raises `Full`, or what the model raised on these rows."""
        if self.rows_waiting + len(rows) > self._room:
            raise Full
        waiting = _Waiting(rows)
        self._queue.append(waiting)
        self.rows_waiting += len(rows)
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())
        return await waiting.answer

    async def _work(self) -> None:
        while self._queue:
            batch = self._next()
            rows = [row for one in batch for row in one.rows]
            self.batches[len(rows)] = self.batches.get(len(rows), 0) + 1
            try:
                await self._answered(batch, rows)
            except Exception:
                # One request's rows may be at fault: each is asked alone, so that only its own sender hears of it.
                for one in batch:
                    await self._alone(one)

    def _next(self) -> list[_Waiting]:
        batch: list[_Waiting] = []
        size = 0
        while self._queue and (not batch or size + len(self._queue[0].rows) <= self._most):
            one = self._queue.popleft()
            self.rows_waiting -= len(one.rows)
            if not one.answer.done():  # its client has gone, or its time is up
                batch.append(one)
                size += len(one.rows)
        return batch

    async def _answered(self, batch: list[_Waiting], rows: list[Row]) -> None:
        if not rows:
            return
        answers = await asyncio.get_running_loop().run_in_executor(self.thread, self._answer, rows)
        start = 0
        for one in batch:
            if not one.answer.done():
                one.answer.set_result(answers.part(start, start + len(one.rows)))
            start += len(one.rows)

    async def _alone(self, one: _Waiting) -> None:
        try:
            await self._answered([one], one.rows)
        except Exception as error:  # whatever the model raised is its asker's
            if not one.answer.done():
                one.answer.set_exception(error)

    def close(self) -> None:
        """Let the model's thread end."""
        self.thread.shutdown(wait=True)
