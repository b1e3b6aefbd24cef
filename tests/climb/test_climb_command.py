"""The command as a user meets it: what it says before it spends, and what it leaves behind."""

from __future__ import annotations

import csv
import json
import random
from pathlib import Path

import pytest

from tests.climb.bad_server import BadServer
from tests.command import train_or_not
from trainers.common.lock import locked


def a_case(folder: Path, *, text: bool) -> None:
    """A case with 300 rows: two classes told apart by a word, or by one number."""
    generator = random.Random(0)
    with (folder / "rows.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["message" if text else "size", "colour", "label"])
        for at in range(300):
            label = "big" if at % 3 else "small"
            told = f"this one is {'huge and heavy' if label == 'big' else 'tiny and light'} number {at}"
            size = (60 if label == "big" else 30) + generator.gauss(0, 8)
            writer.writerow([told if text else round(size, 2), generator.choice(["red", "blue"]), label])
    assert train_or_not("new", "case", folder=folder).code == 0
    looked = train_or_not("look", "case", "--data", "rows.csv", "--target", "label", "--quiet", folder=folder)
    assert looked.code == 0, looked.err


@pytest.mark.heavy
def test_a_table_is_climbed_without_a_language_model_and_decides_again(tmp_path: Path) -> None:
    a_case(tmp_path, text=False)
    (tmp_path / "rule.yaml").write_text(
        "rules:\n  - answer: big\n    when: {column: size, above: 45}\notherwise: small\n"
    )
    said = train_or_not("climb", "case", "--rule", "rule.yaml", "--max-minutes", "1", "--json", folder=tmp_path)
    assert said.code == 0, said.err
    record = said.json
    scores = {rung["name"]: rung["score"]["value"] for rung in record["rungs"]}
    assert set(scores) == {"always the same", "one-column rule", "your rule", "trained model"}
    assert scores["your rule"] > 0.9 > scores["always the same"]
    assert record["recommended"] in ("one-column rule", "your rule"), "a rule that does as well is the better answer"
    assert record["calls"] == 0 and record["sealed"]["rows"] > 0
    facts = {fact["name"]: fact for fact in json.loads((tmp_path / "case" / "facts.json").read_text())["facts"]}
    assert facts["baseline_beats_trivial"]["value"] == "yes"
    assert facts["baseline_beats_trivial"]["origin"] == "measured"
    ledger = (tmp_path / "case" / "ledger.jsonl").read_text()
    assert ledger.count('"sealed_opened"') == 1 and '"climbed"' in ledger
    again = train_or_not("climb", "case", "--rule", "rule.yaml", "--max-minutes", "1", "--json", folder=tmp_path)
    assert again.json["sealed"] == record["sealed"]
    assert (tmp_path / "case" / "ledger.jsonl").read_text().count('"sealed_opened"') == 1, "the same look counts once"


@pytest.mark.heavy
def test_nothing_is_sent_before_it_is_said_and_confirmed(tmp_path: Path) -> None:
    a_case(tmp_path, text=True)
    key = {"TRAIN_OR_NOT_API_KEY": "sk-not-a-real-key"}
    with BadServer("none") as server:
        paid = ("--endpoint", server.url, "--model", "m", "--price", "1,1")
        dry = train_or_not("climb", "case", *paid, "--max-usd", "1", "--dry-run", "--json", folder=tmp_path, **key)
        assert dry.code == 0
        assert dry.json["most_usd"] > dry.json["usd"] > 0 and dry.json["calls"] > 60
        unasked = train_or_not("climb", "case", *paid, "--max-usd", "1", folder=tmp_path, **key)
        assert unasked.code == 2 and "not-confirmed" in unasked.err
        for foreign in ("http://127.0.0.1.example.invalid/v1", "http://example.invalid//localhost/v1"):
            free = ("--endpoint", foreign, "--model", "m", "--price", "0,0", "--max-usd", "1")
            looks_local = train_or_not("climb", "case", *free, folder=tmp_path, **key)
            assert "not-confirmed" in looks_local.err, "only this machine's own address is asked without a yes"
        unknown = train_or_not(
            "climb", "case", "--endpoint", server.url, "--model", "m", "--max-usd", "1", folder=tmp_path, **key
        )
        assert unknown.code == 2 and "unknown-price" in unknown.err
        assert server.requests == 0
        done = train_or_not("climb", "case", *paid, "--max-usd", "0.004", "--yes", "--json", folder=tmp_path, **key)
        assert done.code == 6, "a cap that is reached is said by the exit code"
        assert float(server.bill) <= 0.004
        assert done.json["usd"] <= 0.004
    assert done.json["stopped"].startswith("The cap of 0.00 USD")
    kept = [path for path in (tmp_path / "case").rglob("*") if path.is_file()]
    assert not any(b"sk-not-a-real-key" in path.read_bytes() for path in kept)
    assert "sk-not-a-real-key" not in done.out + done.err
    assert (tmp_path / "case" / "climb.json").exists()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--endpoint", "http://127.0.0.1:1/v1", "--model", "m"), "no-cap"),
        (("--endpoint", "api.openai.com"), "bad-address"),
        (("--text", "mesage"), "no-column"),
    ],
)
def test_a_mistake_is_refused_with_its_cure(
    tmp_path_factory: pytest.TempPathFactory, words: tuple[str, ...], code: str
) -> None:
    folder = tmp_path_factory.getbasetemp() / "climb-mistakes"
    if not folder.exists():
        folder.mkdir()
        a_case(folder, text=True)
    said = train_or_not("climb", "case", *words, folder=folder)
    assert said.code == 2
    assert code in said.err and "fix:" in said.err


@pytest.mark.heavy
def test_a_key_is_asked_for_before_a_yes_and_two_climbs_of_a_case_are_told_apart_from_trainings(
    tmp_path: Path,
) -> None:
    a_case(tmp_path, text=True)
    paid = ("--endpoint", "https://api.openai.com/v1", "--model", "gpt-6-luna", "--max-usd", "1")
    said = train_or_not("climb", "case", *paid, folder=tmp_path)
    assert said.code == 5 and "no-key" in said.err and "export TRAIN_OR_NOT_API_KEY" in said.err
    (tmp_path / "case" / ".climb").mkdir(exist_ok=True)
    with locked(tmp_path / "case" / ".climb", "climb"):
        said = train_or_not("climb", "case", folder=tmp_path)
    assert said.code == 2 and "Another climb of this case is running" in said.err


@pytest.mark.heavy
def test_numbers_beside_a_text_are_measured_by_their_error(tmp_path: Path) -> None:
    generator = random.Random(1)
    with (tmp_path / "rows.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["message", "price"])
        for at in range(300):
            good = generator.random() < 0.5
            words = "a bright and spacious flat" if good else "a dark and narrow old room"
            writer.writerow([f"{words} number {at}", round((900 if good else 400) + generator.gauss(0, 30), 2)])
    assert train_or_not("new", "case", folder=tmp_path).code == 0
    looked = train_or_not("look", "case", "--data", "rows.csv", "--target", "price", "--quiet", folder=tmp_path)
    assert looked.code == 0, looked.err
    said = train_or_not("climb", "case", "--dry-run", "--json", folder=tmp_path)
    assert said.code == 0, said.err
    assert said.json["task"] == "regression" and said.json["calls"] == 0
