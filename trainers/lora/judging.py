"""The sealed rows answered by the tuned model and by each cheaper rung, and what follows from it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from advisor.records.plan import Gate
from advisor.records.run import Candidate
from trainers.contract import Progress
from trainers.lora import rungs
from trainers.lora.examples import Message
from trainers.lora.parts import Parts
from trainers.lora.preferences import PREFERRED, PairLoss
from trainers.lora.session import Session
from trainers.lora.tokens import Encoded

_SAMPLES = 6


@dataclass(frozen=True, slots=True)
class Answered:
    """What was said to the sealed rows by the tuned model and by each rung, and what was wanted.

    `before` and `after` are what the base as it was and the tuned model wrote to the first of them. `notes` says what
    a reader must know of the rivals.
    """

    ours: list[str]
    rivals: dict[str, list[str]]
    before: list[str]
    candidates: tuple[Candidate, ...]
    wanted: list[str]
    after: list[str]
    notes: tuple[str, ...] = ()


def answered(
    session: Session,
    parts: Parts,
    sealed: Sequence[Encoded],
    gate: Gate,
    *,
    where: Path | str,
    shots: int,
    seed: int,
    longest: int,
    progress: Progress,
    lap: Callable[[str], None],
) -> Answered:
    """Every answer that the comparison needs. `longest` bounds an answer's tokens; `lap` hears of each phase's end.

    `sealed` are the same rows as `parts.sealed`, as tokens. Of pairs it is told which answer is the likelier one.
    """

    def ask(one: Session, questions: Sequence[Sequence[Message]], phase: str) -> list[str]:
        progress.phase(phase)
        return one.answers(questions, longest, lambda done: progress.step(done, len(questions), "rows"))

    asked = [example.question for example in parts.sealed]
    if isinstance(session.loss, PairLoss):
        return _preferred(session, session.loss, parts, sealed, where, ask, lap)
    ours = ask(session, asked, "Answering with the tuned model")
    lap("answer_tuned")
    found: dict[str, list[str]] = {}
    seconds: dict[str, float] = {}
    before: list[str] = []
    notes: list[str] = []

    def timed(name: str, work: Callable[[], list[str]]) -> None:
        start = time.monotonic()
        found[name] = work()
        seconds[name] = round(time.monotonic() - start, 1)

    if session.labels or "embeddings" in gate.against:
        progress.phase("Answering with the base as it was, and a linear model on its vectors")
        timed("embeddings", lambda: rungs.embeddings_answers(where, session, parts.train, parts.sealed))
    if session.labels:
        before = found["embeddings"][:_SAMPLES]
    else:
        with session.as_base(where) as base:

            def written(questions: Sequence[Sequence[Message]], phase: str) -> list[str]:
                said = ask(base, questions, phase)
                return said if base.writer.has_template else [rungs.first_turn(one, parts.train) for one in said]

            before = ask(base, asked[:_SAMPLES], "Answering with the base as it was")
            if "base" in gate.against:
                timed("base", lambda: written(asked, "Answering with the base as it was, untuned"))
            if "prompt" in gate.against:
                shown = rungs.shots_for(parts.train, shots, seed)
                room = base.words.context - longest
                count = base.writer.prompt
                prompts, fewer = rungs.with_what_fits(lambda turns: len(count(turns)), asked, shown, room)
                words = f"Answering with the base and {len(shown)} examples in its prompt"
                timed("prompt", lambda: written(prompts, words))
                notes += [_fewer(fewer, len(shown), base.words.context)] if fewer else []
    if "classical" in gate.against or rungs.is_closed_set([example.answer for example in parts.train]):
        timed("classical", lambda: rungs.classical_answers(parts.train, parts.sealed))
    if "trivial" in gate.against:
        timed("trivial", lambda: rungs.trivial_answers(parts.train, parts.sealed))
    lap("answer_rivals")
    candidates = tuple(Candidate(name, None, seconds[name], rungs.NAMES[name]) for name in found)
    wanted = [example.answer for example in parts.sealed]
    return Answered(ours, found, before, candidates, wanted, ours[:_SAMPLES], tuple(notes))


def _fewer(rows: int, shown: int, context: int) -> str:
    return (
        f"{rows:,} sealed row{'s were' if rows > 1 else ' was'} put to the prompted base with fewer than {shown} "
        f"examples: it reads {context:,} tokens, and more do not fit beside the question and its answer."
    )


def _preferred(
    session: Session,
    pairs: PairLoss,
    parts: Parts,
    sealed: Sequence[Encoded],
    where: Path | str,
    ask: Callable[[Session, Sequence[Sequence[Message]], str], list[str]],
    lap: Callable[[str], None],
) -> Answered:
    """Which answer of each sealed pair the tuned model and its base find likelier; what each writes to the first."""
    first = [example.question for example in parts.sealed[:_SAMPLES]]
    after, ours = ask(session, first, "Answering with the tuned model"), pairs.prefers(sealed)
    lap("answer_tuned")
    start = time.monotonic()
    with session.as_base(where) as base:
        before, theirs = ask(base, first, "Answering with the base as it was"), pairs.prefers(sealed)
    lap("answer_rivals")
    candidate = Candidate("base", None, round(time.monotonic() - start, 1), rungs.NAMES["base"])
    return Answered(ours, {"base": theirs}, before, (candidate,), [PREFERRED] * len(ours), after)
