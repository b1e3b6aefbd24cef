"""Small runs of every backend, each with the rows that were held back from it and what its record says of them."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from training_plans import Silent, plan_for, run_folder, written

from advisor.base.files import sha256_of_text
from advisor.base.llm import OpenAIDoor
from advisor.cli.run_folder import run_folder as run_of
from advisor.records.climb import ClimbRecord
from advisor.records.look import SplitProposal
from advisor.records.plain import load, to_plain
from advisor.records.plan import Plan
from advisor.records.run import RunRecord, Score
from tests.climb.doors import CENTS
from tests.command import train_or_not
from tests.interview.model_server import ModelServer
from tests.lora.conftest import ticket_rows, write_tiny_model
from tests.lora.test_trainer import make_case
from tests.lora.test_trainer import plan_for as lora_plan
from tests.use.conftest import LIGHT, table
from trainers.climb.answers import AnswerStore
from trainers.climb.asker import Asker
from trainers.climb.learned import EmbeddingsAndLinear
from trainers.climb.rungs import FewShot, ZeroShot
from trainers.climb.spend import FREE, Meter, Price
from trainers.climb.task import classification
from trainers.common.metrics import Output, metric_by_name
from trainers.embedded.local_door import LocalDoor
from trainers.embedded.sentences import SentenceModel
from trainers.forecast.model_file import load_model as load_forecast
from trainers.lora.examples import question_of
from trainers.registry import find_trainer
from trainers.use.opened import open_run
from trainers.use.rung_folder import Kept, keep_rung

WORDS = {"refund": "money back please", "delivery": "where is my parcel", "login": "password does not work"}


@dataclass(frozen=True)
class Held:
    """A run, the rows that were held back from it, and what its record says of them."""

    run: Path
    rows: list[dict[str, Any]]
    predictions: list[Any]
    value: float
    together: bool = False  # whether rows mean something only beside each other, as the days of a forecast do

    def asked(self, row: dict[str, Any]) -> str:
        """What a fine-tuned model is asked about a row, as a person would write it into a conversation."""
        return question_of(row, 1, target="answer").question[-1].content


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
    """A few-shot prompt on a model behind a server."""
    return _kept(
        folder, lambda store: FewShot(_asker(OpenAIDoor("m", server.url), CENTS, store)), server.url, (1.0, 1.0)
    )


def asked_here(folder: Path) -> Held:
    """The embedded model, asked without an example."""
    return _kept(folder, lambda store: ZeroShot(_asker(LocalDoor(Silent()), FREE, store)), "local", ())


def read_by_meaning(folder: Path) -> Held:
    """A linear head on the embedded sentence model's vectors."""
    return _kept(folder, lambda _: EmbeddingsAndLinear(SentenceModel(Silent()).vectors), "local", ())


def _asker(door: Any, price: Price, store: AnswerStore) -> Asker:
    return Asker(door, price, Meter(None, None, store), store)


def _kept(folder: Path, made: Callable[[AnswerStore], Any], endpoint: str, price: tuple[float, ...]) -> Held:
    """A rung as a climb would keep it, prepared and measured on the sealed part of the tickets."""
    tickets(folder)
    case = folder / "case"
    rows = list(csv.DictReader((folder / "rows.csv").read_text().splitlines()))
    task = classification([row["message"] for row in rows], [row["label"] for row in rows])
    store = AnswerStore(case / ".climb" / "answers.sqlite")
    rung = made(store)
    rung.prepare(task)
    asked = task.sealed[:12] if rung.paid and endpoint == "local" else task.sealed
    scores = [task.score(item, task.read(rung.answer(item).text)) for item in asked]
    sealed = Score("accuracy", sum(scores) / len(scores), 0.0, 1.0, len(scores))
    split = {"train": len(task.train), "development": len(task.development), "sealed": len(asked)}
    climb = ClimbRecord(
        "classification", "accuracy", 0.9, endpoint, (), rung.name, "Enough.", sealed, 0.1, (), split=split
    )
    prepared = rung.kept() if hasattr(rung, "kept") else {}
    metric = to_plain(task.metric)
    kept = Kept(rung.name, rung.rung, task.kind, endpoint, "m", ("message",), task.labels, metric, {}, prepared, price)
    plan = replace(
        plan_for(folder / "rows.csv", "label", "classification", "accuracy"), trainer="rung", data="../rows.csv"
    )
    keep_rung(case / "rungs" / "kept-1", kept, task, rung, climb, plan, asked)
    store.close()
    return held_of_rung(case / "rungs" / "kept-1")


