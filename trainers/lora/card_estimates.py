"""What a run would take on each graphics card that can be rented: whether it fits, its peak memory, its hours.

Hours = (operations of training + of answering) × what 4 bits cost / (published peak × a share of it) + set-up. Peaks,
shares and their sources stand in rules/presets.yaml; nothing here was measured on such a card. Prices are not known to
a trainer: who shows the figures puts them in.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from advisor.base.errors import BadInput
from advisor.records.plan import CardEstimate, Plan
from trainers.lora.accelerators import Card, GpuPlan, plan_for
from trainers.lora.base import Shape
from trainers.lora.policy import larger_pieces, presets
from trainers.lora.recipe import Recipe
from trainers.lora.workload import Workload


def on_each_card(plan: Plan, recipe: Recipe, shape: Shape, work: Workload) -> tuple[CardEstimate, ...]:
    """One line for each card of rules/presets.yaml, for the whole run, which no time budget cuts short."""
    larger = larger_pieces(plan)
    return tuple(_on(card, recipe, shape, work, larger) for card in presets()["cards"])


def _on(card: Mapping[str, Any], recipe: Recipe, shape: Shape, work: Workload, larger: list[int]) -> CardEstimate:
    name, price = card["name"], card["price"]
    try:
        made = plan_for(Card(name, card["memory_gb"], card["bfloat16"]), recipe, shape, work.longest, larger)
    except BadInput as refused:
        needed = float(str(refused.details["needed_mb"]))
        lacks = needed / presets()["memory"]["usable_share"] / 1024
        return CardEstimate(name, False, f"needs a card of {lacks:,.0f} GB", round(needed, 1), price=price)
    how = f"{'4 bits' if made.quantization == 'nf4' else made.dtype}"
    how += ", checkpointing" if made.checkpointing == "on" else ""
    hours = hours_on(card.get("tflops"), made, shape, work)
    return CardEstimate(name, True, how, round(made.peak_mb, 1), hours, price=price)


def hours_on(
    tflops: float | None, made: GpuPlan, shape: Shape, work: Workload, count: int = 1
) -> tuple[float, float] | None:
    """The least and the most hours of the whole run on `count` cards of that published peak; None without a peak.

    Several cards share the training out; one of them answers.
    """
    if tflops is None:
        return None
    rules = presets()["on_cards"]
    share, setup, slower = rules["share_of_peak"], rules["setup_minutes"], rules["nf4_times"]
    training = work.training(shape)
    if made.checkpointing == "on":
        training *= 1 + rules["checkpointing_operations"] / work.learning_operations
    operations = training / count + work.answering(shape)
    quantised = made.quantization == "nf4"

    def hours(end: str, of_peak: str) -> float:
        seconds = operations * (slower[end] if quantised else 1.0) / (tflops * 1e12 * share[of_peak])
        return round(float(seconds / 3600 + setup[end] / 60), 3)

    return hours("low", "high"), hours("high", "low")


def cards_assume() -> str:
    """What the hours rest on, in one sentence for a reader."""
    rules = presets()["on_cards"]
    share, setup = rules["share_of_peak"], rules["setup_minutes"]
    return (
        f"Estimated, not measured: the whole run at {share['low']:.0%} to {share['high']:.0%} of each card's published "
        f"peak, with {setup['low']:g} to {setup['high']:g} minutes of set-up. "
        "Sources: rules/presets.yaml, rules/costs.yaml."
    )
