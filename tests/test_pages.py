"""The short pages beside the code are true: every command in them runs, every Python line answers as written."""

from __future__ import annotations

import doctest
import re
import shlex
from pathlib import Path

import pytest

from advisor.cli.main import main

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted(page for part in ("advisor", "trainers") for page in (ROOT / part).glob("**/README.md"))
PAGES = [page for page in PAGES if "demo" not in page.parts]
OTHERS = [ROOT / name for name in ("README.md", "rules/README.md", "advisor/agents/SKILL.md", ".github/SECURITY.md")]
# What a page writes where the reader puts their own words; the agents' protocol has a session of its own.
STANDS_FOR = {"CASE": "desk", "fact=value": "n_labeled=0"}
ELSEWHERE = {"mcp"}
MISSING_FACTS_ARE_FINE = {"ask": 3}


def commands(page: Path) -> list[list[str]]:
    """Every `$ train-or-not …` line of the page's console blocks, in order."""
    blocks = re.findall(r"^```console\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    lines = [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")]
    return [shlex.split(line) for line in lines]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name)
def test_every_command_of_a_page_runs(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for words in commands(page):
        assert words[0] == "train-or-not", words
        with pytest.raises(SystemExit) as ended:
            main(words[1:])
        printed = capsys.readouterr()
        assert (ended.value.code or 0) in (0, MISSING_FACTS_ARE_FINE.get(words[1], 0)), f"{words}: {printed.err}"
        assert printed.out or words[1] == "ask"


def spoken(page: Path) -> set[tuple[str, ...]]:
    """Every `train-or-not …` inside a sentence of the page, with the reader's own words put in."""
    found = re.findall(r"`train-or-not ([^`]+)`", page.read_text(encoding="utf-8"))
    lines = [tuple(STANDS_FOR.get(word, word) for word in shlex.split(line)) for line in found]
    return {words for words in lines if words[0] not in ELSEWHERE}


@pytest.mark.parametrize("words", sorted({words for page in (*PAGES, *OTHERS) for words in spoken(page)}), ids=" ".join)
def test_every_command_inside_a_sentence_runs(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(list(words))
    printed = capsys.readouterr()
    assert (ended.value.code or 0) in (0, MISSING_FACTS_ARE_FINE.get(words[0], 0)), f"{words}: {printed.err}"
    assert printed.out


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name)
def test_every_python_line_of_a_page_answers_as_written(page: Path) -> None:
    failed, tried = doctest.testfile(str(page), module_relative=False, optionflags=doctest.ELLIPSIS)
    assert not failed
    assert tried or ">>>" not in page.read_text(encoding="utf-8")


def test_there_are_pages_with_commands_and_with_python() -> None:
    assert sum(len(commands(page)) for page in PAGES) >= 10
    assert any(">>>" in page.read_text(encoding="utf-8") for page in PAGES)
