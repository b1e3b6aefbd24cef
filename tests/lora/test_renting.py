"""A plan for rented cards: files that accelerate and a reader of YAML take as they stand, and an honest price."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from advisor.base.errors import BadInput, EnvironmentMissing
from advisor.records.plan import Setting
from tests.command import train_or_not
from tests.lora.conftest import ticket_rows
from tests.lora.test_on_cards import BIG
from tests.lora.test_trainer import make_case, plan_for
from trainers.lora.renting import read_card, rented
from trainers.registry import find_trainer


def test_four_cards_get_a_task_and_a_configuration_that_accelerate_reads(tiny_model: Path, tmp_path: Path) -> None:
    from accelerate.commands.config.config_args import ClusterConfig

    case = make_case(tmp_path / "My Tickets", tiny_model, 40)
    plan = plan_for(case)
    plan = replace(plan, settings={**plan.settings, **find_trainer("lora").settings(plan, case)})
    card, count = read_card("a100 80 gb:4")
    made = rented(plan, case, card, count, (1.5, 3.0))
    task = yaml.safe_load(made.files["sky.yaml"])
    assert task["name"] == "train-my-tickets"
    assert task["resources"]["accelerators"] == "A100-80GB:4"
    assert task["setup"].startswith("pip install 'train-or-not[lora,gpu,files]==")
    assert "accelerate launch --config_file rented/accelerate.json" in task["run"]
    assert made.usd_an_hour == (6.0, 12.0)
    assert made.plan.estimate.usd == pytest.approx(12.0 * plan.budget_seconds / 3600, abs=0.01)
    file = tmp_path / "accelerate.json"
    file.write_text(made.files["accelerate.json"])
    read = ClusterConfig.from_json_file(str(file))
    assert (read.num_processes, str(read.distributed_type).endswith("MULTI_GPU")) == (4, True)
    one = rented(plan, case, card, 1, (1.5, 3.0))
    assert "accelerate.json" not in one.files and "--launch" not in one.files["sky.yaml"]


def test_cards_that_are_not_known_are_refused() -> None:
    for text in ("L5", "L4:0", "L4:x", ""):
        with pytest.raises(BadInput, match="No card of that kind"):
            read_card(text)


def test_full_tuning_is_shared_out_over_several_cards(tiny_model: Path, tmp_path: Path) -> None:
    from accelerate.commands.config.config_args import ClusterConfig

    case = make_case(tmp_path / "case", tiny_model, 40)
    plan = plan_for(case, learning="full")
    plan = replace(plan, settings={**plan.settings, **find_trainer("lora").settings(plan, case)})
    made = rented(plan, case, *read_card("L4:2"), (1.0, 1.0))
    assert made.plan.settings["learning"].value == "full"
    assert "accelerate launch --config_file rented/accelerate.json" in yaml.safe_load(made.files["sky.yaml"])["run"]
    file = tmp_path / "accelerate.json"
    file.write_text(made.files["accelerate.json"])
    read = ClusterConfig.from_json_file(str(file))
    assert (read.num_processes, str(read.distributed_type).endswith("FSDP")) == (2, True)


@pytest.mark.heavy
def test_the_command_writes_the_files_and_prices_the_budget(tmp_path: Path) -> None:
    rows = ticket_rows(120)
    (tmp_path / "rows.jsonl").write_text(
        "".join(json.dumps({"prompt": row["ticket"], "completion": row["answer"]}) + "\n" for row in rows)
    )
    assert train_or_not("new", "case", folder=tmp_path).code == 0
    assert train_or_not("look", "case", "--data", "rows.jsonl", "--quiet", folder=tmp_path).code == 0
    words = ("plan", "case", "--approach", "fine_tune", "--budget-seconds", "3600", "--rent", "L4", "--json")
    said = train_or_not(*words, folder=tmp_path)
    assert said.code == 0, said.err
    assert 0.2 < said.json["estimate"]["usd"] < 2
    assert (
        yaml.safe_load((tmp_path / "case" / "rented" / "sky.yaml").read_text())["resources"]["accelerators"] == "L4:1"
    )
    refused = train_or_not("plan", "case", "--approach", "classical", "--rent", "L4", "--json", folder=tmp_path)
    assert refused.code == 2


def test_a_plan_for_rented_cards_tells_memory_and_the_whole_run_and_never_counts_an_unknown_base_as_nothing(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = make_case(tmp_path / "case", tiny_model, 40)
    plan = plan_for(case)
    plan = replace(plan, settings={**plan.settings, **find_trainer("lora").settings(plan, case)}, budget_seconds=60.0)
    made = rented(plan, case, *read_card("L4"), (0.5, 1.0)).plan.estimate
    assert made.on_card and 1200 < made.peak_memory_mb < 3000 and made.disk_mb > 8
    assert "The whole run: 0.08 to 0.33 hours with set-up, 0.04 to 0.33 USD." in made.formula
    assert "lets it end" not in made.formula
    assert [card.card for card in made.cards if card.fits] == [card.card for card in made.cards]
    (case / "big").mkdir()
    (case / "big" / "config.json").write_text(json.dumps(BIG))
    (case / "big" / "model.safetensors").write_bytes(b"")
    large = replace(plan, settings={**plan.settings, "base": Setting("big")}, budget_seconds=1.0)
    cut = rented(large, case, *read_card("L4"), (0.5, 1.0)).plan.estimate
    assert "The budget of 1 s may cut it, which teaches less: --budget-seconds" in cut.formula
    assert 16_500 < cut.peak_memory_mb < 22_000
    unread = rented(plan, case, *read_card("RTX 4090"), (0.5, 1.0)).plan.estimate
    assert "is not known: no published peak" in unread.formula
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    unknown = replace(plan, settings={**plan.settings, "base": Setting(f"owner/large@{'0' * 40}")})
    for ask in (
        lambda: rented(unknown, case, *read_card("L4"), (0.5, 1.0)),
        lambda: find_trainer("lora").estimate(unknown, case),
    ):
        with pytest.raises(EnvironmentMissing, match="How large owner/large") as refused:
            ask()
        assert refused.value.fix.startswith("Fetch it once with network (hf download owner/large")
