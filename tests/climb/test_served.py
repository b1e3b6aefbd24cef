"""The whole chain through a server that nobody here wrote: `transformers serve` over a tiny model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.climb.served import served
from tests.command import train_or_not
from tests.lora.conftest import write_tiny_model


@pytest.mark.heavy
def test_transformers_serve_is_climbed_like_any_server(tmp_path: Path) -> None:
    for package in ("torch", "transformers", "fastapi", "uvicorn"):
        pytest.importorskip(package)
    model = write_tiny_model(tmp_path / "tiny")
    rows = [
        {"input": f"{'money back' if at % 2 else 'my card'} number {at}", "output": "ab"[at % 2]} for at in range(120)
    ]
    (tmp_path / "pairs.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert train_or_not("new", "case", folder=tmp_path).code == 0
    # An empty cache: what is measured here is the server, not the embedded model tuned beside it.
    around = {"TRAIN_OR_NOT_API_KEY": "sk-not-a-real-key", "XDG_CACHE_HOME": str(tmp_path / "cache")}
    with served(model, tmp_path) as url:
        words = ("climb", "case", "--pairs", "pairs.jsonl", "--endpoint", url, "--model", str(model), "--price", "0,0")
        words += ("--max-tokens", "2000000", "--examples", "20", "--workers", "1", "--json")
        said = train_or_not(*words, folder=tmp_path, **around)
        assert said.code == 0, said.err
        record = said.json
        again = train_or_not(*words, folder=tmp_path, **around).json
    rungs = {rung["name"]: rung for rung in record["rungs"]}
    for name in ("ready model", "few-shot prompt"):
        assert rungs[name]["score"]["rows"] == 20 and rungs[name]["latency_p50"] > 0, rungs[name]["text"]
        assert rungs[name]["extra"]["tokens_per_answer"] > 10, "the server counts its tokens, and they are told"
    told = "This server tells no probabilities."
    assert rungs["ready model, by probability"]["text"] == told, "what it accepts and ignores is found out by asking"
    assert record["recommended"] and record["sealed"]["rows"] > 0
    assert record["usd"] == 0 and record["calls"] > 60
    assert again["calls"] == 0, "the second climb asks nothing again"
