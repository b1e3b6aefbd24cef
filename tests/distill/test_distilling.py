"""A model behind a real server labels rows under a cap, a small one learns from them, and both are held apart."""

from __future__ import annotations

import csv
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_schemas import validate
from tests.command import Said, train_or_not
from tests.interview.model_server import ModelServer

pytestmark = pytest.mark.heavy
LABELS = ("billing", "delivery", "login")


def vocabulary() -> dict[str, str]:
    """Made-up words, a hundred and fifty a label: the teacher knows all of them, the examples of people a part."""
    generator = random.Random(7)
    return {"".join(generator.choices("bcdfghklmnprstvz", k=8)): LABELS[at % 3] for at in range(450)}


KNOWN = vocabulary()


def text(generator: random.Random, label: str, words: int, at: int) -> str:
    mine = [word for word, of in KNOWN.items() if of == label]
    return f"message {at}: " + " ".join(generator.choices(mine, k=words))


def teacher_says(request: dict[str, Any]) -> tuple[int, str]:
    if "messages" not in request:
        return 404, "only chat is answered here"
    asked = request["messages"][-1]["content"]
    found = [KNOWN[word] for word in asked.split() if word in KNOWN]
    return 200, found[0] if found else "login"


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with ModelServer(teacher_says) as one:
        yield one


def environment(folder: Path) -> dict[str, str]:
    # No embedded model: only the student that learns from words is taught, in a second.
    return {"TRAIN_OR_NOT_API_KEY": "sk-none-at-all", "XDG_CACHE_HOME": str(folder / "cache")}


