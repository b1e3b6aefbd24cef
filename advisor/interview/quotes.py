"""Is this quote really in the text? Exact, then with blanks and case evened out, then nearly (9 characters in 10).

A near quote must also agree in every number and every negation: one changed digit or a lost "not" is another statement.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter

from advisor.interview.numbers import numbers_in

NEARLY = 0.9
LONGEST_NEAR = 100  # words: a longer quote has to be exact, comparing it everywhere would take minutes
_EVEN = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "\u00a0": " "})
_NEGATION = re.compile(r"\b(?:not|no|never|none|nobody|nothing|cannot|without|neither|nor|hardly|un\w+)\b|n't\b")
_WORD = re.compile(r"\S+")


def find_quote(quote: str, text: str) -> str | None:
    """The words of `text` that `quote` stands for, as they stand there; None when they are not in it.

    A quote must have two words or eight characters, else it would be found anywhere.
    """
    wanted = quote.strip().strip("\"'“”‘’").strip().removesuffix("…").removesuffix("...").strip()
    if len(wanted) < 8 and len(wanted.split()) < 2:
        return None
    start = text.find(wanted)
    if start >= 0:
        return text[start : start + len(wanted)]
    return _evened(wanted, text) or _near(wanted, text)


def _evened(wanted: str, text: str) -> str | None:
    pattern = r"\s+".join(re.escape(word) for word in _even(wanted).split())
    match = re.search(pattern, _even(text))
    return text[match.start() : match.end()] if match else None


def _even(text: str) -> str:
    """Lower case and plain punctuation, character for character, so that places stay the same."""
    return "".join(c.lower() if len(c.lower()) == 1 else c for c in text.translate(_EVEN))


def _near(wanted: str, text: str) -> str | None:
    words = _even(wanted).split()
    if not 3 <= len(words) <= LONGEST_NEAR:
        return None
    known = set(words)
    places = [(match.start(), match.end()) for match in _WORD.finditer(text)]
    even = _even(text)
    tokens = [even[start:end] for start, end in places]
    matcher = difflib.SequenceMatcher(None, b=" ".join(words), autojunk=False)
    best, found = NEARLY, None
    for length in (len(words), len(words) - 1, len(words) + 1):
        for first in range(len(tokens) - length + 1):
            window = tokens[first : first + length]
            # Cheap first: windows that share hardly a word cannot be near.
            if 2 * sum(token in known for token in window) < length:
                continue
            matcher.set_seq1(" ".join(window))
            if matcher.real_quick_ratio() < best or matcher.quick_ratio() < best or matcher.ratio() < best:
                continue
            span = text[places[first][0] : places[first + length - 1][1]]
            if _says_the_same(wanted, span):
                best, found = matcher.ratio(), span
    return found


def _says_the_same(one: str, other: str) -> bool:
    return numbers_in(one) == numbers_in(other) and _negations(one) == _negations(other)


def _negations(text: str) -> Counter[str]:
    return Counter(_NEGATION.findall(_even(text)))
