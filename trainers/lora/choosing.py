"""The plan with a base that was chosen for it, here or on a rented card, and what was found of every base named."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from advisor.base.errors import BadInput
from advisor.base.machine import look_at_machine
from advisor.base.safetext import plain
from advisor.records.plan import Plan, Setting
from trainers.common.policy import policy
from trainers.common.rows import data_path
from trainers.lora.accelerators import Card, plan_for
from trainers.lora.base import Shape
from trainers.lora.bases import Fits, candidates, choose
from trainers.lora.counting import count_tokens
from trainers.lora.memory import fit, need
from trainers.lora.planning import corpus_of, likely_dtype
from trainers.lora.policy import larger_pieces, presets
from trainers.lora.presets import instruction_beside, preset_block
from trainers.lora.recipe import Recipe, recipe_of

_LABELS = ("binary", "multiclass")


def with_chosen_base(
    plan: Plan, case: Path, names: Sequence[str], use: str, card: Mapping[str, Any] | None, count: int
) -> Plan:
    """The plan with the largest of the named bases that does; `card` is one to rent, None for this machine.

    Raises `BadInput` for a name that means nothing, `EnvironmentMissing` where none does.
    """
    uses = policy("bases")["uses"]
    if use not in uses:
        raise BadInput(
            f"What a base may be used for is not told by {plain(use, 40)!r}.",
            where="--use",
            fix=f"Give one of {', '.join(uses)}.",
            code="usage",
        )
    own = {name: setting for name, setting in plan.settings.items() if name != "base"}

    def recipe_for(parameters: int) -> Recipe:
        preset = {name: Setting(**one) for name, one in {**presets()["all"], **preset_block(parameters)}.items()}
        return recipe_of({**preset, **instruction_beside(data_path(plan, case)), **own})

    recipe = recipe_for(0)
    # No base is chosen yet whose tokenizer could count.
    longest = int(max(count_tokens(corpus_of(plan, case, recipe).examples, None).reach)) + 1
    larger = larger_pieces(plan)
    machine = look_at_machine(case)
    gpu = bool(machine.cards)
    free = machine.memory_for(on_card=gpu)
    room = math.inf if free is None else presets()["memory"]["usable_share"] * free
    dtype = recipe.dtype if recipe.dtype != "auto" else likely_dtype(machine.features, gpu)

    def fits_here(shape: Shape) -> tuple[bool, str]:
        asked = replace(recipe_for(shape.parameters), attention="sdpa")
        settled = fit(shape, asked, dtype, longest, room, gpu=gpu, larger=larger)
        total = need(shape, settled, dtype, longest, gpu=gpu).total
        place = "on the card" if gpu else "free"
        at_hand = "" if free is None else f" of {free / 1024:,.1f} GB {place}"
        return total <= room, f"It needs about {total / 1024:,.1f} GB{at_hand}."

    def fits_on(card: Mapping[str, Any], shape: Shape) -> tuple[bool, str]:
        cards = Card(card["name"], card["memory_gb"], card["bfloat16"], count)
        try:
            made = plan_for(cards, recipe_for(shape.parameters), shape, longest, larger if count == 1 else ())
        except BadInput as refused:
            return False, refused.what
        return True, f"It needs about {made.peak_mb / 1024:,.1f} GB of {card['name']} ({card['memory_gb']:g} GB)."

    fits: Fits = fits_here if card is None else functools.partial(fits_on, card)
    named = candidates(names, case)
    taken, options = choose(named, fits, longest=longest, writes=plan.task not in _LABELS, use=use)
    rules = policy("bases")
    reason = options[[option.name for option in options].index(taken)].reason
    words = f"{rules['choice']} {len(options)} were weighed. {reason}"
    base = Setting(taken, words, rules["choice_source"])
    return replace(plan, settings={**plan.settings, "base": base}, bases=tuple(options))
