"""Asked for probabilities instead of words: by decisions, by letters, by the embedded model; not where none come."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from advisor.base.choices import lettered
from advisor.base.llm import Message, OpenAIDoor, Reply
from tests.climb.bad_server import BadServer
from tests.climb.doors import SayingDoor, asker_for, right_label, tickets
from tests.lora.conftest import write_tiny_model
from trainers.climb.ladder import Climb
from trainers.climb.likely import LikelyFewShot, MostLikely
from trainers.climb.measure import measure
from trainers.climb.task import Task

QUESTION: list[Message] = [{"role": "system", "content": "Sort it."}, {"role": "user", "content": "money back please"}]


class LeaningDoor(SayingDoor):
    """Knows the right label, and leans towards one of them so much that it is always the likeliest."""

    def complete(self, messages: Sequence[Message], **asked: Any) -> Reply:
        options = asked.get("options", ())
        right = right_label(messages)
        weights = tuple(-2.0 * (option != right) + 5.0 * (option == "login") for option in options)
        return replace(super().complete(messages, max_tokens=1), weights=weights)


def told(task: Task, door: SayingDoor, folder: Path, kind: type[MostLikely]) -> float:
    rung = kind(asker_for(door, folder))
    rung.prepare(task)
    again = kind(asker_for(door, folder / "again"))
    again.restore(task, json.loads(json.dumps(rung.kept())))
    items = task.development[:20]
    assert [rung.answer(item).text for item in items] == [again.answer(item).text for item in items]
    return measure(rung, task, None).interval()[0]


@pytest.mark.parametrize("kind", [MostLikely, LikelyFewShot])
def test_what_a_model_leans_to_is_taken_out(kind: type[MostLikely], tmp_path: Path) -> None:
    assert told(tickets(), LeaningDoor(right_label), tmp_path, kind) == 1.0


def test_a_server_without_probabilities_leaves_the_rung_out_and_not_the_others(tmp_path: Path) -> None:
    asker = asker_for(SayingDoor(right_label), tmp_path)
    climb = Climb(tickets(), None, asker.meter, lambda rung: 1)
    record = climb.climb([MostLikely(asker), LikelyFewShot(asker)], endpoint="x", as_of="2026-11-22")
    assert [(rung.status, rung.text) for rung in record.rungs] == [
        ("not_applicable", "This server tells no probabilities.")
    ] * 2
    assert len(asker.door.asked) == 1, "found out once"
    with BadServer("none") as server:
        assert not asker_for(OpenAIDoor("m", server.url), tmp_path / "real").weighs(QUESTION, ["refund", "login"])


@pytest.fixture
def weighing_server() -> Iterator[Any]:
    """A server that tells the probability of letters, and of decisions where `decides` is set."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            server.asked.append((self.path, asked))  # type: ignore[attr-defined]
            usage = {"prompt_tokens": 30, "completion_tokens": 1, "total_tokens": 31}
            status, body = 200, {}
            if self.path.endswith("/decisions"):
                status = 200 if server.decides else 404  # type: ignore[attr-defined]
                shares = [{"value": "refund", "probability": 0.7}, {"value": "login", "probability": 0.3}]
                choice = {"type": "choice", "choice": "refund", "confidence": 0.7, "probabilities": shares}
                none = {"cache_write_tokens": 0, "cached_tokens": 0}
                body = {"answers": [choice], "model": "m", "usage": {"input_tokens": 30, "output_tokens": 0,
                        "total_tokens": 30, "input_tokens_details": none,
                        "output_tokens_details": {"reasoning_tokens": 0}}}  # fmt: skip
            else:
                top = [{"token": token, "logprob": share, "bytes": None} for token, share in
                       ((" B", -0.2), ("b", -2.0), ("A", -1.5), ("Sure", -1.0))]  # fmt: skip
                first = {"token": " B", "logprob": -0.2, "bytes": None, "top_logprobs": top}
                message = {"role": "assistant", "content": " B"}
                body = {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "usage": usage, "choices": [
                    {"index": 0, "finish_reason": "length", "message": message, "logprobs": {"content": [first]}}
                ]}  # fmt: skip
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *words: object) -> None:
            pass

    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked, server.decides = [], False
    server.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_a_server_with_decisions_is_asked_for_one(weighing_server: Any, tmp_path: Path) -> None:
    weighing_server.decides = True
    answer = asker_for(OpenAIDoor("m", weighing_server.url), tmp_path).ask(
        QUESTION, max_tokens=1, options=["refund", "login"]
    )
    assert answer.text == "refund" and answer.tokens_in == 30
    assert answer.weights == pytest.approx((math.log(0.7), math.log(0.3)))
    asked = weighing_server.asked[0][1]["questions"][0]
    assert asked["type"] == "choice" and asked["instructions"] == "Sort it."
    assert [one["value"] for one in asked["choices"]] == ["refund", "login"]


