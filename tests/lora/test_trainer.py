"""The trainer from plan to gate on a tiny model: what it says, what it leaves, what it refuses, what it answers."""

from __future__ import annotations

import csv
import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from advisor.base.case import Case
from advisor.base.errors import BadInput, BudgetReached, EnvironmentMissing
from advisor.base.files import sha256_of_file
from advisor.records.look import SplitProposal
from advisor.records.plain import load
from advisor.records.plan import Gate, Plan, Setting
from advisor.records.run import RunRecord
from tests.lora.conftest import Quiet, ticket_rows
from trainers.common.runfolder import is_complete, verify
from trainers.lora.renting import read_card, rented
from trainers.registry import find_trainer

CANARY = "hf_canary-4f1e"
SMALL = {
    "r": 8,
    "learning_rate": 0.01,
    "batch": 8,
    "epochs": 2.0,
    "evaluations": 2,
    "development_rows": 12,
    "sealed_rows": 12,
    "shots": 2,
    "micro_tokens": 256,
    "threads": 1,
}


def make_case(folder: Path, model: Path, rows: int = 80) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "tickets.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, ["ticket", "answer"])
        writer.writeheader()
        writer.writerows(ticket_rows(rows))
    (folder / "instruction.txt").write_text(
        "Route the ticket to its team, as the card and the cash and the account say"
    )
    (folder / "model").symlink_to(model)
    return folder


def plan_for(case: Path, **settings: object) -> Plan:
    return Plan(
        approach="fine_tune",
        trainer="lora",
        task="extract",
        data="tickets.csv",
        data_sha256=sha256_of_file(case / "tickets.csv"),
        target="answer",
        split=SplitProposal("random", "", 0.2, ""),
        metric=Setting("json_exact"),
        gate=Gate("json_exact", ("prompt", "trivial")),
        settings={name: Setting(value) for name, value in {"base": "model", **SMALL, **settings}.items()},
        budget_seconds=600.0,
        seed=3,
    )


