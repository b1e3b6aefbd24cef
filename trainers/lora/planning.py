"""What a run would take, said before it starts, without loading a model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from advisor.base.errors import EnvironmentMissing
from advisor.base.machine import look_at_machine
from advisor.records.plan import Estimate, Plan
from trainers.common.rows import data_path
from trainers.lora.accelerators import cards_that_hold
from trainers.lora.base import shape_of_base
from trainers.lora.corpus import Corpus, read_corpus
from trainers.lora.examples import ANSWER_KEYS
from trainers.lora.memory import disk_mb, need, next_smaller
from trainers.lora.presets import known_cards
from trainers.lora.recipe import Recipe

# English and JSON in the tokenizers of current models; from 3.2 to 4.8 on the data sets of this project.
_CHARACTERS_PER_TOKEN = 3.8
_TEMPLATE_TOKENS = 16
# Multiply-adds: forward and backward of frozen weights, 2 + 2 operations a weight and token, a tenth for the adapters.
_OPERATIONS = 4.4
# What a processor core does of that in a second, of the order of 60 to 300; the run's trial steps measure it.
_CORE_GFLOPS = 60.0


def answer_column(plan: Plan) -> str:
    """The column of answers, or "" where the rows are conversations that hold their own."""
    return "" if plan.target in ANSWER_KEYS else plan.target


def corpus_of(plan: Plan, folder: Path, recipe: Recipe) -> Corpus:
    """The plan's examples, read and checked."""
    drop = tuple(column.name for column in plan.drop)
    if plan.split.kind == "group" and plan.split.column:
        drop += (plan.split.column,)
    return read_corpus(
        data_path(plan, folder),
        target=answer_column(plan),
        drop=drop,
        keep=plan.split.column,
        instruction=recipe.instruction,
    )


def estimate(plan: Plan, folder: Path, recipe: Recipe) -> Estimate:
    """Time, memory and disk. Raises `EnvironmentMissing` with the next smaller option when memory cannot suffice."""
    corpus = corpus_of(plan, folder, recipe)
    shape = shape_of_base(recipe.base, folder)
    if shape is None:
        return Estimate(plan.budget_seconds, 0.0, 0.0, formula="Sizes of the base are not known before it is fetched.")
    machine = look_at_machine(folder)
    shared = len(recipe.instruction) / _CHARACTERS_PER_TOKEN if recipe.instruction else 0.0
    sizes = [
        (sum(len(message.content) for message in example.messages) + len(example.rejected)) / _CHARACTERS_PER_TOKEN
        + _TEMPLATE_TOKENS * len(example.messages)
        for example in corpus.examples
    ]
    own = [max(1.0, size - shared) for size in sizes]
    trained_rows = len(own) * (1 - plan.split.test_share)
    tokens = recipe.epochs * trained_rows * (sum(own) / len(own) + shared / recipe.batch)
    speed = _CORE_GFLOPS * max(1, machine.processors) if not machine.cards else 20_000.0
    training = tokens * shape.parameters * _OPERATIONS / (speed * 1e9)
    answering = 2 * min(recipe.sealed_rows, len(own) * plan.split.test_share) * 0.6 if not machine.cards else 30.0
    dtype = recipe.dtype if recipe.dtype != "auto" else _likely_dtype(machine.features, bool(machine.cards))
    wanted = need(
        shape,
        replace(recipe, attention="sdpa"),
        dtype,
        int(max(sizes)) + 1,
        prefix=int(shared),
        gpu=bool(machine.cards),
    )
    free = machine.cards[0].memory_mb if machine.cards else machine.memory_free_mb
    if free is not None and wanted.total > free:
        raise EnvironmentMissing(
            f"Fine-tuning {recipe.base} so needs about {wanted.total / 1024:,.1f} GB of memory; "
            f"{free / 1024:,.1f} GB are free.",
            where="plan.yaml: settings",
            why=wanted.words(),
            fix=next_smaller(shape, recipe, dtype, int(max(sizes)) + 1, free, int(shared)),
            code="out-of-memory",
        )
    return Estimate(
        seconds=round(min(training, plan.budget_seconds) + answering + 20, 1),
        peak_memory_mb=round(wanted.total, 1),
        disk_mb=round(disk_mb(shape, recipe), 1),
        usd=0.0,
        formula=f"{tokens:,.0f} tokens × {shape.parameters:,} weights × {_OPERATIONS} at {speed:g} GFLOP/s, at most "
        f"the budget of {plan.budget_seconds:g} s; then the sealed rows are answered twice. Memory: {wanted.words()}. "
        f"On a graphics card {cards_that_hold(known_cards(), recipe, shape, int(max(sizes)) + 1)}.",
        error_band="Time: half to twice, the run's own trial steps say it closer. Memory: a fifth either way.",
    )


def _likely_dtype(features: frozenset[str], card: bool) -> str:
    """What the run will probably measure as fastest; it decides by measuring, not by this."""
    return "bfloat16" if card or features & {"avx512_bf16", "amx_bf16"} else "float32"
