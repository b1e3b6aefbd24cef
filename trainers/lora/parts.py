"""Which examples are learned from, which are looked at while learning, and which are sealed until the end."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from advisor.base.errors import BadInput
from advisor.base.near import joined
from advisor.records.plan import Plan
from trainers.common.metrics import Integers
from trainers.common.sealed import freeze, sealed_before
from trainers.common.splits import content_hashes, split_rows
from trainers.lora.corpus import Corpus, bare, bare_question
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
    """The plan's split, frozen in the case. Rows that ask the same question, or nearly, are always on one side."""
    examples = corpus.examples
    named = pd.DataFrame({"question": list(corpus.groups)})
    frame = pd.DataFrame({"question": _compared(corpus, plan)}) if plan.split.near else named
    answers, codes = np.unique([example.answer for example in examples], return_inverse=True)
    proposal = plan.split
    if proposal.kind == "stratified" and len(answers) > max(2, len(examples) // 10):
        proposal = replace(proposal, kind="random")
    split_by = _kept_together(corpus, plan)
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
        whole_rows=named,
        sealed_before=sealed_before(plan, folder),
    )
    test_part = freeze(plan, folder, split)
    sealed, units = split.test, split.test_units()
    notes = list(split.notes)
    if len(sealed) > recipe.sealed_rows:
        kept = sorted(random.Random(plan.seed).sample(range(len(sealed)), recipe.sealed_rows))  # noqa: S311  a draw
        notes.append(f"Of {len(sealed):,} sealed rows {len(kept):,} are answered and scored (sealed_rows).")
        sealed, units = sealed[kept], np.unique(units[kept], return_inverse=True)[1].astype(np.int64)
    groups = _linked(split.units, corpus.groups)
    train, development = _look_aside([int(row) for row in split.train], groups, recipe, plan.seed)
    return Parts(
        tuple(examples[row] for row in train),
        tuple(examples[row] for row in development),
        tuple(examples[row] for row in sealed),
        units,
        test_part,
        tuple(notes),
    )


def _compared(corpus: Corpus, plan: Plan) -> list[str]:
    """What near copies are told by: the columns that the plan names, or where rows hold no such text, the questions."""
    rows = range(len(corpus.examples))
    columns = [corpus.columns[name] for name in plan.split.near if name in corpus.columns and name != plan.target]
    if columns and not any(isinstance(cell, list | dict) for cells in columns for cell in cells):
        return ["\n".join("" if cells[row] is None else bare(str(cells[row])) for cells in columns) for row in rows]
    texts = [bare_question(example) for example in corpus.examples]
    # Words that all questions begin with would make near copies of them all.
    first, last = min(texts), max(texts)
    shared = next((place for place, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), 0)
    return [text[shared:] for text in texts]


def _kept_together(corpus: Corpus, plan: Plan) -> pd.Series[Any] | None:
    """What rows of one thing have in common, where the plan tells things by several columns; else None."""
    same = [name for name in plan.split.same if name in corpus.columns]
    if plan.split.kind != "group" or plan.split.column or not same:
        return None
    return pd.Series(content_hashes(pd.DataFrame({name: corpus.columns[name] for name in same})).astype(str))


def _linked(units: Integers, groups: Sequence[str]) -> list[str]:
    """Each row's group, one name for groups that the split keeps together: the least of them."""
    codes = joined(units, np.unique(list(groups), return_inverse=True)[1]).tolist()
    least: dict[int, str] = {}
    for code, group in zip(codes, groups, strict=True):
        least[code] = min(group, least.get(code, group))
    return [least[code] for code in codes]


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
