"""The pitfalls as written in rules/pitfalls.yaml: their words and thresholds, and the findings made from them.

Code decides what was seen; the sentences, severities and thresholds stay in the YAML, where a reader can weigh them.
"""

from __future__ import annotations

import re
import string
from dataclasses import dataclass
from functools import cache
from typing import Any

from advisor.base.errors import BadInput, did_you_mean
from advisor.base.files import read_text
from advisor.base.safetext import one_of, plain
from advisor.base.shipped import rules_folder
from advisor.base.strictyaml import parse
from advisor.records.look import Outcome, Pitfall

FILE = "pitfalls.yaml"
_WORDS = ("code", "name", "title", "severity", "what", "why", "how", "fix", "source")


@dataclass(frozen=True)
class Entry:
    """One pitfall of the catalogue. `says` maps an outcome to its sentence; `thresholds` are its policy."""

    code: str
    name: str
    title: str
    severity: str
    what: str
    why: str
    how: str
    fix: str
    source: str
    says: dict[str, str]
    thresholds: dict[str, float]

    def issue(self, columns: list[str] | tuple[str, ...] = (), *, severity: str = "", **seen: Any) -> Pitfall:
        """Found, and worth acting on."""
        return self._finding("issue", columns, severity or self.severity, seen)

    def tip(self, columns: list[str] | tuple[str, ...] = (), **seen: Any) -> Pitfall:
        """Found, and worth knowing."""
        return self._finding("tip", columns, "mild", seen)

    def passed(self, columns: list[str] | tuple[str, ...] = (), **seen: Any) -> Pitfall:
        """Looked for, and not found."""
        return self._finding("passed", columns, "", seen)

    def not_applicable(self, reason: str = "") -> Pitfall:
        """There is nothing here that could have this fault; says why."""
        found = self._finding("not_applicable", (), "", {})
        return found if not reason else Pitfall(self.code, self.name, "not_applicable", text=plain(reason, 400))

    def skipped(self, reason: str = "") -> Pitfall:
        """Could not be looked at; says why."""
        found = self._finding("skipped", (), "", {})
        return found if not reason else Pitfall(self.code, self.name, "skipped", text=plain(reason, 400))

    def _finding(
        self, outcome: Outcome, columns: list[str] | tuple[str, ...], severity: str, seen: dict[str, Any]
    ) -> Pitfall:
        names = tuple(plain(name) for name in columns)
        words = {"columns": one_of(names, 4), **{key: _shown(value) for key, value in seen.items()}}
        text = string.Formatter().vformat(self.says.get(outcome, ""), (), _Blanks(words))
        fix = self.fix if outcome in ("issue", "tip") else ""
        return Pitfall(self.code, self.name, outcome, severity, text, fix, tuple(columns), _evidence(seen))


class _Blanks(dict[str, str]):
    """A sentence with a hole is better than no finding; a test holds that no hole is left."""

    def __missing__(self, key: str) -> str:
        return "{" + key + "}"


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3g}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return plain(value, 300)


def _evidence(seen: dict[str, Any]) -> dict[str, object]:
    return {key: plain(value, 300) if isinstance(value, str) else value for key, value in seen.items()}


@dataclass(frozen=True)
class Catalogue:
    """All pitfalls in the author's order, the shared settings, and the words that column names are matched with."""

    entries: dict[str, Entry]
    settings: dict[str, float]
    words: dict[str, frozenset[str]]
    says_of_written: str
    says_of_the_curve: dict[str, str]

    def find(self, word: str) -> Entry:
        """The pitfall of that code or name. Raises `BadInput` with the closest one."""
        wanted = word.strip().lower()
        for entry in self.entries.values():
            if wanted in (entry.code.lower(), entry.name):
                return entry
        known = [*self.entries, *(entry.name for entry in self.entries.values())]
        raise BadInput(
            f"There is no pitfall {plain(word, 60)!r}.",
            fix=did_you_mean(word, known) or f"Known: {one_of(tuple(self.entries), 40)}.",
            code="no-pitfall",
        )

    def names_a_thing(self, name: str) -> bool:
        """Whether a column name is that of a person or thing: subject, customer_id, account no."""
        parts = words_of(name)
        entity, identifier = self.words["entity"], self.words["identifier"]
        if not parts or (len(parts) == 1 and parts[0] in self.words["vague"]):
            return False
        return parts[-1] in entity or parts[-1] in identifier or "".join(parts) in entity

    def says(self, name: str, kind: str) -> bool:
        """Whether one of the words of `kind` stands in a column name, as a whole word or as the whole name."""
        parts = words_of(name)
        return "".join(parts) in self.words[kind] or any(part in self.words[kind] for part in parts)


def words_of(name: str) -> list[str]:
    """The words of a column name: split at case changes and separators, lower case, trailing digits dropped."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", str(name))
    return [part.rstrip("0123456789") or part for part in re.split(r"[^a-z0-9]+", spaced.lower()) if part]


@cache
def load_catalogue() -> Catalogue:
    """The catalogue shipped with this version."""
    content = parse(read_text(rules_folder() / FILE), FILE).data
    entries = {}
    for block in content["pitfalls"]:
        says = {o: block.get(o, "") for o in ("issue", "tip", "passed", "not_applicable", "skipped")}
        fields = {
            key: block[key] for key in ("code", "name", "title", "severity", "what", "why", "how", "fix", "source")
        }
        entries[block["code"]] = Entry(**fields, says=says, thresholds=dict(block["thresholds"]))
    words = {kind: frozenset(listed) for kind, listed in content["words"].items()}
    of_written, of_curve = content["says_of_written"], dict(content["says_of_the_curve"])
    return Catalogue(entries, dict(content["settings"]), words, of_written, of_curve)
