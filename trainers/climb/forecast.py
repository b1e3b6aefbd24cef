"""What a climb may ask and cost, said before a word is sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from trainers.climb.likely import TEXTS, MostLikely
from trainers.climb.optimised import ANSWERS, OptimisedPrompt
from trainers.climb.prompts import instructions, schema_of
from trainers.climb.rungs import PASSAGES, PILOT, SHOTS, FewShot, OracleContext, Retrieval, ZeroShot
from trainers.climb.spend import Price
from trainers.climb.task import Task

_FRAME = 64  # bytes around each message, as a chat template adds them
_BYTES_PER_TOKEN = 4  # of English; other scripts take more tokens, up to one a byte


@dataclass(frozen=True, slots=True)
class Forecast:
    """Questions, tokens and USD: as expected, and the most they can be before failed attempts are paid again."""

    calls: int
    tokens: int
    usd: Decimal
    most_calls: int
    most_tokens: int
    most_usd: Decimal


def forecast(task: Task, rungs: Sequence[type[ZeroShot]], price: Price, verdicts: int = 0) -> Forecast:
    """What measuring these rungs on all examples to choose on, and one of them on the sealed part, may take.

    With people's `verdicts` the model judges those, and every answer to an example.
    """
    if not rungs:
        return Forecast(0, 0, Decimal(0), 0, 0, Decimal(0))
    answer = task.longest_answer()
    mean_in = [(rung, _bytes_in(task, rung)) for rung in rungs]
    asked = [(len(task.asked(task.development, costs=True)) + _pilot(task, rung), size) for rung, size in mean_in]
    asked.append((len(task.asked(task.sealed, costs=True)), max(size for _, size in mean_in)))
    if verdicts:
        judged = verdicts + sum(count for count, _ in asked)
        asked.append((judged, _mean([item.text for item in task.development]) + 2 * answer + 4 * _FRAME + 400))
    probes = 2 if schema_of(task) else 0
    calls = sum(count for count, _ in asked) + probes
    bytes_in = sum(count * size for count, size in asked) + probes * 200
    tokens_in, tokens_out = bytes_in // _BYTES_PER_TOKEN, calls * max(4, answer // _BYTES_PER_TOKEN)
    # Each answer that cannot be read is asked for once more, with what was said.
    again = 2 if schema_of(task) else 1
    most_in, most_out = again * (bytes_in + calls * 256) + calls * answer, again * calls * answer
    return Forecast(
        calls,
        tokens_in + tokens_out,
        price.cost(tokens_in, tokens_out),
        again * calls,
        most_in + most_out,
        price.cost(most_in, most_out),
    )


def _pilot(task: Task, rung: type[ZeroShot]) -> int:
    if issubclass(rung, MostLikely):
        return TEXTS
    if issubclass(rung, OptimisedPrompt):
        return ANSWERS
    return 2 * PILOT if issubclass(rung, FewShot) and task.kind == "classification" and len(task.labels) <= 20 else 0


def _bytes_in(task: Task, rung: type[ZeroShot]) -> int:
    text = _mean([item.text for item in task.development]) + _FRAME
    told = len(instructions(task)["content"].encode()) + _FRAME
    if issubclass(rung, FewShot):
        shown = _mean([item.accepted[0] for item in task.train]) + _FRAME
        return told + text + SHOTS * (text + shown)
    if issubclass(rung, Retrieval | OracleContext):
        return told + text + PASSAGES * _mean([passage.text for passage in task.passages])
    return told + text


def _mean(texts: Sequence[str]) -> int:
    return sum(len(text.encode()) for text in texts) // max(1, len(texts))
