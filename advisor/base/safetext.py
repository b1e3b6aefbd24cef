"""Foreign text made safe once, at the door: for terminals, HTML, Markdown, CSV and prompts.

Column names, labels, answers and documents come from people we do not know. Each place they are shown has its own way
of being misled: escape codes and bidirectional marks (terminal), tags (HTML), links and tables (Markdown), formulas
(spreadsheets), fence ends (prompts).
"""

from __future__ import annotations

import re
import unicodedata

# Marks that reorder or hide text: a name must look like what it is (Trojan Source, CVE-2021-42574).
_INVISIBLE = {
    *range(0x200B, 0x2010),
    *range(0x202A, 0x202F),
    *range(0x2060, 0x2070),
    0xFEFF,
    *range(0xE0000, 0xE0080),
}
# What begins a formula in a spreadsheet.
FORMULA_START = r"[=+\-@\t\r\n]"
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|!~])")


def plain(text: object, limit: int = 200) -> str:
    """One visible line: no control characters, no invisible or reordering marks, cut at `limit` characters."""
    visible = "".join(_visible(character) for character in str(text)[: limit * 4])
    line = " ".join(visible.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _visible(character: str) -> str:
    if ord(character) in _INVISIBLE:
        return ""
    if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp"):
        return " "
    return character


def on_screen(text: str) -> str:
    """Lines for a terminal as they are, without characters that steer it or that nobody sees."""
    if text.isascii() and text.replace("\n", "").isprintable():
        return text
    return "".join(character if character in "\n\t" else _visible(character) for character in text)


def for_html(text: object, limit: int = 2000) -> str:
    """Text for an HTML element or a quoted attribute."""
    import html

    return html.escape(plain(text, limit), quote=True)


def for_markdown(text: object, limit: int = 2000) -> str:
    """Text for a Markdown paragraph or table cell: no markup, link, image or cell border of its own."""
    return _MARKDOWN.sub(r"\\\1", plain(text, limit)).replace("://", ":&#47;&#47;")


def for_csv(text: str) -> str:
    """A CSV text cell that no spreadsheet takes for a formula (OWASP, CSV injection). Leave numbers to the writer."""
    return f"'{text}" if re.match(FORMULA_START, text) else text


def for_prompt(text: object, limit: int = 20_000) -> str:
    """Text inside a fence of a prompt: it cannot close the fence, open one of its own, or begin a turn of the chat."""
    kept = "".join(c if c in "\n\t" else _visible(c) for c in str(text)[:limit])
    return kept.replace("<<<", "‹‹‹").replace(">>>", "›››").replace("```", "'''").replace("<|", "‹|")


def one_of(names: list[str] | tuple[str, ...], limit: int = 8) -> str:
    """A short list of foreign names for an error message."""
    shown = ", ".join(plain(name, 40) for name in names[:limit])
    return shown + (f" and {len(names) - limit:,} more" if len(names) > limit else "")
