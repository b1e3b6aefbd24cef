"""By which measure rungs are compared: named, chosen with a reason, never silently changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from advisor.base.errors import BadInput, did_you_mean
from trainers.climb.bleu import require_sacrebleu
from trainers.climb.policy import figure
from trainers.common.policy import policy

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


def judged() -> Metric:
    """The measure where a language model judges, corrected by people's verdicts."""
    return _metric("judged")


def metric_for(kind: Kind, labels: Sequence[str], wanted: str = "") -> Metric:
    """The measure for a task: `wanted` when it fits, else by rule. `labels` are the right labels, one an example.

    Raises `BadInput` for a measure that there is not, or that does not fit the task.
    """
    if not wanted:
        return _chosen(kind, labels)
    name = wanted.strip().lower().replace("-", "_").replace(" ", "_")
    fitting = _fitting(kind)
    if name not in fitting:
        raise BadInput(
            f"{wanted!r} does not measure {kind.replace('_', ' ')}.",
            where="--metric",
            fix=did_you_mean(name, fitting) or f"Choose one of: {', '.join(fitting)}.",
            code="no-metric",
        )
    if name == "bleu":
        require_sacrebleu()
    metric = _metric(name)
    return replace(metric, reason=f"{metric.reason}, as was asked for") if kind == "classification" else metric


def _chosen(kind: Kind, labels: Sequence[str]) -> Metric:
    if kind != "classification":
        return _metric(_fitting(kind)[0])
    counts = Counter(labels)
    rarest, label = min((count, label) for label, count in counts.items())
    share, even = rarest / len(labels), 1 / len(counts)
    if len(counts) <= FEW_CLASSES and share < RARE * even:
        reason = f"{label!r} has only {share:.0%} of the examples, and accuracy would reward whoever never says it"
        return _metric("balanced_accuracy", reason)
    return _metric("accuracy")


def _fitting(kind: Kind) -> list[str]:
    """The measures of a task by name, the default first."""
    return list(policy("climb")["measured_by"][kind]["value"])


def _metric(name: str, reason: str = "") -> Metric:
    told = policy("climb")["measures"][name]
    return Metric(
        name,
        told["title"],
        reason or told["reason"],
        per_class=name == "balanced_accuracy",
        right_or_wrong=name not in ("token_f1", "rouge_l", "bleu", "judged", "fields"),
    )
