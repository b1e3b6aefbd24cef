"""What a rented machine with graphics cards is told: a SkyPilot task, and accelerate's configuration for several cards.

Nothing is rented here: the files lie in the case for a person to read, to price and to launch.
"""

from __future__ import annotations

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
from trainers.lora.base import shape_of_base
from trainers.lora.planning import corpus_of
from trainers.lora.policy import larger_pieces, presets
from trainers.lora.recipe import recipe_of

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

    `plan` bears the trainer's own settings; `price` is USD an hour of one card.
    """
    recipe = recipe_of(plan.settings)
    shape = shape_of_base(recipe.base, case)
    told: dict[str, Setting] = {}
    accelerate: dict[str, Any] = {}
    if shape is not None:
        longest = max(sum(len(one.content) for one in row.messages) for row in corpus_of(plan, case, recipe).examples)
        tokens = int(longest / presets()["speed"]["characters_per_token"]) + 1
        cards = Card(card["name"], card["memory_gb"], card["bfloat16"], count)
        # Several cards share out the pieces of a step, so there must be enough of them.
        made = plan_for(cards, recipe, shape, tokens, larger_pieces(plan) if count == 1 else ())
        told = {
            name: Setting(value, f"For {card['name']}: {made.reasons[name]}") for name, value in made.settings().items()
        }
        accelerate = made.accelerate
    hours = plan.budget_seconds / 3600
    whole = (price[0] * count, price[1] * count)
    estimate = Estimate(
        seconds=plan.budget_seconds,
        peak_memory_mb=0.0,
        disk_mb=plan.estimate.disk_mb,
        usd=round(hours * whole[1], 2),
        formula=f"The time budget on {count} × {card['name']}, at the dearest price known; set-up comes on top.",
    )
    plan = replace(plan, settings={**plan.settings, **told}, estimate=estimate)
    files = {"sky.yaml": _task(case, plan.data, card, count, several=bool(accelerate))}
    if accelerate:
        files["accelerate.json"] = to_json(accelerate)
    return Rented(plan, files, whole)


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
