"""Guards before the application: a client that never finishes, a body of two lengths, a page that borrows our name."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

_HERE = frozenset(["localhost", "127.0.0.1", "::1"])


def patient_for(seconds: float) -> type[H11Protocol]:
    """HTTP/1.1 as uvicorn speaks it, but a connection whose headers take longer than `seconds` is closed.

    uvicorn itself waits for ever for the first request, so a few hundred silent connections would use up the sockets.
    """

    class Patient(H11Protocol):
        waiting: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
            super().connection_made(transport)
            self._wait()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self.conn.their_state is not h11.IDLE:  # the whole head has come; the body has a limit of its own
                self._stop_waiting()
            else:
                self._wait()  # for the rest of a further request

        def on_response_complete(self) -> None:
            super().on_response_complete()
            if self.conn.their_state is h11.IDLE and self.conn.trailing_data[0]:
                self._wait()

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop_waiting()
            super().connection_lost(exc)

        def _wait(self) -> None:
            if self.waiting is None:
                self.waiting = self.loop.call_later(seconds, self.transport.close)

        def _stop_waiting(self) -> None:
            if self.waiting is not None:
                self.waiting.cancel()
                self.waiting = None

    return Patient


class OneLength:
    """Refuses a request that tells its length twice (RFC 9112, 6.3), and closes the connection.

    A proxy before us may go by the one and we by the other: what it took for a body would then be a request of its own.
    """

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """The application, or a plain 400."""
        names = [name for name, _ in scope.get("headers", ())]
        if b"transfer-encoding" in names and b"content-length" in names:
            await _refuse(send, 400, "Give Content-Length or Transfer-Encoding, not both.", (b"connection", b"close"))
            return
        await self.app(scope, receive, send)


async def _refuse(send: Any, status: int, told: str, *more: tuple[bytes, bytes]) -> None:
    body = json.dumps({"detail": told}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class OnlyByOwnName:
    """Refuses requests that came under a foreign host name, before the application sees them.

    A page in a browser can let its own name point at this machine (DNS rebinding) and then read what we answer. Where
    no key is asked for, the name is what tells such a page from a client of this machine.
    """

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """The application, or a plain 421."""
        if scope["type"] != "http" or _host_of(scope) in _HERE:
            await self.app(scope, receive, send)
            return
        told = "Without a key only localhost is answered. Set TRAIN_OR_NOT_SERVE_KEY to serve other names."
        await _refuse(send, 421, told)


def _host_of(scope: Any) -> str:
    told = next((value for name, value in scope["headers"] if name == b"host"), b"").decode("latin-1").lower()
    if told.startswith("["):
        return str(told[1:].partition("]")[0])
    return str(told.partition(":")[0])