def climbed(folder: Path, name: str, endpoint: str) -> Held:
    """A climb over the tickets, and the rung of that name put to use."""
    tickets(folder)
    price = ("--endpoint", endpoint, "--model", "m", "--price", "0,0", "--max-usd", "1", "--yes")
    # Without the embedded models, which a cache of this machine may hold, no rung takes minutes.
    without = {"XDG_CACHE_HOME": str(folder / "cache")}
    said = train_or_not("climb", "case", *price, "--requirement", "0.9", "--json", folder=folder, **without)
    assert said.code == 0, said.err
    return held_of_rung(choose(folder / "case", name))


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
    without = {"XDG_CACHE_HOME": str(folder / "cache")}
    said = train_or_not("climb", "case", *where, *paid, "--requirement", "0.5", "--json", folder=folder, **without)
    assert said.code == 0, said.err
    assert said.json["recommended"] == "retrieval", said.json["text"]
    return held_of_rung(folder / "case")


def foretold(folder: Path) -> Held:
    """Daily sales; the record's sealed forecasts are held against the model as it is read back."""
    case = folder / "case"
    draw, when = np.random.default_rng(0), pd.date_range("2026-01-01", periods=400, freq="D")
    sold = 100 * (1 + 0.5 * (when.dayofweek >= 5)) * draw.normal(1, 0.05, 400)
    frame = pd.DataFrame({"day": when.strftime("%Y-%m-%d"), "sold": sold.round(2)})
    plan = plan_for(
        written(frame, case), "sold", "forecast", "mae", split=SplitProposal("time", "day"),
        against=("naive", "seasonal_naive"),
    )  # fmt: skip
    run, record = _trained(plan, "forecast", case)
    sealed = pd.read_csv(run / "test_predictions.csv")
    assert (sealed["truth"] - sealed["ours"]).abs().mean() == pytest.approx(record.sealed.value, rel=1e-12)
    model = load_forecast(run)
    for origin, window in sealed.groupby("origin"):
        again = model.forecaster(frame["sold"].to_numpy()[None, :origin], np.arange(origin, origin + model.horizon))
        assert again[0][window["ahead"] - 1].tolist() == window["ours"].tolist()
    ahead = pd.date_range(when[-1], periods=model.horizon + 1, freq="D")[1:].strftime("%Y-%m-%d")
    rows = [{"day": day, "sold": None} for day in ahead]
    next_steps = model.forecaster(frame["sold"].to_numpy()[None, :], np.arange(400, 400 + model.horizon))[0]
    return Held(run, rows, next_steps.tolist(), record.sealed.value, together=True)


def grouped(folder: Path) -> Held:
    """Three heaps of points; the record's sheet of groups covers every row."""
    draw = np.random.default_rng(0)
    kind = draw.integers(0, 3, 240)
    frame = pd.DataFrame(
        {"height": 10.0 * kind + draw.normal(size=240), "weight": draw.normal(size=240) - 9 * kind}
    ).round(6)
    plan = plan_for(written(frame, folder / "case"), "", "groups", "agreement", against=("chance", "shuffled"))
    run, record = _trained(plan, "unsupervised", folder / "case")
    return Held(run, _rows(frame), pd.read_csv(run / "groups.csv")["group"].tolist(), record.sealed.value)


