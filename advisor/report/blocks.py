"""The nouns of a report: sections made of a few kinds of block. Every rendering draws exactly these, in this order.

Text in a block is plain text: foreign text was made one visible line when the story was told, and each renderer escapes
it once more for its own medium. Nothing in a block is markup.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal

Tone = Literal["good", "bad", "warn", "calm", "muted"]
Part = Literal["first_page", "detail", "reference"]
Shape = Literal["intervals", "ranges", "swings", "bars", "curve", "scatter", "lines", "trends", "matrix", "calibration"]


@dataclass(frozen=True, slots=True)
class Mark:
    """A short status word, drawn as a badge. `tone` says how it is coloured; the word alone must be enough."""

    text: str
    tone: Tone = "calm"
    kind: Literal["mark"] = "mark"


@dataclass(frozen=True, slots=True)
class Code:
    """A name or value to be read letter by letter: a fact's name, a hash, a file."""

    text: str
    kind: Literal["code"] = "code"


@dataclass(frozen=True, slots=True)
class Link:
    """A source that can be opened. Only http and https addresses become links."""

    text: str
    address: str
    kind: Literal["link"] = "link"


Cell = str | Mark | Code | Link


@dataclass(frozen=True, slots=True)
class Hero:
    """The answer: one word, one sentence, how sure, and the badges beside it."""

    verdict: str
    tone: Tone
    headline: str
    certainty: str
    marks: tuple[Mark, ...] = ()
    kind: Literal["hero"] = "hero"


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph of prose."""

    text: str
    kind: Literal["paragraph"] = "paragraph"


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading inside a section."""

    text: str
    kind: Literal["heading"] = "heading"


@dataclass(frozen=True, slots=True)
class Notice:
    """A remark that must not be overlooked."""

    text: str
    tone: Tone = "warn"
    kind: Literal["notice"] = "notice"


@dataclass(frozen=True, slots=True)
class Points:
    """A list of short sentences."""

    items: tuple[str, ...]
    kind: Literal["points"] = "points"


@dataclass(frozen=True, slots=True)
class Command:
    """The one command to run next, or the one that repeats what was done."""

    command: str
    kind: Literal["command"] = "command"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under named columns. `numeric` names the columns that hold figures."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    numeric: tuple[int, ...] = ()
    kind: Literal["table"] = "table"


@dataclass(frozen=True, slots=True)
class Rung:
    """One rung of the ladder, or one way beside it: its outcome in a word, and why in a line."""

    name: str
    short: str
    outcome: Mark
    why: str
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Ladder:
    """The rungs from cheapest to dearest, and the ways beside the ladder that had a say."""

    rungs: tuple[Rung, ...]
    beside: tuple[Rung, ...] = ()
    kind: Literal["ladder"] = "ladder"

    def groups(self) -> tuple[tuple[Rung, ...], ...]:
        """The ladder and the ways beside it, the one with the chosen way first; neighbours told alike are one line."""
        both = (self.beside, self.rungs) if any(rung.chosen for rung in self.beside) else (self.rungs, self.beside)
        return tuple(tuple(_told_once(group)) for group in both if group)


def _told_once(rungs: tuple[Rung, ...]) -> Iterator[Rung]:
    for _, run in groupby(rungs, key=lambda rung: (rung.outcome, rung.why, rung.chosen)):
        alike = list(run)
        yield replace(alike[0], name=", ".join(rung.name for rung in alike))


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument for or against an option, with the rule and the sources behind it."""

    side: Literal["Good", "Neutral", "Bad"]
    text: str
    rule: str = ""
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Option:
    """One option that was considered, as an architectural decision record lists it."""

    name: str
    outcome: Mark
    arguments: tuple[Argument, ...]
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Options:
    """Every option, the chosen one first."""

    options: tuple[Option, ...]
    kind: Literal["options"] = "options"

    def told_once(self) -> tuple[Option, ...]:
        """Neighbours of one outcome and the same arguments as one entry."""
        runs = groupby(self.options, key=lambda option: (option.outcome, option.arguments, option.chosen))
        alike = [list(run) for _, run in runs]
        return tuple(replace(run[0], name=", ".join(option.name for option in run)) for run in alike)


@dataclass(frozen=True, slots=True)
class Check:
    """One stage of the work: what good looks like, what was done and by whom, and what is owed."""

    title: str
    status: Mark
    good: str
    done: str = ""
    by: str = ""
    owed: str = ""


@dataclass(frozen=True, slots=True)
class Checklist:
    """The stages in order."""

    checks: tuple[Check, ...]
    kind: Literal["checklist"] = "checklist"


@dataclass(frozen=True, slots=True)
class Point:
    """One figure of a chart: at a place (`at`) or under a `label`, with its interval where there is one."""

    label: str
    value: float
    at: float = 0.0
    low: float | None = None
    high: float | None = None
    ours: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing of figures. `twin` is the table that says the same in words.

    `shape`: intervals (dots with whiskers), ranges (from low to high, growing by factors), swings (the same on an even
    scale) and bars have one row for each point; curve shows value against `at`, scatter each point under its label at
    `at` (growing by factors); lines and trends show one line for each label, on scales that grow by factors or evenly;
    matrix shades the cells of `twin`; calibration is a curve beside the diagonal. `bar` is the value to reach, drawn as
    a broken line; `place` is marked on the axis across.
    """

    name: str
    title: str
    says: str
    shape: Shape
    axis: str
    points: tuple[Point, ...]
    twin: Table
    across: str = ""
    bar: float | None = None
    place: float | None = None
    kind: Literal["chart"] = "chart"


@dataclass(frozen=True, slots=True)
class Term:
    """A word and what it means here."""

    word: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Terms:
    """The glossary."""

    terms: tuple[Term, ...]
    kind: Literal["terms"] = "terms"


Block = Hero | Paragraph | Heading | Notice | Points | Command | Table | Ladder | Options | Checklist | Chart | Terms


@dataclass(frozen=True, slots=True)
class Section:
    """One section. `key` is stable; `part` says whether it belongs to the first page, the detail or the reference."""

    key: str
    title: str
    part: Part
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Story:
    """The whole report. `question` is what was asked, of which `case`, on which day (`as_of`), told by which tool."""

    case: str
    question: str
    as_of: str
    made_by: str
    sections: tuple[Section, ...]
    schema: int = 1

    def section(self, key: str) -> Section | None:
        """The section of that key, or None when this story has none."""
        return next((section for section in self.sections if section.key == key), None)
