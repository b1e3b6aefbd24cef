"""Every input has a limit; it is kept, told where it is met, and told before by `--help` or SECURITY.md."""

# ruff: noqa: E501  (a table of payloads reads better unwrapped)
from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from cases import table_case
from promises import HERE, Figure

from advisor.base import llm, replies, sniff, strictyaml, unpacked
from advisor.base.documents import MOST_FILES
from advisor.base.errors import Problem
from advisor.base.files import read_text
from advisor.base.jsonrows import MAX_LINE
from advisor.base.strictyaml import parse
from advisor.base.tables import MAX_BYTES, read_table
from advisor.evidence import pdfs
from advisor.interview.intake import MAX_CHARACTERS, read_problem
from advisor.reasoning.rulebook import load_rulebook
from tests.command import train_or_not

SECURITY = (HERE.parents[1] / ".github" / "SECURITY.md").read_text(encoding="utf-8")


def written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def sparse(path: Path, size: int) -> Path:
    """A file that claims a size and takes no room."""
    with path.open("wb") as stream:
        stream.write(b"a,b\n1,2\n")
        stream.truncate(size)
    return path


OVER: dict[str, Callable[[Path], object]] = {
    "a YAML file over 1 MiB": lambda f: parse("a: " + "x" * strictyaml.MAX_BYTES, "f.yaml"),
    "YAML deeper than 20 levels": lambda f: parse("[" * 21 + "]" * 21, "f.yaml"),
    "more than 100,000 YAML values": lambda f: parse("[" + "1," * strictyaml.MAX_VALUES + "1]", "f.yaml"),
    "a number of 21 digits": lambda f: parse("a: " + "1" * 21, "f.yaml"),
    "answers over 1 MiB": lambda f: read_text(written(f / "answers.yaml", b"x" * (2**20 + 1)), 2**20),
    "a record over 64 MiB": lambda f: read_text(written(f / "look.json", b"x" * (64 * 2**20 + 1))),
    "more than 5,000 columns": lambda f: read_table(
        written(f / "t.csv", ",".join(f"c{n}" for n in range(sniff.MAX_COLUMNS + 1)) + "\n1\n")
    ),
    "a table over 2 GiB": lambda f: read_table(sparse(f / "t.csv", MAX_BYTES + 1)),
    "a problem text over 40,000 characters": lambda f: read_problem("x" * (MAX_CHARACTERS + 1), load_rulebook(), None),  # type: ignore[arg-type]
}  # fmt: skip


def test_what_is_over_its_limit_is_refused_with_the_limit(tmp_path: Path, figure: Figure) -> None:
    for name, read in OVER.items():
        with pytest.raises(Problem) as caught:
            read(tmp_path)
        assert caught.value.fix, name
        assert any(letter.isdigit() for letter in caught.value.what + caught.value.fix + caught.value.why), name
    figure(24, "limits kept", f"{len(OVER)} of {len(OVER)}")


@pytest.mark.parametrize(
    ("verb", "told"),
    [
        ("look", ("5,000 columns", "2 GiB")),
        ("climb", ("--max-usd", "--max-tokens", "--max-minutes", "--workers")),
        ("train", ("--budget-seconds",)),
    ],
)
def test_help_tells_the_limits_and_how_to_change_them(verb: str, told: tuple[str, ...], tmp_path: Path) -> None:
    said = train_or_not(verb, "--help", folder=tmp_path)
    assert [words for words in told if words not in " ".join(said.out.split())] == []


def test_security_md_tells_the_limits_as_they_are() -> None:
    for told in (f"{strictyaml.MAX_DEPTH} levels", f"{strictyaml.MAX_VALUES:,} values", f"{sniff.MAX_COLUMNS:,} columns",
                 f"{MAX_CHARACTERS:,} characters", f"{llm.WALL_SECONDS:.0f} seconds", f"{MAX_LINE:,} characters",
                 f"{unpacked.MAX_CELLS:,} cells", f"{unpacked.MAX_WORKBOOK_CELLS:,} cells", f"{MOST_FILES:,} files",
                 f"an answer of {replies.MAX_BYTES // 2**20} MiB", f"{pdfs.SECONDS:.0f} seconds a PDF"):  # fmt: skip
        assert told in SECURITY, told


def test_a_training_without_room_on_the_disk_is_refused_before_it_starts(tmp_path: Path) -> None:
    folder = table_case(tmp_path / "work")
    assert train_or_not("plan", "my-case", "--approach", "classical", folder=folder).code == 0
    plan = folder / "my-case" / "plan.yaml"
    text = plan.read_text(encoding="utf-8")
    plan.write_text(re.sub(r"disk_mb: .*", "disk_mb: 999999999999.0", text), encoding="utf-8")
    before = (folder / "my-case" / "ledger.jsonl").read_bytes()
    said = train_or_not("train", "my-case", folder=folder)
    assert said.code == 5
    assert "MB free on this disk" in said.err and "fix: " in said.err
    assert not any((folder / "my-case" / "runs").iterdir())  # no folder, no lock, no event
    assert (folder / "my-case" / "ledger.jsonl").read_bytes() == before


def test_limits_on_the_command_line_have_limits_of_their_own(tmp_path: Path) -> None:
    folder = table_case(tmp_path / "work")
    assert train_or_not("plan", "my-case", "--approach", "classical", folder=folder).code in (0, 2)
    for words in (("train", "my-case", "--budget-seconds", "-1"), ("train", "my-case", "--budget-seconds", "nan"),
                  ("train", "my-case", "--budget-seconds", "inf"), ("train", "my-case", "--seed", "-1"),
                  ("climb", "my-case", "--max-usd", "-1"), ("climb", "my-case", "--max-usd", "nan"),
                  ("climb", "my-case", "--workers", "100000"), ("climb", "my-case", "--max-minutes", "inf")):  # fmt: skip
        said = train_or_not(*words, folder=folder)
        assert said.code == 2, (words, said.err)
        assert "fix: " in said.err
