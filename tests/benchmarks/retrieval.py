"""Does what a climb finds passages by keep up with bm25s, and when do embeddings find more?  In one run, side by side.

    TRAIN_OR_NOT_SHARED=… TRAIN_OR_NOT_CACHE=… python tests/benchmarks/retrieval.py [--questions 400]

nDCG@10 of the peer (bm25s with its stop words and PyStemmer, called as its page shows), of the default, and of words
and embeddings together; the last two with their paired 95 % interval against the peer. Two corpora: questions over a
folder of documents (xquad_en), where words alone find nearly all, and customers' messages of the same intent
(banking77), where the wording differs. A climb takes embeddings only where they surely find more.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from trainers.climb.certainty import gain_interval
from trainers.climb.examples import question_answering
from trainers.climb.hybrid import DEPTH, Asked, Hybrid, ndcg
from trainers.climb.retrieval import Index, Passage, read_folder

ROOT = Path(__file__).resolve().parent.parent.parent
SHARED = Path(os.environ.get("TRAIN_OR_NOT_SHARED", ROOT.parent / "shared")) / "data"


class Silent:
    """Progress that nobody watches."""

    def phase(self, text: str) -> None: ...
    def step(self, done: float, total: float, note: str = "") -> None: ...


class Peer:
    """bm25s as its own page shows it."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        import bm25s
        import Stemmer

        self._bm25s, self._stemmer, self._passages = bm25s, Stemmer.Stemmer("english"), passages
        self._searcher = bm25s.BM25()
        self._searcher.index(self._words([passage.text for passage in passages]), show_progress=False)

    def _words(self, texts: list[str]) -> object:
        return self._bm25s.tokenize(texts, stopwords="en", stemmer=self._stemmer, show_progress=False)

    def search(self, question: str, count: int) -> list[Passage]:
        found, _ = self._searcher.retrieve(self._words([question]), k=count, show_progress=False)
        return [self._passages[int(at)] for at in found[0]]


def beside(title: str, passages: Sequence[Passage], questions: Sequence[Asked]) -> tuple[bool, bool]:
    """Print the three; whether the default is no worse than the peer, and whether the hybrid is surely better."""
    from trainers.embedded.sentences import SentenceModel

    index = Index(passages)
    ways = {"bm25s with stemming": Peer(passages), "default": index}
    ways["words and embeddings"] = Hybrid(index, SentenceModel(Silent()).vectors)
    scores = {name: [ndcg(way.search(one.text, DEPTH + 1), one) for one in questions] for name, way in ways.items()}
    print(f"\n{title}: {len(passages):,} passages, {len(questions)} questions, nDCG@{DEPTH}")
    peer = scores.pop("bm25s with stemming")
    print(f"  {'bm25s with stemming':24}{np.mean(peer):.3f}")
    gains = {name: gain_interval(ours, peer) for name, ours in scores.items()}
    for name, (gain, low, high) in gains.items():
        print(f"  {name:24}{np.mean(scores[name]):.3f}   {gain:+.3f} ({low:+.3f} to {high:+.3f})")
    return bool(gains["default"][0] > -0.001), gains["words and embeddings"][1] > 0


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--questions", type=int, default=400)
    most = options.parse_args().questions
    if cache := os.environ.get("TRAIN_OR_NOT_CACHE"):
        os.environ["XDG_CACHE_HOME"] = cache
    folder = SHARED / "xquad_en"
    task = question_answering(folder / "questions.jsonl", folder / "documents")
    asked = [Asked(item.text, frozenset({item.document})) for item in (*task.train, *task.development)]
    kept, better = beside("questions over documents", read_folder(folder / "documents"), asked[:most])
    with (SHARED / "banking77" / "data.csv").open(newline="") as stream:
        rows = [row for at, row in enumerate(csv.DictReader(stream)) if at % 13 == 0]
    kinds: dict[str, set[str]] = {}
    for at, row in enumerate(rows):
        kinds.setdefault(row["category"], set()).add(str(at))
    passages = [Passage(str(at), 0, row["text"]) for at, row in enumerate(rows)]
    alike = [Asked(row["text"], frozenset(kinds[row["category"]] - {str(at)}), str(at)) for at, row in enumerate(rows)]
    too, found = beside("messages of the same intent", passages, alike[:: max(1, len(alike) // most)])
    print(f"\nThe default keeps up with its peer: {'yes' if kept and too else 'NO'}.")
    print(f"Embeddings surely find more: documents {'yes' if better else 'no'}, messages {'yes' if found else 'no'}.")
    raise SystemExit(not (kept and too and (better or found)))


if __name__ == "__main__":
    main()
