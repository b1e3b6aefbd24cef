"""Screenshots held against those kept before: small grey pictures of what a reader sees first.

Fonts and browsers draw differently, so pictures are compared only where the same browser with the same letters drew
them. TRAIN_OR_NOT_REGOLD=1 keeps the new ones; look at the screenshots before you commit them.
"""

from __future__ import annotations

import base64
import io
import json
import os
import zlib
from pathlib import Path

from PIL import Image

KEPT = Path(__file__).resolve().parents[1] / "golden" / "report" / "screens.json"
WIDTH, FIRST = 48, 2400  # pixels across the small picture; pixels of the page it shows
# Mean difference of grey levels (of 255) over the picture, and over its most different line.
LIMIT, LINE = 2.0, 24.0


def small(screenshot: bytes) -> bytes:
    """The first part of a page as grey levels, WIDTH across."""
    picture = Image.open(io.BytesIO(screenshot)).convert("L")
    part = picture.crop((0, 0, picture.width, min(FIRST, picture.height)))
    high = max(1, round(part.height * WIDTH / part.width))
    return part.resize((WIDTH, high), Image.Resampling.BOX).tobytes()


def difference(ours: bytes, kept: bytes) -> tuple[float, float]:
    """The mean difference, and that of the most different line; the whole scale where the heights differ."""
    if len(ours) != len(kept):
        return 255.0, 255.0
    apart = [abs(a - b) for a, b in zip(ours, kept, strict=True)]
    lines = [sum(apart[at : at + WIDTH]) / WIDTH for at in range(0, len(apart), WIDTH)]
    return sum(apart) / len(apart), max(lines)


def compare(name: str, screenshot: bytes, drawn_by: str) -> str:
    """Empty when the picture is as it was, was drawn elsewhere, or is kept anew; else what is different."""
    kept = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {"drawn_by": "", "pages": {}}
    ours = small(screenshot)
    if os.environ.get("TRAIN_OR_NOT_REGOLD"):
        pages = kept["pages"] if kept["drawn_by"] == drawn_by else {}
        pages[name] = base64.b64encode(zlib.compress(ours, 9)).decode()
        text = json.dumps({"drawn_by": drawn_by, "pages": dict(sorted(pages.items()))}, indent=0)
        KEPT.write_text(text + "\n", encoding="utf-8")
        return ""
    if kept["drawn_by"] != drawn_by:
        return ""
    if name not in kept["pages"]:
        return f"{name} was never kept"
    mean, line = difference(ours, zlib.decompress(base64.b64decode(kept["pages"][name])))
    return "" if mean <= LIMIT and line <= LINE else f"{name}: {mean:.1f} apart on average, {line:.1f} in one line"
