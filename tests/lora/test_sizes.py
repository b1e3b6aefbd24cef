"""How large a base is, from what its folder or the hub's cache holds; nothing is guessed where they do not say."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from advisor.base.errors import EnvironmentMissing
from advisor.records.plan import Setting
from tests.lora.test_rivals import without_template
from tests.lora.test_trainer import make_case, plan_for
from trainers.lora.base import load_model, read_shape
from trainers.registry import find_trainer

REVISION = "0123456789abcdef0123456789abcdef01234567"
LLAMA = {"hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32, "num_attention_heads": 32}
MISTRAL = LLAMA | {"num_key_value_heads": 8, "vocab_size": 32000, "max_position_embeddings": 32768}
FAMILIES = {
    "mistral": ({"model_type": "mistral", "tie_word_embeddings": False, **MISTRAL}, 7.24e9, 32768),
    "mixtral": (
        {
            "model_type": "mixtral",
            "tie_word_embeddings": False,
            "num_local_experts": 8,
            "num_experts_per_tok": 2,
            **MISTRAL,
        },
        46.7e9,
        32768,
    ),
    "gpt2": (
        {
            "model_type": "gpt2",
            "n_embd": 768,
            "n_layer": 12,
            "n_head": 12,
            "n_positions": 1024,
            "n_ctx": 1024,
            "vocab_size": 50257,
            "tie_word_embeddings": True,
        },
        124e6,
        1024,
    ),
    "words inside pictures": (
        {"model_type": "gemma3", "tie_word_embeddings": False, "text_config": {"model_type": "text", **MISTRAL}},
        7.24e9,
        32768,
    ),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_of_configurations_says_its_size_and_context(family: str, tmp_path: Path) -> None:
    config, weights, context = FAMILIES[family]
    (tmp_path / "config.json").write_text(json.dumps(config))
    shape = read_shape(tmp_path)
    assert shape is not None
    assert shape.parameters == pytest.approx(weights, rel=0.01)
    assert shape.context == context


@pytest.mark.parametrize("shard", ["10KB", "10GB"])
def test_the_weights_of_a_folder_are_counted_in_its_files(shard: str, tiny_model: Path, tmp_path: Path) -> None:
    model = load_model(
        without_template(tiny_model, tmp_path / "base", 64), dtype="float32", attention="sdpa", device="cpu"
    )
    model.save_pretrained(tmp_path / "again", max_shard_size=shard)
    shape = read_shape(tmp_path / "again")
    assert shape is not None
    assert shape.parameters == sum(weight.numel() for weight in model.parameters())
    assert (shape.context, shape.layers, shape.tied) == (64, 2, True)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the hub, and no network."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


@pytest.mark.usefixtures("cache")
def test_a_base_of_unknown_size_is_asked_about_and_never_taken_for_a_small_one(
    tiny_model: Path, tmp_path: Path
) -> None:
    case = make_case(tmp_path / "case", tiny_model, 12)
    plan = dataclasses.replace(plan_for(case), settings={"base": Setting(f"owner/large@{REVISION}")})
    with pytest.raises(EnvironmentMissing, match="How large owner/large") as refused:
        find_trainer("lora").settings(plan, case)
    assert f"hf download owner/large --revision {REVISION}" in refused.value.fix
    assert "--setting learning_rate=VALUE" in refused.value.fix
    said = {name: Setting(value) for name, value in {"learning_rate": 2e-4, "epochs": 1.0, "batch": 16}.items()}
    found = find_trainer("lora").settings(dataclasses.replace(plan, settings={**plan.settings, **said}), case)
    assert found["learning_rate"].value == 2e-4


def test_a_hub_name_whose_configuration_was_fetched_gets_the_settings_of_its_size(
    cache: Path, tiny_model: Path, tmp_path: Path
) -> None:
    kept = cache / "models--owner--large" / "snapshots" / REVISION
    kept.mkdir(parents=True)
    (kept / "config.json").write_text(json.dumps(FAMILIES["mistral"][0]))
    case = make_case(tmp_path / "case", tiny_model, 12)
    plan = dataclasses.replace(plan_for(case), settings={"base": Setting(f"owner/large@{REVISION}")})
    found = find_trainer("lora").settings(plan, case)
    assert found["learning_rate"].value == 2e-4
    assert "7B" in found["learning_rate"].reason
