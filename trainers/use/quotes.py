"""Where an answer stands: the sentence that holds it, word for word, and the document that sentence is from."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from trainers.climb.retrieval import Passage
from trainers.climb.scoring import quote_is_found

# What an answer over documents carries beside the prediction. `quote` and `source` are empty when nothing bears it out.
EXTRAS = ("quote", "source", "looked_in")
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")


def quoted(answer: str, passages: Sequence[Passage], looked_in: Sequence[str]) -> dict[str, Any]:
    """The quote and its source, verified against the passages; `looked_in` names every document that was read."""
    documents = list(dict.fromkeys(looked_in))
    for passage in passages:
        for sentence in _SENTENCE.split(passage.text):
            if quote_is_found(answer, sentence):
                return {"quote": sentence.strip(), "source": passage.document, "looked_in": documents}
    for passage in passages:  # an answer that runs over the end of a sentence
        if quote_is_found(answer, passage.text):
            return {"quote": answer, "source": passage.document, "looked_in": documents}
    return {"quote": "", "source": "", "looked_in": documents}
