"""Texts sorted into classes by a head on an encoder or a decoder, or by the label written as words."""

from __future__ import annotations

import csv
import dataclasses
import json
import warnings
from pathlib import Path

import pytest

from advisor.base.errors import BadInput
from advisor.records.plan import Gate, Plan, Setting
from advisor.records.run import RunRecord
from tests.lora.conftest import TEAMS, Quiet
from tests.lora.test_trainer import make_case, plan_for
from trainers.registry import find_trainer


def labelled_case(folder: Path, model: Path, rows: int = 100) -> Path:
    """Tickets with the bare team as their answer."""
    make_case(folder, model, 1)
    with (folder / "tickets.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["ticket", "answer"])
        writer.writerows(
            [f"my {TEAMS[number % 4]} number {number} is not right", TEAMS[number % 4]] for number in range(rows)
        )
    return folder


def label_plan(case: Path, **settings: object) -> Plan:
    plan = plan_for(case, **{"learning_rate": 0.01, "epochs": 4.0, **settings})
    return dataclasses.replace(plan, task="multiclass", metric=Setting("macro_f1"), gate=Gate("macro_f1", ("prompt",)))


def run_of(case: Path, plan: Plan) -> tuple[Path, RunRecord]:
    run = case / "runs" / "lora-1"
    run.mkdir(parents=True)
    return run, find_trainer("lora").train(plan, case, run, Quiet())


@pytest.fixture(scope="module")
def sorted_by_encoder(tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RunRecord]:
    case = labelled_case(tmp_path_factory.mktemp("cases") / "tickets", tiny_encoder)
    return run_of(case, label_plan(case))


def test_an_encoder_learns_its_classes_and_is_held_against_what_stands_below_it(
    sorted_by_encoder: tuple[Path, RunRecord],
) -> None:
    _, record = sorted_by_encoder
    assert [one.against for one in record.gate.comparisons] == ["embeddings", "classical"]
    assert record.sealed.metric == "macro_f1"
    assert record.sealed.value > 0.9
    assert any("cannot be prompted" in note for note in record.notes)
    assert record.hyperparameters["labels"] == sorted(TEAMS)


def test_predict_gives_the_label_of_the_sealed_rows_again_and_how_sure_it_is(
    sorted_by_encoder: tuple[Path, RunRecord],
) -> None:
    run, _ = sorted_by_encoder
    lines = [json.loads(line) for line in (run / "test_answers.jsonl").read_text().splitlines()]
    with (run.parent.parent / "tickets.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    said = list(find_trainer("lora").predict(run, [{"ticket": rows[line["row"] - 1]["ticket"]} for line in lines]))
    assert [one["prediction"] for one in said] == [line["ours"] for line in lines]
    for one in said:
        assert set(one["scores"]) == set(TEAMS)
        assert sum(one["scores"].values()) == pytest.approx(1.0, abs=1e-5)
        assert max(one["scores"], key=one["scores"].get) == one["prediction"]


def test_the_adapter_and_head_load_with_peft_alone(
    sorted_by_encoder: tuple[Path, RunRecord], tiny_encoder: Path
) -> None:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    run, _ = sorted_by_encoder
    fresh = AutoModelForSequenceClassification.from_pretrained(tiny_encoder, num_labels=4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # peft uses what transformers is about to rename
        model = PeftModel.from_pretrained(fresh, str(run / "adapter")).eval()
    tokens = AutoTokenizer.from_pretrained(tiny_encoder)("my cash number 7 is not right", return_tensors="pt")
    with torch.no_grad():
        theirs = model(input_ids=tokens["input_ids"]).logits.softmax(-1)[0].tolist()
    ours = next(iter(find_trainer("lora").predict(run, [{"ticket": "my cash number 7 is not right"}])))["scores"]
    assert list(ours.values()) == pytest.approx(theirs, abs=1e-5)


def test_a_decoder_can_carry_a_head_too(tiny_model: Path, tmp_path: Path) -> None:
    case = labelled_case(tmp_path / "case", tiny_model)
    run, record = run_of(case, label_plan(case, head="label", learning="full", learning_rate=0.003, epochs=8.0))
    assert record.sealed.value > 0.9
    said = list(find_trainer("lora").predict(run, [{"ticket": "my cash number 7 is not right"}]))
    assert set(said[0]["scores"]) == set(TEAMS)


def test_labels_written_as_words_are_measured_by_class_and_beside_word_counts(tiny_model: Path, tmp_path: Path) -> None:
    case = labelled_case(tmp_path / "case", tiny_model, 80)
    plan = label_plan(case, epochs=1.0)
    _, record = run_of(case, dataclasses.replace(plan, gate=Gate("macro_f1", ("prompt", "classical"))))
    assert record.sealed.metric == "macro_f1"
    assert [one.against for one in record.gate.comparisons] == ["prompt", "classical"]


def test_full_fine_tuning_of_an_encoder_answers_with_the_weights_it_learned(tiny_encoder: Path, tmp_path: Path) -> None:
    """The base's own weights sort no better than chance; those that the run keeps name every sealed row's team."""
    case = labelled_case(tmp_path / "case", tiny_encoder)
    run, record = run_of(case, label_plan(case, learning="full", learning_rate=0.003))
    assert record.sealed.value > 0.9
    lines = [json.loads(line) for line in (run / "test_answers.jsonl").read_text().splitlines()]
    with (case / "tickets.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    said = find_trainer("lora").predict(run, [{"ticket": rows[line["row"] - 1]["ticket"]} for line in lines])
    assert [one["prediction"] for one in said] == [line["ours"] for line in lines]


def test_an_encoder_asked_to_write_is_refused_before_it_loads(tiny_encoder: Path, tmp_path: Path) -> None:
    case = make_case(tmp_path / "case", tiny_encoder)
    with (case / "tickets.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["ticket", "answer"])
        writer.writerows([f"my card number {number} is not right", f"see note {number}"] for number in range(40))
    with pytest.raises(BadInput, match="no set of labels") as refused:
        run_of(case, plan_for(case))
    assert "smollm2-135m-instruct" in refused.value.fix
    with pytest.raises(BadInput, match="reads text and writes none"):
        find_trainer("lora").train(plan_for(case, head="words"), case, tmp_path / "run", Quiet())
