"""The trainer named `hosted`: fine-tuning at a service, only where a plan names it, allows it and caps it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from advisor.base.case import now
from advisor.base.errors import BadInput, BudgetReached
from advisor.base.files import read_text
from advisor.base.keys import check_agreed
from advisor.base.llm import OpenAIDoor
from advisor.records.plan import Estimate, Plan, Setting
from advisor.records.run import RunRecord
from trainers.common.rows import data_path
from trainers.common.runfolder import verify
from trainers.contract import Progress
from trainers.hosted.choices import Choices, choices_of
from trainers.hosted.files import as_turns, most_trained_tokens
from trainers.lora.examples import RowFault, question_of
from trainers.lora.planning import corpus_of
from trainers.lora.policy import presets
from trainers.lora.presets import instruction_beside
from trainers.lora.recipe import Recipe


class HostedTrainer:
    """Fine-tunes a service's model through its OpenAI-compatible jobs."""

    def settings(self, plan: Plan, folder: Path) -> dict[str, Setting]:
        """Every choice with its reason and source; model, prices and cap must be the plan's own."""
        found = {name: Setting(**setting) for name, setting in presets()["hosted"].items()}
        return {**found, **instruction_beside(data_path(plan, folder)), **plan.settings}

    def estimate(self, plan: Plan, folder: Path) -> Estimate:
        """Money by the plan's prices. Time is the service's own; nothing is needed here. Raises `BudgetReached`."""
        choices = choices_of(self.settings(plan, folder))
        corpus = corpus_of(plan, folder, Recipe(instruction=choices.instruction))
        share = 1 - plan.split.test_share
        tokens = int(most_trained_tokens(corpus.examples, choices.epochs) * share)
        training = tokens * choices.usd_trained / 1e6
        refuse_dear_training(training, choices)
        told = " ".join(closing(choices.endpoint))
        return Estimate(
            seconds=choices.most_hours * 3600,
            peak_memory_mb=0.0,
            disk_mb=1.0,
            usd=round(training, 4),
            formula=f"The service's own time, {choices.most_hours:g} hours at most. At most {tokens:,} "
            f"trained tokens at ${choices.usd_trained:g} a million; answers on the sealed rows are "
            f"counted as they come, within ${choices.max_usd:g} for all. {told}".strip(),
            error_band="Time: the most it may take. "
            "Tokens are counted as two bytes each, which is about twice what a service counts.",
        )

    def train(self, plan: Plan, folder: Path, run: Path, progress: Progress) -> RunRecord:
        """Upload, train there, answer the sealed rows, compare; a run that was cut short finds its job again."""
        choices = choices_of(self.settings(plan, folder))
        check_agreed(choices.endpoint)
        from trainers.hosted.running import Running

        return Running(plan, folder, run, progress, choices).record()

    def predict(self, run: Path, rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """One answer a row from the tuned model at its service. Every row is paid for."""
        verify(run)
        record: dict[str, Any] = json.loads(read_text(run / "run.json"))
        kept = record["hyperparameters"]
        choices = Choices(**kept["choices"])
        check_agreed(choices.endpoint)
        door = OpenAIDoor(kept["tuned_model"], choices.endpoint)
        drop = tuple(column["name"] for column in record["plan"]["drop"])
        for number, row in enumerate(rows, 1):
            try:
                asked = question_of(row, number, target=kept["target"], drop=drop, instruction=choices.instruction)
            except RowFault as fault:
                raise BadInput(
                    f"Row {number:,} cannot be asked: {fault.what}.",
                    where=f"row {number}",
                    fix=fault.fix,
                    code=fault.code,
                ) from fault
            turns = as_turns(asked.question)
            yield {"prediction": door.complete(turns, max_tokens=choices.longest_answer).text.strip()}


def closing(endpoint: str) -> list[str]:
    """What is known of the end of this service's fine-tuning, and whether the day has come."""
    today = now()[:10]
    found = [one for one in presets()["closing"] if one["host"] in endpoint]
    return [
        ("It has closed: " if str(one["date"]) <= today else "It is closing: ") + f"{one['text']} ({one['source']})"
        for one in found
    ]


def refuse_dear_training(usd: float, choices: Choices) -> None:
    """Raise `BudgetReached` when training alone could pass the plan's cap."""
    if usd > choices.max_usd:
        raise BudgetReached(
            f"Training there may cost up to ${usd:,.2f}; the plan allows ${choices.max_usd:,.2f}.",
            where="plan.yaml: settings.max_usd",
            why="A service bills what it trained, and no cap can be set there. Nothing was sent.",
            fix="Raise max_usd, lower epochs, or take fewer rows.",
            code="cap-reached",
        )
