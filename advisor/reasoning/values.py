"""What a person typed, as a value of a fact."""

from __future__ import annotations

import re

from advisor.base.errors import BadInput, did_you_mean
from advisor.base.safetext import one_of, plain
from advisor.reasoning.definitions import FactDefinition
from advisor.reasoning.logic import limits
from advisor.records.facts import Value

_WORDS = {"true": True, "yes": True, "false": False, "no": False}
# Marks between thousands: the same one before each group of three digits. Compiled when a text first needs it.
_MARKED = r"[+-]?[1-9][0-9]{0,2}(?P<mark>[,_' \u00a0\u2009\u202f])[0-9]{3}(?:(?P=mark)[0-9]{3})*(?![0-9,_'])"


def parse_value(fact: FactDefinition, raw: object) -> Value:
    """`raw` (text or a typed value) as a value of the fact; `BadInput` with the closest word, or the limits."""
    if fact.type == "boolean":
        value = raw if isinstance(raw, bool) else _WORDS.get(str(raw).strip().lower())
        if not isinstance(value, bool):
            fix = f"{fact.name}=true or {fact.name}=false"
            raise _bad(fact, raw, f"true or false, not {plain(raw, 40)!r}", fix)
        return value
    if fact.type == "choice":
        known = [choice.value for choice in fact.choices]
        word = ("yes" if raw else "no") if isinstance(raw, bool) else str(raw).strip()
        if word not in known:
            word = word.lower().replace(" ", "_").replace("-", "_")
        if word not in known:
            fix = did_you_mean(word, known) or f"One of: {one_of(known, 20)}."
            raise _bad(fact, raw, f"one of its {len(known)} values, not {plain(raw, 40)!r}", fix)
        return word
    return _number(fact, raw)


def _number(fact: FactDefinition, raw: object) -> Value:
    number: float | int
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        number = raw
    else:
        text = _without_thousands_marks(fact, str(raw).strip())
        share = text.endswith("%")
        try:
            whole = text.lstrip("+-").isdecimal()
            number = float(text.rstrip("%")) / 100 if share else int(text) if whole else float(text)
        except ValueError:
            raise _bad(fact, raw, f"a number, not {plain(raw, 40)!r}", f"{limits(fact).capitalize()}.") from None
    if number != number or number in (float("inf"), float("-inf")):
        raise _bad(fact, raw, "a finite number", f"{limits(fact).capitalize()}.")
    if fact.type == "integer":
        if number != int(number):
            raise _bad(fact, raw, f"a whole number, not {plain(raw, 40)}", f"Round it: {round(number)}.")
        number = int(number)
    low, high = fact.minimum, fact.maximum
    if (low is not None and number < low) or (high is not None and number > high):
        raise _bad(fact, raw, f"{limits(fact)}, not {plain(raw, 40)}", f"Give a value of {limits(fact)}.")
    return number


def _without_thousands_marks(fact: FactDefinition, text: str) -> str:
    """The text without marks between thousands; 1,5 may be one and a half or fifteen, so it is asked for again."""
    if grouped := re.match(_MARKED, text):
        text = text.replace(grouped["mark"], "", grouped.group().count(grouped["mark"]))
    if "," in text or "_" in text:
        fix = f"Write it with a point for decimals, and commas only between thousands: {_example(text)}."
        raise _bad(fact, text, f"a number, not {plain(text, 40)!r}", fix)
    return text.replace(" %", "%")


def _example(text: str) -> str:
    digits = text.replace(",", ".", 1)
    return f"{digits}, or 1,500" if text.count(",") == 1 and digits.replace(".", "", 1).isdecimal() else "1.5, or 1,500"


def _bad(fact: FactDefinition, raw: object, what: str, fix: str) -> BadInput:
    return BadInput(f"{fact.name} must be {what}.", where=f"{fact.name}={plain(raw, 40)}", fix=fix, code="bad-value")
