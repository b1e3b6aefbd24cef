"""How answers are scored, what they are held against, and which rows are kept apart."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from advisor.records.look import SplitProposal
from advisor.records.plan import Gate, Plan, Setting
from trainers.lora.corpus import read_corpus
from trainers.lora.examples import Message, question_of
from trainers.lora.parts import part
from trainers.lora.recipe import Recipe
from trainers.lora.rungs import classical_answers, is_closed_set, shots_for, trivial_answers, with_shots
from trainers.lora.scores import metric_for, score, side_scores


@pytest.mark.parametrize(
    ("metric", "said", "wanted", "value"),
    [
        ("exact_match", " Paris\n", "Paris", 1),
        ("exact_match", "paris", "Paris", 0),
        ("accuracy", '"Paris."', "paris", 1),
        ("accuracy", "Paris, France", "Paris", 0),
        ("json_exact", '{"b": 1,   "a": 2}', '{"a": 2, "b": 1}', 1),
        ("json_exact", '{"a": 2', '{"a": 2}', 0),
        ("json_exact", "null", "null", 0),
        ("json_fields", '{"a": 2, "b": 0}', '{"a": 2, "b": 1}', 0.5),
        ("json_fields", "no JSON", '{"a": 2}', 0),
        ("json_fields", '{"a": null}', '{"b": null}', 0),
        ("token_f1", "the red car", "the blue car", 2 / 3),
        ("token_f1", "", "x", 0),
    ],
)
def test_one_answer_has_the_score_its_metric_says(metric: str, said: str, wanted: str, value: float) -> None:
    assert score(metric, said, wanted) == pytest.approx(value)


def test_the_metric_fits_the_answers() -> None:
    assert metric_for(['{"a": 1}', '{"a": 2}'])[0] == "json_exact"
    assert metric_for(["yes", "no"] * 20)[0] == "accuracy"
    assert metric_for([f"name {n}" for n in range(40)])[0] == "exact_match"
    assert metric_for([f"a long answer of many words number {n}" for n in range(40)])[0] == "token_f1"


def test_side_scores_say_which_field_fails() -> None:
    found = side_scores(['{"a": 1, "b": 2}', "broken"], ['{"a": 1, "b": 3}', '{"a": 1, "b": 2}'])
    assert found == {"json_valid": 0.5, "field_a": 0.5, "field_b": 0.0}


def write_rows(path: Path, count: int) -> Path:
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["ticket", "who", "answer"])
        for n in range(count):
            writer.writerow([f"about {'cards' if n % 2 else 'cash'} number {n // 2 * 2}", f"p{n % 9}", f"team {n % 2}"])
    return path


def plan_of(path: Path, kind: str = "random", column: str = "") -> Plan:
    return Plan(
        approach="fine_tune",
        trainer="lora",
        task="classify",
        data=str(path),
        data_sha256="",
        target="answer",
        split=SplitProposal(kind, column, 0.25, ""),
        metric=Setting("accuracy"),
        gate=Gate("accuracy", ("prompt",)),
        seed=1,
    )


def test_every_row_is_in_one_part_and_no_question_in_two(tmp_path: Path) -> None:
    corpus = read_corpus(write_rows(tmp_path / "rows.csv", 120), target="answer", drop=("who",))
    parts = part(corpus, plan_of(tmp_path / "rows.csv"), tmp_path, Recipe(development_rows=15, sealed_rows=1000))
    rows = [[example.row for example in side] for side in (parts.train, parts.development, parts.sealed)]
    assert sorted(row for side in rows for row in side) == list(range(1, 121))
    group = {example.row: name for example, name in zip(corpus.examples, corpus.groups, strict=True)}
    asked = [{group[row] for row in side} for side in rows]
    assert not asked[0] & asked[1] and not asked[0] & asked[2] and not asked[1] & asked[2]
    assert len(rows[1]) == 15 and 20 <= len(rows[2]) <= 40
    again = part(corpus, plan_of(tmp_path / "rows.csv"), tmp_path, Recipe(development_rows=15, sealed_rows=1000))
    assert again.test_part == parts.test_part


def test_rows_of_one_person_never_part(tmp_path: Path) -> None:
    corpus = read_corpus(write_rows(tmp_path / "rows.csv", 120), target="answer", drop=("who",), keep=("who",))
    plan = plan_of(tmp_path / "rows.csv", "group", "who")
    parts = part(corpus, plan, tmp_path, Recipe(sealed_rows=20))
    who = {example.row: name for example, name in zip(corpus.examples, corpus.columns["who"], strict=True)}
    assert not {who[e.row] for e in parts.sealed} & {who[e.row] for e in (*parts.train, *parts.development)}
    assert len(parts.sealed) == 20 == len(parts.units)
    assert any("20 are answered and scored" in note for note in parts.notes)


def test_the_rival_gets_different_examples_before_the_question(tmp_path: Path) -> None:
    corpus = read_corpus(write_rows(tmp_path / "rows.csv", 40), target="answer", drop=("who",), instruction="Route.")
    shots = shots_for(corpus.examples, 3, 5)
    assert len(shots) == 3 and {shot.answer for shot in shots} == {"team 0", "team 1"}
    turns = with_shots(corpus.examples[0].question, shots[:1])
    assert [turn.role for turn in turns] == ["system", "user", "assistant", "user"]
    assert turns[0].content == "Route." and turns[-1] == corpus.examples[0].question[-1]


def test_labels_have_a_plain_classifier_as_rival_and_free_texts_have_not(tmp_path: Path) -> None:
    corpus = read_corpus(write_rows(tmp_path / "rows.csv", 80), target="answer", drop=("who",))
    assert is_closed_set([example.answer for example in corpus.examples])
    assert not is_closed_set([str(n) for n in range(80)])
    said = classical_answers(corpus.examples[:60], corpus.examples[60:])
    assert said == [example.answer for example in corpus.examples[60:]]
    assert len(set(trivial_answers(corpus.examples[:5], corpus.examples[60:]))) == 1


def test_a_question_needs_no_answer_and_hides_the_one_it_has() -> None:
    for row in (
        {"ticket": "hello"},
        {"ticket": "hello", "answer": "secret"},
        {"messages": [{"role": "user", "content": "hello"}]},
        {"messages": [{"role": "user", "content": "hello"}, {"role": "assistant", "content": "secret"}]},
        {"prompt": "hello"},
        {"instruction": "hello", "input": ""},
        {"conversations": [{"from": "human", "value": "hello"}]},
    ):
        target = "answer" if "ticket" in row else ""
        assert question_of(row, 1, target=target).question == (Message("user", "hello"),)


def test_the_demonstrations_tickets_are_built_as_their_script_says(shared_data: Path) -> None:
    from tests.benchmarks.make_tickets import ROWS, TARGET, as_csv, from_banking77, tickets

    made = tickets(from_banking77(shared_data), ROWS)
    assert TARGET.read_text(encoding="utf-8") == as_csv(made)
    answers = [json.loads(row["answer"]) for row in made]
    assert {answer["team"] for answer in answers} == {"cards", "payments", "cash", "transfers", "account"}
    assert 0.15 < sum(answer["urgent"] for answer in answers) / len(answers) < 0.4
