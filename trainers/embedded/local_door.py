"""The embedded model behind the same door as a server: `--endpoint local`, in this process, without a key."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from advisor.base.llm import AttemptFailed, Message, Mode, Reply
from trainers.contract import Progress
from trainers.embedded.models import SMOLLM2
from trainers.embedded.store import ensure

if TYPE_CHECKING:
    from trainers.embedded.writer import Writer


class LocalDoor:
    """SmolLM2-135M-Instruct: small, offline, and a fair stand-in for "some ready model" on a laptop."""

    def __init__(self, progress: Progress) -> None:
        from trainers.lora.machine import prepare

        prepare()
        from trainers.embedded.writer import Writer

        self.name = f"{SMOLLM2.name}-{SMOLLM2.sha256[:8]} on this machine"
        self._writer = Writer(ensure(SMOLLM2, progress))
        self._idle = [self._writer]
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def _a_writer(self) -> Iterator[Writer]:
        """A writer for one thread: each has one processor and its own memory, all share the weights."""
        with self._lock:
            writer = self._idle.pop() if self._idle else self._writer.another()
        try:
            yield writer
        finally:
            with self._lock:
                self._idle.append(writer)

    def complete(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        schema: dict[str, Any] | None = None,
        mode: Mode = "prompt",
        options: Sequence[str] = (),
    ) -> Reply:
        """Greedy, one a thread. Response formats are not offered: `Asker.mode` finds that out by asking."""
        with self._a_writer() as writer:
            started = time.monotonic()
            prompt = writer.tokens_of(messages)
            if len(prompt) + max_tokens > writer.longest:
                raise AttemptFailed(
                    f"The question has {len(prompt):,} tokens; the embedded model reads {writer.longest:,}.",
                    retry=False,
                    billed=False,
                    status=400,
                )
            weights: tuple[float, ...] = ()
            if options:
                weights = writer.weigh(prompt, options)
                text, written = options[max(range(len(options)), key=weights.__getitem__)], 1
            else:
                text, written = writer.write(prompt, max_tokens)
            seconds = time.monotonic() - started
        finish = "length" if written >= max_tokens and not options else "stop"
        return Reply(text, len(prompt), written, finish, SMOLLM2.name, seconds, weights)
