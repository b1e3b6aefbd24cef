"""The rungs that ask a language model, cheapest first. Each learns from the training part and answers one at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from advisor.base.errors import Problem
from advisor.base.llm import Message, Mode
from trainers.climb.asker import Asker, most_tokens
from trainers.climb.hybrid import Asked, Choice, Hybrid, Vectors, choose_searcher, same_searcher
from trainers.climb.policy import count
from trainers.climb.prompts import instructions, question, right_answer, schema_of, unwrapped
from trainers.climb.retrieval import Index, Passage
from trainers.climb.task import Item, Task

SHOTS, MOST_POOL, MOST_HINTED = (count("prompt", name) for name in ("shots", "pool", "most_hinted"))
PILOT, LOCAL_PILOT = count("prompt", "pilot"), count("prompt", "local_pilot")
PASSAGES = count("retrieval", "passages")


@dataclass(frozen=True, slots=True)
class Said:
    """One answer: what was said, the seconds, USD and tokens it took, and the passages it was given."""

    text: str
    seconds: float
    usd: Decimal = Decimal(0)
    passages: tuple[Passage, ...] = ()
    tokens: int = 0


class DoesNotApply(Problem):
    """Found out while a rung was prepared: it makes no sense here, and that is no fault."""

    exit_code = 2


class Rung(Protocol):
    """A way to answer.

    `rung` is its place on the ladder; `paid` says whether each answer may cost money or seconds of a language model;
    `slow` that preparing it takes minutes, so that it is left out once a cheaper rung is enough.
    """

    name: str
    rung: str
    paid: bool
    slow: bool

    def not_applicable(self, task: Task) -> str:
        """Why this rung makes no sense for this task, or an empty text."""

    def prepare(self, task: Task) -> None:
        """Learn from the training part. Raises `DoesNotApply` when it turns out that this makes no sense here."""

    def answer(self, item: Item) -> Said:
        """Answer one item."""


class ZeroShot:
    """A ready model, told the task and nothing else."""

    name, rung, paid, slow = "ready model", "api", True, False
    about = "a ready model, told the task and nothing else"

    def __init__(self, asker: Asker, vectors: Vectors | None = None, pilot: int = PILOT) -> None:
        self._asker = asker
        self._vectors = vectors
        self._pilot = pilot

    @staticmethod
    def not_applicable(task: Task) -> str:
        return ""

    def prepare(self, task: Task) -> None:
        self._begin(task)

    def _begin(self, task: Task) -> None:
        self._task = task
        self._schema = schema_of(task)
        self._mode: Mode = self._asker.mode() if self._schema else "prompt"
        self._max_tokens = task.longest_answer(as_json=self._mode != "prompt")

    def kept(self) -> dict[str, Any]:
        """What preparing found out, as plain data: enough for `restore` to answer the same elsewhere."""
        return {"mode": self._mode, "max_tokens": self._max_tokens}

    def restore(self, task: Task, kept: Mapping[str, Any]) -> None:
        """Be ready again without asking the model anything. `task` holds what `kept` does not: examples, passages."""
        self._task, self._schema = task, schema_of(task)
        self._mode, self._max_tokens = kept["mode"], int(kept["max_tokens"])

    def messages(self, item: Item) -> tuple[list[Message], tuple[Passage, ...]]:
        """What the model is asked about one item, and the passages in it."""
        return [instructions(self._task), question(item.text)], ()

    def answer(self, item: Item) -> Said:
        messages, passages = self.messages(item)
        return self._say(messages, passages)

    def most_tokens(self, item: Item) -> tuple[int, int]:
        """The most tokens in and out that one answer can take."""
        return most_tokens(self.messages(item)[0], self._schema), self._max_tokens

    def _say(self, messages: Sequence[Message], passages: tuple[Passage, ...] = ()) -> Said:
        schema = self._schema if self._mode == "json_schema" else None
        answer = self._asker.ask(messages, max_tokens=self._max_tokens, schema=schema, mode=self._mode)
        usd, seconds, tokens = Decimal(answer.usd), answer.seconds, answer.tokens_in + answer.tokens_out
        text = unwrapped(self._task, answer.text)
        if self._schema and self._task.read(text) is None and not schema:
            repaired = self._asker.ask(
                [*messages, {"role": "assistant", "content": answer.text[:2000]}, self._repair()],
                max_tokens=self._max_tokens,
                mode=self._mode,
            )
            text = unwrapped(self._task, repaired.text)
            usd, seconds = usd + Decimal(repaired.usd), seconds + repaired.seconds
            tokens += repaired.tokens_in + repaired.tokens_out
        return Said(text, seconds, usd, passages, tokens)

    def _repair(self) -> Message:
        wanted = "one category's name" if self._task.kind == "classification" else "one JSON object with all fields"
        return {"role": "user", "content": f"That cannot be read. Answer with {wanted} and nothing else."}


class FewShot(ZeroShot):
    """The same model, shown the training examples nearest to each text; the wording is chosen on training examples."""

    name, rung = "few-shot prompt", "prompt"
    about = "the same model, shown the training examples nearest to each text"

    def prepare(self, task: Task) -> None:
        self._begin(task)
        self._hints: dict[str, list[str]] = {}
        self._find_examples(task)
        self._choose_wording(task.train[:MOST_POOL])

    def _find_examples(self, task: Task) -> None:
        """Index the examples that a prompt may show."""
        pool = task.train[:MOST_POOL]
        self._items = {item.id: item for item in pool}
        index = Index([Passage(item.id, 0, item.text) for item in pool])
        self.choice = choose_searcher(index, self._same_label(pool), self._vectors)

    def kept(self) -> dict[str, Any]:
        """The wording, and whether examples are found by meaning too."""
        return {**super().kept(), "hints": self._hints, "by_meaning": isinstance(self.choice.searcher, Hybrid)}

    def restore(self, task: Task, kept: Mapping[str, Any]) -> None:
        """Ready again: the examples are the task's training part."""
        super().restore(task, kept)
        self._hints = {str(label): list(words) for label, words in kept["hints"].items()}
        self._items = {item.id: item for item in task.train[:MOST_POOL]}
        index = Index([Passage(item.id, 0, item.text) for item in self._items.values()])
        self.choice = same_searcher(index, self._vectors, by_meaning=bool(kept["by_meaning"]))

    def _same_label(self, pool: Sequence[Item]) -> list[Asked]:
        if self._task.kind != "classification":
            return []
        by_label: dict[str, set[str]] = defaultdict(set)
        for item in pool:
            by_label[item.accepted[0]].add(item.id)
        return [Asked(item.text, frozenset(by_label[item.accepted[0]] - {item.id}), item.id) for item in pool]

    def _choose_wording(self, pool: Sequence[Item]) -> None:
        """Add typical words to the categories when that answers more of a few training examples."""
        from trainers.climb.baselines import telling_words

        tried = pool[: self._pilot]
        if self._task.kind != "classification" or len(self._task.labels) > MOST_HINTED or not tried:
            return
        words = {label: [word for _, word in found] for label, found in telling_words(self._task, 4).items()}
        plain = self._right_among(tried)
        self._hints = words
        if self._right_among(tried) <= plain:
            self._hints = {}

    def _right_among(self, items: Sequence[Item]) -> float:
        said = self._asker.each(self.answer, items)
        return sum(self._task.score(item, self._task.read(one.text)) for item, one in zip(items, said, strict=True))

    def messages(self, item: Item) -> tuple[list[Message], tuple[Passage, ...]]:
        """The instructions, the nearest examples with their answers, and the text."""
        near = [one for one in self.choice.searcher.search(item.text, SHOTS + 1) if one.document != item.id][:SHOTS]
        # The nearest stands last, next to the text: models weigh the end of a prompt most.
        shots = [self._items[passage.document] for passage in reversed(near)]
        as_json = self._task.kind == "classification" and self._mode != "prompt"
        shown = [turn for shot in shots for turn in (question(shot.text), right_answer(shot, as_json=as_json))]
        return [self.told_first(), *shown, question(item.text)], ()

    def told_first(self) -> Message:
        """The instruction that stands before the examples."""
        return instructions(self._task, hints=self._hints)