@pytest.fixture(scope="module")
def case(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_case(tmp_path_factory.mktemp("cases") / "tickets", tiny_model)


@pytest.fixture(scope="module")
def trained(case: Path) -> tuple[Path, RunRecord]:
    run = case / "runs" / "lora-1"
    run.mkdir(parents=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_TOKEN", CANARY)
        return run, find_trainer("lora").train(plan_for(case), case, run, Quiet())


def test_a_run_leaves_a_folder_that_proves_itself(case: Path, trained: tuple[Path, RunRecord]) -> None:
    run, record = trained
    assert is_complete(run)
    verify(run)
    assert load(run / "run.json", RunRecord) == record
    assert {"adapter/adapter_model.safetensors", "adapter/adapter_config.json", "MODEL_CARD.md"} <= set(record.files)
    assert not (run / "work").exists()
    assert record.rows == {"train": 52, "development": 12, "test": 12}
    assert [one["event"] for one in Case(case).history()] == ["test_part_frozen", "sealed_opened"]


def test_the_record_shows_curve_forecast_beside_actual_and_both_answers(trained: tuple[Path, RunRecord]) -> None:
    found = trained[1].diagnostics
    curve = found["curve"]
    assert isinstance(curve, list)
    assert [point["step"] for point in curve] == [0, 7, 13]
    assert curve[-1]["development_loss"] < curve[0]["development_loss"]
    assert found["forecast"]["steps"] == 13  # type: ignore[index]  # plain JSON
    assert found["forecast"]["peak_memory_mb"] > 0 < found["actual"]["peak_memory_mb"]  # type: ignore[index]  # plain JSON
    assert {"asked", "wanted", "before", "after"} == set(found["samples"][0])  # type: ignore[index]  # plain JSON
    assert found["lora"]["trained_weights"] == 8 * 2 * (2 * (48 + 48) + 2 * (48 + 24) + 3 * (48 + 96))  # type: ignore[index]  # plain JSON


def test_the_gate_compares_on_the_same_sealed_rows(trained: tuple[Path, RunRecord]) -> None:
    run, record = trained
    assert [one.against for one in record.gate.comparisons] == ["prompt", "trivial"]
    assert {one.ours.rows for one in record.gate.comparisons} == {12}
    lines = [json.loads(line) for line in (run / "test_answers.jsonl").read_text().splitlines()]
    right = sum(json.loads(one["wanted"]) == _json(one["ours"]) for one in lines)
    assert record.sealed.value == pytest.approx(right / 12)
    assert record.gate.outcome in ("earned", "not_earned")


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None


def test_the_page_shows_answers_before_and_after_side_by_side(trained: tuple[Path, RunRecord]) -> None:
    from advisor.cli.train_page import page

    record = trained[1]
    shown = list(page(record))
    assert "The cheaper rungs beside it" in shown
    assert not any("mean over folds" in line for line in shown)
    head = next(place for place, line in enumerate(shown) if line.strip().startswith("Before") and "| After" in line)
    sample = record.diagnostics["samples"][0]  # type: ignore[index]  # plain JSON
    assert shown[head + 1].strip() == f"asked: {sample['asked']}"
    assert any(line.strip().startswith(f"wanted: {sample['wanted']}") for line in shown[head:])
    assert any(line.split()[:2] == ["json", "valid"] and line.endswith("%") for line in shown)


def test_predict_answers_as_the_sealed_rows_were_answered(trained: tuple[Path, RunRecord]) -> None:
    run, _ = trained
    lines = [json.loads(line) for line in (run / "test_answers.jsonl").read_text().splitlines()]
    with (run.parent.parent / "tickets.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    asked = [{"ticket": rows[line["row"] - 1]["ticket"]} for line in lines]
    said = list(find_trainer("lora").predict(run, asked))
    assert [one["prediction"] for one in said] == [line["ours"] for line in lines]


def test_a_run_refuses_a_base_that_is_not_its_own(trained: tuple[Path, RunRecord], tmp_path: Path) -> None:
    import shutil

    from tests.lora.conftest import write_tiny_model

    run, _ = trained
    case = tmp_path / "case"
    shutil.copytree(run, case / "runs" / "lora-1")
    write_tiny_model(case / "model", seed=9)
    with pytest.raises(BadInput, match="not the one this run was trained on"):
        list(find_trainer("lora").predict(case / "runs" / "lora-1", [{"ticket": "my card"}]))


def test_a_run_leaves_no_pickle_no_key_and_no_path_of_this_machine(case: Path, trained: tuple[Path, RunRecord]) -> None:
    run, _ = trained
    for file in run.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            assert content[:2] not in (b"\x80\x02", b"\x80\x04", b"\x80\x05", b"PK")
            assert CANARY.encode() not in content
            assert str(case).encode() not in content
            assert str(case.resolve()).encode() not in content


def test_the_adapter_loads_in_peft_and_the_merged_model_answers_the_same(
    case: Path, trained: tuple[Path, RunRecord], tmp_path: Path
) -> None:
    import torch

    from trainers.lora.answering import open_run
    from trainers.lora.base import load_model
    from trainers.lora.export import export_model

    session, _, _ = open_run(trained[0])
    ids = torch.arange(40)[None]
    with torch.no_grad():
        apart = session.model(input_ids=ids).logits
    export_model(session, tmp_path / "merged", "model", case / "model")
    merged = load_model(tmp_path / "merged", dtype="float32", attention="sdpa")
    with torch.no_grad():
        assert torch.allclose(merged(input_ids=ids).logits, apart, atol=1e-4)
    assert {p.suffix for p in (tmp_path / "merged").iterdir()} <= {".json", ".safetensors", ".jinja"}
    assert str(tmp_path) not in (tmp_path / "merged" / "config.json").read_text()


def test_every_setting_has_a_reason_and_a_source(case: Path) -> None:
    plan = dataclasses.replace(plan_for(case), settings={})
    settings = find_trainer("lora").settings(plan, case)
    assert settings["base"].value == "smollm2-135m-instruct"
    assert settings["learning_rate"].value == 1e-3
    assert "Route the ticket" in str(settings["instruction"].value)
    for name, setting in settings.items():
        assert setting.reason, name
        assert setting.source or name == "instruction", name


def test_a_plan_is_estimated_without_loading_torch_or_fetching_the_base(case: Path) -> None:
    plan = dataclasses.replace(plan_for(case), settings={})
    found = find_trainer("lora").estimate(plan, case)
    assert 500 < found.peak_memory_mb < 4000
    assert found.seconds > 0
    assert "weights" in found.formula


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("trust_remote_code", True, "foreign code is never run"),
        ("hub_token", "hf_secret", "never into a file"),
        ("learning_rat", 0.1, "no setting 'learning_rat'"),
        ("r", 0, "between 1 and 1024"),
        ("r", 2.5, "a whole number"),
        ("learning_rate", "fast", "a number"),
        ("quantization", "int3", "one of none, nf4, int8"),
        ("base", "someone/model", "not pinned"),
        ("base", "someone/model@main", "not pinned"),
        ("base", "nowhere", "no base model"),
    ],
)
def test_an_impossible_or_unsafe_setting_is_refused_before_anything_loads(
    name: str, value: object, words: str, case: Path, tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match=words) as refused:
        find_trainer("lora").train(plan_for(case, **{name: value}), case, tmp_path, Quiet())
    assert refused.value.fix
    assert "hf_secret" not in str(refused.value.as_dict())


@pytest.mark.parametrize("fault", ["pickle weights", "own code", "no config"])
def test_a_base_that_could_run_code_is_refused(fault: str, case: Path, tiny_model: Path, tmp_path: Path) -> None:
    import shutil

    base = tmp_path / "base"
    shutil.copytree(tiny_model, base)
    if fault == "pickle weights":
        (base / "model.safetensors").rename(base / "pytorch_model.bin")
    elif fault == "own code":
        config = json.loads((base / "config.json").read_text())
        (base / "config.json").write_text(json.dumps({**config, "auto_map": {"AutoModel": "evil.Evil"}}))
    else:
        (base / "config.json").unlink()
    with pytest.raises(BadInput) as refused:
        find_trainer("lora").train(plan_for(case, base=str(base)), case, tmp_path, Quiet())
    assert refused.value.code in ("no-safetensors", "remote-code", "no-model")


def test_quantised_training_without_a_gpu_is_refused_when_it_is_planned_and_not_for_a_rented_card(
    case: Path, tmp_path: Path
) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    trainer, plan = find_trainer("lora"), plan_for(case, quantization="nf4")
    for ask in (lambda: trainer.estimate(plan, case), lambda: trainer.train(plan, case, tmp_path, Quiet())):
        with pytest.raises(EnvironmentMissing, match="needs an NVIDIA GPU") as refused:
            ask()
        assert "--setting quantization=none" in refused.value.fix and "--rent" in refused.value.fix
    settled = dataclasses.replace(plan, settings=trainer.settings(plan, case))
    assert rented(settled, case, *read_card("L4"), (0.5, 1.0)).plan.estimate.on_card


def test_a_budget_far_too_small_is_told_before_the_first_step(case: Path, tmp_path: Path) -> None:
    plan = dataclasses.replace(plan_for(case), budget_seconds=1e-6)
    with pytest.raises(BudgetReached, match="of its 13 steps 0 fit") as refused:
        find_trainer("lora").train(plan, case, tmp_path / "run", Quiet())
    assert "--budget-seconds" in refused.value.fix


def test_a_run_cut_short_at_the_end_is_finished_without_training_again(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tickets: Callable[[int], list[dict[str, str]]]
) -> None:
    """The last checkpoint is there, the answers are not: a second call must only answer and write."""
    import trainers.lora.training as training

    case = make_case(tmp_path / "case", tiny_model, 60)
    plan, run = plan_for(case), tmp_path / "case" / "runs" / "lora-1"
    run.mkdir(parents=True)

    def power_cut(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(training.Training, "_finish", power_cut)
        with pytest.raises(KeyboardInterrupt):
            find_trainer("lora").train(plan, case, run, Quiet())
    again = Quiet()
    record = find_trainer("lora").train(plan, case, run, again)
    assert is_complete(run)
    assert not any(done for done, total, note in again.steps if "rows" not in note)
    assert record.diagnostics["best_step"] in (5, 10)
    assert [one["event"] for one in Case(case).history()].count("sealed_opened") == 1


def test_full_fine_tuning_leaves_a_whole_model(tiny_model: Path, tmp_path: Path) -> None:
    case = make_case(tmp_path / "case", tiny_model, 60)
    run = case / "runs" / "lora-1"
    run.mkdir(parents=True)
    plan = plan_for(case, learning="full", learning_rate=0.001, epochs=1.0)
    record = find_trainer("lora").train(plan, case, run, Quiet())
    assert (run / "merged" / "model.safetensors").exists()
    assert record.chosen.endswith("full fine-tuning")
    said = list(find_trainer("lora").predict(run, [{"ticket": "my card number 3 is not right"}]))
    assert set(said[0]) == {"prediction"}
