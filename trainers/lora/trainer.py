"""The trainer named `lora`: what it would do, what it takes, and the runs it leaves. Torch loads only when it works."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from advisor.base.errors import BadInput, EnvironmentMissing
from advisor.base.files import read_text
from advisor.records.plan import Estimate, Plan, Setting
from advisor.records.run import RunRecord
from trainers.common.rows import data_path
from trainers.common.runfolder import verify
from trainers.contract import Progress
from trainers.lora.presets import settings_for
from trainers.lora.recipe import Recipe, recipe_of

_BATCH = 64


class LoraTrainer:
    """Fine-tunes a language model on examples of questions and answers."""

    def settings(self, plan: Plan, folder: Path) -> dict[str, Setting]:
        """Every choice of the run with its reason and source."""
        return settings_for(plan, folder, data_path(plan, folder))

    def estimate(self, plan: Plan, folder: Path) -> Estimate:
        """Time, memory and disk by formula; the trial steps of the run itself are closer."""
        from trainers.lora.planning import estimate

        return estimate(plan, folder, self._recipe(plan, folder))

    def train(self, plan: Plan, folder: Path, run: Path, progress: Progress) -> RunRecord:
        """Do what the plan says, resume what is there, and leave the run folder complete."""
        recipe = self._recipe(plan, folder)
        need_packages()
        from trainers.lora.full_card import told_when_full
        from trainers.lora.training import Training

        with told_when_full(recipe):
            return Training(plan, folder, run, progress, recipe).record()

    def predict(self, run: Path, rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """One answer a row, in order, as the sealed rows were answered."""
        verify(run)
        need_packages()
        from trainers.lora.answering import open_run

        session, ask, longest = open_run(run)
        source = enumerate(rows, 1)
        while batch := list(itertools.islice(source, _BATCH)):
            questions = [ask(row, number).question for number, row in batch]
            if session.labels:
                for scores in session.scores(questions):
                    yield {"prediction": max(scores, key=lambda label: scores[label]), "scores": scores}
                continue
            for said in session.answers(questions, longest):
                yield {"prediction": said}

    def _recipe(self, plan: Plan, folder: Path) -> Recipe:
        return recipe_of(self.settings(plan, folder))


def need_packages() -> None:
    """Raise `EnvironmentMissing` with the pip line unless the extra `lora` is installed; set torch's environment."""
    import importlib.util

    absent = [name for name in ("torch", "transformers", "peft") if importlib.util.find_spec(name) is None]
    if absent:
        raise EnvironmentMissing(
            f"Fine-tuning needs {', '.join(absent)}.",
            fix='pip install "train-or-not[lora]"   (processor only: add --index-url of the CPU builds of torch)',
            code="extra-missing",
        )
    from trainers.lora.machine import prepare

    prepare()


def read_run(run: Path) -> dict[str, Any]:
    """A run's record as plain data. Raises `BadInput` when it is of another trainer."""
    record: dict[str, Any] = json.loads(read_text(run / "run.json"))
    if record.get("plan", {}).get("trainer") != "lora":
        raise BadInput(f"{run.name} is no fine-tuned model.", where=str(run), fix="Name a lora run.", code="no-run")
    return record
