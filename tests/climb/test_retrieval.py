"""What is looked up: passages that are unbroken pieces of their documents, and embeddings only where they gain."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.climb.doors import SayingDoor, asker_for
from trainers.climb.examples import question_answering
from trainers.climb.hybrid import Asked, choose_searcher, ndcg
from trainers.climb.ladder import Climb
from trainers.climb.measure import measure
from trainers.climb.recorded import is_grounded
from trainers.climb.retrieval import Index, Passage, cut, read_folder
from trainers.climb.rungs import OracleContext, Retrieval, Said, ZeroShot
from trainers.climb.task import Task

CITIES = ("Oslo", "Lima", "Cairo", "Quito", "Seoul", "Accra", "Delhi", "Tunis", "Riga", "Bern")


@pytest.fixture
def corpus(tmp_path: Path) -> Task:
    """Sixty documents, each with a fact of its own, and a question about each."""
    documents = tmp_path / "documents"
    documents.mkdir()
    lines = []
    for at in range(60):
        name = f"Station{at:02d}"
        answer = f"{CITIES[at % 10]} {at}"
        (documents / f"{name}.md").write_text(f"# {name}\n\nThe depot of {name} stands in {answer}.\n\nIt has trams.\n")
        question = {"question": f"Where does the depot of {name} stand?", "answer": answer, "document": f"{name}.md"}
        lines.append(json.dumps(question))
    (tmp_path / "questions.jsonl").write_text("\n".join(lines))
    return question_answering(tmp_path / "questions.jsonl", documents)


def copies(messages: Sequence[dict[str, str]]) -> str:
    """A model that copies the answer from the passages, if it is there."""
    text = messages[-1]["content"]
    name = text.rsplit("depot of ", 1)[-1].split(" ")[0]
    found = [line for line in text.splitlines() if f"The depot of {name} stands in" in line]
    return found[0].split(" stands in ")[1].rstrip(".") if found else "unknown"


def test_retrieval_that_helps_is_told_to_the_decision(corpus: Task, tmp_path: Path) -> None:
    asker = asker_for(SayingDoor(copies), tmp_path)
    climb = Climb(corpus, None, asker.meter, lambda rung: 1)
    rungs = [ZeroShot(asker), Retrieval(asker), OracleContext(asker)]
    record = climb.climb(rungs, endpoint="x", as_of="2026-11-22")
    facts = {fact.name: fact.value for fact in record.facts}
    assert facts["retrieval_tried"] == "helped"
    assert record.recommended == "retrieval"
    looked_up = next(rung for rung in record.rungs if rung.name == "retrieval")
    assert looked_up.extra["right_document_found"] == 1.0
    assert looked_up.extra["stands_in_passages"] == 1.0
    assert next(rung for rung in record.rungs if rung.name == "(right document)").status == "not_applicable"


def test_every_fabricated_answer_is_found_out(corpus: Task, tmp_path: Path) -> None:
    planted = ["Paris 99", "the depot was torn down", "nowhere at all", "Oslo-Lima", "station master Jones"]
    said = iter(planted * 100)
    rung = Retrieval(asker_for(SayingDoor(lambda messages: next(said)), tmp_path))
    rung.prepare(corpus)
    measured = measure(rung, corpus, None)
    assert not any(is_grounded(one) for one in measured.said)
    passage = Passage("a.md", 0, "Returns are free within 30 days.")
    assert is_grounded(Said("within 30 days", 0, passages=(passage,)))
    assert not is_grounded(Said("within 60 days", 0, passages=(passage,)))


def test_passages_are_unbroken_pieces_of_their_document() -> None:
    text = "# A\n\n" + "One sentence here. " * 200 + "\n\n## B\n\n" + "word " * 900
    passages = cut("a.md", text, words=100)
    assert all(passage.text in text for passage in passages)
    assert all(len(passage.text.split()) <= 110 for passage in passages)
    assert sum(len(passage.text.split()) for passage in passages) == len(text.split())


def test_the_gain_of_an_order_is_by_document() -> None:
    found = [Passage("a", 0, "x"), Passage("a", 9, "y"), Passage("b", 0, "z")]
    assert ndcg(found, Asked("?", frozenset({"a"}))) == 1.0
    assert ndcg(found, Asked("?", frozenset({"b"}))) == pytest.approx(1 / np.log2(3))
    assert ndcg(found, Asked("?", frozenset({"b"}), own="a")) == 1.0
    assert ndcg(found, Asked("?", frozenset({"c"}))) == 0.0


def test_embeddings_are_used_only_where_they_surely_find_more() -> None:
    meanings = {"car": 0, "automobile": 0, "boat": 1, "ship": 1, "bread": 2, "loaf": 2}
    passages = [Passage(f"{word}-{at}", 0, f"{word} {at}") for at in range(20) for word in ("car", "boat", "bread")]

    def knowing(texts: Sequence[str]) -> NDArray[np.float32]:
        return np.eye(3, dtype=np.float32)[[meanings[text.split()[0]] for text in texts]]

    def guessing(texts: Sequence[str]) -> NDArray[np.float32]:
        return np.random.default_rng(0).normal(size=(len(texts), 3)).astype(np.float32)

    by_meaning = {word: frozenset(p.document for p in passages if p.text.startswith(word)) for word in meanings}
    synonyms = [
        Asked(f"{other} please", by_meaning[word])
        for word, other in (("car", "automobile"), ("boat", "ship"), ("bread", "loaf"))
        for _ in range(12)
    ]
    index = Index(passages)
    assert "words and embeddings" in choose_searcher(index, synonyms, knowing).reason
    assert choose_searcher(index, synonyms, None).searcher is index
    word_of = {by_meaning[word]: word for word in ("car", "boat", "bread")}
    same_words = [replace(one, text=word_of[one.relevant]) for one in synonyms]
    assert choose_searcher(index, same_words, guessing).searcher is index


@pytest.mark.heavy
def test_on_real_questions_words_find_no_less_and_embeddings_help_where_wording_differs(
    shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The default on a folder of documents; and past tickets of the same intent, where words alone miss."""
    import csv

    from trainers.embedded.models import MINILM
    from trainers.embedded.store import is_present

    cache = os.environ.get("TRAIN_OR_NOT_CACHE", "")
    monkeypatch.setenv("XDG_CACHE_HOME", cache)
    if not cache or not is_present(MINILM):
        pytest.skip("set TRAIN_OR_NOT_CACHE to the cache folder that holds the embedded models")
    from trainers.embedded.sentences import SentenceModel

    class Silent:
        def phase(self, text: str) -> None: ...
        def step(self, done: float, total: float, note: str = "") -> None: ...

    vectors = SentenceModel(Silent()).vectors
    folder = shared_data / "xquad_en"
    task = question_answering(folder / "questions.jsonl", folder / "documents")
    index = Index(read_folder(folder / "documents"))
    asked = [Asked(item.text, frozenset({item.document})) for item in task.train]
    print(f"\nquestions over documents: {choose_searcher(index, asked, vectors).reason}")
    with (shared_data / "banking77" / "data.csv").open(newline="") as stream:
        rows = [row for at, row in enumerate(csv.DictReader(stream)) if at % 13 == 0]
    passages = [Passage(str(at), 0, row["text"]) for at, row in enumerate(rows)]
    kinds: dict[str, set[str]] = {}
    for at, row in enumerate(rows):
        kinds.setdefault(row["category"], set()).add(str(at))
    tickets = [
        Asked(row["text"], frozenset(kinds[row["category"]] - {str(at)}), str(at)) for at, row in enumerate(rows)
    ]
    chosen = choose_searcher(Index(passages), tickets[::7], vectors)
    print(f"tickets of the same intent: {chosen.reason}")
    assert "words and embeddings" in chosen.reason, "the paired interval of the gain must be above zero"
