"""The questionnaire drawn with arrow keys. The only file that knows questionary.

Mind: questionary answers a pipe with its first choice and `.ask()` swallows ^C, so this is built only where a person
sits at a terminal, and always asks with `unsafe_ask`.
"""

from __future__ import annotations

from typing import Any

import questionary
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent, merge_key_bindings
from questionary.prompts.common import InquirerControl

from advisor.interview.door import Screen, Way, typed_way
from advisor.interview.wrap import pages, size, wrapped

STYLE = questionary.Style(
    [
        ("qmark", "fg:ansicyan"),
        ("question", "bold"),
        ("instruction", ""),
        ("pointer", "bold fg:ansicyan"),
        ("highlighted", "bold fg:ansicyan"),
        ("answer", "bold"),
    ]
)


class Prompts:
    """A door with lists to move in and a line to type in; what was answered stays readable above."""

    def say(self, text: str = "") -> None:
        for line in wrapped(text, size()[0] - 1):
            print(line)  # noqa: T201  # these words carry no style, and this needs no second style engine

    def show(self, text: str) -> None:
        self.say()
        for page in pages(text):
            for line in page:
                print(line)  # noqa: T201
            _run(questionary.text("(Enter goes on)", qmark="", style=STYLE, erase_when_done=True))

    def ask(self, screen: Screen) -> str | Way:
        return self._choose(screen) if screen.options else self._enter(screen)

    def _choose(self, screen: Screen) -> str | Way:
        columns, rows = size()
        titles = _titles(screen, columns, rows)
        listed = sum(title.count("\n") + 1 for title in titles) + len(screen.ways)
        choices = [
            questionary.Choice(title, value=option.value) for title, option in zip(titles, screen.options, strict=True)
        ]
        choices += [questionary.Choice(f" {way.key}) {way.label}", value=way) for way in screen.ways]
        question = questionary.select(
            _lines(screen.question, columns),
            choices,
            qmark=_title(screen, columns, rows),
            instruction=_below(screen, columns, rows - listed - 2) or _more_below(screen, rows - listed - 2, columns),
            pointer=">",
            use_jk_keys=False,
            style=STYLE,
            erase_when_done=True,
        )
        _add_keys(question, screen)
        reply: str | Way = _run(question)
        return reply

    def _enter(self, screen: Screen) -> str | Way:
        columns, rows = size()
        ways = "or type: " + ", ".join(way.value for way in screen.ways)
        while True:
            question = questionary.text(
                _lines(screen.question, columns),
                default=screen.current,
                qmark=_title(screen, columns, rows),
                instruction=_below(screen, columns, rows - 6) + "\n " + _lines(ways, columns) + "\n >",
                style=STYLE,
                erase_when_done=True,
            )
            text = str(_run(question)).strip()
            way = typed_way(text, screen.ways)
            if way is not None:
                return way
            if text:
                return text


def _run(question: questionary.Question) -> Any:
    try:
        return question.unsafe_ask()
    except EOFError:  # ^D
        raise KeyboardInterrupt from None


def _title(screen: Screen, columns: int, rows: int) -> str:
    """The first line of a prompt, set off from what stands above where there is room for it."""
    return f"{chr(10) if rows >= 20 else ''} {_lines(screen.title, columns)}\n"


def _lines(text: str, columns: int) -> str:
    """Text wrapped for the head of a prompt, which begins one column in."""
    return "\n ".join(wrapped(text, columns - 2))


def _below(screen: Screen, columns: int, room: int) -> str:
    """Hint and help below the question, as much as there is room for: the hint first, it says what may be entered."""
    asked = len(wrapped(screen.question, columns - 2))
    kept: list[str] = []
    for part in (screen.hint, screen.help):
        lines = wrapped(part, columns - 2) if part else []
        if asked + len(kept) + len(lines) <= max(room, 0) or (part == screen.hint and not screen.options):
            kept += lines
    if kept and screen.options and asked + len(kept) + 1 <= room:
        kept.append("")
    return "".join(f"\n {line}".rstrip(" ") for line in kept)


def _more_below(screen: Screen, room: int, columns: int) -> str:
    """Where the list is longer than the screen: that it goes on, and which keys need no scrolling."""
    if len(wrapped(screen.question, columns - 2)) <= room:
        return " "
    keys = " ".join(way.key for way in screen.ways)
    return f"\n (goes on below; keys: {keys})" if keys else "\n (goes on below)"


def _titles(screen: Screen, columns: int, rows: int) -> list[str]:
    """Numbered labels, each with its help behind it where the terminal is tall enough for all of them."""
    width = columns - 9

    def title(number: int, label: str) -> str:
        return f"{number:>2}) " + "\n       ".join(wrapped(label, width))

    short = [title(i, option.label) for i, option in enumerate(screen.options, 1)]
    full = [
        title(i, f"{option.label}: {option.help}" if option.help else option.label)
        for i, option in enumerate(screen.options, 1)
    ]
    fits = sum(text.count("\n") + 1 for text in full) + len(screen.ways) + 6 <= rows
    return full if fits else short


def _add_keys(question: questionary.Question, screen: Screen) -> None:
    """Digits and letters move to their line, Enter takes it; the list begins at the current answer."""
    listed = next(
        window.content
        for window in question.application.layout.find_all_windows()
        if isinstance(window.content, InquirerControl)
    )
    values = [option.value for option in screen.options]
    if screen.current in values:
        listed.pointed_at = values.index(screen.current)
    elif Way.DONT_KNOW in screen.ways and screen.current == Way.DONT_KNOW.value:
        listed.pointed_at = len(values) + screen.ways.index(Way.DONT_KNOW)
    keys = KeyBindings()

    @keys.add("c-d", eager=True)
    def stop(event: KeyPressEvent) -> None:
        event.app.exit(exception=KeyboardInterrupt)

    for place, way in enumerate(screen.ways, len(values)):

        @keys.add(way.key, eager=True)
        def point(event: KeyPressEvent, place: int = place) -> None:
            # Only Enter takes: a letter that took at once would let the Enter typed after it answer the next question.
            listed.pointed_at = place

    typed = ""

    def move(event: KeyPressEvent) -> None:
        nonlocal typed
        # "1" then "2" means the twelfth where there is one, else the second.
        longer = typed + event.data
        typed = longer if longer.isdigit() and 1 <= int(longer) <= len(values) else event.data
        if 1 <= int(typed) <= len(values):
            listed.pointed_at = int(typed) - 1

    for digit in "0123456789":
        keys.add(digit, eager=True)(move)
    question.application.key_bindings = merge_key_bindings([question.application.key_bindings or KeyBindings(), keys])
