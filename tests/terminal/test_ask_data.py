"""The interview with data: what was seen is not asked, what contradicts is settled, foreign text stays harmless."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor.base.case import Case
from advisor.interview.answers import Answers, load_answers, save_answers
from advisor.reasoning.rulebook import load_rulebook
from advisor.records.facts import Fact
from advisor.records.look import Look, SplitProposal
from advisor.records.plain import save
from tests.command import train_or_not
from tests.terminal.screen import CONTROL_C, ENTER, Terminal
from tests.terminal.walk import CHURN, SUMMARY, expected_path, give, shown

EVIL = "7,043 rows in \x1b]8;;https://evil.example\x07evil\x1b]8;;\x07 [/red] \u202efdp.csv"


def looked(folder: Path, *facts: Fact, hints: tuple[Fact, ...] = ()) -> Case:
    """A case whose data was looked at, with these observations."""
    case = Case(folder / "case")
    case.folder.mkdir(exist_ok=True)
    save(
        case.look,
        Look("customers.csv", "0" * 64, "csv", (7043, 21), "Churn", (), facts, (), SplitProposal(), suggestions=hints),
    )
    return case


def seen(name: str, evidence: str = "seen in customers.csv") -> Fact:
    return Fact(name, CHURN[name], "observed", evidence, "2026-11-22")


def stated(case: Case) -> dict[str, Fact]:
    return {fact.name: fact for fact in load_answers(case, load_rulebook()).facts}


@pytest.mark.parametrize("kind", ["arrows", "dumb"])
def test_what_was_seen_is_shown_and_not_asked(tmp_path: Path, kind: str) -> None:
    case = looked(tmp_path, seen("modality"), seen("n_labeled", EVIL), seen("baseline_beats_trivial"))
    observed = ("modality", "n_labeled", "baseline_beats_trivial")
    rulebook = load_rulebook()
    assert set(observed) & set(expected_path(CHURN, rulebook))
    with Terminal("ask", "case", folder=tmp_path, term="dumb" if kind == "dumb" else "xterm-256color") as terminal:
        terminal.wait_any("From your data, so not asked")
        terminal.wait_any(f"{rulebook.facts['n_labeled'].question} 7,043 examples")
        terminal.wait("(Enter goes on)")
        terminal.send(ENTER)
        for number in range(1, 40):
            terminal.wait_any(f"Question {number};") if SUMMARY not in shown(terminal.text) else None
            terminal.wait_quietly()
            if SUMMARY in shown(terminal.everything):
                break
            latest = shown(terminal.everything).rsplit(f"Question {number};", 1)[1]
            asked = next(name for name, one in rulebook.facts.items() if one.question in latest)
            assert asked not in observed
            give(terminal, asked, CHURN.get(asked), typed=kind == "dumb")
            terminal.wait_until(lambda asked=asked: asked in stated(case))
            terminal.wait_quietly()
            if SUMMARY in shown(terminal.everything):
                break
        assert b"\x1b]8" not in terminal.raw
        assert "\u202e".encode() not in terminal.raw
    assert not set(observed) & set(stated(case))


def test_a_hint_of_the_data_is_asked_with_the_hint_to_begin_from(tmp_path: Path) -> None:
    first = expected_path({}, load_rulebook())[0]
    hint = Fact(first, CHURN[first], "default", "because of \x1b[31mChurn")
    case = looked(tmp_path, hints=(hint,))
    with Terminal("ask", "case", folder=tmp_path) as terminal:
        terminal.wait("Your data hints at")
        assert b"\x1b[31mChurn" not in terminal.raw
        terminal.send(ENTER)
        terminal.wait_until(lambda: first in stated(case))
    assert stated(case)[first].value == CHURN[first]


@pytest.mark.parametrize(("choice", "kept"), [("1", None), ("2", Fact("n_labeled", 50, confirmed=True))])
def test_a_contradiction_is_shown_and_the_user_says_what_counts(tmp_path: Path, choice: str, kept: Fact | None) -> None:
    case = looked(tmp_path, seen("n_labeled", "Churn is filled in every row"))
    save_answers(case, Answers(facts=(Fact("n_labeled", 50),)))
    with Terminal("ask", "case", folder=tmp_path) as terminal:
        terminal.wait("Your data says otherwise")
        said = shown(terminal.text)
        assert "What the data says: 7,043 examples" in said
        assert "What I say: 50 examples" in said
        assert "Churn is filled in every row" in said
        terminal.send(choice + ENTER)
        terminal.wait("Question 1;" if kept is None else "Question")
        terminal.send(CONTROL_C)
        terminal.finish()
    assert stated(case).get("n_labeled") == kept
    with Terminal("ask", "case", folder=tmp_path) as terminal:
        terminal.wait_any("Question" if kept else "From your data")
        assert "Your data says otherwise" not in shown(terminal.everything)


def test_an_observation_can_be_overruled_only_by_insisting(tmp_path: Path) -> None:
    case = looked(tmp_path, seen("n_labeled"))
    for choice in ("1", "2"):
        with Terminal("ask", "case", folder=tmp_path) as terminal:
            terminal.wait("(Enter goes on)")
            terminal.send(ENTER)
            terminal.wait("Question 1;")
            terminal.send("j" + ENTER)
            terminal.wait("Which answer do you want to change?")
            terminal.send("1" + ENTER)
            terminal.wait("From your data")
            terminal.wait("> 7043")
            terminal.answer("0")
            terminal.wait("What I say: 70,430 examples")
            terminal.send(choice + ENTER)
            # An answer that was insisted on counts as one of the questions.
            terminal.wait(f"Question {choice};")
        assert stated(case).get("n_labeled") == (Fact("n_labeled", 70430, confirmed=True) if choice == "2" else None)


def test_ask_looks_at_the_data_it_is_given_and_asks_less(tmp_path: Path) -> None:
    rows = "\n".join(f"{i},{'ab'[i % 2]},{'yes' if i % 3 else 'no'}" for i in range(300))
    (tmp_path / "customers.csv").write_text(f"age,kind,left\n{rows}\n")
    given = [f"--set={name}={str(CHURN[name]).lower()}" for name in ("task_type", "rules_can_solve")]
    blind = train_or_not("ask", "blind", *given, "--json", folder=tmp_path)
    said = train_or_not("ask", "case", *given, "--data", "customers.csv", "--target", "left", "--json", folder=tmp_path)
    assert (blind.code, said.code) == (3, 3)
    observed = {fact["name"]: fact["value"] for fact in said.json["error"]["observed"]}
    assert observed["n_rows"] == observed["n_labeled"] == 300
    assert observed["modality"] == "tabular"
    assert len(said.json["error"]["open"]) < len(blind.json["error"]["open"])
    assert not set(observed) & set(said.json["error"]["open"])
    answers = load_answers(Case(tmp_path / "case"), load_rulebook())
    assert (answers.data, answers.target) == ("../customers.csv", "left")


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["--data", "missing.csv"], "missing.csv"),
        (["--data", "customers.csv", "--target", "lift"], "lift"),
        (["--set", "n_rows"], "n_rows"),
        (["--set", "n_row=5"], "n_row"),
        (["--set", "n_rows=-5"], "n_rows"),
    ],
)
def test_what_cannot_be_used_is_told_and_nothing_is_kept(tmp_path: Path, words: list[str], what: str) -> None:
    (tmp_path / "customers.csv").write_text("age,left\n" + "1,yes\n2,no\n" * 30)
    said = train_or_not("ask", "case", "--set", "task_type=classify", *words, folder=tmp_path)
    assert said.code == 2
    assert what in said.err
    assert "fix:" in said.err
    assert not (tmp_path / "case" / "answers.yaml").exists()
