"""What changed between two cases, or since the last decision of one: facts, rules, rungs, and the answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor.base.case import Case
from advisor.cli.diff import decided_now, difference
from tests.command import train_or_not

HEAD = "schema: 1\nanswers:\n"


def case(folder: Path, **answers: str) -> Case:
    folder.mkdir()
    lines = "".join(f"  {name}: {value}\n" for name, value in answers.items())
    (folder / "answers.yaml").write_text(HEAD + lines, encoding="utf-8")
    return Case(folder)


def test_two_cases_differ_in_what_their_facts_make_of_them(tmp_path: Path) -> None:
    rule = case(tmp_path / "rule", rules_can_solve="yes", task_type="classify", decision_uses_output="true")
    none = case(tmp_path / "none", task_type="classify", n_labeled="0", rules_can_solve="no")
    found = difference(decided_now(rule, ""), decided_now(none, ""), ("rule", "none"))
    assert not found.same
    changed = {one.name: (one.a, one.b) for one in found.facts}
    assert changed["rules_can_solve"] == ("yes", "no")
    assert changed["n_labeled"] == (None, 0)
    assert "task_type" not in changed
    assert (found.a.approach, found.b.approach) == ("no_ml", "get_labels")
    assert {one.name for one in found.rungs} >= {"no_ml", "get_labels"}
    assert {one.rule for one in found.only_in_a}.isdisjoint(one.rule for one in found.only_in_b)
    assert list(tmp_path.glob("*/decision.json")) == [], "comparing writes nothing"


def test_a_case_is_the_same_as_itself(tmp_path: Path) -> None:
    one = case(tmp_path / "one", task_type="classify", n_labeled="0")
    found = difference(decided_now(one, ""), decided_now(one, ""), ("one", "one"))
    assert found.same and not (found.facts or found.rungs or found.answers or found.only_in_a or found.only_in_b)


def test_since_the_last_decision(tmp_path: Path) -> None:
    case(tmp_path / "one", task_type="classify", n_labeled="0")
    early = train_or_not("diff", "one", folder=tmp_path)
    assert early.code == 2 and "train-or-not decide one" in early.err
    assert train_or_not("decide", "one", folder=tmp_path).code == 0
    assert train_or_not("ask", "one", "--set", "n_labeled=5000", "--no-input", folder=tmp_path).code == 3
    said = train_or_not("diff", "one", folder=tmp_path)
    assert said.code == 0, said.err
    assert "n_labeled: 0 → 5,000" in said.out
    assert "For how many examples do you already know the right answer?" in said.out


@pytest.mark.parametrize("words", [("nowhere",), ("one", "nowhere")])
def test_a_case_that_is_not_there_is_named(words: tuple[str, ...], tmp_path: Path) -> None:
    case(tmp_path / "one", task_type="classify")
    train_or_not("decide", "one", folder=tmp_path)
    said = train_or_not("diff", *words, folder=tmp_path)
    assert said.code == 2 and "nowhere" in said.err
