"""A folder of images as a table: one row an image, its class the subfolder that it lies in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from advisor.base.documents import files_below
from advisor.base.files import sha256_of_file, sha256_of_text
from advisor.base.safetext import one_of

if TYPE_CHECKING:
    import pandas as pd

IMAGES = {".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".tif", ".tiff"}
IMAGE, CLASS = "image", "class"
_MAGIC = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"RIFF", b"II*\0", b"MM\0*")
MOST_IMAGE = 256 * 2**20


@dataclass(frozen=True)
class Images:
    """Images by relative name: the class (their subfolder) and the hash of the content. `broken` are no images."""

    classes: dict[str, str]
    hashes: dict[str, str]
    broken: tuple[str, ...]
    sha256: str


def is_image_name(name: str) -> bool:
    """Whether a file of this name should hold an image."""
    return Path(name).suffix.lower() in IMAGES


def images_in(folder: Path, step: Callable[[int, int], None] = lambda done, total: None) -> Images:
    """Every image below the folder, by its first bytes and not by its name alone; `step` is told how far it got."""
    classes, broken = _listed(folder)
    hashes = {}
    for done, name in enumerate(classes):
        step(done, len(classes))
        hashes[name] = sha256_of_file(folder / name)
    whole = sha256_of_text("".join(f"{name}\0{digest}\n" for name, digest in hashes.items()))
    return Images(classes, hashes, broken, whole)


def image_table(folder: Path) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """One row an image: its relative name and its class, a gap where no subfolder names one; and what was left out."""
    import pandas as pd

    classes, broken = _listed(folder)
    rows = {IMAGE: list(classes), CLASS: [label or None for label in classes.values()]}
    return pd.DataFrame(rows, dtype=object), left_out(broken)


def left_out(broken: Sequence[str]) -> tuple[str, ...]:
    """A note on files that bear an image's name and are none."""
    return (f"Left out, no images: {one_of(list(broken), 5)}.",) if broken else ()


def _listed(folder: Path) -> tuple[dict[str, str], tuple[str, ...]]:
    classes, broken = {}, []
    for path in files_below(folder, IMAGES):
        relative = path.relative_to(folder)
        with path.open("rb") as stream:
            start = stream.read(16)
        if start.startswith(_MAGIC) and path.stat().st_size <= MOST_IMAGE:
            classes[relative.as_posix()] = relative.parts[0] if len(relative.parts) > 1 else ""
        else:
            broken.append(relative.as_posix())
    return classes, tuple(broken)