def searcher_for(task: Task, vectors: Vectors | None) -> Choice:
    """How passages of the task's documents are found, chosen on training questions whose document is known."""
    known = [Asked(item.text, frozenset({item.document})) for item in task.train if item.document]
    return choose_searcher(Index(task.passages), known, vectors)


class Retrieval(ZeroShot):
    """The same model, given the passages that fit the question."""

    name, rung = "retrieval", "rag"
    about = "the same model, given the passages that fit the question"

    @staticmethod
    def not_applicable(task: Task) -> str:
        return "" if task.passages else "There is no folder of documents to look things up in (--documents)."

    def prepare(self, task: Task) -> None:
        self._begin(task)
        self.choice: Choice = searcher_for(task, self._vectors)

    def kept(self) -> dict[str, Any]:
        """Whether passages are found by meaning too."""
        return {**super().kept(), "by_meaning": isinstance(self.choice.searcher, Hybrid)}

    def restore(self, task: Task, kept: Mapping[str, Any]) -> None:
        """Ready again: the passages are the task's."""
        super().restore(task, kept)
        self.choice = same_searcher(Index(task.passages), self._vectors, by_meaning=bool(kept["by_meaning"]))

    def messages(self, item: Item) -> tuple[list[Message], tuple[Passage, ...]]:
        """The instructions, the best passages, and the question."""
        return self._with(item, self.choice.searcher.search(item.text, PASSAGES))

    def _with(self, item: Item, passages: Sequence[Passage]) -> tuple[list[Message], tuple[Passage, ...]]:
        return [instructions(self._task, with_context=True), question(item.text, passages)], tuple(passages)


class OracleContext(Retrieval):
    """The same model, given the document that holds the answer: what perfect retrieval would reach. Not a rung."""

    name, rung = "(right document)", "rag"
    about = "the same model, given the very document that holds the answer: what perfect retrieval would reach"

    @staticmethod
    def not_applicable(task: Task) -> str:
        if not any(item.document for item in task.development):
            return "The questions do not say which document holds their answer."
        return Retrieval.not_applicable(task)

    def prepare(self, task: Task) -> None:
        self._begin(task)
        self._by_document: dict[str, list[Passage]] = defaultdict(list)
        for passage in task.passages:
            self._by_document[passage.document].append(passage)

    def messages(self, item: Item) -> tuple[list[Message], tuple[Passage, ...]]:
        """The instructions, the right document's passages, and the question."""
        return self._with(item, self._by_document.get(item.document, [])[:PASSAGES])
