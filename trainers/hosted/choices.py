"""The choices of a hosted run: where, which model, what may be spent; checked before a byte leaves this machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from decimal import Decimal

from advisor.base.errors import BadInput, did_you_mean
from advisor.base.keys import check_address
from advisor.base.safetext import plain
from advisor.records.plan import Setting
from trainers.climb.spend import Price
from trainers.lora.recipe import FOR_PEOPLE


@dataclass(frozen=True, slots=True)
class Choices:
    """What a hosted run does. Prices are USD for a million tokens: trained, read and written by the tuned model."""

    model: str
    max_usd: float
    usd_trained: float
    usd_in: float
    usd_out: float
    endpoint: str = "https://api.openai.com/v1"
    send_data: bool = False
    epochs: int = 3
    development_rows: int = 48
    sealed_rows: int = 96
    shots: int = 4
    longest_answer: int = 512
    poll_seconds: float = 20.0
    most_hours: float = 24.0
    instruction: str = ""

    @property
    def price(self) -> Price:
        """What one answer costs."""
        return Price(Decimal(str(self.usd_in)), Decimal(str(self.usd_out)), "named in the plan")


_MUST = {
    "model": "the service's name of the base model, for example gpt-4.1-mini-2025-04-14",
    "max_usd": "the most that this run may spend, in USD",
    "usd_trained": "the price of a million trained tokens, from the service's price list (0 for your own server)",
    "usd_in": "the price of a million tokens that the tuned model reads",
    "usd_out": "the price of a million tokens that the tuned model writes",
}


_COMMAND = "train-or-not plan CASE --trainer hosted"
_SHOWN = {"model": "NAME", "send_data": "true"}


def choices_of(settings: Mapping[str, Setting]) -> Choices:
    """The choices in a plan's settings. Raises `BadInput` for one that is missing, unknown or impossible."""
    forms = {field.name: field.type for field in fields(Choices)}
    values: dict[str, object] = {}
    for name, setting in settings.items():
        if name in FOR_PEOPLE:
            continue
        if name not in forms:
            raise _bad(name, f"There is no setting {plain(name, 40)!r} for hosted fine-tuning.", _known(name, forms))
        values[name] = _value(name, setting.value, str(forms[name]))
    missing = [field.name for field in fields(Choices) if field.default is MISSING and field.name not in values]
    if missing:
        open_ones = "; ".join(f"{name}, {_MUST[name]}" for name in missing)
        asked = [*missing, *([] if values.get("send_data") else ["send_data"])]
        raise BadInput(
            f"The plan does not say {open_ones}.",
            where=f"plan.yaml: settings.{missing[0]}",
            why="A service is paid by its own price list, and nothing is sent to it without a cap in USD.",
            fix=" ".join([_COMMAND, *(f"--setting {name}={_SHOWN.get(name, 'USD')}" for name in asked)]),
            code="bad-setting",
        )
    made = Choices(**values)  # type: ignore[arg-type]  # each value was checked against its field
    if not made.send_data:
        raise BadInput(
            f"Nothing was sent: the plan does not allow the examples to leave for {plain(made.endpoint, 80)}.",
            where="plan.yaml: settings.send_data",
            why="Fine-tuning at a service uploads every training row, and the service keeps it.",
            fix=f"When the owner of the data agrees: {_COMMAND} … --setting send_data=true; or here: --trainer lora",
            code="not-allowed",
        )
    check_address(made.endpoint)
    return made


def _known(name: str, forms: Mapping[str, object]) -> str:
    return did_you_mean(name, forms) or f"Known: {', '.join(forms)}."


def _value(name: str, value: object, form: str) -> object:
    """The value as its field holds it. Raises `BadInput` for one of another kind, or below zero."""
    if form == "bool" and isinstance(value, bool):
        return value
    if form == "str" and isinstance(value, str) and (value.strip() or name == "instruction"):
        return value
    if form in ("int", "float") and isinstance(value, int | float) and not isinstance(value, bool):
        if form == "float" and 0 <= value < float("inf"):
            return float(value)
        if form == "int" and 0 <= value < 10**9 and value == int(value):
            return int(value)
    kind = {"bool": "true or false", "str": "a text", "int": "a whole number, not below zero"}
    wanted = kind.get(form, "a number, not below zero")
    raise _bad(name, f"The setting {name} is {plain(value, 40)!r}; it should be {wanted}.", "Correct it.")


def _bad(name: str, what: str, fix: str) -> BadInput:
    return BadInput(what, where=f"plan.yaml: settings.{name}", fix=fix, code="bad-setting")
