"""What a rented machine with graphics cards is told: a SkyPilot task, and accelerate's configuration for several cards.

Nothing is rented here: the files lie in the case for a person to read, to price and to launch.
"""

from __future__ import annotations

import math
import posixpath
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from advisor import __version__
from advisor.base.errors import BadInput, did_you_mean
from advisor.base.files import to_json
from advisor.base.strictyaml import dump
from advisor.records.plan import Estimate, Plan, Setting
from trainers.lora.accelerators import Card, plan_for
from trainers.lora.base import tokenizer_file
from trainers.lora.card_estimates import cards_assume, hours_on, on_each_card
from trainers.lora.counting import count_tokens
from trainers.lora.memory import disk_mb
from trainers.lora.planning import corpus_of, known_shape
from trainers.lora.policy import larger_pieces, presets
from trainers.lora.recipe import recipe_of
from trainers.lora.workload import workload

FOLDER = "rented"


@dataclass(frozen=True)
class Rented:
    """The plan as the cards take it, the files by their names, and the range of USD an hour for all cards together."""

    plan: Plan
    files: dict[str, str]
    usd_an_hour: tuple[float, float]


def read_card(text: str) -> tuple[dict[str, Any], int]:
    """A card of rules/presets.yaml and how many of it, from `NAME` or `NAME:COUNT`."""
    name, _, count = text.partition(":")
    cards = {str(card["name"]): card for card in presets()["cards"]}
    found = next((card for one, card in cards.items() if one.casefold() == name.strip().casefold()), None)
    if found is None or not re.fullmatch(r"|[1-9][0-9]?", count.strip()):
        raise BadInput(
            f"No card of that kind and number is known: {text!r}.",
            where="--rent",
            fix=did_you_mean(name.strip(), cards) or f"Give one of {', '.join(cards)}; several as 'L4:4'.",
            code="no-card",
        )
    return found, int(count or 1)


def rented(plan: Plan, case: Path, card: dict[str, Any], count: int, price: tuple[float, float]) -> Rented:
    """Set the plan on `count` cards and write what starts it there. Raises `BadInput` when the model cannot fit.

    `plan` bears the trainer's own settings; `price` is USD an hour of one card. Raises `EnvironmentMissing` where the
    size of the base is not known.
    """
    recipe = recipe_of(plan.settings)
    shape = known_shape(recipe.base, case)
    counts = count_tokens(corpus_of(plan, case, recipe).examples, tokenizer_file(recipe.base, case))
    work = workload(plan, counts.sizes, recipe)
    cards = Card(card["name"], card["memory_gb"], card["bfloat16"], count)
    # Several cards share out the pieces of a step, so there must be enough of them.
    made = plan_for(cards, recipe, shape, work.longest, larger_pieces(plan) if count == 1 else ())
    told = {
        name: Setting(value, f"For {card['name']}: {made.reasons[name]}") for name, value in made.settings().items()
    }
    hours = hours_on(card.get("tflops"), made, shape, work, count)
    whole = (price[0] * count, price[1] * count)
    estimate = Estimate(
        seconds=plan.budget_seconds,
        peak_memory_mb=round(made.peak_mb, 1),
        disk_mb=round(disk_mb(shape, recipe, made.dtype), 1),
        usd=round(plan.budget_seconds / 3600 * whole[1], 2),
        formula=f"The time budget on {count} × {card['name']}, at the dearest price known; set-up comes on top. "
        f"Memory: of each card, by formula. {_whole_run(hours, whole, plan.budget_seconds)}",
        error_band="Memory: a fifth either way, fitted without a graphics card.",
        on_card=True,
        cards=on_each_card(plan, recipe, shape, work),
        cards_assume=cards_assume(),
    )
    plan = replace(plan, settings={**plan.settings, **told}, estimate=estimate)
    files = {"sky.yaml": _task(case, plan.data, card, count, several=bool(made.accelerate))}
    if made.accelerate:
        files["accelerate.json"] = to_json(made.accelerate)
    return Rented(plan, files, whole)


def _whole_run(hours: tuple[float, float] | None, price: tuple[float, float], budget: float) -> str:
    """What the whole run would take there, in words, and the budget that lets it end."""
    if hours is None:
        return "How long the whole run takes there is not known: no published peak of this card was read."
    usd = (hours[0] * price[0], hours[1] * price[1])
    told = f"The whole run: {hours[0]:.2f} to {hours[1]:.2f} hours with set-up, {usd[0]:.2f} to {usd[1]:.2f} USD."
    training = hours[1] * 60 - presets()["on_cards"]["setup_minutes"]["high"]
    if budget >= training * 60:
        return told
    longer = math.ceil(training) * 60
    return f"{told} The budget of {budget:g} s may cut it, which teaches less: --budget-seconds {longer} lets it end."


def _task(case: Path, data: str, card: dict[str, Any], count: int, *, several: bool) -> str:
    launch = f' --launch "accelerate launch --config_file {FOLDER}/accelerate.json"' if several else ""
    name = re.sub(r"[^a-z0-9-]+", "-", case.resolve().name.lower()).strip("-") or "case"
    task = {
        "name": f"train-{name}",
        "resources": {"accelerators": f"{card['sky']}:{count}", "disk_size": 100},
        "workdir": ".",
        **({"file_mounts": mounts} if (mounts := _mounts(data)) else {}),
        "setup": f"pip install 'train-or-not[lora,gpu,files]=={__version__}'\n",
        "run": f"train-or-not train . --no-input{launch}\n",
    }
    return (
        "# Launched in the case's folder:   sky launch -c my-cluster rented/sky.yaml\n"
        "# Brought back when it is done:    rsync -a my-cluster:sky_workdir/runs/ runs/ && sky down my-cluster\n"
        f"{dump(task)}"
    )


def _mounts(data: str) -> dict[str, str]:
    """Where the data goes when it lies beside the case: to the same place as the plan names it there."""
    if Path(data).is_absolute():
        return {data: data}
    there = posixpath.normpath(f"sky_workdir/{data}")
    if there.startswith(".."):
        raise BadInput(
            f"The data lies too far from the case to be sent along: {data}.",
            where="plan.yaml: data",
            fix="Put it into the case's folder or beside it, look at it there, and plan again.",
            code="data-far-away",
        )
    return {} if there.startswith("sky_workdir/") else {f"~/{there}": data}
