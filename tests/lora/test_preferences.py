"""Preference tuning: the loss of the paper, the pairs people write, and a run held against its own base."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path

import pytest
import torch

from advisor.base.errors import BadInput
from advisor.base.files import sha256_of_file
from advisor.records.plan import Gate, Setting
from advisor.records.run import RunRecord
from tests.lora.conftest import Quiet
from tests.lora.test_trainer import make_case, plan_for
from trainers.lora.base import load_model, load_tokenizer
from trainers.lora.corpus import read_corpus
from trainers.lora.examples import read_example
from trainers.lora.forward import AnswerLoss, step_gradients
from trainers.lora.preferences import PairEncoder, PairLoss
from trainers.lora.recipe import Recipe
from trainers.lora.session import adapted_model, untuned
from trainers.lora.tokens import Encoded, Encoder
from trainers.registry import find_trainer


def pair(number: int) -> dict[str, str]:
    """People prefer the short answer."""
    return {
        "prompt": f"my card number {number} is not right",
        "chosen": "urgent" if number % 2 else "not urgent",
        "rejected": "the account is not urgent and the payment is true",
    }


def rows_of(model: Path, count: int) -> list[Encoded]:
    encoder = PairEncoder(Encoder(load_tokenizer(model), [2]))
    return [encoder.encode(read_example(pair(number), number, "pairs")) for number in range(1, count + 1)]


def by_hand(model: torch.nn.Module, row: Encoded) -> torch.Tensor:
    """log p(preferred) - log p(other) from the model's own logits."""
    sums = []
    for one in row.pair or ():
        logits = model(input_ids=torch.tensor([one.ids]), use_cache=False).logits.double().log_softmax(-1)[0]
        sums.append(sum(logits[place - 1, one.ids[place]] for place in range(1, len(one.ids)) if one.learn[place]))
    return sums[0] - sums[1]


def test_loss_and_gradients_are_the_papers(tiny_model: Path) -> None:
    model = load_model(tiny_model, dtype="float64", attention="sdpa")
    torch.manual_seed(1)
    adapted = adapted_model(model, Recipe(r=4))
    for name, weight in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.2)
    loss = PairLoss(AnswerLoss(model), lambda: untuned(adapted), 0.3)
    rows = rows_of(tiny_model, 5)
    total, count = step_gradients(loss, [rows[:2], rows[2:]])
    ours = torch.cat([p.grad.flatten() for p in adapted.parameters() if p.grad is not None])
    adapted.zero_grad()
    losses = []
    for row in rows:
        with torch.no_grad(), adapted.disable_adapter():
            base = by_hand(model, row)
        losses.append(-torch.nn.functional.logsigmoid(0.3 * (by_hand(model, row) - base)))
    theirs = torch.stack(losses).sum()
    (theirs / 5).backward()
    gradient = torch.cat([p.grad.flatten() for p in adapted.parameters() if p.grad is not None])
    assert count == 5
    assert total == pytest.approx(float(theirs.detach()), rel=1e-5)
    assert float((ours - gradient).norm() / gradient.norm()) < 1e-5


def test_at_the_start_nothing_is_preferred_over_the_base(tiny_model: Path) -> None:
    model = load_model(tiny_model, dtype="float32", attention="sdpa")
    adapted = adapted_model(model, Recipe(r=4))
    loss = PairLoss(AnswerLoss(model), lambda: untuned(adapted), 0.1)
    found = loss.tally(rows_of(tiny_model, 4))
    assert found.loss == pytest.approx(4 * math.log(2))
    assert found.exact == 0


@pytest.fixture(scope="module")
def preferring(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RunRecord]:
    case = make_case(tmp_path_factory.mktemp("cases") / "pairs", tiny_model, 1)
    (case / "pairs.jsonl").write_text("".join(json.dumps(pair(number)) + "\n" for number in range(60)))
    (case / "instruction.txt").unlink()
    plan = dataclasses.replace(
        plan_for(case, beta=0.5, epochs=1.0),
        data="pairs.jsonl",
        data_sha256=sha256_of_file(case / "pairs.jsonl"),
        target="chosen",
        metric=Setting("token_f1"),
        gate=Gate("token_f1", ("prompt",)),
    )
    run = case / "runs" / "lora-1"
    run.mkdir(parents=True)
    return run, find_trainer("lora").train(plan, case, run, Quiet())


def test_a_run_learns_to_prefer_and_is_held_against_its_own_base(preferring: tuple[Path, RunRecord]) -> None:
    run, record = preferring
    assert [one.against for one in record.gate.comparisons] == ["base"]
    curve = record.diagnostics["curve"]
    assert curve[-1]["development_loss"] < 0.5 * curve[0]["development_loss"]  # type: ignore[index]  # plain JSON
    assert record.sealed.value == 1.0
    lines = [json.loads(line) for line in (run / "test_answers.jsonl").read_text().splitlines()]
    assert {line["wanted"] for line in lines} == {"preferred"}
    assert {"asked", "wanted", "before", "after"} == set(record.diagnostics["samples"][0])  # type: ignore[index]  # plain JSON


