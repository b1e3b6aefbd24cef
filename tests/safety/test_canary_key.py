"""A key in the environment, a header, an address, a server's error: found in no file, no line, no traceback."""

# ruff: noqa: E501  (a table of payloads reads better unwrapped)
from __future__ import annotations

import base64
import json
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cases import light_plan, table_case
from promises import Figure

from tests.command import train_or_not

CANARY = "sk-canary-5f4dcc3b5aa765d61d8327deb882cf99"
PIECE = CANARY[:16]  # half a key is a leak too
NAMES = ("TRAIN_OR_NOT_API_KEY", "OPENAI_API_KEY", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "AWS_SECRET_ACCESS_KEY",
         "ANTHROPIC_API_KEY", "WANDB_API_KEY", "HTTPS_PROXY_PASSWORD", "DATABASE_URL")  # fmt: skip
FORMS = {form for text in (PIECE, CANARY) for form in (
    text.encode(), text.encode("utf-16-le"), text.encode().hex().encode(), base64.b64encode(text.encode())[:20],
)}  # fmt: skip


class TellingServer:
    """A server that says the key it was sent in everything it answers."""

    def __init__(self, status: int) -> None:
        self.seen: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                key = self.headers.get("Authorization", "")
                outer.seen.append(key)
                told = f"Incorrect API key provided: {key}. {'x' * 151} {key} {'y' * 30} {key}"
                body: dict[str, object] = {"error": {"message": told, "type": key, "code": key, "param": key}}
                if status == 200:
                    message = {"role": "assistant", "content": f"cash {key}"}
                    body = {
                        "id": key, "object": "chat.completion", "created": 1, "model": f"m {key}",
                        "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
                        "usage": {"prompt_tokens": 20, "completion_tokens": 5, "total_tokens": 25},
                    }  # fmt: skip
                self.answer(status, body, key)

            def do_GET(self) -> None:
                key = self.headers.get("Authorization", "")
                one = {"id": "m", "object": "model", "created": 1, "owned_by": key, "shutdown_date": key}
                self.answer(status, {"object": "list", "data": [one]}, key)

            def answer(self, status: int, body: dict[str, object], key: str) -> None:
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.send_header("X-Request-Id", key)
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *words: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> TellingServer:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def leaks(folder: Path) -> list[str]:
    """Every file below that holds the canary, or half of it, in any common form."""
    found = []
    for path in folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            found += [str(path.relative_to(folder)) for form in FORMS if form in content]
    return found


