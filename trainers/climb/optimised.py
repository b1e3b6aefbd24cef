"""A prompt whose instruction a model rewrites from its own mistakes: GEPA (Agrawal et al. 2025, arXiv:2507.19457).

Wordings are tried on training examples only. Two things that GEPA is known for are guarded against: a wording that
copies an example is thrown away, and one that answers no more of the examples held apart than the plain one as well.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from advisor.base.errors import EnvironmentMissing, Problem
from advisor.base.llm import Message
from advisor.base.safetext import for_prompt
from trainers.climb.policy import count
from trainers.climb.prompts import CLOSE, instructions
from trainers.climb.rungs import FewShot
from trainers.climb.task import Item, Task

ANSWERS, LEARNED, JUDGED = (count("optimise", name) for name in ("answers", "learned_from", "judged_on"))
COPIED, LONGEST = count("optimise", "copied_words"), count("optimise", "longest_tokens")
PART = "instruction"


class OptimisedPrompt(FewShot):
    """The same model and examples, under an instruction that the model itself improved."""

    name, rung = "optimised prompt", "prompt"
    about = "the same prompt under an instruction that the model rewrote from its own mistakes"

    @staticmethod
    def not_applicable(task: Task) -> str:
        return "" if len(task.train) >= LEARNED + JUDGED else "There are too few examples to rewrite an instruction by."

    def prepare(self, task: Task) -> None:
        self._wording = ""
        super().prepare(task)
        self._wording = instructions(task, hints=self._hints)["content"]
        self._improve(task)

    def kept(self) -> dict[str, Any]:
        """The instruction too."""
        return {**super().kept(), "wording": self._wording}

    def restore(self, task: Task, kept: Mapping[str, Any]) -> None:
        """Ready again; nothing is rewritten."""
        super().restore(task, kept)
        self._wording = str(kept["wording"])

    def told_first(self) -> Message:
        """The instruction; that texts are data is said whatever the model wrote."""
        if not self._wording:  # while the plain wording is still chosen
            return super().told_first()
        fenced = self._wording if CLOSE in self._wording else f"{self._wording}\n{CLOSE}"
        return {"role": "system", "content": fenced}

    def _improve(self, task: Task) -> None:
        require_gepa()
        from gepa.api import optimize

        learned, judged = task.train[:LEARNED], task.train[LEARNED : LEARNED + JUDGED]
        plain, bench = self._wording, _Bench(self, task)
        adapter: Any = bench  # what GEPA asks for is a Protocol of three types of its own
        found: Any = optimize(
            seed_candidate={PART: plain},
            trainset=list(learned),
            valset=list(judged),
            adapter=adapter,
            reflection_lm=bench.rewritten,
            max_metric_calls=ANSWERS,
            stop_callbacks=[lambda state: bench.trouble is not None],
            logger=_Silent(),
            seed=0,
        )
        if bench.trouble is not None:  # GEPA goes on without a proposal that failed; a cap that is reached must not
            raise bench.trouble
        scores = found.val_aggregate_scores
        own = [at for at, one in enumerate(found.candidates) if not copies(one[PART], (*learned, *judged), plain)]
        best = max(own, key=lambda at: (scores[at], -at))
        self._wording = found.candidates[best][PART]
        kept = "The plain one stayed" if not best else f"The one kept was right on {scores[best]:.0%}"
        thrown = len(found.candidates) - len(own)
        copied = f" {thrown} that copied an example were thrown away." if thrown else ""
        self.told = (
            f"{len(found.candidates)} wordings tried on {len(judged)} training examples. {kept}; "
            f"the plain one was right on {scores[0]:.0%}.{copied}"
        )

    def answered(self, item: Item, wording: str) -> str:
        """What the model says to an item under another wording."""
        before, self._wording = self._wording, wording
        try:
            return self.answer(item).text
        finally:
            self._wording = before

    def rewritten(self, prompt: str) -> str:
        """What the same model says to a request for a better instruction."""
        return self._asker.ask([{"role": "user", "content": prompt}], max_tokens=LONGEST).text


class _Bench:
    """What GEPA asks of us: answers under a wording with their scores, and the mistakes in words."""

    propose_new_texts = None

    def __init__(self, rung: OptimisedPrompt, task: Task) -> None:
        self._rung = rung
        self._task = task
        self.trouble: Problem | None = None

    def evaluate(self, batch: Sequence[Item], candidate: Mapping[str, str], capture_traces: bool = False) -> Any:
        from gepa.core.adapter import EvaluationBatch

        said = [self._guarded(partial(self._rung.answered, item, candidate[PART])) for item in batch]
        scores = [self._task.score(item, self._task.read(text)) for item, text in zip(batch, said, strict=True)]
        traces = list(zip(batch, said, scores, strict=True)) if capture_traces else None
        return EvaluationBatch(outputs=said, scores=scores, trajectories=traces)

    def make_reflective_dataset(
        self, candidate: Mapping[str, str], eval_batch: Any, components_to_update: Sequence[str]
    ) -> dict[str, list[dict[str, str]]]:
        rows = [
            {
                "Inputs": for_prompt(item.text),
                "Generated Outputs": for_prompt(said),
                "Feedback": "Right." if score == 1 else f"The right answer is: {for_prompt(item.accepted[0])}",
            }
            for item, said, score in eval_batch.trajectories
        ]
        return dict.fromkeys(components_to_update, rows)

    def rewritten(self, prompt: Any) -> str:
        return self._guarded(partial(self._rung.rewritten, str(prompt)))

    def _guarded(self, ask: Callable[[], str]) -> str:
        try:
            if self.trouble is not None:
                raise self.trouble
            return ask()
        except Problem as problem:
            self.trouble = problem
            raise


class _Silent:
    def log(self, message: str) -> None:
        """Say nothing: the table says what is being measured."""


def require_gepa() -> None:
    """Raise `EnvironmentMissing` with the cure where gepa is not installed; nothing is imported."""
    if importlib.util.find_spec("gepa") is None:
        raise EnvironmentMissing(
            "Rewriting instructions needs the package gepa.",
            where="--optimise",
            fix="pip install 'train-or-not[optimise]'   (or leave out --optimise)",
            code="no-extra",
        )


def copies(wording: str, examples: Sequence[Item], plain: str, words: int = COPIED) -> bool:
    """Whether a wording holds so many words in a row of an example that the plain one does not."""
    said, before = _words(wording), f" {' '.join(_words(plain))} "
    runs = {" ".join(said[at : at + words]) for at in range(len(said) - words + 1)}
    told = {
        " ".join(text[at : at + words])
        for text in map(_words, (item.text for item in examples))
        for at in range(len(text) - words + 1)
    }
    return any(f" {run} " not in before for run in runs & told)


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())
