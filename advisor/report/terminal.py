"""The story in the terminal: the first page, or all of it, at any width. The one place in the report that uses rich."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from advisor.base.safetext import plain
from advisor.report.blocks import (
    Block,
    Cell,
    Chart,
    Checklist,
    Code,
    Command,
    Heading,
    Hero,
    Ladder,
    Link,
    Mark,
    Notice,
    Options,
    Paragraph,
    Points,
    Rung,
    Section,
    Story,
    Table,
    Terms,
    Tone,
)
from advisor.report.story import PARTS

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

COLOURS: dict[Tone, str] = {"good": "green", "bad": "red", "warn": "yellow", "calm": "cyan", "muted": "dim"}
NARROW = 72  # below this width a table is told row by row
WIDEST = 100  # prose wider than this is tiring to read
NARROWEST_COLUMN = 14
WIDEST_TABLE = 120
LONGEST_NAME = 30  # a fact's name is never broken
NAME = 36  # columns for the name of a rung
LIMIT = 4000


def show(story: Story, console: Console, *, everything: bool = False, bare: bool = False) -> None:
    """Print the first page, or with `everything` the whole report. `bare` draws no lines and no boxes."""
    page = _Page(console, bare)
    page.head(story)
    for part, title in PARTS.items():
        sections = [section for section in story.sections if section.part == part]
        if not sections or not (everything or part == "first_page"):
            continue
        if everything:
            page.part(title)
        for section in sections:
            page.section(section)


class _Page:
    def __init__(self, console: Console, bare: bool) -> None:
        self.console = console
        self.bare = bare
        self.width = console.width
        self.narrow = bare or self.width < NARROW

    def head(self, story: Story) -> None:
        dated = f"{story.case} · {story.as_of}" if story.as_of else story.case
        self.say(story.question, "bold")
        self.say(dated, "dim")

    def part(self, title: str) -> None:
        self.console.print()
        if self.bare:
            self.say(title.upper(), "bold")
        else:
            self.say(title, "bold reverse")

    def section(self, section: Section) -> None:
        self.console.print()
        self.say(section.title, "bold underline")
        for block in section.blocks:
            self.block(block)

    def say(self, text: str, style: str = "", indent: int = 0) -> None:
        """A paragraph, wrapped at the width that can be read, never parsed as markup."""
        from rich.padding import Padding
        from rich.text import Text

        self.console.print(Padding(Text(plain(text, LIMIT), style), (0, 0, 0, indent)), width=min(self.width, WIDEST))

    def block(self, block: Block) -> None:
        match block:
            case Hero():
                self.hero(block)
            case Paragraph(text):
                self.say(text)
            case Heading(text):
                self.console.print()
                self.say(text, "bold")
            case Notice(text, tone):
                self.say(text, COLOURS[tone], indent=2)
            case Points(items):
                self.points(items)
            case Command(command):
                self.say(command, "bold", indent=4)
            case Table():
                self.table(block)
            case Ladder():
                self.ladder(block)
            case Options():
                self.options(block)
            case Checklist():
                self.checklist(block)
            case Chart():
                self.say(block.title, "bold")
                self.say(block.says, "dim")
                self.table(block.twin)
            case Terms(terms):
                for term in terms:
                    self.say(term.word, "bold")
                    self.say(term.meaning, indent=2)

    def hero(self, hero: Hero) -> None:
        colour = COLOURS[hero.tone]
        self.console.print()
        self.say(hero.verdict, f"bold {colour}")
        self.say(hero.headline, "bold")
        self.say(hero.certainty, "dim")
        for mark in hero.marks:
            self.say(mark.text, COLOURS[mark.tone], indent=2)
        if hero.marks:
            self.console.print()

    def points(self, items: tuple[str, ...]) -> None:
        from rich.table import Table as Grid
        from rich.text import Text

        grid = Grid.grid(padding=(0, 1, 0, 0))
        grid.add_column(width=2, justify="right")
        grid.add_column(ratio=1, overflow="fold")
        for item in items:
            grid.add_row(Text("-"), Text(plain(item, LIMIT)))
        self.console.print(grid, width=min(self.width, WIDEST))

    def ladder(self, ladder: Ladder) -> None:
        for at, group in enumerate(ladder.groups()):
            if at:
                self.console.print()
            for rung in group:
                self.rung(rung)

    def rung(self, rung: Rung) -> None:
        from rich.text import Text

        name = plain(rung.name)
        if len(name) > NAME and not self.narrow:
            self.say(f"{name} · {rung.outcome.text}", "bold", indent=2)
            self.say(rung.why, indent=4)
            return
        line = Text.assemble(
            ("> " if rung.chosen else "  ", "bold"),
            (name if self.narrow else f"{name:<{NAME}}", "bold"),
            "  ",
            (rung.outcome.text, COLOURS[rung.outcome.tone]),
        )
        self.console.print(line)
        self.say(rung.why, indent=4)

    def options(self, block: Options) -> None:
        for option in block.told_once():
            self.console.print()
            self.say(f"{option.name} · {option.outcome.text}", "bold")
            for argument in option.arguments:
                cited = ", ".join(part for part in (argument.rule, *argument.sources) if part)
                self.say(f"{argument.side} · {argument.text}{f' [{cited}]' if cited else ''}", indent=2)

    def checklist(self, block: Checklist) -> None:
        for check in block.checks:
            self.console.print()
            self.say(f"{check.title} · {check.status.text}", COLOURS[check.status.tone] + " bold")
            told = (("Good is", check.good), ("Done", check.done), ("By", check.by), ("Owed", check.owed))
            for name, text in told:
                if text:
                    self.say(f"{name} · {text}", indent=3)

    def table(self, shown: Table) -> None:
        whole = [at for at in range(len(shown.columns)) if _is_whole(shown, at)]
        if self.narrow or not _fits(shown, whole, min(self.width, WIDEST_TABLE)):
            self.rows(shown)
            return
        from rich import box
        from rich.table import Table as Drawn
        from rich.text import Text

        drawn = Drawn(box=box.SIMPLE, pad_edge=False, header_style="bold")
        for at, column in enumerate(shown.columns):
            side: Literal["left", "right"] = "right" if at in shown.numeric else "left"
            drawn.add_column(Text(column), justify=side, overflow="fold", no_wrap=at in whole)
        for row in shown.rows:
            drawn.add_row(*(_cell(cell) for cell in row))
        self.console.print(drawn, width=min(self.width, WIDEST_TABLE))

    def rows(self, shown: Table) -> None:
        """A table without room: each row told as its first cell and the others under it."""
        self.console.print()
        self.say(shown.columns[0], "dim underline")
        for row in shown.rows:
            first, *others = row
            self.say(_words(first), "bold")
            for column, cell in zip(shown.columns[1:], others, strict=True):
                if _words(cell):
                    self.say(f"{column}: {_words(cell)}", indent=2)


def _is_whole(shown: Table, at: int) -> bool:
    """Whether a column holds figures or names, which are never broken."""
    return at in shown.numeric or any(
        isinstance(row[at], Code) and len(_words(row[at])) <= LONGEST_NAME for row in shown.rows
    )


def _fits(shown: Table, whole: list[int], width: int) -> bool:
    """Whether the columns of prose keep a readable width beside those that cannot be broken."""
    taken = sum(max(len(_words(row[at])) for row in (shown.columns, *shown.rows)) + 2 for at in whole)
    prose = len(shown.columns) - len(whole)
    return prose == 0 or (width - taken) // prose >= NARROWEST_COLUMN


def _words(cell: Cell) -> str:
    return cell if isinstance(cell, str) else cell.text


def _cell(cell: Cell) -> RenderableType:
    from rich.text import Text

    match cell:
        case Mark(text, tone):
            return Text(plain(text), COLOURS[tone])
        case Code(text) | Link(text):
            return Text(plain(text, LIMIT), "dim")
        case str():
            return Text(plain(cell, LIMIT))
