"""The story as GitHub Markdown: plain to read as text, harmless to render."""

from __future__ import annotations

import re
from collections.abc import Iterator

from advisor.base.safetext import for_markdown
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
)
from advisor.report.element import can_link
from advisor.report.story import PARTS

LIMIT = 4000


def to_markdown(story: Story) -> str:
    """The whole report, one blank line between blocks."""
    dated = f"{story.case} · {story.as_of}" if story.as_of else story.case
    pieces = [f"# {text(story.question)}", text(dated)]
    for part, title in PARTS.items():
        sections = [section for section in story.sections if section.part == part]
        if sections:
            pieces.append(f"## {text(title)}")
        for section in sections:
            pieces += section_lines(section, level=3)
    pieces.append(f"Made by {text(story.made_by)}. Every line above follows from the record.")
    return "\n\n".join(pieces) + "\n"


def section_lines(section: Section, *, level: int) -> Iterator[str]:
    """A section's heading and blocks, each a piece between blank lines."""
    yield f"{'#' * level} {text(section.title)}"
    for block in section.blocks:
        yield from block_lines(block, level + 1)


def text(value: str) -> str:
    """Foreign text as Markdown that stays text: no markup, link, list or mention, also at the start of a line."""
    safe = for_markdown(value, LIMIT).replace("@", "&#64;")
    safe = re.sub(r"(?i)\bwww\.", lambda found: found[0][:-1] + "&#46;", safe)
    safe = re.sub(r"^([-+=])(?=\s|$|[-+=])", r"\\\1", safe)
    return re.sub(r"^(\d{1,9})([.)])(?=\s|$)", r"\1\\\2", safe)


def code(value: str) -> str:
    """A code span that its content cannot end; inside one, GitHub escapes nothing but the pipe of a table."""
    safe = value.replace("|", "¦")
    fence = "`" * (max((len(run) for run in re.findall("`+", safe)), default=0) + 1)
    padded = f" {safe} " if safe.startswith("`") or safe.endswith("`") else safe
    return f"{fence}{padded}{fence}" if safe.strip() else ""


def block_lines(block: Block, level: int) -> Iterator[str]:
    """One block as pieces of Markdown."""
    match block:
        case Hero():
            yield f"**{text(block.verdict)}**"
            yield f"**{text(block.headline)}**"
            yield text(block.certainty)
            if block.marks:
                yield "\n".join(f"- {_mark(mark)}" for mark in block.marks)
        case Paragraph(said):
            yield text(said)
        case Heading(said):
            yield f"{'#' * level} {text(said)}"
        case Notice(said):
            yield f"> {text(said)}"
        case Points(items):
            yield "\n".join(f"- {text(item)}" for item in items)
        case Command(command):
            yield f"```sh\n{command}\n```" if "```" not in command else f"~~~~~~sh\n{command}\n~~~~~~"
        case Table():
            yield table(block)
        case Ladder():
            yield from _ladder(block)
        case Options():
            yield from _options(block, level)
        case Checklist():
            yield from _checklist(block, level)
        case Chart():
            yield f"**{text(block.title)}** {text(block.says)}"
            yield table(block.twin)
        case Terms(terms):
            yield "\n".join(f"- **{text(term.word)}** {text(term.meaning)}" for term in terms)


def _mark(mark: Mark) -> str:
    return f"**{text(mark.text)}**"


def cell(value: Cell) -> str:
    """A table cell."""
    match value:
        case Mark():
            return _mark(value)
        case Code(said):
            return code(said)
        case Link(said, address) if can_link(address) and not re.search(r"[()<>|\s]", address):
            return f"[{text(said)}]({address})"
        case Link(said):
            return text(said)
        case str():
            return text(value)


def table(shown: Table) -> str:
    """A GitHub table; columns of figures stand to the right."""
    rule = " | ".join("---:" if at in shown.numeric else "---" for at in range(len(shown.columns)))
    rows = [" | ".join(cell(value) or " " for value in row) for row in (shown.columns, *shown.rows)]
    return "\n".join(f"| {row} |" for row in (rows[0], rule, *rows[1:]))


def _ladder(ladder: Ladder) -> Iterator[str]:
    def line(rung: Rung) -> str:
        name = f"**{text(rung.name)}**" if rung.chosen else text(rung.name)
        return f"{name} · {_mark(rung.outcome)} · {text(rung.why)}"

    for group in ladder.groups():
        yield "\n".join(f"- {line(rung)}" for rung in group)


def _options(block: Options, level: int) -> Iterator[str]:
    for option in block.told_once():
        yield f"{'#' * level} {text(option.name)} · {text(option.outcome.text)}"
        yield "\n".join(
            f"- {argument.side} · {text(argument.text)}{_cited(argument.rule, argument.sources)}"
            for argument in option.arguments
        )


def _cited(rule: str, sources: tuple[str, ...]) -> str:
    cited = ", ".join(part for part in (rule, *sources) if part)
    return f" \\[{text(cited)}\\]" if cited else ""


def _checklist(block: Checklist, level: int) -> Iterator[str]:
    for check in block.checks:
        done = "x" if check.status.text == "Done" else " "
        told = (("Good is", check.good), ("Done", check.done), ("By", check.by), ("Owed", check.owed))
        lines = [f"- [{done}] **{text(check.title)}** · {text(check.status.text)}"]
        lines += [f"  - {name} · {text(said)}" for name, said in told if said]
        yield "\n".join(lines)
