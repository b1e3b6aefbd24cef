"""The policy of fine-tuning, rules/presets.yaml, as plain data: settings with their reasons, limits, constants."""

from __future__ import annotations

import functools
from typing import Any

from advisor.base.files import read_text
from advisor.base.shipped import rules_folder
from advisor.base.strictyaml import parse
from advisor.records.plan import Plan, Setting


@functools.cache
def presets() -> dict[str, Any]:
    """The file's content, read once."""
    content: dict[str, Any] = parse(read_text(rules_folder() / "presets.yaml"), "presets.yaml").data
    return content


def larger_pieces(plan: Plan) -> list[int]:
    """Sizes of a piece (micro_tokens) for a card to try, largest first: none where somebody chose the size.

    The preset's was measured on a processor; a card left with it stands idle.
    """
    named, preset = plan.settings.get("micro_tokens"), presets()["all"]["micro_tokens"]
    return list(presets()["card_pieces"]["sizes"]) if named in (None, Setting(**preset)) else []


def held_back(rows: int, wanted: int) -> int:
    """How many of so many unsealed rows are held back to look at: `wanted`, but at most the share of presets.yaml."""
    return min(wanted, int(rows * presets()["examples"]["most_looked_at"]))
