"""The settings a run starts from, each with its reason and source: rules/presets.yaml, completed by the plan's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from advisor.base.errors import EnvironmentMissing
from advisor.base.files import read_text
from advisor.base.safetext import one_of, plain
from advisor.records.plan import Plan, Setting
from trainers.embedded.models import EMBEDDED
from trainers.lora.base import shape_of_base, size_cure
from trainers.lora.policy import presets
from trainers.lora.rowfiles import first_shape

INSTRUCTION = "instruction.txt"


def settings_for(plan: Plan, folder: Path, data: Path) -> dict[str, Setting]:
    """Every setting of the run: the plan's where it names one, else the preset for the base's size.

    A file `instruction.txt` beside the data is put before each row as the system message.
    """
    rules = presets()
    base = str(plan.settings["base"].value) if "base" in plan.settings else _default_base()
    shape = shape_of_base(base, folder)
    if shape is None and base not in EMBEDDED:
        _refuse_to_guess(plan, base)
    block = preset_block(shape.parameters if shape else 0)  # what a package carries is small
    found = {name: Setting(**setting) for name, setting in {**rules["all"], **block}.items()}
    found.setdefault("base", Setting(base, "Named in the plan."))
    if str(plan.settings.get("learning", Setting("lora")).value) == "full":
        found |= {name: Setting(**setting) for name, setting in rules["full"].items()}
    if first_shape(data, plan.target) == "pairs":
        found |= {name: Setting(**setting) for name, setting in rules["pairs"].items()}
    found |= instruction_beside(data)
    return {**found, **plan.settings}


def instruction_beside(data: Path) -> dict[str, Setting]:
    """What a file `instruction.txt` beside the data asks to be put before every row; nothing where there is none.

    For a folder of files it lies among them, or beside the folder.
    """
    within = data / INSTRUCTION
    beside = within if within.is_file() else data.with_name(INSTRUCTION)
    if not beside.is_file():
        return {}
    reason = f"The file {INSTRUCTION} beside the data; put before every row."
    return {"instruction": Setting(read_text(beside, 65_536).strip(), reason, "")}


def _default_base() -> str:
    return str(presets()["by_size"][0]["settings"]["base"]["value"])


def _refuse_to_guess(plan: Plan, base: str) -> None:
    """Raise `EnvironmentMissing` unless the plan says itself what would follow from a base's unknown size."""
    open_ones = sorted({name for block in presets()["by_size"] for name in block["settings"]} - set(plan.settings))
    if not open_ones:
        return
    named = " ".join(f"--setting {name}=VALUE" for name in open_ones)
    raise EnvironmentMissing(
        f"How large {plain(base, 80)} is cannot be told here.",
        where="plan.yaml: settings.base",
        why=f"{one_of(open_ones)} follow from the number of its weights, and so does the memory it needs.",
        fix=f"{size_cure(base)}; or say them yourself: {named}",
        code="unknown-size",
    )


def preset_block(parameters: int) -> dict[str, Any]:
    """The preset of what follows from the number of weights, by name of the setting."""
    for block in presets()["by_size"]:
        if parameters < block.get("below_parameters", float("inf")):
            found: dict[str, Any] = block["settings"]
            return found
    return {}
