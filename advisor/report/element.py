"""HTML that cannot carry foreign markup: a page is a tree of elements, and text is escaped where the tree is written.

There is no way to put a string into the tree as markup: a string is always text. Tags and attributes come from short
lists, so a script, an event handler or a foreign address has no place to stand.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


HTML_TAGS = _names(
    """html head meta title style body header main footer nav section div span p h1 h2 h3 h4 ul ol li dl dt dd
    table thead tbody tr th td figure figcaption a code pre strong wbr details summary"""
)
SVG_TAGS = _names("svg g path text tspan rect line circle use defs clipPath desc")
VOID = _names("meta wbr")
ATTRIBUTES = _names(
    """id class lang charset name content http-equiv href rel role scope tabindex style data-label
    aria-label aria-labelledby aria-hidden
    viewBox width height x y x1 x2 y1 y2 cx cy r d transform clip-path focusable"""
)
_ADDRESS = re.compile(r"(#[A-Za-z0-9_-]+|https?://[^\s<>\"']+)")


@dataclass(frozen=True, slots=True)
class Element:
    """One element: a tag, its attributes, its children. Children are elements, or text that will be escaped."""

    tag: str
    attributes: tuple[tuple[str, str], ...]
    children: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class StyleSheet:
    """Our own style sheet: the one thing that is written as it stands. Never made from a record."""

    css: str


Node = Element | StyleSheet | str


def element(tag: str, *children: Node | None, **attributes: str | None) -> Element:
    """An element. `class_` and `for_` lose their underscore, other underscores become dashes; None is left out."""
    if tag not in HTML_TAGS | SVG_TAGS:
        raise ValueError(f"{tag!r} is not an element of our pages")
    named = tuple((_attribute(name), value) for name, value in attributes.items() if value is not None)
    for name, value in named:
        if name not in ATTRIBUTES:
            raise ValueError(f"{name!r} is not an attribute of our pages")
        if name == "href" and not _ADDRESS.fullmatch(value):
            raise ValueError(f"{value!r} is not an address our pages link to")
        if name in ("style", "clip-path") and re.search(r"url\((?!#)|expression|@import", value):
            raise ValueError(f"{value!r} reaches outside the page")
    return Element(tag, named, tuple(child for child in children if child is not None))


def _attribute(name: str) -> str:
    return name if name in ATTRIBUTES else name.rstrip("_").replace("_", "-")


def can_link(address: str) -> bool:
    """Whether a source's address may become a link."""
    return bool(_ADDRESS.fullmatch(address))


def write(node: Node) -> str:
    """The tree as HTML text, every string in it escaped."""
    pieces: list[str] = []
    _write(node, pieces)
    return "".join(pieces)


def _write(node: Node, pieces: list[str]) -> None:
    if isinstance(node, str):
        pieces.append(html.escape(node, quote=False))
    elif isinstance(node, StyleSheet):
        if "</" in node.css:
            raise ValueError("a style sheet cannot end itself")
        pieces.append(node.css)
    else:
        attributes = "".join(f' {name}="{html.escape(value, quote=True)}"' for name, value in node.attributes)
        pieces.append(f"<{node.tag}{attributes}>")
        for child in node.children:
            _write(child, pieces)
        if node.tag not in VOID:
            pieces.append(f"</{node.tag}>")
