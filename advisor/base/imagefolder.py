"""A folder of images as a table: one row an image, its class the subfolder that it lies in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from advisor.base.documents import files_below
from advisor.base.files import sha256_of_file, sha256_of_text
from advisor.base.safetext import one_of
from advisor.base.tablefolder import rows_in, sha256_of_rows

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

    def frame(self) -> pd.DataFrame:
        """One row an image: its relative name and its class, a gap where no subfolder names one."""
        import pandas as pd

        rows = {IMAGE: list(self.classes), CLASS: [label or None for label in self.classes.values()]}
        return pd.DataFrame(rows, dtype=object)

    def notes(self) -> tuple[str, ...]:
        """What was left out."""
        return (f"Left out, no images: {one_of(list(self.broken), 5)}.",) if self.broken else ()


def is_image_name(name: str) -> bool:
    """Whether a file of this name should hold an image."""
    return Path(name).suffix.lower() in IMAGES


def images_in(folder: Path, step: Callable[[int, int], None] = lambda done, total: None) -> Images:
    """Every image below the folder, by its first bytes and not by its name alone; `step` is told how far it got."""
    classes, hashes, broken = {}, {}, []
    files = files_below(folder, IMAGES)
    for done, path in enumerate(files):
        step(done, len(files))
        relative = path.relative_to(folder)
        name = relative.as_posix()
        with path.open("rb") as stream:
            start = stream.read(16)
        if not start.startswith(_MAGIC) or path.stat().st_size > MOST_IMAGE:
            broken.append(name)
            continue
        classes[name] = relative.parts[0] if len(relative.parts) > 1 else ""
        hashes[name] = sha256_of_file(path)
    whole = sha256_of_text("".join(f"{name}\0{digest}\n" for name, digest in hashes.items()))
    return Images(classes, hashes, tuple(broken), whole)


def is_image_folder(path: Path) -> bool:
    """Whether it is a folder that holds more images, in it or below, than tables."""
    return path.is_dir() and sum(1 for _ in files_below(path, IMAGES)) > len(rows_in(path))


def sha256_of_data(path: Path) -> str:
    """Hex SHA-256 of a data file, or of the names and contents of a folder's images or tables; "" without any."""
    return images_in(path).sha256 if is_image_folder(path) else sha256_of_rows(path)