@pytest.mark.parametrize("name", ["pairs.csv", "pairs.parquet", "pairs.json", "pairs.jsonl"])
def test_pairs_learn_at_the_rate_of_preferences_whatever_file_holds_them(
    name: str, tiny_model: Path, tmp_path: Path
) -> None:
    import pandas as pd

    case = make_case(tmp_path / "case", tiny_model, 1)
    rows = [pair(number) for number in range(12)]
    if name.startswith("pairs.json"):
        lines = [json.dumps(row) for row in rows]
        (case / name).write_text("\n".join(lines) if name.endswith("l") else f"[{','.join(lines)}]")
    elif name == "pairs.csv":
        pd.DataFrame(rows).to_csv(case / name, index=False)
    else:
        pd.DataFrame(rows).to_parquet(case / name)
    told = {"data": name, "data_sha256": sha256_of_file(case / name), "target": "chosen"}
    found = find_trainer("lora").settings(
        dataclasses.replace(plan_for(case), settings={"base": Setting("model")}, **told), case
    )
    assert (found["learning_rate"].value, found["epochs"].value) == (5e-5, 1.0)


def test_the_base_prefers_alike_whatever_is_dropped_while_learning(tiny_model: Path) -> None:
    model = load_model(tiny_model, dtype="float32", attention="sdpa")
    model.config.attention_dropout = 0.5
    for layer in model.base_model.layers:
        layer.self_attn.attention_dropout = 0.5
    adapted = adapted_model(model, Recipe(r=4, dropout=0.5))
    assert model.training
    rows, dropped, whole = (
        rows_of(tiny_model, 4),
        *(PairLoss(AnswerLoss(model), lambda: untuned(adapted), 1) for _ in "ab"),
    )
    dropped(rows)
    adapted.eval()
    whole(rows)
    assert dropped._margins_of_base == pytest.approx(whole._margins_of_base)


def test_the_tuned_model_writes_answers(preferring: tuple[Path, RunRecord]) -> None:
    said = list(find_trainer("lora").predict(preferring[0], [{"prompt": "my card number 7 is not right"}]))
    assert isinstance(said[0]["prediction"], str)


def test_openais_three_keys_mean_the_same_pair() -> None:
    theirs = {
        "input": {"messages": [{"role": "user", "content": "my card number 1 is not right"}]},
        "preferred_output": [{"role": "assistant", "content": "urgent"}],
        "non_preferred_output": [{"role": "assistant", "content": pair(1)["rejected"]}],
    }
    assert read_example(theirs, 1, "pairs") == read_example(pair(1), 1, "pairs")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"rejected": "urgent"}, "two answers are the same"),
        ({"rejected": ""}, "is empty"),
        ({"rejected": None}, "is null"),
        ({"chosen": [{"role": "user", "content": "what?"}]}, "turn 2 is 'user'"),
        (
            {
                "prompt": [],
                "chosen": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}],
                "rejected": [{"role": "user", "content": "c"}, {"role": "assistant", "content": "d"}],
            },
            "not a list with at least one",
        ),
    ],
)
def test_pairs_that_prefer_nothing_are_refused_with_their_row(
    change: dict[str, object], words: str, tmp_path: Path
) -> None:
    rows = [pair(number) for number in range(12)]
    lines = [json.dumps({**row, **(change if number == 4 else {})}) for number, row in enumerate(rows, 1)]
    (tmp_path / "pairs.jsonl").write_text("\n".join(lines) + "\n")
    with pytest.raises(BadInput, match=f"Row 4 cannot be learned from: .*{words}") as refused:
        read_corpus(tmp_path / "pairs.jsonl")
    assert refused.value.fix


@pytest.mark.parametrize("target", ["", "chosen"])
def test_pairs_that_lack_an_answer_are_named_with_what_the_file_must_hold(target: str, tmp_path: Path) -> None:
    rows = [{k: v for k, v in pair(n).items() if k != "rejected" or n not in (1, 7)} for n in range(1, 13)]
    del rows[9]["chosen"]
    (tmp_path / "pairs.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    with pytest.raises(
        BadInput, match=r"Row 1 .*'chosen' and no 'rejected'\. 2 more rows have faults: 7, 10\."
    ) as refused:
        read_corpus(tmp_path / "pairs.jsonl", target=target)
    assert '"chosen": …, "rejected": …' in refused.value.fix
    assert [(fault["row"], fault["code"]) for fault in refused.value.details["faults"]] == [
        (row, "half-a-pair") for row in (1, 7, 10)
    ]


def test_a_table_may_have_a_column_chosen_to_predict(tmp_path: Path) -> None:
    rows = [{"need": f"a card for {n}", "chosen": "cash" if n % 2 else "card"} for n in range(12)]
    (tmp_path / "rows.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    assert read_corpus(tmp_path / "rows.jsonl", target="chosen").shape == "columns"


def test_pairs_without_a_prompt_must_answer_the_same_question(tmp_path: Path) -> None:
    first, second = ([{"role": "user", "content": c}, {"role": "assistant", "content": "b"}] for c in "ac")
    (tmp_path / "pairs.jsonl").write_text(json.dumps({"chosen": first, "rejected": second}) + "\n")
    with pytest.raises(BadInput, match="do not follow the same turns"):
        read_corpus(tmp_path / "pairs.jsonl")
