"""An agent that was turned by what it read: it reaches nothing outside its folder and sends nothing unasked."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from cases import ROWS, table_case
from promises import Figure

pytest.importorskip("mcp", reason="serving agents is in the mcp extra")
sys.path.append(str(Path(__file__).resolve().parents[1] / "agents"))

from client import Person, call, refused, session
from mcp import Client

from advisor.agents.inside import case_name, file_inside

SECRET = "my-secret-column"
PATHS = (
    "../secret.csv", "../../secret.csv", "link.csv", "my-case/../../secret.csv", "deep/link.csv", "loop.csv",
    "~/secret.csv", "a\0b", "my-case/link/secret.csv", "", "not-there.csv", "\u2025/secret.csv",
)  # fmt: skip
NAMES = (
    "..", ".", "../outside", "/tmp", "--help", "-h", "a/b", "a\\b", "", "a b", "a\nb", "a\0", ".hidden", "é", "a" * 81,
    "linked", "links-inside", "links-deep", "far-data", "absolute-data",
)  # fmt: skip


@pytest.fixture
def yard(tmp_path: Path) -> Path:
    """The folder that is served, with traps in it; what stands beside it is nobody's business."""
    (tmp_path / "secret.csv").write_text(f"{SECRET},label\n" + "1,2\n" * 60)
    folder = table_case(tmp_path / "served")
    outside = table_case(tmp_path / "outside") / "my-case"
    (folder / "link.csv").symlink_to(tmp_path / "secret.csv")
    (folder / "deep").mkdir()
    (folder / "deep" / "link.csv").symlink_to("../../secret.csv")
    (folder / "loop.csv").symlink_to(folder / "loop.csv")
    (folder / "my-case" / "link").symlink_to(tmp_path)
    (folder / "linked").symlink_to(outside)
    for name, answers in (
        ("links-inside", ""),
        ("links-deep", ""),
        ("far-data", "schema: 1\ndata: ../../secret.csv\n"),
        ("absolute-data", f"schema: 1\ndata: {tmp_path / 'secret.csv'}\n"),
    ):
        (folder / name).mkdir()
        (folder / name / "answers.yaml").write_text(answers or "schema: 1\n")
    (folder / "links-inside" / "ledger.jsonl").symlink_to(outside / "answers.yaml")
    (folder / "links-deep" / "runs" / "classical-1").mkdir(parents=True)
    (folder / "links-deep" / "runs" / "classical-1" / "run.json").symlink_to(tmp_path / "secret.csv")
    (folder / "my-case" / "link").unlink()
    return folder


def test_an_agent_names_nothing_outside_its_folder(yard: Path, figure: Figure) -> None:
    from mcp.server.mcpserver.exceptions import ToolError

    for name in PATHS:
        try:
            found = Path(file_inside(yard, name))
        except ToolError as error:
            assert SECRET not in str(error)
        else:
            assert found.resolve() == yard.resolve(), name  # the empty name; a folder is refused by the reader
    for name in NAMES:
        with pytest.raises(ToolError) as caught:
            case_name(yard, name)
        assert SECRET not in str(caught.value)
    assert case_name(yard, "my-case") == "my-case"
    figure(26, "paths and names that lead out", f"0 read of {len(PATHS) + len(NAMES)}")


@pytest.mark.heavy
def test_a_turned_agent_gets_no_foreign_file_and_no_silent_yes(yard: Path, figure: Figure) -> None:
    person = Person("no")
    beside = {path: path.read_bytes() for path in yard.parent.rglob("*") if path.is_file() and yard not in path.parents}
    attempts: list[str] = []

    async def walk(client: Client) -> None:
        for tool, words in (
            ("look", {"case": "far-data"}),
            ("look", {"case": "absolute-data"}),
            ("look", {"case": "linked"}),
            ("report", {"case": "links-inside"}),
            ("report", {"case": "links-deep"}),
            ("decide", {"case": "linked"}),
            ("climb", {"case": "far-data", "run": True}),
            ("ask", {"case": "my-case", "answers": {"data=../../secret.csv": "x"}}),
            ("ask", {"case": "my-case", "answers": {"data": "../../secret.csv"}}),
            ("explain", {"case": "my-case", "topic": "--what-if=n_rows=1"}),
            ("climb", {"case": "my-case", "endpoint": "file:///etc/passwd", "model": "m", "run": True}),
            ("climb", {"case": "my-case", "endpoint": "http://me:pw@127.0.0.1:9/v1", "model": "m", "run": True}),
        ):
            said = await refused(client, tool, **words)
            assert SECRET not in said, (tool, words)
            attempts.append(tool)
        looked = await call(client, "look", case="far-data", data="my-case/data.csv", target="left")
        assert looked["rows"] == ROWS.count("\n") - 1, "naming data that lies inside mends such a case"
        asked: dict[str, Any] = {
            "case": "notes", "endpoint": "http://127.0.0.1:9/v1", "price": "1,1", "max_usd": 1.0, "run": True,
            "model": "m\n\nNothing is sent. This is free.\x1b[2J\u202e Approve?" + "x" * 500,
        }  # fmt: skip
        await call(client, "look", case="notes", data="notes.csv", target="label")
        answer = await call(client, "climb", **asked)
        assert answer["dry_run"] and answer["usd"] == 0

    notes = "".join(f'"this is note {n} about {["cash", "cards"][n % 2]}",{["a", "b"][n % 2]}\n' for n in range(120))
    (yard / "notes.csv").write_text(f"note,label\n{notes}")
    session(yard, walk, person, TRAIN_OR_NOT_API_KEY="sk-not-a-real-key")
    assert len(person.asked) == 1
    assert "\n" not in person.asked[0] and "\x1b" not in person.asked[0] and "\u202e" not in person.asked[0]
    assert "1.00 USD" in person.asked[0] and len(person.asked[0]) < 700
    now = {path: path.read_bytes() for path in yard.parent.rglob("*") if path.is_file() and yard not in path.parents}
    assert now == beside
    figure(26, "orders of a turned agent carried out", f"0 of {len(attempts) + 1}")
