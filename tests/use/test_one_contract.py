"""For a run of each backend: the numbers of its record, from a file, by HTTP, and from its export in a new process."""

from __future__ import annotations

import csv
import json
import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from training_plans import Silent, plan_for, run_folder

from advisor.base.llm import OpenAIDoor
from advisor.cli.main import dispatch
from advisor.cli.run_folder import run_folder as run_of
from advisor.records.climb import ClimbRecord
from advisor.records.plain import load, to_plain
from advisor.records.run import RunRecord, Score
from tests.climb.doors import CENTS
from tests.command import train_or_not
from tests.interview.model_server import ModelServer
from tests.lora.conftest import write_tiny_model
from tests.lora.test_trainer import make_case
from tests.lora.test_trainer import plan_for as lora_plan
from tests.use.conftest import LIGHT, table
from tests.use.test_serving import ask, serving
from trainers.climb.answers import AnswerStore
from trainers.climb.asker import Asker
from trainers.climb.rungs import FewShot
from trainers.climb.spend import Meter
from trainers.climb.task import classification
from trainers.common.metrics import Output, metric_by_name
from trainers.export.bundle import export_run
from trainers.registry import find_trainer
from trainers.use.opened import Allowance, open_run
from trainers.use.rung_folder import Kept, keep_rung

WORDS = {"refund": "money back please", "delivery": "where is my parcel", "login": "password does not work"}
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Held:
    """A run, the rows that were held back from it, and what its record says of them."""

    run: Path
    rows: list[dict[str, Any]]
    predictions: list[Any]
    value: float


