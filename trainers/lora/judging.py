"""The sealed rows answered by the tuned model and by each cheaper rung, and what follows from it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from advisor.records.plan import Gate
from advisor.records.run import Candidate
from trainers.contract import Progress
from trainers.lora import rungs
from trainers.lora.examples import Message
from trainers.lora.parts import Parts
from trainers.lora.session import Session

_SAMPLES = 6


@dataclass(frozen=True, slots=True)
class Answered:
    """What was said to the sealed rows: by the tuned model, by each rung, and by the base as it was to the first."""

    ours: list[str]
    rivals: dict[str, list[str]]
    before: list[str]
    candidates: tuple[Candidate, ...]


def gate_for(gate: Gate, *, head: bool) -> tuple[Gate, str]:
    """The gate as this run can measure it, and a note where that is not word for word the plan's.

    A model that only sorts cannot be prompted. What stands below tuning it is its own untuned reading with a linear
    model on top, and a linear model on word counts.
    """
    if not head or "prompt" not in gate.against:
        return gate, ""
    below = [name for name in gate.against if name != "prompt"]
    against = tuple(dict.fromkeys([*below, "embeddings", "classical"]))
    words = " and ".join(rungs.NAMES[name] for name in against)
    return replace(gate, against=against), f"A model that sorts cannot be prompted; it is held against {words}."


def answered(
    session: Session,
    parts: Parts,
    gate: Gate,
    *,
    where: Path | str,
    shots: int,
    seed: int,
    longest: int,
    progress: Progress,
    lap: Callable[[str], None],
) -> Answered:
    """Every answer that the comparison needs. `longest` bounds an answer's tokens; `lap` hears of each phase's end."""

    def ask(questions: Sequence[Sequence[Message]], phase: str) -> list[str]:
        progress.phase(phase)
        return session.answers(questions, longest, lambda done: progress.step(done, len(questions), "rows"))

    asked = [example.question for example in parts.sealed]
    ours = ask(asked, "Answering with the tuned model")
    lap("answer_tuned")
    found: dict[str, list[str]] = {}
    seconds: dict[str, float] = {}
    before: list[str] = []

    def timed(name: str, work: Callable[[], list[str]]) -> None:
        start = time.monotonic()
        found[name] = work()
        seconds[name] = round(time.monotonic() - start, 1)

    if session.labels:
        progress.phase("Answering with the base as it was, and a linear model on its vectors")
        timed("embeddings", lambda: rungs.embeddings_answers(where, session, parts.train, parts.sealed))
        before = found["embeddings"][:_SAMPLES]
    else:
        with session.as_base():
            before = ask(asked[:_SAMPLES], "Answering with the base as it was")
            if "prompt" in gate.against:
                shown = rungs.shots_for(parts.train, shots, seed)
                prompts = [rungs.with_shots(question, shown) for question in asked]
                words = f"Answering with the base and {len(shown)} examples in its prompt"
                timed("prompt", lambda: ask(prompts, words))
    if "classical" in gate.against or rungs.is_closed_set([example.answer for example in parts.train]):
        timed("classical", lambda: rungs.classical_answers(parts.train, parts.sealed))
    if "trivial" in gate.against:
        timed("trivial", lambda: rungs.trivial_answers(parts.train, parts.sealed))
    lap("answer_rivals")
    candidates = tuple(Candidate(name, None, seconds[name], rungs.NAMES[name]) for name in found)
    return Answered(ours, found, before, candidates)
