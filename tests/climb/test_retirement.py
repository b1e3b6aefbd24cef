"""A model's last day, where its server tells it, stands in the record and on the page with the days that are left."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from advisor.base.llm import OpenAIDoor
from advisor.cli.climb_page import _of_the_model
from advisor.records.climb import ClimbRecord


@pytest.fixture
def listing() -> Iterator[Any]:
    """A server that lists its models as it is told to."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            data = json.dumps({"object": "list", "data": server.models}).encode()  # type: ignore[attr-defined]
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *words: object) -> None:
            pass

    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("told", "day"),
    [("2026-12-11", "2026-12-11"), ("2026-12-11T00:00:00Z", "2026-12-11"), (None, ""), ("soon", "")],
)
def test_the_last_day_is_read_from_the_list_of_models(listing: Any, told: str | None, day: str) -> None:
    one = {"id": "m", "object": "model", "created": 1, "owned_by": "x"}
    listing.models = [{**one, "id": "other", "shutdown_date": "2020-01-01"}, {**one, "shutdown_date": told}]
    assert OpenAIDoor("m", listing.url).retirement() == day
    assert OpenAIDoor("unlisted", listing.url).retirement() == ""


def test_the_days_that_are_left_are_counted() -> None:
    record = ClimbRecord("x", "accuracy", None, "x", (), "", "", None, 0.1, (), retires="2026-12-11")
    assert _of_the_model(record) == ("The server shuts this model down on 2026-12-11: 19 days are left.",)
