"""The story as one self-contained HTML page: no script, no request, light and dark, on paper and on a phone."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

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
    Option,
    Options,
    Paragraph,
    Points,
    Rung,
    Section,
    Story,
    Table,
    Terms,
)
from advisor.report.charts import draw
from advisor.report.element import Element, Node, StyleSheet, can_link, element, write
from advisor.report.story import PARTS

NAME = 24  # letters of a name that is never broken
SHORT = 40  # letters of a cell that keeps a readable width
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def to_html(story: Story) -> str:
    """The whole page as text."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", f"{story.question} {story.case}"),
        element("style", StyleSheet(style_sheet())),
    )
    body = element(
        "body",
        element("a", "Skip to the answer", class_="skip", href="#answer"),
        element("div", _masthead(story), element("main", *_parts(story)), _footer(story), class_="frame"),
    )
    return "<!doctype html>\n" + write(element("html", head, body, lang="en")) + "\n"


@cache
def style_sheet() -> str:
    """The style sheet that stands beside this file."""
    return (Path(__file__).parent / "page.css").read_text(encoding="utf-8")


def _masthead(story: Story) -> Element:
    dated = f"{story.case} · {story.as_of}" if story.as_of else story.case
    return element("header", element("h1", story.question), element("p", dated), class_="masthead")


def _footer(story: Story) -> Element:
    return element("footer", element("p", f"Made by {story.made_by}. Every line above follows from the record."))


def _parts(story: Story) -> list[Element]:
    parts = []
    for part, title in PARTS.items():
        sections = [section for section in story.sections if section.part == part]
        if not sections:
            continue
        contents = _contents(story) if part == "first_page" else None
        parts.append(element("div", element("h2", title), *map(_section, sections), contents, class_="part", id=part))
    return parts


def _contents(story: Story) -> Element:
    links = [
        element("li", element("a", section.title, href=f"#{section.key}"))
        for section in story.sections
        if section.part != "first_page"
    ]
    return element("nav", element("ul", *links), class_="contents", aria_label="The rest of this report")


def _section(section: Section) -> Element:
    drawn = [node for block in section.blocks for node in _block(block)]
    return element("section", element("h3", section.title), *drawn, id=section.key)


def _block(block: Block) -> list[Element]:
    match block:
        case Hero():
            return _hero(block)
        case Paragraph(text):
            return [element("p", text)]
        case Heading(text):
            return [element("h4", text)]
        case Notice(text, tone):
            return [element("p", text, class_=f"notice {tone}", role="note")]
        case Points(items):
            return [element("ul", *[element("li", item) for item in items], class_="points")]
        case Command(command):
            return [element("pre", element("code", command), tabindex="0")]
        case Table():
            return [_table(block)]
        case Ladder():
            return _ladder(block)
        case Options():
            return [_option(option) for option in block.told_once()]
        case Checklist():
            return [_stages(block)]
        case Chart():
            return [_chart(block)]
        case Terms(terms):
            pairs = [part for term in terms for part in (element("dt", term.word), element("dd", term.meaning))]
            return [element("dl", *pairs, class_="terms")]


def _mark(mark: Mark) -> Element:
    return element("span", mark.text, class_=f"mark {mark.tone}")


def _cell(cell: Cell) -> Node:
    match cell:
        case Mark():
            return _mark(cell)
        case Code(text):
            if len(text) < NAME:
                return element("code", text)
            # A long name may break after an underscore, never inside a word.
            pieces = text.split("_")
            joined = [node for piece in pieces[:-1] for node in (f"{piece}_", element("wbr"))]
            return element("code", *joined, pieces[-1])
        case Link(text, address) if can_link(address):
            return element("a", text, href=address, rel="noopener noreferrer")
        case Link(text, address):
            return text
        case str():
            return _dated(cell)


def _dated(text: str) -> Node:
    """Text in which a day is never broken over two lines."""
    found = _DAY.search(text)
    if found is None:
        return text
    return element("span", text[: found.start()], element("span", found[0], class_="day"), text[found.end() :])


def _hero(hero: Hero) -> list[Element]:
    return [
        element("p", hero.verdict, class_=f"verdict {hero.tone}"),
        element("p", hero.headline, class_="headline"),
        element("p", hero.certainty, class_="certainty"),
        element("ul", *[element("li", _mark(mark)) for mark in hero.marks], class_="marks"),
    ]


def _table(table: Table) -> Element:
    head = element("tr", *[_head_cell(table, at) for at in range(len(table.columns))], role="row")
    rows = [
        element("tr", *[_body_cell(table, at, cell) for at, cell in enumerate(row)], role="row") for row in table.rows
    ]
    kind = "figures" if table.numeric and len(table.columns) <= 4 else None
    return element(
        "table",
        element("thead", head, role="rowgroup"),
        element("tbody", *rows, role="rowgroup"),
        class_=kind,
        role="table",
    )


def _head_cell(table: Table, at: int) -> Element:
    kind = "number" if at in table.numeric else None
    return element("th", table.columns[at], scope="col", role="columnheader", class_=kind)


def _body_cell(table: Table, at: int, cell: Cell) -> Element:
    short = isinstance(cell, Mark) or (isinstance(cell, str) and len(cell) < SHORT)
    name = isinstance(cell, Code) and len(cell.text) < NAME
    kind = "number" if at in table.numeric else "short" if short else "name" if name else None
    return element("td", _cell(cell), role="cell", data_label=table.columns[at], class_=kind)


def _ladder(ladder: Ladder) -> list[Element]:
    steps = [element("div", rung.short, class_="chosen" if rung.chosen else rung.outcome.tone) for rung in ladder.rungs]
    stair = element("div", *steps, class_="stair", aria_hidden="true")
    # Where nothing on the ladder applies, a staircase of empty steps says less than the lines below it.
    drawn = any(rung.outcome.tone != "muted" for rung in ladder.rungs)
    lists = [element("ol", *map(_rung, group), class_="rungs") for group in ladder.groups()]
    return [stair, *lists] if drawn else lists


def _rung(rung: Rung) -> Element:
    return element(
        "li",
        element("span", rung.name, class_="name"),
        element("p", _mark(rung.outcome), class_="state"),
        element("p", rung.why, class_="why"),
        class_="chosen" if rung.chosen else None,
    )


def _option(option: Option) -> Element:
    arguments = []
    for argument in option.arguments:
        cited = ", ".join(part for part in (argument.rule, *argument.sources) if part)
        source = element("span", f" [{cited}]", class_="cited") if cited else None
        arguments.append(
            element("li", element("span", argument.side, class_="side"), " ", element("span", argument.text, source))
        )
    title = element("h4", option.name, " ", _mark(option.outcome))
    return element("div", title, element("ul", *arguments), class_="option")


def _stages(checklist: Checklist) -> Element:
    stages = []
    for check in checklist.checks:
        told = (("Good is", check.good), ("Done", check.done), ("By", check.by), ("Owed", check.owed))
        pairs = [part for name, text in told if text for part in (element("dt", name), element("dd", text))]
        title = element("h4", check.title, " ", _mark(check.status))
        stages.append(element("li", title, element("dl", *pairs), class_="stage"))
    return element("ol", *stages, class_="stages")


def _chart(chart: Chart) -> Element:
    caption = element("figcaption", element("strong", chart.title), " ", element("span", chart.says))
    if not chart.points:
        return element("figure", caption, _table(chart.twin))
    figures = element("details", element("summary", "The figures as a table"), _table(chart.twin))
    return element("figure", caption, draw(chart), figures)
