"""Personal data in cells: which kinds, in which columns. Values are matched and forgotten; none is kept or shown."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

from advisor.evidence.catalogue import words_of
from advisor.evidence.kinds import spread

if TYPE_CHECKING:
    from advisor.evidence.sheet import Sheet
    from advisor.records.look import Column

_MOST_CELLS = 2000
# The look behind lets a long word be tried once, not from each of its letters.
_EMAIL = re.compile(r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}")
_PHONE = re.compile(
    r"(?<![\w.])(\+\d{1,3}[\s.-]?)?(\(\d{2,5}\)[\s.-]?)?\d{2,5}([\s./-]\d{2,5}){1,4}(?![\w.])"
    r"|(?<!\w)(\+\d{1,3}[\s.-]?|0)(\(?\d{1,5}\)?[\s./-])?\d{5,8}(?!\w)|(?<!\w)(\+|0)\d{9,13}(?!\w)"
)
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")
_CARD = re.compile(r"\b\d(?:[ -]?\d){12,18}\b")
_SSN = re.compile(r"\b(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}\b")
_IP = re.compile(r"\b(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)\b")
_DATE = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}")


def personal_columns(sheet: Sheet) -> dict[str, tuple[str, ...]]:
    """Kinds of personal data by column; a kind counts when enough cells match it, fewer in free text."""
    found: dict[str, tuple[str, ...]] = {}
    for column in sheet.columns:
        kinds = _by_name(sheet, column) + _by_cells(sheet, column)
        if kinds:
            found[column.name] = tuple(dict.fromkeys(kinds))
    return found


def _by_name(sheet: Sheet, column: Column) -> list[str]:
    whole = "".join(words_of(column.name))
    # A name or a street that many rows share is a category; one that nearly each row has for itself names somebody.
    if column.kind not in ("text", "id", "category", "date") or column.distinct < 0.3 * len(sheet.whole):
        return []
    kinds = {"person_name": "names", "address": "addresses", "birth": "dates of birth"}
    return [kind for word, kind in kinds.items() if whole in sheet.catalogue.words[word]]


def _by_cells(sheet: Sheet, column: Column) -> list[str]:
    if column.kind not in ("text", "category", "id", "constant"):
        return []
    limits = sheet.entry("P601").thresholds
    if sheet.frame[column.name].dtype.kind in "biufM":
        return []
    cells = Counter(str(cell)[:2000] for cell in spread(sheet.frame[column.name].dropna(), _MOST_CELLS))
    least = max(1.0, (limits["free_text"] if column.kind == "text" else limits["share"]) * cells.total())
    return [kind for kind, holds in KINDS.items() if sum(n for cell, n in cells.items() if holds(cell)) >= least]


def _is_phone(cell: str) -> bool:
    for match in _PHONE.finditer(cell):
        text = match.group()
        if 9 <= sum(map(str.isdigit, text)) <= 15 and not _DATE.search(text):
            return True
    return False


def _is_card(cell: str) -> bool:
    return any(_luhn(re.sub(r"\D", "", match.group())) for match in _CARD.finditer(cell))


def _luhn(digits: str) -> bool:
    """The check digit of payment cards (ISO/IEC 7812-1)."""
    if len(set(digits)) == 1:
        return False
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _is_iban(cell: str) -> bool:
    return any(_mod_97(match.group().replace(" ", "")) for match in _IBAN.finditer(cell))


def _mod_97(text: str) -> bool:
    """The check digits of bank account numbers (ISO 13616)."""
    if not 15 <= len(text) <= 34:
        return False
    return int("".join(str(int(letter, 36)) for letter in text[4:] + text[:4])) % 97 == 1


KINDS: dict[str, Callable[[str], bool]] = {
    "e-mail addresses": lambda cell: "@" in cell and _EMAIL.search(cell) is not None,
    "telephone numbers": _is_phone,
    "bank account numbers": _is_iban,
    "card numbers": _is_card,
    "social security numbers": lambda cell: _SSN.search(cell) is not None,
    "IP addresses": lambda cell: cell.count(".") >= 3 and _IP.search(cell) is not None,
}
