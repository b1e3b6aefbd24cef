"""A model server on loopback that misbehaves as told, and keeps its own bill."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from advisor.base.llm import Message
from tests.climb.doors import CENTS

TROUBLES = (
    "none",
    "429 every second time",
    "always 429",
    "429 with a long wait",
    "always 500",
    "500 every second time",
    "hang",
    "drip",
    "broken JSON",
    "no choices",
    "no usage",
    "usage of zero",
    "huge usage",
    "negative usage",
    "cuts the line",
)


class BadServer:
    """`with BadServer("hang") as server: OpenAIDoor("m", server.url)`. `bill` is what it would charge, by its price.

    It says `say(messages)`, "refund" to everything where that is left out.
    """

    def __init__(self, trouble: str, say: Callable[[Sequence[Message]], str] = lambda messages: "refund") -> None:
        self.trouble = trouble
        self.say = say
        self.requests = 0
        self.bill = Decimal(0)
        self._lock = threading.Lock()
        self._stop = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                request = json.loads(self.rfile.read(length))
                if not self.path.endswith("/chat/completions"):
                    return outer._send(self, 404, {"error": {"message": "there is no such path"}})
                return outer._answer(self, request)

            def do_GET(self) -> None:
                outer._send(self, 200, {"object": "list", "data": []})

            def log_message(self, *words: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> BadServer:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, handler: BaseHTTPRequestHandler, request: dict[str, Any]) -> None:
        with self._lock:
            self.requests += 1
            number = self.requests
        limited = self.trouble in ("always 429", "429 with a long wait") or (
            self.trouble == "429 every second time" and number % 2
        )
        if limited:
            wait = "3600" if self.trouble == "429 with a long wait" else "0.01"
            return self._send(handler, 429, {"error": {"message": "slow down"}}, {"Retry-After": wait})
        tokens_in = sum(len(message["content"]) for message in request["messages"]) // 3 + 8
        tokens_out = min(4, request.get("max_tokens", request.get("max_completion_tokens")))
        with self._lock:
            # It worked, so it charges, whatever becomes of the answer.
            self.bill += CENTS.cost(tokens_in, tokens_out)
        if self.trouble == "always 500" or (self.trouble == "500 every second time" and number % 2):
            return self._send(handler, 500, {"error": {"message": "oops"}})
        if self.trouble == "hang":
            self._stop.wait(20)
            return None
        if self.trouble == "cuts the line":
            handler.close_connection = True
            return None
        body = self._body(request, tokens_in, tokens_out)
        if self.trouble == "drip":
            return self._drip(handler, body)
        if self.trouble == "broken JSON":
            return self._raw(handler, 200, b'{"choices": [{"message": {"content": "ref')
        return self._send(handler, 200, body)

    def _body(self, request: dict[str, Any], tokens_in: int, tokens_out: int) -> dict[str, Any]:
        message = {"role": "assistant", "content": self.say(request["messages"])}
        choice = {"index": 0, "finish_reason": "stop", "message": message}
        body: dict[str, Any] = {"id": "1", "object": "chat.completion", "created": 1, "model": request["model"]}
        body["choices"] = [] if self.trouble == "no choices" else [choice]
        usage = {
            "huge usage": (10**9, 10**9),
            "negative usage": (-5, -5),
            "usage of zero": (0, 0),
        }.get(self.trouble, (tokens_in, tokens_out))
        if self.trouble != "no usage":
            body["usage"] = {"prompt_tokens": usage[0], "completion_tokens": usage[1], "total_tokens": sum(usage)}
        return body

    def _drip(self, handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        for at in range(len(data)):
            if self._stop.wait(0.05):
                return
            try:
                handler.wfile.write(data[at : at + 1])
                handler.wfile.flush()
            except OSError:
                return

    def _send(
        self, handler: BaseHTTPRequestHandler, status: int, body: dict[str, Any], headers: dict[str, str] | None = None
    ) -> None:
        self._raw(handler, status, json.dumps(body).encode(), headers)

    def _raw(
        self, handler: BaseHTTPRequestHandler, status: int, data: bytes, headers: dict[str, str] | None = None
    ) -> None:
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(data)))
        for name, value in (headers or {}).items():
            handler.send_header(name, value)
        handler.end_headers()
        try:
            handler.wfile.write(data)
        except OSError:
            time.sleep(0)
