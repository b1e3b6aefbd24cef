"""A served run met by clients that mean harm: silent, endless, or a page that borrows the name of this machine."""

from __future__ import annotations

import contextlib
import http.client
import json
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from promises import Figure

pytest.importorskip("uvicorn", reason="serving is in the serve extra")

# The real server around the smallest application: what is tried here comes before any model.
SERVER = """
import sys
sys.path.insert(0, sys.argv[1])
from fastapi import FastAPI
from trainers.serving.server import listen, serve_forever
app = FastAPI()
@app.get("/healthz")
async def healthz(): return {"status": "ok"}
address = listen("127.0.0.1", 0)
def ready(): print(address.getsockname()[1], flush=True)
serve_forever(app, address, 5, ready, head_seconds=0.5, any_host=sys.argv[2] == "any")
"""


@contextmanager
def serving(hosts: str) -> Iterator[int]:
    words = [sys.executable, "-c", SERVER, str(Path(__file__).resolve().parents[2]), hosts]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield int(server.stdout.readline())
        server.terminate()
        assert server.wait(timeout=60) == 0


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with serving("own") as number:
        yield number


def healthy(port: int, host: str = "localhost") -> int:
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        client.request("GET", "/healthz", headers={"Host": host})
        return client.getresponse().status
    finally:
        client.close()


def is_let_go(client: socket.socket) -> bool:
    """Whether the server ends this connection by itself."""
    client.settimeout(30)
    try:
        while client.recv(4096):
            pass
    except ConnectionResetError:
        pass
    except TimeoutError:
        return False
    return True


# What each client sends before it falls silent.
SLOW = {
    "nothing": b"",
    "half a request line": b"GET /hea",
    "headers without an end": b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: b\r\n",
    "a whole request, then half of one": b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\nGET /",
    "a header of 100,000 letters": b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: " + b"b" * 100_000,
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 100,
    "two lengths": b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
    "a line that never ends": b"A" * 70_000,
}


# A body that is a request of its own for whoever goes by the other length; header lines that proxies read differently.
_HEAD = b"POST /healthz HTTP/1.1\r\nHost: localhost\r\n"
_HIDDEN = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
SMUGGLED = {
    "chunks and a length": _HEAD + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + _HIDDEN,
    "a length and chunks": _HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + _HIDDEN,
    "chunks, twice": _HEAD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n" + _HIDDEN,
    "chunks of another kind": _HEAD + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + _HIDDEN,
    "two lengths": _HEAD + b"Content-Length: 0\r\nContent-Length: 5\r\n\r\n" + _HIDDEN,
    "a length with a sign": _HEAD + b"Content-Length: +0\r\n\r\n" + _HIDDEN,
    "a space before the colon": _HEAD + b"Content-Length : 5\r\n\r\n" + _HIDDEN,
    "a header in its middle": _HEAD + b"X: a\rTransfer-Encoding: chunked\r\n\r\n" + _HIDDEN,
}


def test_no_request_is_hidden_in_another(port: int, figure: Figure) -> None:
    for name, said in SMUGGLED.items():
        with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
            client.sendall(said)
            answer = b""
            with contextlib.suppress(ConnectionResetError):
                while piece := client.recv(4096):
                    answer += piece
        assert answer.count(b"HTTP/1.1 ") <= 1, (name, answer)
        assert b"HTTP/1.1 2" not in answer, (name, answer)
    assert healthy(port) == 200
    figure(25, "requests hidden in another, answered", f"0 of {len(SMUGGLED)}")


def test_clients_that_never_finish_are_let_go_and_hold_up_nobody(port: int, figure: Figure) -> None:
    clients = []
    for said in SLOW.values():
        for _ in range(10):
            client = socket.create_connection(("127.0.0.1", port))
            client.sendall(said)
            clients.append(client)
    assert healthy(port) == 200
    kept = [number for number, client in enumerate(clients) if not is_let_go(client)]
    assert kept == []
    assert healthy(port) == 200
    for client in clients:
        client.close()
    figure(25, "connections that never finish, let go", f"{len(clients)} of {len(clients)}")


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1:1", "[::1]:80", "LOCALHOST"])
def test_this_machine_is_answered_under_its_own_names(port: int, host: str) -> None:
    assert healthy(port, host) == 200


FOREIGN = ("evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8000", "127.0.0.2", "")


def test_a_page_that_points_its_name_at_this_machine_reads_nothing(port: int, figure: Figure) -> None:
    assert [healthy(port, host) for host in FOREIGN] == [421] * len(FOREIGN)
    figure(25, "foreign host names refused", f"{len(FOREIGN)} of {len(FOREIGN)}")


def test_answers_that_cannot_be_kept_do_not_go_out_and_the_file_stays_readable(tmp_path: Path) -> None:
    from advisor.base.errors import EnvironmentMissing
    from trainers.serving.journal import Journal
    from trainers.use.answers import Answers

    file = tmp_path / "asked.jsonl"
    journal = Journal(file)
    journal.keep([{"x": "a" * 900}], Answers(["yes"], ("yes", "no")), 0.1)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(EnvironmentMissing, match="cannot be kept"):
            journal.keep([{"x": "b" * 900}], Answers(["no"], ("yes", "no")), 0.1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    journal.keep([{"x": "c"}], Answers(["yes"], ("yes", "no")), 0.1)
    journal.close()
    lines = file.read_text().splitlines()
    assert [json.loads(lines[at])["x"][0] for at in (0, -1)] == ["a", "c"]
    assert len(lines) == 3  # what only half fitted is a line of its own, which `monitor` tells apart


@pytest.mark.parametrize("stop", [["x"] * 5, "x" * 201, ["a", "b" * 100_000]])
def test_texts_to_stop_at_have_a_limit(stop: object) -> None:
    from advisor.base.errors import BadInput
    from trainers.serving.chat import read_request

    body = json.dumps({"messages": [{"role": "user", "content": "hi"}], "stop": stop}).encode()
    with pytest.raises(BadInput, match="stop holds at most"):
        read_request(body, None)  # type: ignore[arg-type]  # refused before any model is asked


def test_with_a_key_any_name_is_answered() -> None:
    with serving("any") as port:
        assert healthy(port, "models.example") == 200