def test_the_search_would_find_it(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text(f"x {CANARY}")
    (tmp_path / "half").write_text(PIECE)
    (tmp_path / "wide").write_text(CANARY, encoding="utf-16-le")
    (tmp_path / "coded").write_bytes(base64.b64encode(CANARY.encode()))
    assert set(leaks(tmp_path)) == {"plain", "half", "wide", "coded"}


@pytest.fixture
def everywhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in NAMES:
        monkeypatch.setenv(name, CANARY)
    monkeypatch.setenv("OPENAI_LOG", "debug")  # what a curious user sets
    monkeypatch.setenv("OPENAI_ORG_ID", CANARY)
    yield


def tickets_case(folder: Path) -> None:
    from advisor.cli.demo import SHIPPED

    (folder / "my-case").mkdir(parents=True)
    rows = "text,label\n" + "".join(
        f'"my {["cash", "card", "login"][n % 3]} number {n} is not right",{["cash", "card", "login"][n % 3]}\n'
        for n in range(120)
    )
    (folder / "my-case" / "data.csv").write_text(rows)
    answers = (SHIPPED / "tickets" / "answers.yaml").read_text()
    answers = answers.replace("tickets.csv", "data.csv").replace("target: answer", "target: label")
    (folder / "my-case" / "answers.yaml").write_text(answers)


@pytest.mark.heavy
def test_no_key_is_found_anywhere_after_the_whole_chain(everywhere: None, tmp_path: Path, figure: Figure) -> None:
    folder, said = tmp_path / "work", tmp_path / "said"
    said.mkdir()
    table_case(folder)
    number = 0

    def run(*words: str, **environment: str) -> int:
        nonlocal number
        number += 1
        done = train_or_not(*words, folder=folder, **environment)
        (said / f"{number}.out").write_text(done.out)
        (said / f"{number}.err").write_text(done.err)
        return done.code

    for words in (("look", "my-case"), ("decide", "my-case"), ("plan", "my-case", "--approach", "classical")):
        run(*words)
    light_plan(folder)
    for words in (("train", "my-case"), ("report", "my-case"), ("doctor",), ("list",),
                  ("explain", "my-case"), ("decide", "my-case", "--json"), ("report", "my-case", "--json")):  # fmt: skip
        run(*words)
    shutil.move(folder / "my-case", folder / "table-case")
    tickets_case(folder)
    (folder / "problem.txt").write_text("We route tickets of customers to three teams. Data may not leave our house.")
    for status in (200, 401, 500):
        with TellingServer(status) as server:
            plain, secret = f"http://{server.host}/v1", f"http://me:{CANARY}@{server.host}/v1"
            for address in (plain, secret, f"{plain}?key={CANARY}", f"{plain}/{CANARY}", f"{plain}#{CANARY}"):
                for more in ((), ("--json",), ("--dry-run",), ("--dry-run", "--json")):
                    if address != plain or not more or status == 200:
                        run("climb", "my-case", "--endpoint", address, "--model", "m", "--price", "1,1", "--max-usd",
                            "0.01", "--yes", "--max-minutes", "0.2", *more)  # fmt: skip
                run("climb", "my-case", "--endpoint", address, "--model", "m", "--max-usd", "1", "--yes", "--dry-run")
                run("ask", "my-case", "--from", "problem.txt", "--endpoint", address, "--model", "m", "--no-input")
            assert any(CANARY in key for key in server.seen), "the key was never sent, so nothing was tried"
    run("report", "my-case")
    run("climb", "my-case", "--endpoint", f"http://x:{CANARY}@", "--model", "m", TRAIN_OR_NOT_DEBUG="1")
    run("list", "--json")
    shutil.copytree(folder, tmp_path / "all" / "work")
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) > 60
    assert leaks(tmp_path) == []
    figure(13, "places that hold the key or half of it", f"0 of {len(files)} files and outputs")


STRANGERS = (
    "https://evil.example/v1", "http://127.0.0.1.evil.example/v1", "http://localhost.evil.example/v1",
    "https://evil.example//localhost/v1", "https://api.openai.com/v1",
)  # fmt: skip


def test_a_plan_or_a_run_from_a_stranger_chooses_no_receiver(
    everywhere: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, figure: Figure
) -> None:
    """The address stands in a file that somebody else may have written: rows and key go nowhere before a person's yes."""
    from advisor.base.errors import BadInput
    from advisor.records.plan import Setting
    from tests.hosted.test_hosted import plan_for, ticket_rows
    from trainers.common.runfolder import complete, keep
    from trainers.hosted.trainer import HostedTrainer
    from trainers.use.opened import Allowance
    from trainers.use.rung_folder import Kept
    from trainers.use.rungs import _asker

    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    rows = ticket_rows(80)
    data = "ticket,answer\n" + "".join(f'"{row["ticket"]}","{row["answer"]}"\n' for row in rows)
    (tmp_path / "tickets.csv").write_text(data)
    refused = 0
    for number, address in enumerate(STRANGERS):
        plan = plan_for(tmp_path, address)
        run = tmp_path / "runs" / f"hosted-{number}"
        run.mkdir(parents=True)
        told = {"choices": {name: one.value for name, one in plan.settings.items()}, "tuned_model": "m", "target": "a"}
        keep(run, "run.json", json.dumps({"hyperparameters": told, "plan": {"drop": []}}))
        complete(run)
        kept = Kept("zero-shot", "prompt", "classify", address, "m", ("t",), ("a", "b"), {}, {}, {}, (0.0, 0.0))
        assert isinstance(plan.settings["endpoint"], Setting)
        for attempt in (
            lambda plan=plan, run=run: HostedTrainer().train(plan, tmp_path, run, None),  # type: ignore[arg-type]
            lambda run=run: list(HostedTrainer().predict(run, [{"t": "x"}])),
            lambda run=run, kept=kept: _asker(run, kept, Allowance(None)),
        ):
            with pytest.raises(BadInput) as caught:
                attempt()
            assert caught.value.code == "not-agreed", caught.value.what
            refused += 1
    figure(13, "strangers' addresses that were sent anything", f"0 of {refused}")


