"""A finished run, opened to answer: the same base, adapters, arithmetic and template as when it was measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from advisor.base.errors import BadInput
from trainers.lora.base import fingerprint
from trainers.lora.examples import Example, RowFault, question_of
from trainers.lora.machine import Arithmetic, find_device, usable_processors
from trainers.lora.recipe import Recipe
from trainers.lora.session import Session, open_base, open_session
from trainers.lora.trainer import read_run


class Silent:
    """Progress for nobody."""

    def phase(self, text: str) -> None:
        """Say nothing."""

    def step(self, done: float, total: float, note: str = "") -> None:
        """Say nothing."""


def open_run(run: Path) -> tuple[Session, Callable[[Mapping[str, Any], int], Example], int]:
    """The model, a way to turn rows into questions, and how many tokens an answer may have."""
    record = read_run(run)
    kept: dict[str, Any] = record["hyperparameters"]
    recipe = Recipe(**kept["recipe"])
    case = run.parent.parent
    where, tokenizer, _, _ = open_base(recipe, case, Silent())
    if fingerprint(where) != kept["base_content"]:
        raise BadInput(
            f"The base model {recipe.base} is not the one this run was trained on.",
            where=str(where),
            why="The same adapter on other weights answers otherwise than was measured.",
            fix="Put the old base back, or train again: train-or-not train CASE --again",
            code="other-base",
        )
    arithmetic = Arithmetic(recipe.dtype, kept["precision"], "as trained")
    tuned: dict[str, Any] = {"adapter": run / "adapter"}
    if recipe.learning == "full":
        where, tuned = run / "merged", {}
    session = open_session(
        recipe,
        where,
        tokenizer,
        find_device(),
        arithmetic,
        kept["longest_row"],
        0,
        labels=kept.get("labels", ()),
        **tuned,
    )
    torch.set_num_threads(max(1, min(int(kept["threads"]), usable_processors())))
    plan = record["plan"]
    drop = tuple(column["name"] for column in plan["drop"])

    def ask(row: Mapping[str, Any], number: int) -> Example:
        try:
            return question_of(row, number, target=kept["target"], drop=drop, instruction=recipe.instruction)
        except RowFault as fault:
            raise BadInput(
                f"Row {number:,} cannot be asked: {fault.what}.", where=f"row {number}", fix=fault.fix, code=fault.code
            ) from fault

    return session, ask, int(kept["longest_answer"])