@pytest.fixture(scope="module")
def climbed(tmp_path_factory: pytest.TempPathFactory, server: ModelServer) -> Path:
    """A folder with a case whose climb chose the model behind the server, and rows that nobody labelled."""
    folder = tmp_path_factory.mktemp("distil")
    generator = random.Random(1)
    with (folder / "rows.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["message", "label"])
        for at in range(560):
            writer.writerow([text(generator, LABELS[at % 3], 1, at) + " please see to it", LABELS[at % 3]])
    known = list(csv.DictReader((folder / "rows.csv").read_text().splitlines()))
    with (folder / "more.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["Message"])
        for at in range(500):
            writer.writerow([text(generator, LABELS[at % 3], 6, 1000 + at) + " please see to it"])
        for row in [*known[:40], {"message": ""}]:  # what is known already, and nothing at all
            writer.writerow([row["message"]])
    assert train_or_not("new", "case", folder=folder).code == 0
    looked = train_or_not("look", "case", "--data", "rows.csv", "--target", "label", "--quiet", folder=folder)
    assert looked.code == 0, looked.err
    asked = ("--endpoint", server.url, "--model", "m", "--price", "1,1", "--max-usd", "5", "--yes", "--json")
    said = train_or_not("climb", "case", "--requirement", "0.9", *asked, folder=folder, **environment(folder))
    assert said.code == 0, said.err
    assert said.json["recommended"] == "ready model", said.json["text"]
    return folder


@pytest.fixture
def folder(climbed: Path, tmp_path: Path) -> Path:
    shutil.copytree(climbed, tmp_path / "copy")
    return tmp_path / "copy"


def distill(folder: Path, *words: str) -> Said:
    given = ("distill", "case", "more.csv", *words)
    return train_or_not(*given, folder=folder, timeout=1200, **environment(folder))


def paid(server: ModelServer) -> int:
    return len([request for request in server.requests if "messages" in request])


def test_a_student_taught_by_the_teacher_takes_its_place_and_says_who_labelled_what(
    folder: Path, server: ModelServer
) -> None:
    dry = distill(folder, "--dry-run", "--json")
    assert dry.code == 0, dry.err
    validate("distill", dry.json)
    assert (dry.json["rows"], dry.json["known"], dry.json["empty"]) == (500, 40, 1)
    before = paid(server)
    said = distill(folder, "--max-usd", "5", "--yes", "--json")
    assert said.code == 0, said.err
    validate("distill", said.json)
    assert paid(server) - before == 500
    run = said.json["run"]
    assert run["chosen"] == "linear on words"
    teacher, alone = run["gate"]["comparisons"]
    assert (teacher["against"], alone["against"]) == ("teacher", "without_teacher")
    assert teacher["passed"] and teacher["low"] > -0.05
    assert alone["passed"] and alone["low"] > 0.1
    assert any("written by a model" in note for note in run["notes"])
    assert said.json["labels"] == {"asked": 500, "kept": 500, "unread": 0, "usd": pytest.approx(run_usd(folder))}

    place = folder / "case" / "runs" / run["run"]
    taught = [json.loads(line) for line in (place / "taught.jsonl").read_text().splitlines()]
    assert {line["origin"] for line in taught} == {"person", "generated"}
    by = {line["model"] for line in taught if line["origin"] == "generated"}
    assert by == {f"ready model, m at {server.url}"}
    judged = {json.loads(line)["id"] for line in (place / "test_answers.jsonl").read_text().splitlines()}
    assert judged and not judged & {line["id"] for line in taught}
    told = [json.loads(line) for line in (folder / "case" / "ledger.jsonl").read_text().splitlines()]
    assert [event["labels"] for event in told if event["event"] == "distilled"] == [500]

    # The student answers by itself: nothing is sent, and it needs no cap.
    before = paid(server)
    (folder / "some.csv").write_text("message\n" + text(random.Random(5), "login", 3, 1) + "\n")
    answered = train_or_not("predict", "case", "some.csv", "--json", folder=folder)
    assert answered.json["predictions"][0]["prediction"] == "login"
    assert paid(server) == before

    looked = train_or_not("look", said.json["sheet"], "--target", "label", "--json", folder=folder)
    raised = {one["code"]: one for one in looked.json["pitfalls"]}
    assert raised["P603"]["outcome"] == "issue"
    assert raised["P603"]["columns"] == ["label_origin"]


def run_usd(folder: Path) -> float:
    told = [json.loads(line) for line in (folder / "case" / "ledger.jsonl").read_text().splitlines()]
    return float(next(event["usd"] for event in told if event["event"] == "distilled"))


def test_a_cap_ends_the_labelling_and_a_higher_one_goes_on_without_paying_twice(
    folder: Path, server: ModelServer
) -> None:
    before = paid(server)
    dry = distill(folder, "--dry-run", "--json").json
    some = distill(folder, "--max-usd", f"{dry['usd'] * 0.5:.6f}", "--yes", "--json")
    assert some.code == 6, some.err
    validate("distill", some.json)
    labelled = some.json["labels"]["asked"]
    assert 50 < labelled < 500 and some.json["stopped"]
    assert some.json["labels"]["usd"] <= dry["usd"] * 0.5
    assert paid(server) - before == labelled
    rest = distill(folder, "--max-usd", "5", "--yes", "--json")
    assert rest.code == 0, rest.err
    assert paid(server) - before == 500
    assert rest.json["run"]["run"] != some.json["run"]["run"]
    again = distill(folder, "--max-usd", "5", "--yes", "--json")
    assert again.json["run"]["run"] == rest.json["run"]["run"]
    assert paid(server) - before == 500


def test_too_small_a_cap_teaches_nothing_and_says_so(folder: Path) -> None:
    said = distill(folder, "--max-usd", "0.000001", "--yes", "--json")
    assert said.code == 6
    assert "too few to teach" in said.json["error"]["what"]
    assert distill(folder, "--max-usd", "5", "--json").json["error"]["code"] == "not-confirmed"
    assert distill(folder, "--json").json["error"]["code"] == "no-cap"


def test_labels_that_add_nothing_earn_nothing(folder: Path) -> None:
    (folder / "more.csv").write_text("message\n" + "".join(f"nothing to learn from here {at}\n" for at in range(80)))
    said = distill(folder, "--max-usd", "5", "--yes", "--json")
    assert said.code == 4, said.err
    error = said.json["error"]
    assert error["code"] == "not-earned"
    assert "without_teacher" in {one["against"] for one in error["run"]["gate"]["comparisons"] if not one["passed"]}


def test_where_there_is_no_teacher_it_is_said_how_to_get_one(folder: Path) -> None:
    (folder / "case" / "climb.json").unlink()
    error = distill(folder, "--json").json["error"]
    assert error["code"] == "no-teacher" and "train-or-not climb" in error["fix"]


def test_killed_at_any_moment_it_pays_for_no_row_twice_and_ends_the_same(folder: Path, server: ModelServer) -> None:
    words = [sys.executable, "-m", "advisor", "distill", "case", "more.csv", "--max-usd", "5", "--yes", "--json"]
    before = paid(server)
    started = time.monotonic()
    whole = folder.parent / "whole"
    shutil.copytree(folder, whole)
    expected = distill(whole, "--max-usd", "5", "--yes", "--json").json
    lasted, asked_once = time.monotonic() - started, paid(server) - before
    before = paid(server)
    generator = random.Random(3)
    for _ in range(8):
        process = subprocess.Popen(
            words,
            cwd=folder,
            env={**os.environ, **environment(folder)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(generator.uniform(0.2, 1.0) * lasted)
        process.send_signal(signal.SIGKILL)
        process.wait()
    found = distill(folder, "--max-usd", "5", "--yes", "--json").json
    # Of a killed attempt at most the four that were on their way are asked again.
    assert asked_once <= paid(server) - before <= asked_once + 8 * 4
    assert found["run"]["sealed"] == expected["run"]["sealed"]
    assert found["labels"]["kept"] == expected["labels"]["kept"]
    runs = [path for path in (folder / "case" / "runs").iterdir() if path.is_dir()]
    assert [(path / "COMPLETE").is_file() for path in runs] == [True]
