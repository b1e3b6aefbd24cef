"""Charts as inline SVG: drawn by matplotlib, rebuilt element by element, so that only shapes and letters get through.

matplotlib is imported when the first chart is drawn. Colours are drawn as fixed stand-ins and written as the page's own
colour names, so that one drawing serves light, dark and paper.
"""

from __future__ import annotations

import re
import warnings
from io import StringIO
from typing import Any
from xml.etree import ElementTree

from advisor.report.blocks import Chart
from advisor.report.drawings import DRAWINGS, GRID, INK, LETTERS, OURS, SOFT, THEIRS, rows_high
from advisor.report.element import ATTRIBUTES, SVG_TAGS, Element, Node, element

COLOURS = {INK: "var(--ink)", SOFT: "var(--soft)", OURS: "var(--accent)", THEIRS: "var(--theirs)", GRID: "var(--line)"}
WIDTH = 460  # CSS pixels, as points of the drawing: at 390 px of screen the smallest letter is still nine pixels high
_STYLE_NAMES = {
    "fill",
    "fill-opacity",
    "fill-rule",
    "opacity",
    "stroke",
    "stroke-width",
    "stroke-opacity",
    "stroke-dasharray",
    "stroke-linejoin",
    "stroke-linecap",
    "font-size",
    "font-weight",
    "text-anchor",
}


def draw(chart: Chart) -> Element:
    """The chart as an SVG element with a title and a description for those who cannot see it."""
    root = ElementTree.fromstring(_svg_text(chart))  # noqa: S314  our own drawing, made one line above
    name = re.sub(r"[^a-z0-9-]", "", chart.name)
    shapes = [_rebuilt(child, name) for child in root]
    return element(
        "svg",
        element("desc", f"{chart.title}. {chart.says}", id=f"{name}-says"),
        *[shape for shape in shapes if shape is not None],
        role="img",
        aria_labelledby=f"{name}-says",
        viewBox=root.get("viewBox", ""),
        class_="chart",
        focusable="false",
    )


def _svg_text(chart: Chart) -> str:
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    settings: dict[Any, Any] = {
        "svg.fonttype": "none",  # letters stay letters: they can be found, read aloud and scaled
        "svg.hashsalt": chart.name,  # the same chart has the same ids every time
        "text.parse_math": False,  # a dollar sign in a column name is a dollar sign
        "font.size": LETTERS,
        "ytick.labelsize": LETTERS - 1,
        "text.color": INK,
        "axes.labelcolor": SOFT,
        "xtick.color": SOFT,
        "ytick.color": INK,
        "axes.edgecolor": GRID,
    }
    with matplotlib.rc_context(settings), warnings.catch_warnings():
        # A class name in a script that the measuring font lacks is drawn by the reader's own fonts all the same.
        warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
        figure = Figure(figsize=(WIDTH / 72, (62 + 30 * rows_high(chart)) / 72), layout="constrained")
        FigureCanvasSVG(figure)
        DRAWINGS[chart.shape](figure, chart)
        stream = StringIO()
        figure.savefig(stream, format="svg", transparent=True, metadata={"Date": None})
    # XML has no place for two code points that text may hold; a drawing can do without them.
    return re.sub("[\ufffe\uffff]", "", stream.getvalue())


def _rebuilt(found: ElementTree.Element, name: str) -> Element | None:
    """One element of the drawing with its known attributes; metadata, styles and anything unknown are left behind."""
    tag = found.tag.rpartition("}")[2]
    if tag not in SVG_TAGS:
        return None
    attributes = {}
    for key, value in found.attrib.items():
        short = key.rpartition("}")[2]
        if short == "style":
            value = _style(value)
        elif short == "id":
            value = f"{name}-{re.sub(r'[^A-Za-z0-9_-]', '-', value)}"
        elif short == "href":
            value = f"#{name}-{value.removeprefix('#')}"
        elif short == "clip-path":
            value = re.sub(r"^url\(#", f"url(#{name}-", value)
        elif short == "d":
            value = " ".join(value.split())
        if short in ATTRIBUTES and short != "class":
            attributes[short] = value
    inner: list[Node] = [found.text] if tag == "text" and found.text else []
    inner += [child for child in (_rebuilt(item, name) for item in found) if child is not None]
    if tag in ("g", "defs") and not inner:
        return None
    return element(tag, *inner, **attributes)


def _style(style: str) -> str:
    kept = []
    for declaration in style.split(";"):
        key, _, value = (part.strip() for part in declaration.partition(":"))
        if key in _STYLE_NAMES:
            kept.append(f"{key}:{COLOURS.get(value, value)}")
    return ";".join(kept)
