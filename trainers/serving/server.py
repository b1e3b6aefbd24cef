"""Runs the application: loopback by default, a socket opened before the word is given, a graceful stop."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI

from advisor.base.errors import BadInput, EnvironmentMissing
from trainers.serving.guards import OneLength, OnlyByOwnName, patient_for


def listen(host: str, port: int) -> socket.socket:
    """An open socket; port 0 takes a free one.

    Raises `BadInput` for what is no port, `EnvironmentMissing` when the address cannot be had.
    """
    if not 0 <= port <= 65_535:
        raise BadInput(
            f"There is no port {port}.",
            where=f"--port {port}",
            fix="Give 1 to 65535; --port 0 finds a free one.",
            code="range",
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind((host, port))
    except OSError as error:
        opened.close()
        raise EnvironmentMissing(
            f"Cannot listen on {host}, port {port}: {error.strerror}.",
            where=f"--host {host} --port {port}",
            fix="Take another port: --port 0 finds a free one.",
            code="no-address",
        ) from error
    return opened


def serve_forever(
    app: FastAPI,
    opened: socket.socket,
    stop_seconds: int,
    ready: Callable[[], None],
    *,
    head_seconds: float,
    any_host: bool,
) -> None:
    """Serve until SIGTERM or ^C, then finish what came in within `stop_seconds`. `ready` is called once it answers.

    A request's headers must come within `head_seconds`. Without `any_host` only requests to this machine's own names
    are answered.
    """
    config = uvicorn.Config(
        OneLength(app if any_host else OnlyByOwnName(app)),
        http=patient_for(head_seconds),
        ws="none",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=stop_seconds,
        h11_max_incomplete_event_size=64 * 1024,
    )

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                ready()

    if threading.current_thread() is threading.main_thread():
        # uvicorn stops gracefully and then raises the signal again; a stop that was asked for is no failure.
        signal.signal(signal.SIGTERM, lambda *_: None)
    Server(config).run(sockets=[opened])
