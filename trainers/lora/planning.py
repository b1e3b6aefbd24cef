"""What a run would take, said before it starts, without loading a model."""

from __future__ import annotations

import math
import statistics
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from advisor.base.errors import EnvironmentMissing
from advisor.base.machine import look_at_machine
from advisor.base.safetext import plain
from advisor.records.plan import Estimate, Plan
from trainers.common.rows import data_path
from trainers.lora.accelerators import refuse_without_card
from trainers.lora.base import Shape, shape_of_base, size_cure, tokenizer_file
from trainers.lora.card_estimates import cards_assume, on_each_card
from trainers.lora.corpus import Corpus, read_corpus
from trainers.lora.counting import count_tokens, lengths_of
from trainers.lora.memory import disk_mb, fit, need, next_smaller
from trainers.lora.policy import larger_pieces, presets
from trainers.lora.recipe import Recipe
from trainers.lora.workload import workload


def answer_column(plan: Plan, corpus: Corpus) -> str:
    """The column of answers, or "" where the rows are conversations that hold their own."""
    return plan.target if corpus.shape == "columns" else ""


def corpus_of(plan: Plan, folder: Path, recipe: Recipe) -> Corpus:
    """The plan's examples, read and checked."""
    drop = tuple(column.name for column in plan.drop)
    if plan.split.kind == "group" and plan.split.column:
        drop += (plan.split.column,)
    return read_corpus(
        data_path(plan, folder),
        target=plan.target,
        drop=drop,
        keep=(plan.split.column, *plan.split.same, *plan.split.near),
        instruction=recipe.instruction,
    )


def estimate(plan: Plan, folder: Path, recipe: Recipe) -> Estimate:
    """Time, memory and disk. Raises `EnvironmentMissing`, with the next smaller option, for what cannot run here."""
    machine = look_at_machine(folder)
    refuse_without_card(recipe, bool(machine.cards))
    counts = count_tokens(corpus_of(plan, folder, recipe).examples, tokenizer_file(recipe.base, folder))
    work = workload(plan, counts.sizes, recipe)
    shape = known_shape(recipe.base, folder)
    rules = presets()["speed"]
    speed = rules["card_gflops"] if machine.cards else product_speed() * rules["share_of_products"]
    training, answering = work.training(shape) / (speed * 1e9), work.answering(shape) / (speed * 1e9)
    dtype = recipe.dtype if recipe.dtype != "auto" else likely_dtype(machine.features, bool(machine.cards))
    gpu, longest, shared = bool(machine.cards), work.longest, int(work.shared)
    free = machine.cards[0].memory_mb if gpu else machine.memory_free_mb
    share = presets()["memory"]["usable_share"]
    room = math.inf if free is None else share * free
    # What the run itself will settle on: it makes its pieces smaller, and computes twice, before it gives up.
    settled = fit(
        shape, replace(recipe, attention="sdpa"), dtype, longest, room, shared, gpu=gpu, larger=larger_pieces(plan)
    )
    common = 0 if settled.checkpointing == "on" else shared
    wanted = need(shape, settled, dtype, longest, prefix=common, gpu=gpu)
    if free is not None and wanted.total > room:
        raise EnvironmentMissing(
            f"Fine-tuning {recipe.base} so needs about {wanted.total / 1024:,.1f} GB of memory; "
            f"{free / 1024:,.1f} GB are {'on the card' if gpu else 'free'}.",
            where="plan.yaml: settings",
            why=f"At most {share:.0%} of that is used. {wanted.words()}",
            fix=next_smaller(shape, settled, dtype, longest, room, shared, gpu=gpu),
            code="out-of-memory",
        )
    return Estimate(
        seconds=round(min(training, plan.budget_seconds) + answering + 20, 1),
        peak_memory_mb=round(wanted.total, 1),
        disk_mb=round(disk_mb(shape, recipe, dtype), 1),
        usd=0.0,
        formula=f"{work.learned:,.0f} tokens × {shape.parameters - shape.resting:,} weights × "
        f"{work.learning_operations} at {speed:,.0f} GFLOP/s "
        f"({'the card, roughly' if machine.cards else 'measured just now'}), "
        f"{_within(plan.budget_seconds, training)}; then the sealed rows are answered twice. Memory: {wanted.words()}.",
        error_band="Time: half to twice, the run's own trial steps say it closer. Memory: a fifth either way.",
        on_card=gpu,
        lengths=lengths_of(counts.reach, recipe.longest or shape.context, counts.how),
        cards=on_each_card(plan, recipe, shape, work),
        cards_assume=cards_assume(),
    )


def known_shape(base: str, folder: Path) -> Shape:
    """The sizes of the base. Raises `EnvironmentMissing` where nothing tells them."""
    shape = shape_of_base(base, folder)
    if shape is not None:
        return shape
    raise EnvironmentMissing(
        f"How large {plain(base, 80)} is cannot be told here.",
        where="plan.yaml: settings.base",
        why="Memory, time and money follow from its size; none of them is taken for nothing.",
        fix=size_cure(base),
        code="unknown-size",
    )


def _within(budget: float, training: float) -> str:
    """How the budget stands to the time that training would take if it were let."""
    if training <= budget:
        return f"within the budget of {budget:g} s"
    longer = f"--budget-seconds {math.ceil(1.2 * training / 60) * 60}"
    return f"about {training:,.0f} s, but cut to the budget of {budget:g} s, which teaches less: {longer} lets it end"


def product_speed() -> float:
    """GFLOP/s of this machine these moments, by products of matrices as a small model has them; a second at most.

    In float32 and by numpy, as torch is not loaded to make a plan. A processor with bfloat16 is faster. The middle of
    several readings: what else a machine does changes its speed within a second (from 31 to 81 GFLOP/s, measured).
    """
    left, right = np.ones((512, 576), dtype=np.float32), np.ones((576, 1536), dtype=np.float32)
    readings = []
    for _ in range(12):
        best = float("inf")
        for _ in range(3):
            start = time.perf_counter()
            left @ right
            best = min(best, time.perf_counter() - start)
        readings.append(best)
        time.sleep(0.05)
    return 2 * left.shape[0] * left.shape[1] * right.shape[1] / statistics.median(readings) / 1e9


def likely_dtype(features: frozenset[str], card: bool) -> str:
    """What the run will probably measure as fastest; it decides by measuring, not by this."""
    return "bfloat16" if card or features & {"avx512_bf16", "amx_bf16"} else "float32"
