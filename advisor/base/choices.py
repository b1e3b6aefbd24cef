"""A question with a fixed set of answers, asked so that the model tells how likely each of them is.

Two forms: the decisions of OpenAI's interface (`/v1/decisions`: a choice with a probability for every value, no text is
written), and for any other server a list of lettered answers of which the model would say one letter; the probabilities
of that first token come with the answer (`logprobs`), the twenty likeliest of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

MOST_LETTERS = 20  # as many of the likeliest tokens as servers tell
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_NEVER = math.log(1e-6)  # the weight of an answer that is not told


def lettered(messages: Sequence[Mapping[str, str]], options: Sequence[str]) -> list[dict[str, str]]:
    """The conversation with the answers listed at its end, to be chosen by a letter. Raises `ValueError` beyond 20."""
    if not 2 <= len(options) <= MOST_LETTERS:
        raise ValueError(f"{len(options)} answers cannot be told apart by one of {MOST_LETTERS} letters")
    listed = "\n".join(f"{letter}: {option}" for letter, option in zip(_LETTERS, options, strict=False))
    last = dict(messages[-1])
    last["content"] += f"\n\nAnswer with one letter and nothing else:\n{listed}"
    return [*(dict(message) for message in messages[:-1]), last]


def letter_weights(completion: Any, count: int) -> tuple[float, ...]:
    """The log-probability of each of `count` letters as the first token; empty where the server tells none."""
    try:
        told = completion.choices[0].logprobs.content[0].top_logprobs
        found: dict[str, float] = {}
        for one in told:
            letter = str(one.token).strip().upper()
            if letter in _LETTERS[:count]:
                found[letter] = max(found.get(letter, _NEVER), float(one.logprob))
    except (AttributeError, IndexError, TypeError, ValueError):
        return ()
    found.pop("", None)
    return tuple(found.get(letter, _NEVER) for letter in _LETTERS[:count]) if found else ()


def decision_request(model: str, messages: Sequence[Mapping[str, str]], options: Sequence[str]) -> dict[str, Any]:
    """The same as a choice of the decisions interface: the system's words are the question, the rest is its input."""
    told = " ".join(message["content"] for message in messages if message["role"] == "system")
    turns = [
        {"type": "message", "role": message["role"], "content": message["content"]}
        for message in messages
        if message["role"] != "system"
    ]
    asked = {"type": "choice", "name": "answer", "instructions": told, "choices": [{"value": one} for one in options]}
    return {"model": model, "input": turns, "questions": [asked]}


def decision_weights(decision: Any, options: Sequence[str]) -> tuple[float, ...]:
    """The log-probability of each option in a decision; empty where the model declined to choose."""
    try:
        told = {str(one.value): float(one.probability) for one in decision.answers[0].probabilities}
    except (AttributeError, IndexError, TypeError, ValueError):
        return ()
    return tuple(math.log(max(told.get(option, 0.0), 1e-6)) for option in options)
