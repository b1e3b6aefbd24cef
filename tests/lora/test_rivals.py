"""The cheaper rungs beside a tuned model: each is the base as it was, given a fair chance on the same sealed rows."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from advisor.base.files import sha256_of_file
from advisor.records.plan import Gate, Setting
from advisor.records.run import RunRecord
from tests.lora.conftest import ticket_rows
from tests.lora.test_classes import label_plan, labelled_case, run_of
from tests.lora.test_trainer import make_case, plan_for
from trainers.lora import rungs
from trainers.lora.base import load_tokenizer
from trainers.lora.examples import Example, Message, read_example
from trainers.lora.machine import Arithmetic, find_device
from trainers.lora.recipe import Recipe
from trainers.lora.session import Session, open_session
from trainers.lora.tokens import Encoder
from trainers.registry import find_trainer


def base_session(model: Path) -> Session:
    """The base in a process that never trained it."""
    arithmetic = Arithmetic("float32", "highest", "")
    return open_session(Recipe(), model, load_tokenizer(model), find_device(), arithmetic, 100, 0)


def answers_of(run: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in (run / "test_answers.jsonl").read_text().splitlines()]


def questions_of(case: Path, lines: Sequence[dict[str, str]]) -> list[tuple[Message, ...]]:
    rows, instruction = ticket_rows(60), (case / "instruction.txt").read_text()
    return [
        read_example(rows[int(line["row"]) - 1], 1, "columns", target="answer", instruction=instruction).question
        for line in lines
    ]


@pytest.fixture(scope="module")
def fully_tuned(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RunRecord]:
    case = make_case(tmp_path_factory.mktemp("cases") / "full", tiny_model, 60)
    plan = plan_for(case, learning="full", learning_rate=0.01, epochs=4.0, shots=0)
    return run_of(case, dataclasses.replace(plan, gate=Gate("json_exact", ("prompt",))))


def test_a_fully_tuned_model_is_held_against_the_base_as_it_was(
    fully_tuned: tuple[Path, RunRecord], tiny_model: Path
) -> None:
    run, record = fully_tuned
    lines = answers_of(run)
    longest = int(str(record.hyperparameters["longest_answer"]))
    base = base_session(tiny_model).answers(questions_of(run.parent.parent, lines), longest)
    assert [line["ours"] for line in lines] != base
    assert [line["before"] for line in lines[:6]] == base[:6]
    # No example is shown here, so the prompted base was asked the same.
    assert [line["prompt"] for line in lines] == base


def test_a_base_that_writes_is_held_against_every_rung_that_the_gate_may_name(tiny_model: Path, tmp_path: Path) -> None:
    case = labelled_case(tmp_path / "case", tiny_model)
    gate = Gate("macro_f1", ("embeddings", "base", "prompt", "classical", "trivial"))
    run, record = run_of(case, dataclasses.replace(label_plan(case, epochs=1.0), gate=gate))
    assert [one.against for one in record.gate.comparisons] == list(gate.against)
    assert set(answers_of(run)[0]) > set(gate.against)


def test_a_linear_model_is_no_rival_where_answers_are_free_text(tiny_model: Path, tmp_path: Path) -> None:
    case = make_case(tmp_path / "case", tiny_model, 1)
    rows = [{"ticket": f"my card number {n} is not right", "answer": f"card {n}"} for n in range(60)]
    (case / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    told = {"data": "rows.jsonl", "data_sha256": sha256_of_file(case / "rows.jsonl"), "metric": Setting("exact_match")}
    plan = dataclasses.replace(plan_for(case, epochs=1.0), gate=Gate("exact_match", ("embeddings",)), **told)
    _, record = run_of(case, plan)
    assert [one.against for one in record.gate.comparisons] == ["prompt"]
    assert any("No linear model" in note for note in record.notes)


def test_a_sorting_model_is_never_held_against_what_must_write(tiny_encoder: Path, tmp_path: Path) -> None:
    case = labelled_case(tmp_path / "case", tiny_encoder)
    _, record = run_of(case, dataclasses.replace(label_plan(case, epochs=1.0), gate=Gate("macro_f1", ("base",))))
    assert [one.against for one in record.gate.comparisons] == ["embeddings", "classical"]


def without_template(model: Path, folder: Path, positions: int) -> Path:
    """A GPT-2 of 2 layers that reads `positions` tokens and has no chat template, as base models have none."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    tokenizer = load_tokenizer(model)
    tokenizer.chat_template = None
    torch.manual_seed(0)
    sizes = {"n_embd": 48, "n_layer": 2, "n_head": 4, "n_positions": positions, "n_inner": 96}
    GPT2LMHeadModel(GPT2Config(vocab_size=len(tokenizer), eos_token_id=2, bos_token_id=0, **sizes)).save_pretrained(
        folder
    )
    tokenizer.save_pretrained(folder)
    return folder


def test_examples_in_the_prompt_of_a_base_without_a_template_end_as_learned_answers_end(
    tiny_model: Path, tmp_path: Path
) -> None:
    tokenizer = load_tokenizer(without_template(tiny_model, tmp_path / "base", 64))
    encoder = Encoder(tokenizer, [2])
    shots = [Example(n, (Message("user", f"card {n}"), Message("assistant", "cash"))) for n in (1, 2)]
    turns = rungs.with_shots((Message("user", "account"),), shots)
    said = tokenizer.decode(encoder.prompt(turns))
    assert said == "card 1\n\ncash<|im_end|>\n\ncard 2\n\ncash<|im_end|>\n\naccount\n\n"
    learned = encoder.encode(Example(1, (*turns, Message("assistant", "team"))))
    assert list(learned.ids[: len(encoder.prompt(turns))]) == encoder.prompt(turns)
    taught = [token for token, learns in zip(learned.ids, learned.learn, strict=True) if learns]
    assert tokenizer.decode(taught) == "cash<|im_end|>cash<|im_end|>team<|im_end|>"


def test_a_base_that_goes_on_to_the_next_question_is_judged_by_its_first_turn() -> None:
    labels = [Example(1, (Message("user", "a"), Message("assistant", "cash")))]
    assert rungs.first_turn("cash\n\nmy card\n\ncards", labels) == "cash"
    letters = [Example(1, (Message("user", "a"), Message("assistant", "Dear sir,\n\nno.")))]
    assert rungs.first_turn("Dear sir,\n\nyes.", letters) == "Dear sir,\n\nyes."


def test_a_base_of_few_positions_is_shown_as_many_examples_as_fit(tiny_model: Path, tmp_path: Path) -> None:
    case = make_case(tmp_path / "case", without_template(tiny_model, tmp_path / "base", 72), 60)
    (case / "instruction.txt").unlink()
    run, record = run_of(case, plan_for(case, epochs=1.0, shots=8))
    assert [one.against for one in record.gate.comparisons] == ["prompt", "trivial"]
    assert any("fewer than 8 examples: it reads 72 tokens" in note for note in record.notes)
    assert list(find_trainer("lora").predict(run, [{"ticket": "my card number 3 is not right"}]))


def test_no_answer_goes_beyond_what_the_base_can_read(tiny_model: Path, tmp_path: Path) -> None:
    session = base_session(without_template(tiny_model, tmp_path / "base", 24))
    questions = [(Message("user", "card " * count),) for count in (3, 10, 18)]
    said = session.answers(questions, 200)
    assert len(said) == 3
