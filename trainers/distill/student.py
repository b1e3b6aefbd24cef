"""The small model that learns from the teacher's labels, and the same one without them, to see what they were worth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

from advisor.base.errors import BadInput
from advisor.records.run import Candidate, Score
from trainers.climb.baselines import OneWordRule
from trainers.climb.certainty import mean_interval
from trainers.climb.hybrid import Vectors
from trainers.climb.learned import EmbeddingsAndLinear, WordsAndLinear
from trainers.climb.task import Item, Task
from trainers.contract import Progress


@dataclass(frozen=True)
class Learnt:
    """The student with all labels, what stands below it, by which name, and every student that was tried."""

    student: Any
    cheaper: Any
    against: str
    candidates: tuple[Candidate, ...]


def learn(task: Task, taught: tuple[Item, ...], vectors: Vectors | None, progress: Progress) -> Learnt:
    """Teach each kind of student on the labels of people and teacher, and choose on the development examples.

    The cheaper rung is the same student on the labels of people alone; where those are too few for it, the rule of one
    word for each label. Raises `BadInput` when no student fits the task.
    """
    everything = replace(task, train=(*task.train, *taught))
    makers: list[Callable[[], Any]] = [WordsAndLinear]
    if vectors is not None:
        makers.append(lambda: EmbeddingsAndLinear(vectors))
    tried: list[tuple[Candidate, Any, Callable[[], Any]]] = []
    for make in makers:
        student = make()
        if student.not_applicable(everything):
            continue
        progress.phase(f"Teaching: {student.name}, {len(everything.train):,} examples")
        began = perf_counter()
        student.prepare(everything)
        seconds = round(perf_counter() - began, 3)
        tried.append((Candidate(student.name, _development(student, task), seconds), student, make))
    if not tried:
        raise BadInput(
            "No small model can learn this task.",
            why="The students answer with one of a few labels; free answers and fields need a language model.",
            fix="Fine-tune on the teacher's answers instead: train-or-not plan CASE --approach fine_tune",
            code="no-student",
        )
    best, student, make = max(tried, key=lambda one: one[0].development.value if one[0].development else 0.0)
    alone = make()
    against = "without_teacher"
    if alone.not_applicable(task):
        alone, against = OneWordRule(), "one_word"
    progress.phase(f"The same without the teacher: {best.name}")
    alone.prepare(task)
    return Learnt(student, alone, against, tuple(one for one, _, _ in tried))


def scores(rung: Any, task: Task, items: tuple[Item, ...]) -> list[float]:
    """How right a rung answers each item."""
    return [task.score(item, task.read(rung.answer(item).text)) for item in items]


def _development(rung: Any, task: Task) -> Score:
    found = scores(rung, task, task.development)
    value, low, high = mean_interval(
        found, classes=task.classes(task.development), groups=task.groups(task.development)
    )
    return Score(task.metric.name, value, low, high, len(found), 0.95, "development examples, Wilson")
