"""`transformers serve` on loopback: a real OpenAI-compatible server over a model folder, for tests and benchmarks."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def served(model: Path, scratch: Path) -> Iterator[str]:
    """The address of a server over `model` while it runs; its log and its empty hub cache stand in `scratch`.

    Raises `RuntimeError` with the log when it is not ready within five minutes.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    hub, log = scratch / "hub", scratch / "server.log"
    hub.mkdir()  # without an existing cache the list of models is an error 500
    command = [sys.executable, "-m", "transformers.cli.transformers", "serve", str(model)]
    command += ["--host", "127.0.0.1", "--port", str(port), "--device", "cpu", "--log-level", "error"]
    environment = {**os.environ, "HF_HUB_CACHE": str(hub), "HF_HUB_OFFLINE": "1", "OMP_WAIT_POLICY": "PASSIVE"}
    with log.open("w") as stream:
        server = subprocess.Popen(command, env=environment, stdout=stream, stderr=stream)
    try:
        for _ in range(600):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2)
                break
            if server.poll() is not None:
                raise RuntimeError(log.read_text())
            time.sleep(0.5)
        else:
            raise RuntimeError(f"transformers serve was not ready within five minutes:\n{log.read_text()}")
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.terminate()
        server.wait()
