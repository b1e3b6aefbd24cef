"""What is said before a run starts: memory by formula, the next smaller option, what a GPU would be told."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from advisor.base.errors import BadInput
from advisor.records.plan import Setting
from tests.lora.test_trainer import make_case
from tests.lora.test_trainer import plan_for as plan_of_a_case
from trainers.lora.accelerators import Card, plan_for, quantization_config
from trainers.lora.base import EMBEDDED_SHAPE, Shape, read_shape
from trainers.lora.bases import listed
from trainers.lora.card_estimates import hours_on, on_each_card
from trainers.lora.memory import fit, need, next_smaller, shared_out
from trainers.lora.policy import presets
from trainers.lora.recipe import Recipe, recipe_of
from trainers.lora.workload import Workload

LLAMA_8B = Shape("llama", 32, 4096, 14336, 32, 8, 128, 128256, 8192, tied=False)
LLAMA_3B = Shape("llama", 28, 3072, 8192, 24, 8, 128, 128256, 8192, tied=True)
LLAMA_2_7B = Shape("llama", 32, 4096, 11008, 32, 32, 128, 32000, 4096, tied=False)
LLAMA_70B = Shape("llama", 80, 8192, 28672, 64, 8, 128, 128256, 8192, tied=False)


def test_sizes_follow_from_the_configuration(tiny_model: Path) -> None:
    from transformers import AutoModelForCausalLM

    from trainers.lora.session import adapted_model

    shape = read_shape(tiny_model)
    assert shape is not None
    model = AutoModelForCausalLM.from_pretrained(tiny_model)
    assert shape.parameters == sum(weight.numel() for weight in model.parameters())
    adapted = adapted_model(model, Recipe(r=4, alpha=8))
    trained = sum(weight.numel() for weight in adapted.parameters() if weight.requires_grad)
    assert shape.adapter_parameters(4) == trained


def test_the_embedded_models_sizes_are_those_measured_on_it() -> None:
    assert EMBEDDED_SHAPE.parameters == 134_515_008
    assert EMBEDDED_SHAPE.adapter_parameters(16) == 4_884_480


def test_well_known_models_have_their_published_sizes() -> None:
    assert LLAMA_8B.parameters == pytest.approx(8.03e9, rel=0.002)
    assert LLAMA_70B.parameters == pytest.approx(70.6e9, rel=0.002)


def test_memory_grows_with_what_it_should_and_checkpointing_saves() -> None:
    recipe = Recipe(base="x", micro_tokens=2048, batch=64)
    usual = need(EMBEDDED_SHAPE, recipe, "float32", 128).total
    assert need(EMBEDDED_SHAPE, recipe, "bfloat16", 128).total < usual
    assert need(EMBEDDED_SHAPE, replace(recipe, checkpointing="on"), "float32", 128).total < 0.6 * usual
    assert need(EMBEDDED_SHAPE, replace(recipe, micro_tokens=256), "float32", 128).total < 0.6 * usual
    assert need(EMBEDDED_SHAPE, replace(recipe, learning="full"), "float32", 16).total > 480 + 4 * 513
    assert need(EMBEDDED_SHAPE, recipe, "float32", 128, prefix=100).total <= usual


def test_too_little_memory_names_the_first_setting_that_would_fit() -> None:
    recipe = Recipe(micro_tokens=4096, batch=64)
    assert next_smaller(EMBEDDED_SHAPE, recipe, "float32", 128, 2500) == (
        "train-or-not plan CASE --setting micro_tokens=256"
    )
    full = replace(recipe, learning="full")
    words = next_smaller(EMBEDDED_SHAPE, full, "float32", 128, 1400)
    assert "CASE --setting micro_tokens=256 --setting checkpointing=on --setting learning=lora" in words
    assert "smaller base model" in next_smaller(LLAMA_8B, recipe, "bfloat16", 512, 8000)
    named = re.search(r"such as (\S+),", next_smaller(LLAMA_8B, recipe, "bfloat16", 512, 8000))
    assert named is not None
    asked = replace(recipe, micro_tokens=256, checkpointing="on", r=4)
    assert need(listed()[named[1]], asked, "bfloat16", 512).total <= 8000 < need(LLAMA_8B, asked, "bfloat16", 512).total
    assert "RTX 4090" in next_smaller(LLAMA_8B, recipe, "bfloat16", 512, 8000)


def test_checkpointing_comes_last_and_only_when_needed() -> None:
    recipe = Recipe(micro_tokens=4096, batch=64)
    assert fit(EMBEDDED_SHAPE, recipe, "float32", 128, 100_000) == replace(recipe, checkpointing="off")
    smaller = fit(EMBEDDED_SHAPE, recipe, "float32", 128, 2500)
    assert (smaller.micro_tokens, smaller.checkpointing) == (256, "off")
    assert fit(EMBEDDED_SHAPE, recipe, "float32", 128, 1300).checkpointing == "on"
    assert fit(EMBEDDED_SHAPE, replace(recipe, checkpointing="off"), "float32", 128, 1).checkpointing == "off"


CARDS = {card["name"]: Card(card["name"], card["memory_gb"], card["bfloat16"]) for card in presets()["cards"]}


@pytest.mark.parametrize(
    ("card", "quantization", "dtype"),
    [("A100 80 GB", "none", "bfloat16"), ("RTX 4090", "none", "bfloat16"), ("T4", "nf4", "float32")],
)
def test_an_8b_model_on_known_cards(card: str, quantization: str, dtype: str) -> None:
    made = plan_for(CARDS[card], Recipe(micro_tokens=1024), LLAMA_8B, 512)
    assert (made.quantization, made.dtype) == (quantization, dtype)
    assert made.optimiser == ("paged_adamw_8bit" if quantization == "nf4" else "adamw")
    settings = {name: Setting(value) for name, value in made.settings().items()}
    assert recipe_of(settings).is_paged == (quantization == "nf4")
    assert made.reasons.keys() >= {"dtype", "quantization", "checkpointing", "attention", "optimiser"}


def work_of(tokens: float, longest: int = 512) -> Workload:
    return Workload(tokens, 0.0, longest, 0.0, 4.4, 2.0)


def test_a_plan_says_which_cards_would_hold_it_and_what_the_others_lack(tiny_model: Path, tmp_path: Path) -> None:
    plan, recipe = plan_of_a_case(make_case(tmp_path / "case", tiny_model, 12)), Recipe(micro_tokens=1024)
    found = {card.card: card for card in on_each_card(plan, recipe, LLAMA_8B, work_of(1e6))}
    assert found.keys() == CARDS.keys()
    assert (found["T4"].fits, found["T4"].how) == (True, "4 bits, checkpointing")
    assert found["A100 80 GB"].how == "bfloat16"
    for card in found.values():
        assert card.peak_memory_mb <= 0.9 * 1024 * CARDS[card.card].memory_gb
    large = {card.card: card for card in on_each_card(plan, recipe, LLAMA_70B, work_of(1e6))}
    assert (large["T4"].fits, large["T4"].hours, large["T4"].usd) == (False, None, None)
    lacks = int(re.fullmatch(r"needs a card of (\d+) GB", large["T4"].how)[1])  # type: ignore[index]
    assert large["T4"].peak_memory_mb / 1024 / 0.9 == pytest.approx(lacks, abs=0.5)
    assert lacks > CARDS["A100 40 GB"].memory_gb and large["H100 80 GB"].fits


@pytest.mark.parametrize(("tokens_a_second", "shape"), [(8210, LLAMA_3B), (2392, LLAMA_2_7B), (4007, LLAMA_2_7B)])
def test_what_was_published_of_an_a100_lies_within_the_hours_that_are_told(tokens_a_second: int, shape: Shape) -> None:
    """torchtune's README and LLaMA-Factory's wiki, whose rates the bounds must hold without the set-up."""
    made, setup = plan_for(CARDS["A100 80 GB"], Recipe(), shape, 512), presets()["on_cards"]["setup_minutes"]
    hours = hours_on(312, made, shape, work_of(3600.0 * tokens_a_second))
    assert hours is not None
    assert hours[0] - setup["low"] / 60 <= 1 <= hours[1] - setup["high"] / 60


def test_hours_follow_from_the_published_peak_and_are_unknown_without_one() -> None:
    made = plan_for(CARDS["L4"], Recipe(), LLAMA_3B, 512)
    work, rules = work_of(1e8), presets()["on_cards"]
    least, most = hours_on(121, made, LLAMA_3B, work) or (0, 0)
    operations = 1e8 * LLAMA_3B.parameters * 4.4
    assert (made.quantization, made.checkpointing) == ("none", "off")
    assert least == pytest.approx(operations / (121e12 * 0.4) / 3600 + rules["setup_minutes"]["low"] / 60, rel=1e-3)
    assert most == pytest.approx(operations / (121e12 * 0.1) / 3600 + rules["setup_minutes"]["high"] / 60, rel=1e-3)
    slower = hours_on(121, replace(made, quantization="nf4", checkpointing="on"), LLAMA_3B, work)
    assert slower is not None and slower[0] > 1.5 * least
    shared = hours_on(121, made, LLAMA_3B, work, count=4)
    assert shared is not None and shared[1] < 0.4 * most
    assert hours_on(None, made, LLAMA_3B, work) is None


def test_a_model_that_does_not_fit_names_the_card_that_holds_it() -> None:
    with pytest.raises(BadInput, match="do not fit T4") as refused:
        plan_for(CARDS["T4"], Recipe(micro_tokens=1024), LLAMA_70B, 512)
    assert refused.value.fix.startswith("Take A100 80 GB") or refused.value.fix.startswith("Take A100 40 GB")


def test_several_cards_are_launched_by_accelerate_with_a_configuration_it_accepts(tmp_path: Path) -> None:
    from accelerate.commands.config.config_args import ClusterConfig

    for learning, kind in (("lora", "MULTI_GPU"), ("full", "FSDP")):
        made = plan_for(Card("H100", 79.2, count=8), Recipe(learning=learning, micro_tokens=1024), LLAMA_8B, 512)
        assert made.accelerate["distributed_type"] == kind
        file = tmp_path / f"{learning}.json"
        file.write_text(json.dumps(made.accelerate))
        read = ClusterConfig.from_json_file(str(file))
        assert read.num_processes == 8
        assert read.mixed_precision == "bf16"
        assert str(read.distributed_type).endswith(kind)
        if learning == "full":
            from accelerate import FullyShardedDataParallelPlugin

            plugin = FullyShardedDataParallelPlugin(
                fsdp_version=read.fsdp_config["fsdp_version"],
                auto_wrap_policy="TRANSFORMER_BASED_WRAP",
                reshard_after_forward=True,
                state_dict_type=read.fsdp_config["fsdp_state_dict_type"],
                activation_checkpointing=read.fsdp_config["fsdp_activation_checkpointing"],
            )
            assert plugin.fsdp_version == 2


def test_full_tuning_on_several_cards_divides_what_is_shared_out_and_nothing_else() -> None:
    recipe = Recipe(learning="full", micro_tokens=1024)
    alone = need(LLAMA_8B, recipe, "bfloat16", 512, gpu=True)
    four, eight = (shared_out(alone, LLAMA_8B, "bfloat16", cards) for cards in (4, 8))
    assert (four.weights + four.states) * 4 == pytest.approx(alone.weights + alone.states)
    assert (eight.activations, eight.head, eight.process) == (alone.activations, alone.head, alone.process)
    assert four.gathered == eight.gathered > 0
    assert four.total - eight.total == pytest.approx((alone.weights + alone.states) / 8)


def test_full_tuning_takes_more_cards_while_one_can_load_the_model() -> None:
    recipe = Recipe(learning="full", micro_tokens=1024)
    with pytest.raises(BadInput, match="do not fit") as refused:
        plan_for(CARDS["H100 80 GB"], recipe, LLAMA_8B, 512)
    assert "more cards" in refused.value.fix
    made = plan_for(replace(CARDS["H100 80 GB"], count=4), recipe, LLAMA_8B, 512)
    assert "fit each card" in made.reasons["quantization"]
    with pytest.raises(BadInput, match="do not fit") as refused:
        plan_for(replace(CARDS["H100 80 GB"], count=64), recipe, LLAMA_70B, 512)
    assert refused.value.fix == "Take a smaller base model."


def test_quantization_is_qloras() -> None:
    config = quantization_config("nf4", "bfloat16")
    assert (config.load_in_4bit, config.bnb_4bit_quant_type, config.bnb_4bit_use_double_quant) == (True, "nf4", True)
    assert str(config.bnb_4bit_compute_dtype) == "torch.bfloat16"
    assert quantization_config("int8", "float32").load_in_8bit


def test_the_gpt3_shape_reproduces_the_papers_figures() -> None:
    """Hu et al. 2021, counted on peft's own modules for 175 billion weights that take no memory."""
    from tests.benchmarks.lora_paper import count

    by_rank = {r: count(r) for r in (1, 4)}
    assert by_rank[4].trained == 18_874_368
    assert by_rank[1].trained == 4_718_592
    assert by_rank[4].adapter_mb == pytest.approx(37.7, abs=0.05)
    assert by_rank[4].fewer_times == pytest.approx(9_251, rel=0.001)
    assert by_rank[1].fewer_times == pytest.approx(37_003, rel=0.001)


def test_four_bits_are_counted_for_the_products_and_not_for_the_tables_of_words(tiny_model: Path) -> None:
    """QLoRA's arithmetic on Llama 3 8B, and on a real model what would be replaced."""
    recipe = Recipe(quantization="nf4", micro_tokens=512)
    words, norms = 2 * 128_256 * 4096, 65 * 4096
    linear = 32 * (4096 * 128 * (2 * 32 + 2 * 8) + 3 * 4096 * 14336)
    assert words + norms + linear == LLAMA_8B.parameters
    for dtype, width in (("bfloat16", 2), ("float32", 4)):
        found = need(LLAMA_8B, recipe, dtype, 512, gpu=True).weights * 2**20
        assert found == pytest.approx((words + norms) * width + linear * (4 + 0.127) / 8, rel=1e-3)
    from torch import nn
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(tiny_model)
    linear_layers = {name: one for name, one in model.named_modules() if isinstance(one, nn.Linear)}
    replaced = sum(one.weight.numel() for name, one in linear_layers.items() if name != "lm_head")
    shape = read_shape(tiny_model)
    assert shape is not None
    kept = shape.word_parameters + shape.hidden * (2 * shape.layers + 1)
    assert shape.parameters - kept == replaced
