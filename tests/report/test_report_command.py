"""`train-or-not report` as a user runs it, in a process of its own."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from command import train_or_not

import advisor
from advisor.records.plain import check
from advisor.report.blocks import Story

DEMO = Path(advisor.__file__).parent / "demo"


@pytest.fixture
def case(tmp_path: Path) -> Path:
    shutil.copytree(DEMO / "returns", tmp_path / "returns")
    return tmp_path / "returns"


def test_by_default_it_writes_both_files_and_shows_the_first_page(case: Path) -> None:
    said = train_or_not("report", "returns", folder=case.parent)
    assert said.code == 0, said.err
    assert said.out.startswith("Should we train a model?")
    assert "Do next" in said.out
    assert "Rulebook SHA-256" not in said.out
    assert "report.html" in said.err
    assert (case / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert (case / "report.md").read_text(encoding="utf-8").startswith("# Should we train a model?")


@pytest.mark.parametrize(
    ("form", "opening"),
    [
        ("terminal", "Should we"),
        ("markdown", "# Should we"),
        ("html", "<!doctype html>"),
        ("adr", "---\nstatus: proposed"),
    ],
)
def test_each_form_is_printed_and_no_file_is_written(case: Path, form: str, opening: str) -> None:
    said = train_or_not("report", "returns", "--format", form, folder=case.parent)
    assert said.code == 0, said.err
    assert said.out.startswith(opening)
    assert not (case / "report.html").exists()


def test_json_is_one_story_of_the_printed_schema(case: Path) -> None:
    told = train_or_not("report", "returns", "--format", "json", folder=case.parent).json
    assert check(told, Story).case == "returns"
    schema = train_or_not("report", "--schema", folder=case.parent).json["$defs"]["Story"]
    assert set(told) == set(schema["properties"])
    assert set(told) >= set(schema["required"])
    assert train_or_not("report", "returns", "--json", folder=case.parent).json == told


def test_the_same_case_on_the_same_day_is_the_same_page(case: Path) -> None:
    pages = []
    for seed in ("0", "1"):
        assert train_or_not("report", "returns", folder=case.parent, PYTHONHASHSEED=seed).code == 0
        pages.append((case / "report.html").read_bytes() + (case / "report.md").read_bytes())
    assert pages[0] == pages[1]


def test_as_of_replays_another_day(case: Path) -> None:
    said = train_or_not("report", "returns", "--format", "markdown", "--as-of", "2026-11-01", folder=case.parent)
    assert "returns · 2026-11-01" in said.out
    assert "--as-of 2026-11-01" in said.out


def test_the_command_in_the_record_makes_the_page_again(case: Path) -> None:
    assert train_or_not("report", "returns", folder=case.parent).code == 0
    before = (case / "report.md").read_text(encoding="utf-8")
    command = next(line for line in before.splitlines() if line.startswith("train-or-not report"))
    assert train_or_not(*command.split()[1:], folder=case.parent).code == 0
    assert (case / "report.md").read_text(encoding="utf-8") == before


def test_a_case_without_answers_is_told_where_to_begin(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    said = train_or_not("report", "empty", folder=tmp_path)
    assert said.code == 2
    assert "train-or-not ask empty" in said.err


def test_a_case_that_is_not_there_is_one_sentence_with_a_cure(tmp_path: Path) -> None:
    said = train_or_not("report", "nowhere", folder=tmp_path)
    assert said.code == 2
    assert "fix: Start it: train-or-not ask nowhere" in said.err


@pytest.mark.heavy
def test_an_unwritable_case_keeps_the_last_good_report(case: Path) -> None:
    assert train_or_not("report", "returns", folder=case.parent).code == 0
    good = (case / "report.md").read_bytes()
    (case / "report.html").unlink()
    (case / "report.html").mkdir()
    said = train_or_not("report", "returns", folder=case.parent)
    assert said.code == 5
    assert json.loads(train_or_not("report", "returns", "--json", folder=case.parent).out)["error"]["exit_code"] == 5
    assert (case / "report.md").read_bytes() == good
