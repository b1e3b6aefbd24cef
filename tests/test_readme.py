"""What the README says is true: its tree, its commands, its figures."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.command import train_or_not

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)


def commands() -> list[tuple[str, ...]]:
    """Every `$ train-or-not …` line of the console blocks, in the order a reader meets them."""
    lines = [
        line[2:] for block in blocks("console") for line in block.splitlines() if line.startswith("$ train-or-not")
    ]
    found = [tuple(shlex.split(line, comments=True)[1:]) for line in lines]
    # It takes minutes and a model from the user's cache: tests/lora/test_benchmarks.py runs it.
    return [words for words in found if words != ("demo", "--with", "fine_tune")]


def test_the_first_block_holds_the_two_commands_and_nothing_else() -> None:
    lines = [line for line in blocks("sh")[0].splitlines() if line and not line.startswith("#")]
    assert len(lines) == 2
    assert lines[0].endswith("train-or-not demo") and "pytest" in lines[1]
    assert all(line.startswith("python3 -m venv .venv && ") for line in lines)


def test_ci_runs_the_test_command_as_written() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "sed -n 2p" in script and 'step "$command"' in script


def test_ci_runs_the_demonstration_as_written_in_a_copy_of_its_own() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "sed -n 1p" in script and """step "cd '$copy' && $demo\"""" in script


def test_the_tree_names_only_what_is_there_and_all_folders_that_are() -> None:
    told = set(re.findall(r"^[│ ]*[├└]── (\S+)", README, flags=re.MULTILINE))
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    if not tracked:
        pytest.skip("not a git checkout")
    folders = {
        Path(name).parts[1] for name in tracked if name.startswith(("advisor/", "trainers/")) and name.count("/") > 1
    }
    top = {Path(name).parts[0] for name in tracked if not name.startswith(".")}
    missing = {name for name in folders | top if name not in told and f"{name}/" not in told}
    assert not missing, f"README's tree does not show {sorted(missing)}"
    known = {part for name in tracked for part in Path(name).parts}
    invented = {name for name in told if name.rstrip("/") not in known}
    assert not invented, f"README's tree shows what is not there: {sorted(invented)}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all commands: a reader runs them one after another."""
    return tmp_path_factory.mktemp("reader")


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_command_of_the_readme_runs(words: tuple[str, ...], folder: Path) -> None:
    said = train_or_not(*words, folder=folder, timeout=600)
    allowed = {0, 3} if words[0] == "ask" else {0, 4} if words[0] == "train" else {0}
    assert said.code in allowed, said.err
