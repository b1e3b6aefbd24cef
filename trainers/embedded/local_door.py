"""The embedded model behind the same door as a server: `--endpoint local`, in this process, without a key."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any

from advisor.base.llm import AttemptFailed, Message, Mode, Reply
from trainers.contract import Progress
from trainers.embedded.models import SMOLLM2
from trainers.embedded.store import ensure


class LocalDoor:
    """SmolLM2-135M-Instruct: small, offline, and a fair stand-in for "some ready model" on a laptop."""

    def __init__(self, progress: Progress) -> None:
        from trainers.lora.machine import prepare

        prepare()
        from trainers.embedded.writer import Writer

        self.name = f"{SMOLLM2.name}-{SMOLLM2.sha256[:8]} on this machine"
        self._writer = Writer(ensure(SMOLLM2, progress))
        self._lock = threading.Lock()

    def complete(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        schema: dict[str, Any] | None = None,
        mode: Mode = "prompt",
        options: Sequence[str] = (),
    ) -> Reply:
        """Greedy, one at a time. Response formats are not offered: `Asker.mode` finds that out by asking."""
        with self._lock:
            started = time.monotonic()
            prompt = self._writer.tokens_of(messages)
            if len(prompt) + max_tokens > self._writer.longest:
                raise AttemptFailed(
                    f"The question has {len(prompt):,} tokens; the embedded model reads {self._writer.longest:,}.",
                    retry=False,
                    billed=False,
                    status=400,
                )
            weights: tuple[float, ...] = ()
            if options:
                weights = self._writer.weigh(prompt, options)
                text, written = options[max(range(len(options)), key=weights.__getitem__)], 1
            else:
                text, written = self._writer.write(prompt, max_tokens)
            seconds = time.monotonic() - started
        finish = "length" if written >= max_tokens and not options else "stop"
        return Reply(text, len(prompt), written, finish, SMOLLM2.name, seconds, weights)
