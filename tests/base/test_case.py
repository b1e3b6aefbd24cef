"""A case is a folder; its ledger remembers."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor.base.case import open_case
from advisor.base.errors import BadInput


def test_a_case_that_is_not_there_names_the_command_that_starts_it(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no case") as raised:
        open_case(str(tmp_path / "churn"))
    assert raised.value.fix.startswith("Start it: train-or-not ask")


def test_a_file_is_no_case(tmp_path: Path) -> None:
    file = tmp_path / "data.csv"
    file.write_text("a\n1\n")
    with pytest.raises(BadInput, match="a case is a folder"):
        open_case(str(file))


@pytest.mark.parametrize("name", ["-x", "a b", "ü", "con\tx", "x" * 200])
def test_names_that_would_be_trouble_later_are_refused_at_once(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput, match="cannot be the name"):
        open_case(str(tmp_path / name), create=True)


def test_the_ledger_keeps_every_event_and_passes_over_a_torn_line(tmp_path: Path) -> None:
    case = open_case(str(tmp_path / "churn"), create=True)
    case.remember("answered", fact="n_labeled")
    with case.ledger.open("a") as stream:
        stream.write('{"at": "2026')
    case.remember("decided", approach="rag")
    assert [event["event"] for event in case.history()] == ["answered", "decided"]


@pytest.mark.parametrize("mark", ["\u2028", "\u0085", "\x0c"])
def test_the_ledger_keeps_an_event_whose_text_holds_a_line_mark(tmp_path: Path, mark: str) -> None:
    case = open_case(str(tmp_path / "churn"), create=True)
    case.remember("sealed_opened", why=f"two{mark}lines")
    assert [event["why"] for event in case.history()] == [f"two{mark}lines"]
