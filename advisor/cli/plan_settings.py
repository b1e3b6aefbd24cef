"""The choices that `plan --setting NAME=VALUE` makes: what they say, and what they mean for the columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from advisor.base.errors import BadInput
from advisor.base.safetext import plain

if TYPE_CHECKING:
    from advisor.records.plan import Setting

ASKED = "Asked for on the command line."


def read_settings(pairs: Sequence[str]) -> dict[str, object]:
    """Names and values as YAML or JSON spells them. Raises `BadInput` for what sets nothing."""
    from advisor.base.strictyaml import parse

    asked: dict[str, object] = {}
    for pair in pairs:
        name, sign, text = pair.partition("=")
        if not (sign and name.strip()):
            raise BadInput(
                f"{plain(pair, 60)!r} sets nothing.",
                where="--setting",
                fix="Write the name, then the value: --setting horizon=24",
                code="usage",
            )
        asked[name.strip()] = parse(f"value: {text.strip()}", "--setting").data["value"] if text.strip() else ""
    return asked


def chosen_settings(asked: Mapping[str, object]) -> dict[str, Setting]:
    """The same as settings of a plan; the trainer checks them."""
    from advisor.records.plan import Setting

    return {name: Setting(value, ASKED) for name, value in asked.items()}


def weighing_column(asked: Mapping[str, object]) -> dict[str, str]:
    """The column by which rows count, if one was named, and why it is no feature: nobody need be asked about it."""
    named = asked.get("weight_column")
    return {str(named): "It says how much a row counts, as asked for by --setting weight_column."} if named else {}
