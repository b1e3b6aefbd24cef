"""Rungs that fine-tune: the small model learns the training part, with or without the passages that fit a question.

It learns on this machine, for a share of the climb's time: enough to see whether it leaves the cheaper rungs behind.
`train` then takes the time that the best result needs. Nothing here has seen the examples to choose on.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from advisor.base.errors import BudgetReached, EnvironmentMissing
from advisor.base.files import read_text, sha256_of_text, to_json, write_atomically
from advisor.base.llm import Message
from advisor.records.plan import Setting
from trainers.climb.clock import Clock
from trainers.climb.hybrid import Vectors
from trainers.climb.learned import too_few
from trainers.climb.policy import count, figure
from trainers.climb.prompts import question
from trainers.climb.retrieval import Passage
from trainers.climb.rungs import Said, searcher_for
from trainers.climb.task import Item, Task
from trainers.contract import Progress

if TYPE_CHECKING:
    from trainers.lora.examples import Example
    from trainers.lora.examples import Message as Turn
    from trainers.lora.loop import Trained
    from trainers.lora.recipe import Recipe
    from trainers.lora.session import Session
    from trainers.lora.tokens import Encoded

PACKAGES = ("torch", "transformers", "peft", "safetensors", "gguf")
FEWEST, HELD_OUT, MOST = (count("tuning", name) for name in ("fewest", "held_out", "most_examples"))


@dataclass(frozen=True)
class Bench:
    """Where and how long a rung may train: a folder that outlives a kill, progress, and the climb's clock."""

    folder: Path
    progress: Progress
    clock: Clock

    def seconds(self) -> float:
        """The seconds that one training may take. Raises `BudgetReached` when too few are left to learn anything."""
        given = min(self.clock.share_left() * figure("tuning", "time_share"), figure("tuning", "most_seconds"))
        if given < figure("tuning", "least_seconds"):
            raise BudgetReached(
                f"{max(0.0, given):.0f} seconds are left for fine-tuning, too few to learn anything.",
                why="Everything measured so far is kept.",
                fix="Run the same command with a higher --max-minutes.",
                code="time-reached",
            )
        return given


