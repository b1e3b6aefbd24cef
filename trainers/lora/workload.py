"""How much there is to read, learn and answer in a run, in tokens, told from the lengths of its examples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from advisor.records.plan import Plan
from trainers.lora.base import Shape
from trainers.lora.policy import held_back, presets
from trainers.lora.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Workload:
    """Tokens: `learned` over all epochs, `read` when the sealed rows are answered, of the `longest` row, and `shared`.

    `shared` is the instruction that all rows begin with. `operations` and `reading` are for each weight.
    """

    learned: float
    read: float
    longest: int
    shared: float
    learning_operations: float
    reading_operations: float

    def training(self, shape: Shape) -> float:
        """Floating-point operations of the training: of several experts a token passes through few."""
        return self.learned * (shape.parameters - shape.resting) * self.learning_operations

    def answering(self, shape: Shape) -> float:
        """Floating-point operations of answering the sealed rows, with the rival that is shown examples."""
        return self.read * (shape.parameters - shape.resting) * self.reading_operations


def workload(plan: Plan, sizes: Sequence[float], recipe: Recipe) -> Workload:
    """The workload of the whole run on examples of so many tokens, however short the plan's budget is."""
    rules = presets()["speed"]
    shared = len(recipe.instruction) / rules["characters_per_token"] if recipe.instruction else 0.0
    own = [max(1.0, size - shared) for size in sizes]
    mean, sealed = sum(own) / len(own), len(own) * plan.split.test_share
    unsealed = len(own) - sealed
    trained = unsealed - held_back(int(unsealed), recipe.development_rows)
    return Workload(
        learned=recipe.epochs * trained * (mean + shared / recipe.batch),
        # The tuned model reads a row and answers; the rival reads as many rows again as it is shown examples.
        read=min(recipe.sealed_rows, sealed) * (2 + recipe.shots) * mean,
        longest=int(max(sizes)) + 1,
        shared=shared,
        learning_operations=rules["operations"][recipe.learning],
        reading_operations=rules["reading_operations"],
    )