def odd_ones(folder: Path) -> Held:
    """Points with some far out, labelled; the rows held back are those that the split sealed."""
    draw = np.random.default_rng(1)
    odd = draw.random(600) < 0.1
    frame = pd.DataFrame({"a": draw.normal(size=600) + 7 * odd, "b": draw.normal(size=600) - 6 * odd})
    frame = frame.round(6).assign(odd=np.where(odd, "yes", "no"))
    data = written(frame, folder / "case")
    plan = plan_for(data, "odd", "anomalies", "roc_auc", against=("trivial", "one_column"))
    run, record = _trained(plan, "unsupervised", folder / "case")
    rows, metric = _rows(frame.drop(columns="odd")), metric_by_name("roc_auc", "binary")
    answers = open_run(run).answer(pd.DataFrame(rows))
    told = pd.read_csv(run / "odd_rows.csv")
    assert answers.scores is not None
    assert answers.scores[told["row"], 1].round(4).tolist() == told["oddness"].tolist()
    whole = metric.value(odd.astype(float), Output(probabilities=answers.scores, labels=answers.scores.argmax(axis=1)))
    assert whole == pytest.approx(record.sealed.value, abs=0.02)
    return Held(run, rows, answers.predictions, record.sealed.value)


def seen(folder: Path) -> Held:
    """Pictures of digits, read by a small network or what stands beside it."""
    from sklearn.datasets import load_digits

    found = load_digits(n_class=3)
    frame = pd.DataFrame(found.data, columns=[f"p{at}" for at in range(64)]).assign(digit=found.target)
    data = written(frame, folder / "case")
    plan = plan_for(data, "digit", "pictures", "accuracy", against=("trivial", "small_model"))
    run, record = _trained(plan, "scratch", folder / "case")
    return _held_of_classes(run, record, frame, "digit")


def acted(folder: Path) -> Held:
    """A log of two actions; the sealed rows' probabilities stand in the record's table."""
    draw = np.random.default_rng(0)
    age = draw.random(3_000).round(4)
    action = np.where(draw.random(3_000) < 0.5, "call", "mail")
    pays = np.where(action == "call", 0.1 + 0.6 * age, 0.7 - 0.6 * age)
    frame = pd.DataFrame({"age": age, "action": action, "reward": (draw.random(3_000) < pays).astype(int)})
    frame["propensity"] = 0.5
    plan = plan_for(
        written(frame, folder / "case"), "reward", "actions", "reward", split=SplitProposal("random", "", 0.3),
        against=("today", "best_action"),
    )  # fmt: skip
    run, record = _trained(plan, "logged", folder / "case")
    sealed = pd.read_csv(run / "test_predictions.csv")
    rows = _rows(frame.iloc[sealed["row"]][["age"]])
    answers = open_run(run).answer(pd.DataFrame(rows))
    assert answers.scores is not None
    kept = sealed[[f"ours_p{at}" for at in range(len(answers.classes))]]
    assert answers.scores.tolist() == kept.to_numpy().tolist()
    return Held(run, rows, answers.predictions, record.sealed.value)


def really_fine_tuned(folder: Path) -> Held:
    """The embedded model itself, tuned for a few steps."""
    case = folder / "tickets"
    case.mkdir(parents=True)
    pd.DataFrame(ticket_rows(90)).to_csv(case / "tickets.csv", index=False)
    few = {"base": "smollm2-135m-instruct", "epochs": 1.0, "sealed_rows": 12, "development_rows": 6, "batch": 4}
    plan = lora_plan(case, learning_rate=0.002, shots=1, threads=2, evaluations=1, micro_tokens=512, **few)
    run = case / "runs" / "lora-1"
    run.mkdir(parents=True)
    return held_of_language_run(case, run, find_trainer("lora").train(plan, case, run, Silent()))


def _trained(plan: Plan, trainer: str, case: Path) -> tuple[Path, RunRecord]:
    run = run_folder(case, f"{trainer}-1")
    record = find_trainer(trainer).train(replace(plan, trainer=trainer, data="data.csv"), case, run, Silent())
    return run, record


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return list(json.loads(frame.to_json(orient="records", double_precision=15)))


def _held_of_classes(run: Path, record: RunRecord, frame: pd.DataFrame, target: str) -> Held:
    sealed = pd.read_csv(run / "test_predictions.csv")
    classes = open_run(run).classes
    value = float((sealed["truth"] == sealed["ours"]).mean())
    assert value == record.sealed.value
    rows = _rows(frame.iloc[sealed["row"]].drop(columns=target))
    return Held(run, rows, [classes[code] for code in sealed["ours"].astype(int)], value)