def test_any_other_server_is_asked_for_a_letter(weighing_server: Any, tmp_path: Path) -> None:
    asker = asker_for(OpenAIDoor("m", weighing_server.url), tmp_path)
    answer = asker.ask(QUESTION, max_tokens=1, options=["refund", "login"])
    assert answer.text == "login" and answer.weights == (-1.5, -0.2)
    paths = [path for path, _ in weighing_server.asked]
    assert [path.rsplit("/", 1)[-1] for path in paths] == ["decisions", "completions"]
    last = weighing_server.asked[-1][1]
    assert last["max_tokens"] == 1 and last["logprobs"] is True
    assert last["messages"][-1]["content"].endswith("A: refund\nB: login")
    asker.ask(QUESTION, max_tokens=1, options=["refund", "login"])
    assert len(weighing_server.asked) == 2, "answered from the store"


def test_letters_end_at_twenty() -> None:
    with pytest.raises(ValueError, match="21 answers"):
        lettered(QUESTION, [str(at) for at in range(21)])


def test_a_model_here_weighs_answers_as_it_would_write_them(tmp_path: Path) -> None:
    import torch

    from trainers.embedded.writer import Writer

    writer = Writer(write_tiny_model(tmp_path / "tiny"))
    prompt = writer.tokens_of(QUESTION)
    other = writer.tokens_of([*QUESTION[:1], {"role": "user", "content": "money for a card"}])
    answers = ["card", "cash payment", "account user system", "a"]
    alone = [writer.weigh(prompt, [answer])[0] for answer in answers]
    together = writer.weigh(prompt, answers)
    assert together == pytest.approx(alone, abs=1e-2)
    writer.write(other, 5)
    assert writer.weigh(prompt, answers) == pytest.approx(together, abs=1e-2), "what was seen before changes nothing"

    model, tokenizer = writer._model, writer._tokenizer
    ids = [*prompt, *tokenizer("cash payment", add_special_tokens=False)["input_ids"], 2]
    with torch.inference_mode():
        scores = torch.log_softmax(model(input_ids=torch.tensor([ids])).logits[0].float(), dim=-1)
    expected = sum(float(scores[at - 1, ids[at]]) for at in range(len(prompt), len(ids)))
    assert together[1] == pytest.approx(expected, abs=2e-2)


def test_a_model_here_writes_what_transformers_would(tmp_path: Path) -> None:
    from trainers.embedded.writer import Writer

    writer = Writer(write_tiny_model(tmp_path / "tiny", seed=3))
    prompt = writer.tokens_of(QUESTION)
    import torch

    ids = torch.tensor([prompt])
    made = writer._model.generate(
        ids, attention_mask=torch.ones_like(ids), max_new_tokens=12, do_sample=False, pad_token_id=2
    )[0, len(prompt) :]
    expected = writer._tokenizer.decode([token for token in made.tolist() if token != 2], skip_special_tokens=True)
    for _ in range(2):
        text, count = writer.write(prompt, 12)
        assert text == expected.strip() and count == len(made)
