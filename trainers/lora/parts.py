"""Which examples are learned from, which are looked at while learning, and which are sealed until the end."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from advisor.base.errors import BadInput
from advisor.records.plan import Plan
from trainers.common.metrics import Integers
from trainers.common.sealed import freeze, sealed_before
from trainers.common.splits import split_rows
from trainers.lora.corpus import Corpus
from trainers.lora.examples import Example
from trainers.lora.policy import held_back
from trainers.lora.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Parts:
    """`sealed` is what the gate is measured on; `units` says which of it belong together; `test_part` names it."""

    train: tuple[Example, ...]
    development: tuple[Example, ...]
    sealed: tuple[Example, ...]
    units: Integers
    test_part: str
    notes: tuple[str, ...]


def part(corpus: Corpus, plan: Plan, folder: Path, recipe: Recipe) -> Parts:
    """The plan's split, frozen in the case. Rows that ask the same question are always on one side."""
    examples = corpus.examples
    frame = pd.DataFrame({"question": list(corpus.groups)})
    answers, codes = np.unique([example.answer for example in examples], return_inverse=True)
    proposal = plan.split
    if proposal.kind == "stratified" and len(answers) > max(2, len(examples) // 10):
        proposal = replace(proposal, kind="random")
    split_by = None
    if proposal.column:
        if proposal.column not in corpus.columns:
            raise BadInput(
                f"The rows have no {proposal.column!r} to split by.",
                where="plan.yaml: split.column",
                fix="Name a key that every row has, or split at random.",
                code="no-column",
            )
        split_by = pd.Series(corpus.columns[proposal.column], name=proposal.column)
    split = split_rows(
        frame,
        codes.astype(np.float64),
        proposal,
        split_by,
        plan.seed,
        sealed_before=sealed_before(plan, folder),
    )
    test_part = freeze(plan, folder, split)
    sealed, units = split.test, split.test_units()
    notes = list(split.notes)
    if len(sealed) > recipe.sealed_rows:
        kept = sorted(random.Random(plan.seed).sample(range(len(sealed)), recipe.sealed_rows))  # noqa: S311  a draw
        notes.append(f"Of {len(sealed):,} sealed rows {len(kept):,} are answered and scored (sealed_rows).")
        sealed, units = sealed[kept], np.unique(units[kept], return_inverse=True)[1].astype(np.int64)
    train, development = _look_aside([int(row) for row in split.train], corpus.groups, recipe, plan.seed)
    return Parts(
        tuple(examples[row] for row in train),
        tuple(examples[row] for row in development),
        tuple(examples[row] for row in sealed),
        units,
        test_part,
        tuple(notes),
    )


def _look_aside(rows: list[int], groups: Sequence[str], recipe: Recipe, seed: int) -> tuple[list[int], list[int]]:
    """Whole groups, drawn by the seed, until there are enough development rows."""
    wanted = held_back(len(rows), recipe.development_rows)
    names = sorted({groups[row] for row in rows})
    random.Random(f"development:{seed}").shuffle(names)  # noqa: S311  a draw, not a secret
    aside: set[str] = set()
    count = 0
    for name in names:
        size = sum(groups[row] == name for row in rows)
        if count + size <= wanted:
            aside.add(name)
            count += size
        if count >= wanted:
            break
    return [row for row in rows if groups[row] not in aside], [row for row in rows if groups[row] in aside]
