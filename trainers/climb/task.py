"""What is measured: the team's own examples, split once by content: some to learn from, to choose on, to confirm on."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from advisor.base.errors import BadInput
from advisor.base.files import sha256_of_text
from advisor.base.safetext import one_of
from trainers.climb.bleu import sentence_bleu
from trainers.climb.metric import Kind, Metric, metric_for
from trainers.climb.policy import count
from trainers.climb.retrieval import Passage
from trainers.climb.scoring import exact_match, fields_right, read_label, read_object, rouge_l, token_f1

if TYPE_CHECKING:
    from trainers.climb.judge import Judge

FEWEST, MOST_LABELS = count("examples", "fewest"), count("examples", "most_labels")
_TRAIN = count("examples", "train_tenths")
_CHOOSE = _TRAIN + count("examples", "development_tenths")


@dataclass(frozen=True, slots=True)
class Item:
    """One example: what goes in, and the answers that are right.

    `document` holds the answer, where that is known; items of one `group` stay together; `row` is the table's row.
    """

    id: str
    text: str
    accepted: tuple[str, ...]
    document: str = ""
    group: str = ""
    row: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Task:
    """The examples by part, and what an answer may be. Nothing is learned or chosen on `sealed`.

    `sealed_name` names the sealed part by its content. Rungs whose answers cost something are asked at most `most`
    examples of a part; all others see every one, in the same order.
    """

    kind: Kind
    metric: Metric
    train: tuple[Item, ...]
    development: tuple[Item, ...]
    sealed: tuple[Item, ...]
    labels: tuple[str, ...] = ()
    passages: tuple[Passage, ...] = ()
    fields: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    sealed_name: str = ""
    most: int | None = None
    judge: Judge | None = None

    def read(self, text: str) -> str | None:
        """A model's words as an answer, or None when they cannot be read as one."""
        if self.kind == "classification":
            return read_label(text, self.labels)
        if self.kind == "extraction":
            value = read_object(text, self.fields)
            return None if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)
        return text.strip() or None

    def score(self, item: Item, answer: str | None) -> float:
        """How right an answer is, 0 to 1; what cannot be read is wrong."""
        if answer is None:
            return 0.0
        if self.kind == "classification":
            return float(answer in item.accepted)
        if self.kind == "extraction":
            share = fields_right(json.loads(answer), json.loads(item.accepted[0]))
            return share if self.metric.name == "fields" else float(share == 1.0)
        if self.judge is not None:
            return float(self.judge.is_right(item.text, answer, item.accepted))
        scores = {"token_f1": token_f1, "rouge_l": rouge_l, "bleu": sentence_bleu, "exact_match": exact_match}
        return scores[self.metric.name](answer, item.accepted)

    def classes(self, items: Sequence[Item]) -> list[str] | None:
        """The class of each item where the measure averages over classes, else None."""
        return [item.accepted[0] for item in items] if self.metric.per_class else None

    def groups(self, items: Sequence[Item]) -> list[str] | None:
        """The group of each item where some belong together, else None."""
        return [item.group or item.id for item in items] if any(item.group for item in items) else None

    def longest_answer(self, *, as_json: bool = True) -> int:
        """Tokens that surely hold any right answer seen in training, with room for a frame of JSON around a label.

        Without JSON there is room for few words beside the label: what says more sorts nothing.
        """
        if self.kind == "classification" and not as_json:
            return max(_most_tokens(label) for label in self.labels) + 4
        if self.kind == "classification":
            return max(len(label.encode()) for label in self.labels) + 16
        longest = max((_most_tokens(item.accepted[0]) for item in self.train), default=40)
        return min(1024, max(24, longest + 8))

    def asked(self, part: Sequence[Item], *, costs: bool) -> tuple[Item, ...]:
        """The examples of a part that a rung is asked."""
        return tuple(part[: self.most]) if costs and self.most else tuple(part)


