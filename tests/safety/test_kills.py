"""At every call that changes the disk the process is killed, or the disk is full: no file is torn, nothing is lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cases import light_plan, table_case, walked
from promises import Figure

from tests.command import train_or_not

VERBS = {
    "new": ("new", "other-case"),
    "decide": ("decide", "my-case"),
    "report": ("report", "my-case"),
    "look": ("look", "my-case"),
    "plan": ("plan", "my-case", "--approach", "classical"),
    "train": ("train", "my-case"),
}
QUICK = ("decide",)
SLOW = pytest.mark.heavy


@pytest.fixture(scope="module")
def looked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A case that was looked at, decided, reported and planned before: every file has an older version."""
    folder = table_case(tmp_path_factory.mktemp("looked") / "work")
    for verb in ("look", "decide", "report"):
        assert train_or_not(*VERBS[verb], folder=folder).code == 0
    assert train_or_not(*VERBS["plan"], folder=folder).code == 0
    light_plan(folder)
    return folder


@pytest.fixture(params=[pytest.param(verb, marks=() if verb in QUICK else SLOW) for verb in VERBS])
def words(request: pytest.FixtureRequest) -> tuple[str, ...]:
    return VERBS[str(request.param)]


def struck(looked: Path, how: str, words: tuple[str, ...], folder: Path) -> Any:
    """The strikes in a copy whose answers have just changed, so that each file gets new content."""
    import shutil

    work = folder / "work"
    shutil.copytree(looked, work)
    answers = work / "my-case" / "answers.yaml"
    answers.write_text(answers.read_text().replace("error_cost: low", "error_cost: high"), encoding="utf-8")
    return walked(work, how, *words)


def test_a_kill_at_any_point_leaves_the_old_file_or_the_new_one(
    looked: Path, words: tuple[str, ...], tmp_path: Path, figure: Figure
) -> None:
    found = struck(looked, "kill", words, tmp_path)
    assert found["points"] >= 4
    assert found["ends"] == [-9] * found["points"]
    assert found["torn"] == []
    assert found["other"] == []  # the same command again gives what it would have given in peace
    figure(15, f"torn after kills in {words[0]}", f"0 of {found['points']}")


def test_a_full_disk_at_any_point_keeps_the_last_good_state_and_says_so(
    looked: Path, words: tuple[str, ...], tmp_path: Path, figure: Figure
) -> None:
    found = struck(looked, "full", words, tmp_path)
    assert found["torn"] == []
    assert found["other"] == []
    for end, said in zip(found["ends"], found["said"], strict=True):
        # A flush of the folder, or a file that may be missing, is not needed for the result: then it ends as in peace.
        assert end in (found["code"], 5), said
        if end == 5:
            assert "No room" in said and "fix: " in said, said
        assert "our-bug" not in said, said
    assert found["ends"].count(5) >= 2
    figure(17, f"good state kept in {words[0]}", f"{found['points']} of {found['points']}")
