"""`train-or-not look` as a user meets it: files, cases, pipes, and findings set aside with a reason."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
ROWS = "age,plan,spend,churned\n" + "".join(
    f"{20 + n * 7 % 50},{'basic' if n % 3 else 'plus'},{(n * 37) % 500 + (n % 2) * 300},{'yes' if n % 2 else 'no'}\n"
    for n in range(300)
)


def look(*words: str, folder: Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100"}
    command = [sys.executable, "-m", "advisor", "look", *words]
    return subprocess.run(command, cwd=folder, input=stdin, capture_output=True, env=environment, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "customers.csv").write_text(ROWS)
    return tmp_path


def test_a_file_is_profiled_and_nothing_is_stored(folder: Path) -> None:
    ended = look("customers.csv", "--target", "churned", folder=folder)
    page = ended.stdout.decode()
    assert ended.returncode == 0, ended.stderr.decode()
    assert "n_labeled" in page and "How to hold rows back" in page and "Pitfalls" in page
    assert ended.stderr.decode().strip() == "Next: train-or-not look my-case --data customers.csv --target churned"
    assert sorted(path.name for path in folder.iterdir()) == ["customers.csv"]


def test_json_is_one_object_and_nothing_else(folder: Path) -> None:
    ended = look("customers.csv", "--target", "churned", "--json", folder=folder)
    content = json.loads(ended.stdout)
    facts = {fact["name"]: fact["value"] for fact in content["facts"]}
    assert facts["n_rows"] == 300 and facts["n_classes"] == 2 and facts["task_type"] == "classify"
    assert content["split"]["kind"] == "stratified"
    assert {finding["outcome"] for finding in content["pitfalls"]} <= {
        "issue",
        "tip",
        "passed",
        "not_applicable",
        "skipped",
    }


def test_a_case_remembers_its_data_and_its_look(folder: Path) -> None:
    first = look("churn", "--data", "customers.csv", "--target", "churned", folder=folder)
    assert first.returncode == 0, first.stderr.decode()
    answers = (folder / "churn" / "answers.yaml").read_text()
    assert "../customers.csv" in answers and "target: churned" in answers
    saved = json.loads((folder / "churn" / "look.json").read_text())
    assert saved["stamp"]["made_from"]["data"] == saved["sha256"]
    again = look("churn", "--json", folder=folder)
    assert json.loads(again.stdout)["sha256"] == saved["sha256"]
    assert '"event": "looked"' in (folder / "churn" / "ledger.jsonl").read_text()


@pytest.mark.heavy
def test_a_finding_is_set_aside_only_with_a_written_reason(folder: Path) -> None:
    (folder / "leaky.csv").write_text("".join(
        line + (",copy\n" if n == 0 else f",{line.rsplit(',', 1)[1]}\n") for n, line in enumerate(ROWS.splitlines())
    ))  # fmt: skip
    found = look("churn", "--data", "leaky.csv", "--target", "churned", "--json", folder=folder)
    leak = next(f for f in json.loads(found.stdout)["pitfalls"] if f["code"] == "P101")
    assert (leak["outcome"], leak["severity"], leak["columns"]) == ("issue", "severe", ["copy"])
    bare = look("churn", "--ignore", "P101", folder=folder)
    assert bare.returncode == 2 and b"written reason" in bare.stderr
    reason = "copy is entered by hand before the call"
    told = look("churn", "--ignore", "target-in-a-column", "--because", reason, "--json", folder=folder)
    leak = next(f for f in json.loads(told.stdout)["pitfalls"] if f["code"] == "P101")
    assert leak["outcome"] == "ignored" and reason in leak["text"]
    heeded = look("churn", "--heed", "P101", "--json", folder=folder)
    assert next(f for f in json.loads(heeded.stdout)["pitfalls"] if f["code"] == "P101")["outcome"] == "issue"


def test_without_a_target_the_likely_ones_are_named(folder: Path) -> None:
    ended = look("customers.csv", folder=folder)
    assert ended.returncode == 0
    assert b"Which column is the answer?" in ended.stdout
    assert b"--target churned" in ended.stderr


def test_a_misspelt_target_is_recognised(folder: Path) -> None:
    ended = look("customers.csv", "--target", "churnd", folder=folder)
    assert ended.returncode == 2
    assert b"Did you mean 'churned'?" in ended.stderr
    assert not ended.stdout


@pytest.mark.parametrize(("words", "code"), [
    (("nothing-here.csv",), b"no-file"),
    (("no-such-case",), b"no-case"),
    (("customers.csv", "--ignore", "P101"), b"no-case"),
    (("churn", "--data", "gone.csv"), b"no-file"),
])  # fmt: skip
def test_what_cannot_be_looked_at_is_said_with_its_cure(words: tuple[str, ...], code: bytes, folder: Path) -> None:
    ended = look(*words, folder=folder)
    assert ended.returncode == 2
    assert b"error[" + code + b"]" in ended.stderr and b"fix:" in ended.stderr
    assert b"Traceback" not in ended.stderr


def test_a_pipe_is_read_to_its_end(folder: Path) -> None:
    ended = look("-", "--target", "churned", "--json", folder=folder, stdin=ROWS.encode())
    assert json.loads(ended.stdout)["shape"] == [300, 4]


def test_markup_and_escape_codes_in_a_header_stay_text(folder: Path) -> None:
    (folder / "odd.csv").write_text(ROWS.replace("plan", "[/red]").replace("spend", "\x1b[2Jspend"))
    ended = look("odd.csv", "--target", "churned", folder=folder)
    assert ended.returncode == 0, ended.stderr.decode()
    assert b"[/red]" in ended.stdout and b"\x1b[2J" not in ended.stdout


@pytest.mark.heavy
def test_personal_data_is_named_by_kind_and_never_shown(folder: Path) -> None:
    rows = ["contact,amount,label"] + [f"anna{n}@example.org,{n * 13 % 97},{n % 2}" for n in range(200)]
    (folder / "people.csv").write_text("\n".join(rows) + "\n")
    for words in (("people.csv", "--target", "label"), ("case", "--data", "people.csv", "--target", "label", "--json")):
        ended = look(*words, folder=folder)
        assert b"e-mail addresses" in ended.stdout
        assert b"anna" not in ended.stdout + ended.stderr
    stored = b"".join(path.read_bytes() for path in (folder / "case").iterdir())
    assert b"anna" not in stored and b"example.org" not in stored
