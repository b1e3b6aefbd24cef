"""How many tokens the examples have, and how their lengths are spread: counted before anything heavy loads."""

from __future__ import annotations

import importlib.util
import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from advisor.records.plan import Lengths
from trainers.lora.examples import Example
from trainers.lora.policy import presets

_MOST_BARS = 12


@dataclass(frozen=True, slots=True)
class Counts:
    """Tokens of each example. `sizes` holds both answers of a pair; `reach` the longer one, which has to fit."""

    sizes: list[float]
    reach: list[float]
    how: str


def count_tokens(examples: Sequence[Example], tokenizer: Path | None) -> Counts:
    """Tokens by the `tokenizer.json` given, of some thousand rows at most; else, and beyond, by characters.

    What a chat template writes around each message is a constant of rules/presets.yaml.
    """
    rules = presets()["speed"]
    around: int = rules["template_tokens"]
    every = max(1, math.ceil(len(examples) / rules["counted_rows"]))
    drawn = examples[::every] if tokenizer else ()
    known = _counted({text for example in drawn for text in _texts(example)}, tokenizer)
    characters = sum(map(len, known))
    share: float = sum(known.values()) / characters if characters else 1 / rules["characters_per_token"]

    def size(texts: Sequence[str]) -> float:
        return sum(known.get(text, len(text) * share) + around for text in texts)

    questions = [size([message.content for message in example.question]) for example in examples]
    answers = [size([example.answer]) for example in examples]
    others = [size([example.rejected]) if example.rejected else 0.0 for example in examples]
    how = f"by about {1 / share:.1f} characters a token"
    if known:
        how = "by the base's own tokenizer" + (f" on {len(drawn):,} rows, the others by their characters" * (every > 1))
    return Counts(
        [sum(parts) for parts in zip(questions, answers, others, strict=True)],
        [asked + max(said) for asked, *said in zip(questions, answers, others, strict=True)],
        how,
    )


def _texts(example: Example) -> list[str]:
    return [*(message.content for message in example.messages), *filter(None, [example.rejected])]


def _counted(texts: set[str], tokenizer: Path | None) -> dict[str, int]:
    if tokenizer is None or importlib.util.find_spec("tokenizers") is None:
        return {}
    from tokenizers import Tokenizer

    reader, ordered = Tokenizer.from_file(str(tokenizer)), sorted(texts)
    reader.no_truncation()
    reader.no_padding()
    found = reader.encode_batch(ordered, add_special_tokens=False)
    return {text: len(one.ids) for text, one in zip(ordered, found, strict=True)}


def lengths_of(sizes: Sequence[float], limit: int, how: str) -> Lengths:
    """How many examples have how many tokens, in steps of half a doubling or of a whole one, and how many exceed."""
    longest = max(sizes)
    doublings = [2**power for power in range(2, math.ceil(math.log2(max(longest, 4))) + 1)]
    halves = sorted({*doublings, *(edge * 3 // 4 for edge in doublings)})
    for edges in (halves, doublings):
        if longest > limit:
            edges = sorted({*edges, limit})
        places = [bisect_left(edges, size) for size in sizes]
        first, last = min(places), max(places)
        if last - first < _MOST_BARS:
            break
    rows = [places.count(place) for place in range(first, last + 1)]
    return Lengths(tuple(edges[first : last + 1]), tuple(rows), limit, sum(size > limit for size in sizes), how)
