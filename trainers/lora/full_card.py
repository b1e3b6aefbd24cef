"""A graphics card's memory: the most that was taken of it, and what to do when it ran out."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from advisor.base.errors import EnvironmentMissing
from advisor.base.safetext import plain
from trainers.lora.recipe import Recipe


def taken_of_card_mb(kind: str) -> float:
    """The most memory that this process ever took of its card, in MiB without the driver's; 0 where it has none."""
    import torch

    return round(torch.cuda.max_memory_reserved() / 2**20, 1) if kind == "cuda" else 0.0


@contextlib.contextmanager
def told_when_full(recipe: Recipe) -> Iterator[None]:
    """Inside, a card without memory left is told in plain words, with the command that takes less."""
    import torch

    try:
        yield
    except torch.OutOfMemoryError as error:
        raise EnvironmentMissing(
            "The graphics card's memory ran out.",
            where="plan.yaml: settings",
            why=plain(str(error).partition(". Of the allocated")[0], 300),
            fix=f"train-or-not plan CASE {' '.join(_less(recipe))}, or use a card with more memory.",
            code="out-of-memory",
        ) from error


def _less(recipe: Recipe) -> list[str]:
    """What takes less than the recipe: smaller pieces, computing twice; where that was done, fewer bits or weights."""
    smaller = max(64, recipe.micro_tokens // 2)
    ways = [f"--setting micro_tokens={smaller}"] * (smaller < recipe.micro_tokens)
    ways += ["--setting checkpointing=on"] * (recipe.checkpointing != "on")
    if recipe.checkpointing == "on" and recipe.learning == "full":
        ways.append("--setting learning=lora")
    elif recipe.checkpointing == "on" and recipe.quantization == "none":
        ways.append("--setting quantization=nf4")
    return ways or ["--setting base=SMALLER"]
