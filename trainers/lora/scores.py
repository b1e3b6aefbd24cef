"""How good an answer is, row by row, between 0 and 1: the task's own metric, not the loss."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from trainers.common.metrics import Integers

METRICS = {
    "exact_match": "the answer is the expected one, to the last character but for spaces at its ends",
    "json_exact": "the answer is JSON and equal to the expected value, whatever its spacing and order of keys",
    "json_fields": "the share of the expected fields that are there with the right value; 0 when it is no JSON",
    "accuracy": "the answer names the expected label, whatever its case and final full stop",
    "macro_f1": "how well each label is found (F1), every label counting the same; an answer that is no label is wrong",
    "balanced_accuracy": "the share of each label's rows that are named right, every label counting the same",
    "preference": "the share of pairs of which the preferred answer is the likelier one, a token",
    "token_f1": "the overlap of words with the expected answer (harmonic mean of precision and recall, as SQuAD)",
}


# Measured over all rows at once, by class, as trainers/common/metrics.py does; the others are means of a score a row.
BY_CLASS = ("accuracy", "macro_f1", "balanced_accuracy", "preference")


def label_codes(answers: Sequence[str], wanted: Sequence[str]) -> Integers:
    """Each answer as the number of a wanted label; one number past the last for what is none of them."""
    known = {label: code for code, label in enumerate(sorted({_label(text) for text in wanted}))}
    return np.array([known.get(_label(text), len(known)) for text in answers], dtype=np.int64)


def score(metric: str, said: str, wanted: str) -> float:
    """One answer's score under one of `METRICS`."""
    return _SCORES[metric](said, wanted)


def metric_for(answers: Sequence[str]) -> tuple[str, str]:
    """The metric that fits such answers, and why."""
    if all(isinstance(_json(answer), dict) for answer in answers):
        return "json_exact", "every expected answer is a JSON object"
    distinct = len({answer.strip().lower() for answer in answers})
    if distinct <= max(2, len(answers) // 5) and all(len(answer) <= 60 for answer in answers):
        return "accuracy", f"the expected answers are {distinct} short labels"
    if sum(len(answer.split()) for answer in answers) / len(answers) <= 6:
        return "exact_match", "the expected answers are a few words each"
    return "token_f1", "the expected answers are free text; exact equality would be zero for all"


def side_scores(said: Sequence[str], wanted: Sequence[str]) -> dict[str, float]:
    """Where answers fail: for JSON its validity and each field, else exact match and overlap of words."""
    expected = [_json(answer) for answer in wanted]
    if not all(isinstance(value, dict) for value in expected):
        pairs = list(zip(said, wanted, strict=True))
        return {name: sum(score(name, a, b) for a, b in pairs) / len(pairs) for name in ("exact_match", "token_f1")}
    given = [_json(answer) for answer in said]
    figures = {"json_valid": sum(isinstance(value, dict) for value in given) / len(given)}
    fields = dict.fromkeys(key for value in expected if isinstance(value, dict) for key in value)
    for field in list(fields)[:20]:
        asked = [(g, e) for g, e in zip(given, expected, strict=True) if isinstance(e, dict) and field in e]
        right = sum(isinstance(g, dict) and g.get(field, _NOTHING) == e[field] for g, e in asked if isinstance(e, dict))
        figures[f"field_{field}"] = right / len(asked)
    return figures


_NOTHING = object()


def _json(text: str) -> object:
    try:
        value: object = json.loads(text)
        return value
    except (ValueError, RecursionError):
        return None


def _exact(said: str, wanted: str) -> float:
    return float(said.strip() == wanted.strip())


def _json_exact(said: str, wanted: str) -> float:
    value = _json(said)
    return float(value is not None and value == _json(wanted))


def _json_fields(said: str, wanted: str) -> float:
    given, expected = _json(said), _json(wanted)
    if not isinstance(given, dict) or not isinstance(expected, dict) or not expected:
        return _json_exact(said, wanted)
    return sum(bool(given.get(key, _NOTHING) == value) for key, value in expected.items()) / len(expected)


def _label(text: str) -> str:
    return text.strip().strip(".\"'").lower()


def _accuracy(said: str, wanted: str) -> float:
    return float(_label(said) == _label(wanted))


def _token_f1(said: str, wanted: str) -> float:
    ours, theirs = Counter(said.lower().split()), Counter(wanted.lower().split())
    both = sum((ours & theirs).values())
    return 2 * both / (sum(ours.values()) + sum(theirs.values())) if both else 0.0


_SCORES: dict[str, Callable[[str, str], float]] = {
    "exact_match": _exact,
    "json_exact": _json_exact,
    "json_fields": _json_fields,
    "accuracy": _accuracy,
    "macro_f1": _accuracy,
    "balanced_accuracy": _accuracy,
    "preference": _accuracy,
    "token_f1": _token_f1,
}