def tickets(folder: Path, *, subtle: bool = False) -> None:
    """A case with 300 short texts of three kinds; where `subtle`, one in ten bears the wrong label."""
    generator = random.Random(0)
    with (folder / "rows.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["message", "label"])
        for at in range(300):
            label = list(WORDS)[at % 3]
            said = list(WORDS)[(at + 1) % 3] if subtle and at % 10 == 0 else label
            writer.writerow([f"{WORDS[label]} number {at} {generator.random():.6f}", said])
    assert train_or_not("new", "case", folder=folder).code == 0
    looked = train_or_not("look", "case", "--data", "rows.csv", "--target", "label", "--quiet", folder=folder)
    assert looked.code == 0, looked.err


def held_of_rung(given: Path) -> Held:
    run = run_of(str(given))
    case = run.parent.parent
    lines = [json.loads(line) for line in (run / "test_answers.jsonl").read_text().splitlines()]
    record = load(run / "run.json", RunRecord)
    data = case / record.plan.data
    given = [json.loads(line) for line in data.read_text().splitlines()] if data.suffix == ".jsonl" else None
    column = json.loads((run / "rung.json").read_text())["columns"][0]
    rows = given or list(csv.DictReader(data.read_text().splitlines()))
    from advisor.base.files import sha256_of_text

    by_id = {sha256_of_text(row[column].strip()): {column: row[column]} for row in rows}
    value = sum(line["score"] for line in lines) / len(lines)
    assert record.sealed.value == pytest.approx(value, abs=1e-12)
    assert record.sealed.rows == len(lines)
    return Held(run, [by_id[line["id"]] for line in lines], [line["ours"] for line in lines], value)


def sorts(request: dict[str, Any]) -> tuple[int, str]:
    """A model that knows the words of each category, and answers questions from the passages it is given."""
    if "messages" not in request:
        return 404, "only chat is answered here"
    asked = request["messages"][-1]["content"]
    if "colour of the sky" in asked:
        return 200, "blue"
    if "Question:" in asked:
        number = asked.rpartition("Question: How high is tower ")[2].partition("?")[0]
        found = [line for line in asked.splitlines() if f"Tower {number} is" in line]
        return 200, found[0].partition(" is ")[2].partition(" high")[0] if found else "unknown"
    label = next((label for label, words in WORDS.items() if words in asked), "refund")
    return 200, label


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with ModelServer(sorts) as one:
        yield one


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAIN_OR_NOT_API_KEY", "sk-none-at-all")


def classical(folder: Path, *, text: bool = False) -> Held:
    folder.mkdir(exist_ok=True)
    frame = table(400)
    if text:
        frame["note"] = frame["note"] + frame["late"].map({"yes": " angry", "no": " calm"})
        frame = frame[["note", "late"]]
    frame.to_csv(folder / "data.csv", index=False)
    plan = plan_for(folder / "data.csv", "late", "binary", "accuracy", settings={} if text else LIGHT)
    run = run_folder(folder)
    record = find_trainer("classical").train(replace(plan, data="data.csv"), folder, run, Silent())
    sealed = pd.read_csv(run / "test_predictions.csv")
    classes = open_run(run).classes
    rows = json.loads(frame.iloc[sealed["row"]].drop(columns="late").to_json(orient="records", double_precision=15))
    metric = metric_by_name("accuracy", "binary")
    value = metric.value(sealed["truth"].to_numpy(float), Output(labels=sealed["ours"].to_numpy(int)))
    assert value == record.sealed.value
    return Held(run, rows, [classes[code] for code in sealed["ours"].astype(int)], value)


def fine_tuned(folder: Path) -> Held:
    case = make_case(folder / "tickets", write_tiny_model(folder / "models" / "tiny"), 100)
    run = case / "runs" / "lora-1"
    run.mkdir(parents=True)
    record = find_trainer("lora").train(lora_plan(case, sealed_rows=16, epochs=1.0), case, run, Silent())
    return held_of_language_run(case, run, record)


def held_of_language_run(case: Path, run: Path, record: RunRecord) -> Held:
    rows = list(csv.DictReader((case / "tickets.csv").read_text().splitlines()))
    lines = [json.loads(line) for line in (run / "test_answers.jsonl").read_text().splitlines()]
    asked = [{"ticket": rows[line["row"] - 1]["ticket"]} for line in lines]
    return Held(run, asked, [line["ours"] for line in lines], record.sealed.value)


def asked_of_a_server(folder: Path, server: ModelServer) -> Held:
    """A few-shot prompt as a climb would keep it, prepared and measured against the server."""
    tickets(folder)
    case = folder / "case"
    rows = list(csv.DictReader((folder / "rows.csv").read_text().splitlines()))
    task = classification([row["message"] for row in rows], [row["label"] for row in rows])
    store = AnswerStore(case / ".climb" / "answers.sqlite")
    rung = FewShot(Asker(OpenAIDoor("m", server.url), CENTS, Meter(None, None, store), store))
    rung.prepare(task)
    scores = [task.score(item, task.read(rung.answer(item).text)) for item in task.sealed]
    sealed = Score("accuracy", sum(scores) / len(scores), 0.0, 1.0, len(scores))
    split = {"train": len(task.train), "development": len(task.development), "sealed": len(task.sealed)}
    climb = ClimbRecord(
        "classification", "accuracy", 0.9, server.url, (), rung.name, "Enough.", sealed, 0.1, (), split=split
    )
    metric = to_plain(task.metric)
    kept = Kept(
        rung.name, "prompt", task.kind, server.url, "m", ("message",), task.labels, metric, {}, rung.kept(), (1.0, 1.0)
    )
    plan = replace(
        plan_for(folder / "rows.csv", "label", "classification", "accuracy"), trainer="rung", data="../rows.csv"
    )
    keep_rung(case / "rungs" / "few-shot-prompt-1", kept, task, rung, climb, plan, task.sealed)
    store.close()
    return held_of_rung(case / "rungs" / "few-shot-prompt-1")


def choose(case: Path, name: str) -> Path:
    """Make the climb's record recommend another of the rungs that it measured, with that rung's sealed score."""
    record = json.loads((case / "climb.json").read_text())
    assert any(rung["name"] == name and rung["score"] for rung in record["rungs"]), record["rungs"]
    record["recommended"] = name
    sealed = record["sealed"] or next(rung["score"] for rung in record["rungs"] if rung["name"] == name)
    record["sealed"] = {**sealed, "value": 1.0, "rows": record["split"]["sealed"]}
    (case / "climb.json").write_text(json.dumps(record))
    return case


def looked_up(folder: Path, server: ModelServer) -> Held:
    (folder / "docs").mkdir()
    with (folder / "questions.jsonl").open("w") as stream:
        for at in range(150):
            text = f"# Towers\n\nTower {at} is {100 + 7 * at} metres high. It stands in town {at}.\n"
            (folder / "docs" / f"tower{at}.md").write_text(text)
            row = {"question": f"How high is tower {at}?", "answer": f"{100 + 7 * at} metres"}
            stream.write(json.dumps({**row, "document": f"tower{at}.md"}) + "\n")
    assert train_or_not("new", "case", folder=folder).code == 0
    paid = ("--endpoint", server.url, "--model", "m", "--price", "1,1", "--max-usd", "5", "--yes")
    where = ("--questions", "questions.jsonl", "--documents", "docs")
    said = train_or_not("climb", "case", *where, *paid, "--requirement", "0.5", "--json", folder=folder)
    assert said.code == 0, said.err
    assert said.json["recommended"] == "retrieval", said.json["text"]
    return held_of_rung(folder / "case")


def same_everywhere(held: Held, folder: Path, expected: list[dict[str, Any]] | None = None) -> None:
    """Predict from a file, ask over HTTP, export and ask the export in a fresh process: the same, to the bit."""
    file, options = folder / "held.jsonl", ("--max-usd", "5")
    file.write_text("".join(json.dumps(row) + "\n" for row in held.rows))
    predict = ["predict", str(held.run), str(file), *options]
    assert dispatch([*predict, "--output", str(folder / "out.jsonl"), "--only-answers"]) == 0
    answered = [json.loads(line) for line in (folder / "out.jsonl").read_text().splitlines()]
    assert [row["prediction"] for row in answered] == held.predictions
    opened = open_run(held.run, Allowance(5))
    with serving(opened) as port:
        status, told = ask(port, {"rows": held.rows})
        assert (status, told["predictions"]) == (200, answered)
        assert ask(port, held.rows[0]) == (200, answered[0])
    export_run(opened, folder / "shipped", lambda _: None)
    away = folder / "away"
    shutil.move(folder / "shipped", away)
    fresh = train_or_not("predict", str(away), str(file), *options, "--json", folder=folder)
    assert fresh.code == 0, fresh.err
    assert fresh.json["predictions"] == answered


SLOW = ("table", "text", "lora", "retrieval", "words", "rule")


@pytest.mark.parametrize("kind", ["prompt", *(pytest.param(one, marks=pytest.mark.heavy) for one in SLOW)])
def test_a_file_a_client_and_the_export_get_the_numbers_of_the_record(
    kind: str, tmp_path: Path, server: ModelServer
) -> None:
    made = {
        "table": lambda: classical(tmp_path / "case"),
        "text": lambda: classical(tmp_path / "case", text=True),
        "lora": lambda: fine_tuned(tmp_path),
        "prompt": lambda: asked_of_a_server(tmp_path, server),
        "retrieval": lambda: looked_up(tmp_path, server),
    }
    if kind in made:
        held = made[kind]()
    else:
        tickets(tmp_path)
        name = "linear on words" if kind == "words" else "one word per label"
        price = ("--endpoint", server.url, "--model", "m", "--price", "0,0", "--max-usd", "1", "--yes")
        said = train_or_not("climb", "case", *price, "--requirement", "0.9", "--json", folder=tmp_path)
        assert said.code == 0, said.err
        held = held_of_rung(choose(tmp_path / "case", name))
    same_everywhere(held, tmp_path)
