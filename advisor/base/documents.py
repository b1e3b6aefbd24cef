"""Texts in a folder that somebody else filled: which files are read, how much of each, and what of a web page is text.

Links that lead outside are passed over: what they point at may be private, and a climb sends passages to a server.
"""

from __future__ import annotations

import html
import os
import re
from collections.abc import Collection
from pathlib import Path

from advisor.base.errors import BadInput

MOST_FILES = 200_000
MOST_BYTES = 16 * 2**20
WEB_PAGES = (".html", ".htm")
# Neither form runs past the next "<", so that a page of nothing but "<" takes the time of its length.
_TAG = re.compile(r"<!--|<(/?)([A-Za-z][A-Za-z0-9]*)[^<>]*>|<[!?/][^<>]*>")
_ENDS = {"script": re.compile(r"</script\s*>", re.IGNORECASE), "style": re.compile(r"</style\s*>", re.IGNORECASE)}
_PARAGRAPHS = frozenset(["p", "br", "div", "li", "tr"])
_CELLS = frozenset(["td", "th", "dt", "dd", "option"])
_HEADINGS = frozenset(["h1", "h2", "h3", "h4"])


def files_below(folder: Path, endings: Collection[str]) -> list[Path]:
    """Plain files with these endings below the folder, by name; hidden ones and links that lead outside left out.

    Raises `BadInput` for more than `MOST_FILES`.
    """
    root, found = folder.resolve(), []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            path = Path(place, name)
            if name.startswith(".") or path.suffix.lower() not in endings or not path.is_file():
                continue
            if path.resolve().is_relative_to(root):
                found.append(path)
            if len(found) > MOST_FILES:
                raise BadInput(
                    f"{folder} holds more than {MOST_FILES:,} files.", where=str(folder), fix="Name a smaller folder."
                )
    return sorted(found)


def text_of(path: Path) -> str | None:
    """The first `MOST_BYTES` of a text file or a web page as text; None where there is none in it."""
    with path.open("rb") as stream:
        data = stream.read(MOST_BYTES)
    if b"\0" in data[:4096]:
        return None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # A letter that the limit cut in two is no sign of another encoding.
        text = data.decode("utf-8-sig" if error.start > MOST_BYTES - 4 else "cp1252", errors="replace")
    if path.suffix.lower() in WEB_PAGES:
        text = text_of_page(text)
    return text if text.strip() else None


def text_of_page(source: str) -> str:
    """What a reader sees of a web page: paragraphs apart, headings marked as in Markdown, no script and no style."""
    parts: list[str] = []
    at = 0
    while tag := _TAG.search(source, at):
        parts.append(source[at : tag.start()])
        at = tag.end()
        name = (tag[2] or "").lower()
        if tag[0] == "<!--":
            end = source.find("-->", at)
            at = len(source) if end < 0 else end + 3
        elif name in _ENDS and not tag[1]:
            closing = _ENDS[name].search(source, at)
            at = closing.end() if closing else len(source)
        elif name in _PARAGRAPHS and not tag[1]:
            parts.append("\n\n")
        elif name in _CELLS:
            parts.append(" ")
        elif name in _HEADINGS:
            parts.append("\n\n" if tag[1] else f"\n\n{'#' * int(name[1])} ")
    parts.append(source[at:])
    return html.unescape("".join(parts)).strip()