class FineTuned:
    """The small model, taught the training part by LoRA."""

    name, rung, paid, slow = "LoRA fine-tune", "fine_tune", False, True
    about = "the small model of this machine, taught the training part by LoRA"

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    @staticmethod
    def not_applicable(task: Task) -> str:
        if any(importlib.util.find_spec(name) is None for name in PACKAGES):
            return "Fine-tuning needs more packages: pip install 'train-or-not[lora]'."
        return "" if len(task.train) >= FEWEST + HELD_OUT else too_few(task, FEWEST + HELD_OUT)

    def prepare(self, task: Task) -> None:
        from trainers.lora.tokens import room_for_answers

        self._task = task
        self._begin(task)
        session = self._session = self._opened()
        rows = [session.encoder.encode(self._example(item, at)) for at, item in enumerate(task.train[:MOST], 1)]
        longest = session.model.config.max_position_embeddings
        rows = [row for row in rows if len(row.ids) <= longest]
        held, learned = rows[:HELD_OUT], rows[HELD_OUT:]
        self._longest = room_for_answers(rows)
        work = self._bench.folder / f"tuned-{self._content(task)}"
        trained, seen = self._learned(session, learned, held, work)
        course = trained.course
        passes = course.step * session.recipe.batch / len(seen)
        self.told = f"Learned for {course.seconds:.0f} s: {passes:.1f} passes over {len(seen):,} examples."

    def _learned(
        self, session: Session, rows: Sequence[Encoded], held: Sequence[Encoded], work: Path
    ) -> tuple[Trained, Sequence[Encoded]]:
        """Learn from all rows, or where time is short pass once over as many as it holds; those are remembered."""
        from trainers.lora.batches import shared_prefix
        from trainers.lora.loop import train

        budget, prefix = self._bench.seconds(), 0
        if session.loss.can_share:
            prefix = shared_prefix([*rows, *held])

        def learn(some: Sequence[Encoded], recipe: Recipe) -> tuple[Trained, Sequence[Encoded]]:
            trained = train(
                session.loss,
                session.trainable(),
                some,
                held,
                recipe,
                prefix=prefix,
                seed=0,
                budget_seconds=budget,
                work=work,
                progress=self._bench.progress,
            )
            return trained, some

        once, kept = replace(session.recipe, epochs=1.0), work / "examples.json"
        if kept.exists():
            return learn(rows[: json.loads(read_text(kept))], once)
        try:
            return learn(rows, session.recipe)
        except BudgetReached as short:
            fits = int(str(short.details.get("steps_that_fit", 0))) * session.recipe.batch
            if fits < FEWEST:
                raise BudgetReached(
                    short.what,
                    why="Everything measured so far is kept.",
                    fix="Run the same command with a higher --max-minutes.",
                    code="time-reached",
                ) from None
        write_atomically(kept, to_json(fits))
        return learn(rows[:fits], once)

    def _begin(self, task: Task) -> None:
        """What must be ready before questions can be asked."""

    def messages(self, item: Item) -> tuple[list[Message], tuple[Passage, ...]]:
        """What the model is asked about one item, and the passages in it. What to do it has learned."""
        return [question(item.text)], ()

    def answer(self, item: Item) -> Said:
        started = perf_counter()
        messages, passages = self.messages(item)
        text = self._session.answers([_turns(messages)], self._longest)[0]
        return Said(text, perf_counter() - started, passages=passages)

    def _example(self, item: Item, number: int) -> Example:
        from trainers.lora.examples import Example
        from trainers.lora.examples import Message as Turn

        messages, _ = self._taught(item)
        return Example(number, (*_turns(messages), Turn("assistant", item.accepted[0])))

    def _taught(self, item: Item) -> tuple[list[Message], tuple[Passage, ...]]:
        """What the model is shown of a training item."""
        return self.messages(item)

    def _opened(self) -> Session:
        try:
            from trainers.lora.machine import prepare

            prepare()
            from trainers.lora.policy import presets
            from trainers.lora.recipe import recipe_of
            from trainers.lora.session import open_base, open_session
        except ImportError as error:
            raise EnvironmentMissing(
                f"Fine-tuning needs a package that is not installed: {error.name}.",
                fix="pip install 'train-or-not[lora]'",
                code="no-extra",
            ) from None
        rules = presets()
        settings = {**rules["all"], **rules["by_size"][0]["settings"]}
        recipe = recipe_of({name: Setting(**setting) for name, setting in settings.items()})
        where, tokenizer, device, arithmetic = open_base(recipe, self._bench.folder, self._bench.progress)
        return open_session(recipe, where, tokenizer, device, arithmetic, 512, 0)

    def _content(self, task: Task) -> str:
        """Names what is learned, so that a killed training is taken up and another one is not."""
        return sha256_of_text(f"{self.name} {[(item.id, item.accepted) for item in task.train]}")[:12]


class FineTunedRetrieval(FineTuned):
    """The small model, taught to answer from the passage that fits a question."""

    name, rung = "retrieval + LoRA", "fine_tune"
    about = "the small model of this machine, taught to answer from the passage that fits the question"

    def __init__(self, bench: Bench, vectors: Vectors | None = None) -> None:
        super().__init__(bench)
        self._vectors = vectors

    @staticmethod
    def not_applicable(task: Task) -> str:
        return FineTuned.not_applicable(task) if task.passages else "There is no folder of documents (--documents)."

    def _begin(self, task: Task) -> None:
        self.choice = searcher_for(task, self._vectors)
        self._by_document: dict[str, list[Passage]] = {}
        for passage in task.passages:
            self._by_document.setdefault(passage.document, []).append(passage)

    def messages(self, item: Item) -> tuple[list[Message], tuple[Passage, ...]]:
        """The question after the passage that fits it best."""
        passages = self.choice.searcher.search(item.text, 1)
        return [question(item.text, passages)], tuple(passages)

    def _taught(self, item: Item) -> tuple[list[Message], tuple[Passage, ...]]:
        # Taught on the passage that holds the answer, where that is known: else it learns to make things up.
        right = [one for one in self._by_document.get(item.document, ()) if item.accepted[0] in one.text]
        return ([question(item.text, right[:1])], tuple(right[:1])) if right else self.messages(item)


def _turns(messages: Sequence[Message]) -> tuple[Turn, ...]:
    from trainers.lora.examples import Message as Turn

    return tuple(Turn(message["role"], message["content"]) for message in messages)