def _most_tokens(text: str) -> int:
    """Tokens that surely hold a text: one holds two letters of plain English or more, and may be a byte of the rest."""
    letters = sum(character.isascii() and (character.isalpha() or character == " ") for character in text)
    return -(-letters // 2) + len(text.encode()) - letters


def classification(
    texts: Sequence[str],
    labels: Sequence[str],
    *,
    groups: Sequence[str] | None = None,
    rows: Sequence[Mapping[str, object]] | None = None,
    metric: str = "",
) -> Task:
    """A text classification task. Rows without a text or label are left out; equal texts stay on one side."""
    seen: dict[str, Item] = {}
    conflicting = repeated = 0
    for at, (text, label) in enumerate(zip(texts, labels, strict=True)):
        if not text.strip() or not label.strip():
            continue
        group, row = groups[at] if groups else "", rows[at] if rows else {}
        item = Item(sha256_of_text(text.strip()), text.strip(), (label.strip(),), group=group, row=row)
        if item.id in seen:
            repeated += 1
            conflicting += seen[item.id].accepted != item.accepted
        else:
            seen[item.id] = item
    notes = [f"{repeated:,} repeated texts were left out."] if repeated else []
    if conflicting:
        notes.append(f"{conflicting:,} of them carry another label than the first time: the labels disagree.")
    counts = Counter(item.accepted[0] for item in seen.values())
    if len(counts) < 2:
        raise BadInput(
            f"There is only one label: {one_of(list(counts))}." if counts else "No row has both a text and a label.",
            why="With one answer there is nothing to decide.",
            fix="Check that the target is the column with the right answers: train-or-not look CASE --target COLUMN",
            code="one-class",
        )
    if len(counts) > max(MOST_LABELS, len(seen) // 3):
        raise BadInput(
            f"There are {len(counts):,} different labels for {len(seen):,} texts.",
            why="A label that never repeats cannot be learned or listed in a prompt.",
            fix="Give pairs of input and answer instead: --pairs FILE",
            code="too-many-labels",
        )
    if all(label.replace(".", "", 1).isdigit() for label in counts):
        notes.append("The labels are numbers, and a language model cannot know what they mean: name them in words.")
    measure = metric_for("classification", [item.accepted[0] for item in seen.values()], metric)
    return split("classification", measure, seen.values(), labels=tuple(sorted(counts)), notes=notes)


def split(
    kind: Kind,
    metric: Metric,
    items: Iterable[Item],
    *,
    labels: tuple[str, ...] = (),
    passages: tuple[Passage, ...] = (),
    fields: Mapping[str, Any] | None = None,
    notes: Sequence[str] = (),
) -> Task:
    """Three in five items to learn from, one to choose on, one sealed; each item's part depends on its content only.

    Raises `BadInput` when there are too few, or when groups leave a part empty.
    """
    # In the order of their hashes, so that what is asked first is a random draw and the same every time.
    ordered = sorted({item.id: item for item in items}.values(), key=lambda item: item.id)
    if len(ordered) < FEWEST:
        raise BadInput(
            f"There are {len(ordered)} examples; at least {FEWEST} different ones are needed to tell rungs apart.",
            why="Fewer cannot tell a good rung from a lucky one.",
            fix="Collect more examples with trusted answers, or decide without measuring: train-or-not decide CASE",
            code="too-few-examples",
        )
    parts: dict[str, list[Item]] = {"train": [], "development": [], "sealed": []}
    for item in ordered:
        bucket = int(sha256_of_text(f"climb {item.group or item.id}")[:8], 16) % 10
        parts["train" if bucket < _TRAIN else "development" if bucket < _CHOOSE else "sealed"].append(item)
    if not all(parts.values()):
        raise BadInput(
            "The groups are so few that a part of the split is empty.",
            why="Items of one group stay on one side, or the measure would flatter.",
            fix="Collect examples of more groups.",
            code="too-few-groups",
        )
    return Task(
        kind,
        metric,
        tuple(parts["train"]),
        tuple(parts["development"]),
        tuple(parts["sealed"]),
        labels=labels,
        passages=passages,
        fields=fields or {},
        notes=tuple(notes),
        sealed_name=sha256_of_text("\n".join(item.id for item in parts["sealed"])),
    )
