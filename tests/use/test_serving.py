"""A served run asked by a real client: the same numbers as from a file, clear refusals, limits, a graceful stop."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import uvicorn

from advisor.base.errors import BadInput
from advisor.cli.main import dispatch
from tests.use.conftest import table
from trainers.serving.app import application
from trainers.serving.journal import Journal
from trainers.serving.limits import limits
from trainers.serving.metrics import Histogram
from trainers.serving.requests import Refused, body_schema
from trainers.serving.requests import rows_of as read_rows
from trainers.serving.server import listen
from trainers.use.answers import Answers
from trainers.use.inputs import InputColumn
from trainers.use.opened import Backend, OpenedRun


@contextmanager
def serving(opened: OpenedRun, key: str = "", journal: Journal | None = None, **overruled: float) -> Iterator[int]:
    """The application on a free port of this machine; gives the port."""
    address = listen("127.0.0.1", 0)
    app = application(opened, limits(**overruled), key=key, journal=journal)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False, ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [address]})
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield address.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()
        address.close()


def ask(port: int, body: Any, method: str = "POST", path: str = "/predict", **headers: str) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        told = {
            "Content-Type": "application/json",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        connection.request(method, path, data, told)
        response = connection.getresponse()
        text = response.read().decode()
        kind = response.headers.get("content-type", "")
        return response.status, json.loads(text) if "json" in kind else text
    finally:
        connection.close()


def rows_of(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return list(json.loads(frame.to_json(orient="records", double_precision=15)))


@pytest.fixture(scope="module")
def port(opened: OpenedRun) -> Iterator[int]:
    with serving(opened, max_rows=100, max_bytes=60_000) as number:
        yield number


def test_one_row_many_rows_and_many_clients_get_the_bits_of_the_file(opened: OpenedRun, port: int) -> None:
    rows = rows_of(table(60, seed=5).drop(columns="late"))
    expected = list(opened.answer(pd.DataFrame(rows)).rows())
    assert ask(port, {"rows": rows}) == (200, {"predictions": expected})
    assert ask(port, rows[0]) == (200, expected[0])
    with ThreadPoolExecutor(16) as clients:
        answered = list(clients.map(lambda row: ask(port, row), rows))
    assert answered == [(200, one) for one in expected]
    _, text = ask(port, None, "GET", "/metrics")
    values = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert float(values["train_or_not_rows_total"]) >= 121
    assert float(values['train_or_not_requests_total{code="200"}']) >= 62
    assert float(values["train_or_not_batch_rows_count"]) < float(values["train_or_not_request_seconds_count"]) + 1
    assert float(values["train_or_not_rows_waiting"]) == 0


def test_the_description_names_columns_kinds_and_categories(opened: OpenedRun, port: int) -> None:
    status, described = ask(port, None, "GET", "/openapi.json")
    assert status == 200
    schema = described["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    row = schema["oneOf"][0]
    assert row["required"] == ["x", "z", "place", "day", "note"]
    assert row["properties"]["x"]["type"] == ["number", "null"]
    assert sorted(row["properties"]["place"]["examples"]) == ["east", "north", "south", "west"]
    status, told = ask(port, None, "GET", "/schema")
    assert told["classes"] == list(opened.classes)
    assert told["run"]["complete_sha256"] == opened.provenance()["complete_sha256"]
    assert ask(port, None, "GET", "/healthz") == (200, {"status": "ok", "run": "classical-1"})


GOOD = {"x": 1.0, "z": None, "place": "north", "day": "2024-03-01", "note": "late parcel"}


@pytest.mark.parametrize(
    ("body", "status", "place", "kind"),
    [
        (b"{", 422, ["body"], "json_invalid"),
        (b"[1, 2]", 422, ["body"], "not_an_object"),
        (b'{"x": NaN}', 422, ["body"], "json_invalid"),
        (b"[" * 100_000, 413, ["body"], "too_large"),
        (b"[" * 50_000, 422, ["body"], "json_invalid"),
        ({"rows": []}, 422, ["body", "rows"], "no_rows"),
        ({"rows": [GOOD, 3]}, 422, ["body", "rows", 1], "not_an_object"),
        ({"rows": [GOOD] * 101}, 413, ["body", "rows"], "too_many_rows"),
        ({**GOOD, "x": "red"}, 422, ["body", "x"], "not_a_number"),
        ({**GOOD, "x": True}, 422, ["body", "x"], "not_a_number"),
        ({**GOOD, "x": 10**400}, 422, ["body", "x"], "not_a_number"),
        ({**GOOD, "place": ["north"]}, 422, ["body", "place"], "nested"),
        ({**GOOD, "day": "soon"}, 422, ["body", "day"], "not_a_date"),
        ({**GOOD, "note": 7}, 422, ["body", "note"], "not_a_text"),
        ({"rows": [GOOD, {**GOOD, "x": "1,5 km"}]}, 422, ["body", "rows", 1, "x"], "not_a_number"),
        ({name: cell for name, cell in GOOD.items() if name != "place"}, 422, ["body", "place"], "missing"),
    ],
)
def test_what_cannot_be_answered_is_refused_with_its_place(
    port: int, body: Any, status: int, place: list[str | int], kind: str
) -> None:
    got, told = ask(port, body)
    assert got == status
    assert told["detail"][0]["loc"] == place
    assert told["detail"][0]["type"] == kind


def test_a_misspelt_column_is_guessed_and_extra_ones_do_no_harm(port: int) -> None:
    row = {**GOOD, "Plaze": "north"}
    del row["place"]
    _, told = ask(port, row)
    assert "missing" in told["detail"][0]["msg"]
    assert ask(port, {**GOOD, "id": 7, "late": "yes"})[0] == 200
    assert ask(port, json.dumps(GOOD).encode(), Content_Type="text/plain")[0] == 415


def test_with_a_key_all_but_health_asks_for_it(reckoner: OpenedRun) -> None:
    with serving(reckoner, key="s3cret-canary") as port:
        asked = (("/predict", "POST"), ("/metrics", "GET"), ("/schema", "GET"), ("/openapi.json", "GET"))
        for path, method in asked:
            status, told = ask(port, {"x": 1} if method == "POST" else None, method, path)
            assert status == 401
            assert "canary" not in json.dumps(told)
            assert ask(port, {"x": 1}, method, path, Authorization="Bearer wrong")[0] == 401
        assert ask(port, {"x": 21}, Authorization="Bearer s3cret-canary") == (200, {"prediction": 42})
        assert ask(port, None, "GET", "/healthz")[0] == 200
        status, described = ask(port, None, "GET", "/openapi.json", Authorization="Bearer s3cret-canary")
        assert (status, set(described["paths"])) == (200, {"/predict", "/schema", "/metrics", "/healthz"})
        _, metrics = ask(port, None, "GET", "/metrics", Authorization="Bearer s3cret-canary")
        assert "canary" not in metrics


def slow(reckoner: OpenedRun, gate: threading.Event, calls: list[int]) -> OpenedRun:
    """The same run with a model that answers only when the gate is open, and notes how many rows came together."""

    def answer(frame: pd.DataFrame) -> Answers:
        calls.append(len(frame))
        gate.wait(30)
        if (frame["x"] == 13).any():
            raise BadInput("Thirteen is not answered.", code="thirteen")
        return reckoner.backend.answer(frame)

    return OpenedRun(reckoner.folder, reckoner.record, Backend(reckoner.columns, (), answer))


def test_requests_that_wait_are_answered_together_and_each_gets_its_own(reckoner: OpenedRun) -> None:
    gate, calls = threading.Event(), list[int]()
    with serving(slow(reckoner, gate, calls)) as port, ThreadPoolExecutor(33) as clients:
        first = clients.submit(ask, port, {"x": 0})
        while not calls:
            time.sleep(0.01)
        rest = [clients.submit(ask, port, {"x": number}) for number in range(1, 33)]
        while "in_flight 33" not in ask(port, None, "GET", "/metrics")[1]:
            time.sleep(0.01)
        gate.set()
        assert first.result() == (200, {"prediction": 0})
        answered = [one.result() for one in rest]
    # Thirteen spoils the batch it shares; every other row of that batch is still answered.
    assert [status for status, _ in answered] == [422 if number == 13 else 200 for number in range(1, 33)]
    assert [told["prediction"] for status, told in answered if status == 200] == [
        2 * n for n in range(1, 33) if n != 13
    ]
    assert max(calls) == 32


def test_a_slow_model_a_slow_body_and_a_full_queue_are_told_apart(reckoner: OpenedRun) -> None:
    gate, calls = threading.Event(), list[int]()
    with serving(slow(reckoner, gate, calls), request_seconds=0.5, waiting_rows=2) as port:
        with ThreadPoolExecutor(4) as clients:
            first = clients.submit(ask, port, {"x": 0})
            while not calls:
                time.sleep(0.01)
            assert ask(port, {"rows": [{"x": 1}, {"x": 2}, {"x": 3}]})[0] == 503
            assert first.result()[0] == 504
        gate.set()
        with socket.create_connection(("127.0.0.1", port)) as raw:
            head = "POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"
            raw.sendall(head.encode())
            assert b" 408 " in raw.recv(1000)
        assert ask(port, {"x": 4}) == (200, {"prediction": 8})


@pytest.mark.heavy
def test_what_is_kept_is_what_was_answered_and_a_kill_loses_none_of_it(
    case: Path, opened: OpenedRun, tmp_path: Path
) -> None:
    shutil.copytree(case, tmp_path / "case")
    rows = rows_of(table(20, seed=6).drop(columns="late"))
    server = subprocess.Popen(
        [sys.executable, "-m", "advisor", "serve", "case", "--port", "0", "--keep", "asked.jsonl", "--json"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
    )
    assert server.stdout is not None
    lines = "".join(iter(server.stdout.readline, "}\n")) + "}"
    port = int(json.loads(lines)["url"].rpartition(":")[2])
    answered = [ask(port, row) for row in rows]
    server.send_signal(signal.SIGKILL)
    server.communicate()
    kept = [json.loads(line) for line in (tmp_path / "asked.jsonl").read_text(encoding="utf-8").splitlines()]
    assert all(0 < line.pop("answered_seconds") < 60 for line in kept)
    assert kept == [{**row, "prediction": told["prediction"]} for row, (_, told) in zip(rows, answered, strict=True)]
    assert oct((tmp_path / "asked.jsonl").stat().st_mode)[-3:] == "600"


def test_the_command_stops_gracefully_and_refuses_what_is_unsafe(case: Path, tmp_path: Path) -> None:
    program = [sys.executable, "-m", "advisor", "serve", str(case), "--port", "0"]
    place = {"cwd": tmp_path, "text": True, "env": {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}}
    server = subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **place)
    assert server.stdout is not None
    said = server.stdout.readline()
    port = int(said.split("/predict")[0].rpartition(":")[2])
    assert ask(port, GOOD)[0] == 200
    server.send_signal(signal.SIGTERM)
    _, remarks = server.communicate(timeout=60)
    assert server.returncode == 0, remarks
    assert "Traceback" not in remarks
    with pytest.raises(BadInput) as refused:
        dispatch(["serve", str(case), "--host", "0.0.0.0"])
    assert refused.value.code == "no-key"


def test_what_the_first_answer_needs_is_loaded_before_any_request_is_taken(
    reckoner: OpenedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    slow = replace(reckoner, backend=replace(reckoner.backend, warm=lambda: done.append("loaded")))
    monkeypatch.setattr("advisor.cli.run_folder.run_folder", Path)
    monkeypatch.setattr("trainers.use.opened.open_run", lambda *_: slow)
    monkeypatch.setattr("trainers.serving.server.serve_forever", lambda *_, **__: done.append("serves"))
    dispatch(["serve", "a-run", "--port", "0"])
    assert done == ["loaded", "serves"]


def test_limits_are_positive_and_come_from_the_rules() -> None:
    assert limits(max_rows=5).max_rows == 5
    assert limits().request_seconds > 1
    with pytest.raises(BadInput):
        limits(max_bytes=0)
    assert body_schema((InputColumn("x", "number"),), 7)["oneOf"][1]["properties"]["rows"]["maxItems"] == 7


def test_rows_of_two_clients_never_meet_where_rows_mean_something_only_together(reckoner: OpenedRun) -> None:
    def sums(frame: pd.DataFrame) -> Answers:
        time.sleep(0.05)  # so that the others wait meanwhile
        return Answers([float(frame["x"].sum())] * len(frame))

    for together in (False, True):
        backend = Backend((InputColumn("x", "number"),), (), sums, together=together)
        with serving(OpenedRun(reckoner.folder, reckoner.record, backend)) as port, ThreadPoolExecutor(8) as clients:
            bodies = [{"rows": [{"x": 1.0}] * count} for count in range(1, 9)]
            told = list(clients.map(lambda body: ask(port, body)[1]["predictions"], bodies))
        own = [[{"prediction": float(count)}] * count for count in range(1, 9)]
        assert (told == own) is together


def test_half_a_character_is_refused_and_what_fails_here_is_counted_as_500(reckoner: OpenedRun, tmp_path: Path) -> None:
    def answer(frame: pd.DataFrame) -> Answers:
        if (frame["x"] == 13).any():
            raise RuntimeError("a model that breaks")
        return reckoner.backend.answer(frame)

    broken = OpenedRun(reckoner.folder, reckoner.record, Backend(reckoner.columns, (), answer))
    journal = Journal(tmp_path / "asked.jsonl")
    with serving(broken, journal=journal) as port:
        for half in (b'{"x": 1, "note": "\\ud800"}', b'{"x": 1, "note": "\xed\xa0\x80"}', b'{"x": 1, "\\uDC00": 2}'):
            status, told = ask(port, half)
            assert (status, told["detail"][0]["type"]) == (422, "json_invalid")
        assert ask(port, b'{"x": 2, "note": "\\ud83d\\ude00"}') == (200, {"prediction": 4})
        assert ask(port, {"x": 13})[0] == 500
        _, text = ask(port, None, "GET", "/metrics")
    journal.close()
    assert 'requests_total{code="500"} 1\n' in text
    assert 'requests_total{code="422"} 3\n' in text
    assert [json.loads(line)["x"] for line in (tmp_path / "asked.jsonl").read_text("utf-8").splitlines()] == [2]


def test_a_thousand_dates_are_read_at_once_and_each_fault_is_told_with_its_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    columns = (InputColumn("day", "date", form="%Y-%m-%d"), InputColumn("when", "date"), InputColumn("x", "number"))
    said = ["2024-03-01", "March 1, 2024", "1 Mar 2024 12:30", None]
    rows = [{"day": "2024-03-01", "when": said[at % 4], "x": " 1.5 "} for at in range(1_000)]
    calls: list[int] = []
    read = pd.to_datetime

    def counted(cells: Any, **options: Any) -> Any:
        calls.append(len(cells))
        return read(cells, **options)

    monkeypatch.setattr(pd, "to_datetime", counted)
    assert read_rows(json.dumps({"rows": rows}).encode(), columns, 1_000) == (rows, False)
    assert calls == [1_000, 750]
    rows[7]["when"], rows[999]["day"], rows[3]["x"] = "soon", "1.3.2024", "NA"
    with pytest.raises(Refused) as refused:
        read_rows(json.dumps({"rows": rows}).encode(), columns, 1_000)
    places = [one["loc"] for one in refused.value.faults]
    assert places == [["body", "rows", 999, "day"], ["body", "rows", 7, "when"]]
    every = [{"day": "x", "when": "y", "x": "z"}] * 30
    with pytest.raises(Refused) as many:
        read_rows(json.dumps({"rows": every}).encode(), columns, 1_000)
    assert len(many.value.faults) == 20


class Counting:
    """A partner in conversation that counts aloud."""

    longest = 3

    def asked(self, messages: Any) -> list[int]:
        return [len(messages)]

    def words(self, tokens: Any, longest: int) -> Iterator[tuple[str, int, bool]]:
        yield from ((f"{n} ", n, n == longest) for n in range(1, longest + 1))


def test_conversations_are_kept_as_they_were_answered(reckoner: OpenedRun, tmp_path: Path) -> None:
    backend = Backend((), (), reckoner.backend.answer, chat=Counting())
    journal = Journal(tmp_path / "asked.jsonl")
    messages = [{"role": "user", "content": "count"}]
    with serving(OpenedRun(reckoner.folder, reckoner.record, backend), journal=journal) as port:
        for stream in (False, True):
            assert ask(port, {"messages": messages, "stream": stream}, path="/v1/chat/completions")[0] == 200
        assert (
            ask(port, b'{"messages": [{"role": "user", "content": "\\ud800"}]}', path="/v1/chat/completions")[0] == 400
        )
    journal.close()
    kept = [json.loads(line) for line in (tmp_path / "asked.jsonl").read_text("utf-8").splitlines()]
    assert all(line.pop("answered_seconds") >= 0 for line in kept)
    assert kept == [{"messages": messages, "prediction": "1 2 3 "}] * 2


def test_small_times_still_count_after_weeks_of_serving() -> None:
    meter = Histogram((1.0,))
    meter.total = 1_000_000.0
    meter.add(0.25)
    assert "s_sum 1000000.25" in meter.lines("s", "")


@pytest.mark.parametrize("port", [99_999, -1])
def test_what_is_no_port_is_bad_input(port: int) -> None:
    with pytest.raises(BadInput):
        listen("127.0.0.1", port)
