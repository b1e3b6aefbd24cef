"""What a folder of data holds most of, told once for all who look at it, read it, or ask whether it has changed."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from advisor.base.documents import files_below
from advisor.base.imagefolder import IMAGES, images_in
from advisor.base.tablefolder import rows_in, sha256_of_rows

TEXTS = frozenset({".md", ".markdown", ".txt", ".rst", ".html", ".htm", ".pdf"})
_EXPLAINING = frozenset({"readme", "license", "instruction"})
Kind = Literal["tables", "documents", "images", "nothing"]


def kind_of_folder(folder: Path) -> Kind:
    """Tables where there are as many as of all else, what explains them aside; else images or documents.

    Raises `BadInput` for a case, which is no data.
    """
    others = files_below(folder, TEXTS | IMAGES)
    beside = [path for path in others if path.stem.lower() not in _EXPLAINING]
    if 0 < len(rows_in(folder)) >= len(beside):
        return "tables"
    images = sum(path.suffix.lower() in IMAGES for path in others)
    return "images" if images > len(others) - images else "documents" if others else "nothing"


def is_image_folder(path: Path) -> bool:
    """Whether it is a folder of images."""
    return path.is_dir() and kind_of_folder(path) == "images"


def sha256_of_data(path: Path) -> str:
    """Hex SHA-256 of a data file, or of the names and contents of a folder's images or tables; "" without any."""
    return images_in(path).sha256 if is_image_folder(path) else sha256_of_rows(path)