def test_a_server_that_sends_us_elsewhere_is_not_followed(everywhere: None, figure: Figure) -> None:
    """Nobody agreed to where a redirect leads; the client's own default would send the rows there."""
    from advisor.base.llm import AttemptFailed, OpenAIDoor

    asked: list[str] = []

    class Stranger(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.path)
            self.send_error(500)

        def do_GET(self) -> None:
            self.do_POST()

        def log_message(self, *words: object) -> None:
            pass

    class Pointing(Stranger):
        status = 0

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(self.status)
            self.send_header("Location", f"http://127.0.0.1:{stranger.server_address[1]}/{CANARY}")
            self.send_header("Content-Length", "0")
            self.end_headers()

    stranger = ThreadingHTTPServer(("127.0.0.1", 0), Stranger)
    pointing = ThreadingHTTPServer(("127.0.0.1", 0), Pointing)
    for server in (stranger, pointing):
        threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        for Pointing.status in (301, 302, 303, 307, 308):
            door = OpenAIDoor("m", f"http://127.0.0.1:{pointing.server_address[1]}/v1")
            with pytest.raises(AttemptFailed) as caught:
                door.complete([{"role": "user", "content": "a private row"}], max_tokens=5)
            assert PIECE not in json.dumps(caught.value.as_dict())
            assert not caught.value.retry
            assert caught.value.fix
        assert asked == []
        figure(13, "redirects followed", "0 of 5")
    finally:
        for server in (stranger, pointing):
            server.shutdown()
            server.server_close()


def test_what_is_for_this_machine_goes_through_no_proxy(everywhere: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from advisor.base.llm import OpenAIDoor

    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with TellingServer(200) as server:
        reply = OpenAIDoor("m", f"http://{server.host}/v1").complete([{"role": "user", "content": "hi"}], max_tokens=5)
    assert reply.text


def test_an_error_that_cuts_a_key_in_two_shows_neither_half(everywhere: None) -> None:
    from advisor.base.llm import AttemptFailed, OpenAIDoor

    for status in (400, 401, 429, 500):
        with TellingServer(status) as server, pytest.raises(AttemptFailed) as caught:
            OpenAIDoor("m", f"http://{server.host}/v1").complete([{"role": "user", "content": "hi"}], max_tokens=5)
        told = json.dumps(caught.value.as_dict()) + repr(caught.value) + str(caught.value.args)
        assert PIECE not in told, told
        assert caught.value.__cause__ is None  # what a traceback would show


def test_an_answer_that_tells_the_key_is_kept_without_it(everywhere: None) -> None:
    from advisor.base.llm import OpenAIDoor

    with TellingServer(200) as server:
        reply = OpenAIDoor("m", f"http://{server.host}/v1").complete([{"role": "user", "content": "hi"}], max_tokens=5)
    assert PIECE not in str(reply)


def test_no_checkpoint_holds_a_token(everywhere: None, tmp_path: Path, figure: Figure) -> None:
    """A checkpoint is made of tensors and plain settings; nothing of the environment goes in."""
    torch = pytest.importorskip("torch", reason="fine-tuning is in the lora extra")
    from advisor.base.errors import BadInput
    from advisor.records.plan import Setting
    from trainers.lora.bundle import Bundle, newest_bundle, save_bundle
    from trainers.lora.recipe import recipe_of

    for name in ("hub_token", "token"):
        with pytest.raises(BadInput) as caught:
            recipe_of({name: Setting(CANARY)})
        assert CANARY not in str(caught.value.as_dict())
    weights = {"w": torch.ones(4)}
    save_bundle(tmp_path, Bundle(weights, {"m": torch.zeros(4)}, torch.get_rng_state(), {"step": 1}))
    assert newest_bundle(tmp_path) is not None
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.name for path in files} == {"adapter.safetensors", "optimiser.safetensors", "state.json", "COMPLETE"}
    assert leaks(tmp_path) == []
    figure(4, "checkpoint files with a token or a pickle", f"0 of {len(files)}")
