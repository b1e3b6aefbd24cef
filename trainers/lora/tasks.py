"""What a run learns - to write, to sort, or to prefer - and how that is measured and held against what is cheaper."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from advisor.base.errors import BadInput
from advisor.base.safetext import plain
from advisor.records.plan import Gate, Plan
from trainers.lora import rungs
from trainers.lora.base import read_shape
from trainers.lora.corpus import Corpus
from trainers.lora.recipe import Recipe
from trainers.lora.scores import BY_CLASS, METRICS, metric_for

# Rungs that must write an answer; a model that only sorts cannot.
_WRITES = {"prompt", "base"}


@dataclass(frozen=True, slots=True)
class Task:
    """`kind` is words, labels or pairs; `labels` the classes of a head; `gate` the plan's as it can be measured."""

    kind: str
    labels: tuple[str, ...]
    metric: str
    reason: str
    gate: Gate
    notes: tuple[str, ...]


def task_of(plan: Plan, recipe: Recipe, corpus: Corpus, where: Path | str) -> Task:
    """The task that the examples, the base and the plan make. Raises `BadInput` where they do not fit together."""
    check_gate(plan.gate)
    if corpus.shape == "pairs":
        return _pairs(plan, recipe)
    answers = [example.answer for example in corpus.examples]
    labels = _labels(recipe, where, answers)
    metric, reason, notes = metric_of(plan, answers)
    gate = plan.gate
    if labels and not _WRITES.isdisjoint(gate.against):
        # Below tuning a model that only sorts stand the same model untuned, under a linear one, and word counts.
        gate = _instead(gate, _WRITES, "embeddings", "classical")
        words = " and ".join(rungs.NAMES[name] for name in gate.against)
        notes.append(f"A model that sorts cannot be prompted; it is held against {words}.")
    elif "embeddings" in gate.against and not labels and not rungs.is_closed_set(answers):
        gate = _instead(gate, {"embeddings"}, "prompt")
        words = " and ".join(rungs.NAMES[name] for name in gate.against)
        notes.append(f"No linear model on vectors can write such answers; the tuned model is held against {words}.")
    return Task("labels" if labels else "words", labels, metric, reason, gate, tuple(notes))


def check_gate(gate: Gate) -> None:
    """Raise `BadInput` unless the gate names a rung, and only rungs that this trainer measures."""
    unknown = [name for name in gate.against if name not in rungs.NAMES]
    if unknown or not gate.against:
        raise BadInput(
            f"The gate names {plain(unknown[0], 40) if unknown else 'nothing'}, which this trainer cannot measure.",
            where="plan.yaml: gate.against",
            fix=f"Use one or more of {', '.join(rungs.NAMES)}.",
            code="no-rung",
        )


def _instead(gate: Gate, unmeasured: Collection[str], *rivals: str) -> Gate:
    kept = [name for name in gate.against if name not in unmeasured]
    return replace(gate, against=tuple(dict.fromkeys([*kept, *rivals])))


def _pairs(plan: Plan, recipe: Recipe) -> Task:
    if recipe.learning == "full":
        raise BadInput(
            "Preferences are learned with adapters only.",
            where="plan.yaml: settings.learning",
            why="The base is the measure of how far the tuned model moved; with adapters one model is both.",
            fix="Set learning to lora.",
            code="pairs-need-adapters",
        )
    note = "Preferences are measured by which answer is the likelier one; the rival is the same base, untuned."
    gate = replace(plan.gate, against=("base",))
    return Task("pairs", (), "preference", "the examples are pairs of answers", gate, (note,))


def _labels(recipe: Recipe, where: Path | str, answers: Sequence[str]) -> tuple[str, ...]:
    """The classes of a head, where the plan asks for one or the base cannot write; else none."""
    shape = read_shape(where)
    writes = shape is None or shape.writes
    if recipe.head == "words" or (recipe.head == "auto" and writes):
        if writes:
            return ()
        raise BadInput(
            f"{plain(recipe.base, 60)} reads text and writes none.",
            where="plan.yaml: settings.head",
            fix="Set head to label, or name a base that writes.",
            code="cannot-write",
        )
    labels = sorted({answer.strip() for answer in answers})
    if not rungs.is_closed_set([answer.strip() for answer in answers]):
        raise BadInput(
            f"The {len(answers):,} answers are {len(labels):,} different ones: no set of labels.",
            where="plan.yaml: settings.head",
            why="A head chooses between classes that it has seen several times; it cannot write.",
            fix="Set head to words and base to a model that writes, such as smollm2-135m-instruct.",
            code="no-labels",
        )
    return tuple(labels)


def metric_of(plan: Plan, answers: Sequence[str]) -> tuple[str, str, list[str]]:
    """The plan's metric where it measures such answers, else the one that does; why, and what people must be told."""
    wanted = str(plan.metric.value or "")
    name, reason = metric_for(answers)
    if wanted == "exact_match" and name == "json_exact":
        return name, "exact match, whatever the spacing and order of keys", []
    if wanted in METRICS and (wanted not in BY_CLASS or rungs.is_closed_set(answers)):
        return wanted, plan.metric.reason, []
    note = f"The plan's metric {plain(wanted, 40)} does not measure such answers; {name} does."
    return name, reason, [note] if wanted else []
