"""What each rendering says, section by section, as words: so that the renderings can be held against each other."""

from __future__ import annotations

import io
import re
from html.parser import HTMLParser

from markdown_it import MarkdownIt
from rich.console import Console

from advisor.report.blocks import Command, Story
from advisor.report.markdown import to_markdown
from advisor.report.page import to_html
from advisor.report.story import PARTS, texts_of
from advisor.report.terminal import show

INLINE = {"code", "span", "a", "strong"}
VOID = {"meta", "wbr", "br"}


def words(text: str) -> list[str]:
    """Letters and digits only: marks, spaces and line breaks belong to the medium."""
    return re.findall(r"\w+", text)


class Reader(HTMLParser):
    """The text of each section of a page, without what is drawn only for the eye."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.sections: dict[str, str] = {}
        self.open: list[tuple[str, bool, str | None]] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag in VOID:
            return
        named = dict(attributes)
        # The word that unfolds a table is a handle, as a link is; the table itself is told.
        hidden = tag in ("svg", "style", "summary") or named.get("aria-hidden") == "true"
        if tag not in INLINE:
            self.handle_data(" ")
        self.open.append((tag, hidden, named.get("id") if tag == "section" else None))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop()[0] == tag, f"{tag} ends what it did not begin"
        if tag not in INLINE:
            self.handle_data(" ")

    def handle_data(self, text: str) -> None:
        if any(hidden for _, hidden, _ in self.open):
            return
        for _, _, section in self.open:
            if section:
                self.sections[section] = self.sections.get(section, "") + text


def told_by_html(story: Story) -> dict[str, list[str]]:
    reader = Reader()
    reader.feed(to_html(story))
    assert not reader.open
    return {key: words(text) for key, text in reader.sections.items()}


def told_by_markdown(story: Story) -> dict[str, list[str]]:
    keys = {section.title: section.key for section in story.sections}
    told: dict[str, str] = {}
    current, heading = "", ""
    for token in MarkdownIt("commonmark").enable("table").parse(to_markdown(story)):
        if token.type == "heading_open":
            heading = token.tag
        elif token.type == "heading_close":
            heading = ""
        elif token.type in ("inline", "fence", "code_block"):
            text = "".join(child.content + " " * (child.type != "text") for child in token.children or [])
            text = re.sub(r"^\[[ x]\] ", "", text if token.type == "inline" else token.content)
            if heading in ("h1", "h2"):
                current = ""
            elif heading == "h3":
                current = keys[text.strip()]
            if current:
                told[current] = told.get(current, "") + " " + text
    last = story.sections[-1].key
    told[last] = told[last].rpartition("Made by ")[0]
    return {key: words(text) for key, text in told.items()}


def terminal_text(story: Story, width: int, *, everything: bool = True, bare: bool = False) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=width, no_color=True, highlight=False, emoji=False, markup=False)
    show(story, console, everything=everything, bare=bare)
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines()) + "\n"


def told_by_terminal(story: Story, width: int = 120) -> dict[str, list[str]]:
    keys = {section.title: section.key for section in story.sections}
    told: dict[str, list[str]] = {}
    current = ""
    for line in terminal_text(story, width).splitlines():
        current = "" if line.strip() in PARTS.values() else keys.get(line.strip(), current)
        if current:
            told.setdefault(current, []).append(line)
    return {key: words(" ".join(lines)) for key, lines in told.items()}


def told_by_story(story: Story, *, commands: bool = True) -> dict[str, str]:
    return {
        section.key: "\n".join(
            [section.title]
            + [
                text
                for block in section.blocks
                if commands or not isinstance(block, Command)
                for text in texts_of(block)
            ]
        )
        for section in story.sections
    }
