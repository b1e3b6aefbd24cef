"""The choices of a fine-tuning run, each a plain value; made from a plan's settings, checked before anything loads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from advisor.base.errors import BadInput, did_you_mean
from advisor.base.safetext import plain
from advisor.records.plan import Setting


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a run does. The values here are only the form; a plan's come from rules/presets.yaml with their reasons.

    `learning` is lora or full. `head` says what answers: words that the model writes, or a label (a head over the
    classes); "auto" is words wherever the base can write. `find_learning_rate` "on" tries rates around `learning_rate`
    before the first step, and learns at the one where the loss falls fastest. `micro_tokens` bounds the padded tokens
    of one forward pass. `threads` 0, `dtype`, `attention` and `checkpointing` "auto" are settled by measurement before
    the first step.
    """

    base: str = "smollm2-135m-instruct"
    learning: str = "lora"
    head: str = "auto"
    r: int = 16
    alpha: int = 32
    dropout: float = 0.0
    targets: str = "all-linear"
    learning_rate: float = 1e-3
    find_learning_rate: str = "off"
    warmup_share: float = 0.05
    weight_decay: float = 0.0
    clip: float = 1.0
    batch: int = 16
    epochs: float = 2.0
    beta: float = 0.1
    evaluations: int = 6
    patience: int = 3
    development_rows: int = 48
    sealed_rows: int = 96
    shots: int = 4
    micro_tokens: int = 1024
    longest: int = 0
    dtype: str = "auto"
    attention: str = "auto"
    checkpointing: str = "auto"
    threads: int = 0
    save_seconds: float = 30.0
    instruction: str = ""
    quantization: str = "none"
    device_map: str = ""
    optimiser: str = "auto"
    export: str = "adapter"

    @property
    def is_paged(self) -> bool:
        """Whether AdamW's moments are kept in 8 bits that may leave the card: where it is as full as 4 bits suggest."""
        return self.optimiser == "paged_adamw_8bit" or (self.optimiser == "auto" and self.quantization != "none")


_CHOICES = {
    "learning": ("lora", "full"),
    "head": ("auto", "words", "label"),
    "dtype": ("auto", "float32", "bfloat16"),
    "attention": ("auto", "eager", "sdpa", "flash_attention_2"),
    "checkpointing": ("auto", "on", "off"),
    "quantization": ("none", "nf4", "int8"),
    "export": ("adapter", "merged"),
    "find_learning_rate": ("off", "on"),
    "optimiser": ("auto", "adamw", "paged_adamw_8bit"),
}
_RANGES: dict[str, tuple[float, float]] = {
    "r": (1, 1024),
    "alpha": (1, 4096),
    "dropout": (0, 0.9),
    "learning_rate": (1e-7, 0.1),
    "warmup_share": (0, 0.5),
    "weight_decay": (0, 1),
    "clip": (1e-3, 1e6),
    "batch": (1, 4096),
    "epochs": (0.01, 1000),
    "beta": (1e-4, 10),
    "evaluations": (1, 1000),
    "patience": (1, 1000),
    "development_rows": (0, 100_000),
    "sealed_rows": (1, 1_000_000),
    "shots": (0, 64),
    "micro_tokens": (16, 10_000_000),
    "longest": (0, 10_000_000),
    "threads": (0, 1024),
    "save_seconds": (0, 86_400),
}
# What a plan tells the people who follow it; the run itself does not read it.
FOR_PEOPLE = ("first_examples", "method", "passages")
_REFUSED = {
    "trust_remote_code": "foreign code is never run here",
    "hub_token": "a token belongs into the environment, never into a file",
    "token": "a token belongs into the environment, never into a file",
    "push_to_hub": "nothing is sent anywhere",
}


def recipe_of(settings: Mapping[str, Setting]) -> Recipe:
    """The recipe in a plan's settings. Raises `BadInput` for an unknown, refused or impossible one."""
    values: dict[str, object] = {}
    forms = {field.name: type(field.default) for field in fields(Recipe)}
    for name, setting in settings.items():
        if name in FOR_PEOPLE:
            continue
        if name in _REFUSED:
            raise BadInput(
                f"The setting {name} is refused: {_REFUSED[name]}.",
                where=f"plan.yaml: settings.{name}",
                fix="Take it out of the plan.",
                code="refused-setting",
            )
        if name not in forms:
            raise BadInput(
                f"There is no setting {plain(name, 40)!r}.",
                where="plan.yaml: settings",
                fix=did_you_mean(name, forms) or f"Known: {', '.join(forms)}.",
                code="no-setting",
            )
        values[name] = _value(name, setting.value, forms[name])
    return Recipe(**values)  # type: ignore[arg-type]  # each value was checked against its field


def _value(name: str, value: object, form: type) -> object:
    if form is str:
        fits = isinstance(value, str)
    else:
        fits = isinstance(value, int | float) and not isinstance(value, bool) and (form is float or value == int(value))
    if not fits:
        kind = {int: "a whole number", float: "a number", str: "a text"}[form]
        raise _bad(name, value, f"it should be {kind}")
    if isinstance(value, int | float):
        low, high = _RANGES[name]
        if not low <= value <= high:
            raise _bad(name, value, f"it must lie between {low:g} and {high:g}")
        return int(value) if form is int else float(value)
    if name in _CHOICES and value not in _CHOICES[name]:
        raise _bad(name, value, f"it must be one of {', '.join(_CHOICES[name])}")
    return value


def _bad(name: str, value: object, trouble: str) -> BadInput:
    return BadInput(
        f"The setting {name} is {plain(value, 40)!r}; {trouble}.",
        where=f"plan.yaml: settings.{name}.value",
        fix="Correct it, or plan again: train-or-not plan CASE",
        code="bad-setting",
    )
