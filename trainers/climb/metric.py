"""By which measure rungs are compared: named, chosen with a reason, never silently changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from advisor.base.errors import BadInput, did_you_mean
from trainers.climb.bleu import require_sacrebleu
from trainers.climb.policy import figure

Kind = Literal["classification", "question_answering", "extraction", "generation"]
RARE, FEW_CLASSES = figure("examples", "rare_class"), figure("examples", "few_classes")


@dataclass(frozen=True, slots=True)
class Metric:
    """A measure of answers. `per_class` averages over classes; `right_or_wrong` says that each score is 0 or 1."""

    name: str
    title: str
    reason: str
    per_class: bool = False
    right_or_wrong: bool = True


_TITLES = {
    "accuracy": "right",
    "balanced_accuracy": "balanced accuracy",
    "exact_match": "right",
    "token_f1": "word overlap (F1)",
    "rouge_l": "ROUGE-L",
    "bleu": "BLEU",
    "judged": "judged right",
    "all_fields": "all fields right",
    "fields": "fields right",
}
_FOR: dict[Kind, tuple[str, ...]] = {
    "classification": ("accuracy", "balanced_accuracy"),
    "question_answering": ("token_f1", "exact_match"),
    "extraction": ("all_fields", "fields"),
    "generation": ("rouge_l", "token_f1", "bleu"),
}
_REASONS = {
    "exact_match": "an answer is right when it is one of the accepted ones, up to case, articles and punctuation",
    "all_fields": "an extraction is right when every field is",
    "fields": "the share of fields that are right was asked for",
    "token_f1": "the words that an answer shares with an accepted one: the right name in a sentence is not all wrong",
    "bleu": "the share of word sequences that the right text holds too was asked for, as translations are compared",
    "rouge_l": "free text has no single right answer: the longest common run of words stands in for a reader",
    "accuracy": "every example counts the same",
    "balanced_accuracy": "every class counts the same",
}


def judged() -> Metric:
    """The measure where a language model judges, corrected by people's verdicts."""
    return _metric("judged", "a model judges each answer, and people's verdicts on some correct it")


def metric_for(kind: Kind, labels: Sequence[str], wanted: str = "") -> Metric:
    """The measure for a task: `wanted` when it fits, else by rule. `labels` are the right labels, one an example.

    Raises `BadInput` for a measure that there is not, or that does not fit the task.
    """
    if not wanted:
        return _chosen(kind, labels)
    name = wanted.strip().lower().replace("-", "_").replace(" ", "_")
    if name not in _FOR[kind]:
        raise BadInput(
            f"{wanted!r} does not measure {kind.replace('_', ' ')}.",
            where="--metric",
            fix=did_you_mean(name, _FOR[kind]) or f"Choose one of: {', '.join(_FOR[kind])}.",
            code="no-metric",
        )
    if name == "bleu":
        require_sacrebleu()
    return _metric(name, _REASONS[name] + ", as was asked for" * (kind == "classification"))


def _chosen(kind: Kind, labels: Sequence[str]) -> Metric:
    if kind != "classification":
        return _metric(_FOR[kind][0], _REASONS[_FOR[kind][0]])
    counts = Counter(labels)
    rarest, label = min((count, label) for label, count in counts.items())
    share, even = rarest / len(labels), 1 / len(counts)
    if len(counts) <= FEW_CLASSES and share < RARE * even:
        reason = f"{label!r} has only {share:.0%} of the examples, and accuracy would reward whoever never says it"
        return _metric("balanced_accuracy", reason)
    return _metric("accuracy", _REASONS["accuracy"])


def _metric(name: str, reason: str) -> Metric:
    return Metric(
        name,
        _TITLES[name],
        reason,
        per_class=name == "balanced_accuracy",
        right_or_wrong=name not in ("token_f1", "rouge_l", "bleu", "judged", "fields"),
    )
