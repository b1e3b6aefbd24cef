"""Where a row's image is: a file that a cell names, the bytes in the cell itself, or one column a pixel."""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from PIL import Image, ImageOps, UnidentifiedImageError

from advisor.base.errors import BadInput
from advisor.base.files import check_file
from advisor.base.imagefolder import MOST_IMAGE, is_image_name
from advisor.base.safetext import one_of, plain
from trainers.common.metrics import Floats
from trainers.common.policy import policy
from trainers.scratch.shapes import PICTURES, Shape, learn_shape

_FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF")
_MOST_PIXELS = 64_000_000


_Read = TypeVar("_Read")


@dataclass(frozen=True)
class Source:
    """`column` names each row's image file, or `shape` says how columns of pixels make a square."""

    column: str = ""
    shape: Shape | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns a row must have."""
        return self.shape.columns if self.shape else (self.column,)


def find_source(features: pd.DataFrame) -> Source:
    """Where the images of these rows are. Raises `BadInput` when no column names files and the pixels are no square."""
    named = [str(name) for name in features if _names_images(features[name])]
    if len(named) == 1:
        return Source(named[0])
    if len(named) > 1:
        raise BadInput(
            f"{len(named)} columns name image files: {plain(', '.join(named), 100)}.",
            where=plain(named[1], 60),
            why="One image a row is told apart.",
            fix="Leave all but one out of the table.",
            code="several-images",
        )
    numbers = features.select_dtypes("number")
    if len(numbers.columns) < policy("backbone")["limits"]["fewest_pixels"]:
        raise BadInput(
            "No column names image files, and there are no columns of pixels.",
            where="plan.yaml: data",
            why="An image model looks at images.",
            fix="Give a folder with a subfolder for each class, or a table with a column of file names.",
            code="no-images",
        )
    return Source(shape=learn_shape(numbers, PICTURES))


def digests_of(features: pd.DataFrame, source: Source, folder: Path | None) -> list[str]:
    """Hex SHA-256 of each row's image, so that copies under other names are known as copies."""
    if source.shape is None:
        return [hashlib.sha256(content).hexdigest() for content in _each(_bytes_of, features, source, folder)]
    return [hashlib.sha256(row.tobytes()).hexdigest() for row in source.shape.values(features)]


def open_images(features: pd.DataFrame, source: Source, folder: Path | None) -> Iterator[Any]:
    """Each row's image in red, green and blue, one at a time. `folder` is where file names lead; None refuses them.

    Raises `BadInput` that names every row whose image is not there or cannot be read.
    """
    if source.shape is None:
        yield from _each(_image_of, features, source, folder)
        return
    side = source.shape.side
    for row in source.shape.values(features):
        pixels = np.clip(np.rint(row * 255), 0, 255).astype(np.uint8)
        yield Image.fromarray(pixels.reshape(side, side)).convert("RGB")


def small_values(image: Any, side: int) -> Floats:
    """[3 × side × side] from 0 to 1: the image made small, channel after channel."""
    pixels = np.asarray(image.resize((side, side), Image.Resampling.BOX), dtype=np.float64)
    return np.asarray(pixels.transpose(2, 0, 1).ravel() / 255)


def _names_images(column: pd.Series[Any]) -> bool:
    cells = column.dropna()
    return len(cells) > 0 and all(isinstance(cell, str) and is_image_name(cell) for cell in cells)


def _each(
    read: Callable[[Any, Path | None, int], _Read], features: pd.DataFrame, source: Source, folder: Path | None
) -> Iterator[_Read]:
    """What `read` makes of each cell, in order."""
    cells = list(zip(features.index, features[source.column], strict=True))
    for place, (at, cell) in enumerate(cells):
        try:
            found = read(cell, folder, at)
        except BadInput as first:
            raise _all_unread(first, cells[place + 1 :], folder) from None
        yield found


def _all_unread(first: BadInput, rest: list[tuple[int, Any]], folder: Path | None) -> BadInput:
    """The first fault, with the rows of all others: they should not have to be found one training at a time."""
    rows = []
    for at, cell in rest:
        try:
            _image_of(cell, folder, at)
        except BadInput:
            rows.append(str(at + 1))
    if not rows:
        return first
    what = f"{first.what} {len(rows):,} more cannot be read, of row{'s' * (len(rows) > 1)} {one_of(rows, 20)}."
    return BadInput(what, where=first.where, why=first.why, fix=first.fix, code=first.code)


def _image_of(cell: Any, folder: Path | None, row: int) -> Any:
    return _decoded(_bytes_of(cell, folder, row), row, cell)


def _bytes_of(cell: Any, folder: Path | None, row: int) -> bytes:
    if not isinstance(cell, str) or not cell.strip():
        raise _unread(row, cell, "The cell is empty.", "Leave such rows out, or give the image.")
    if not is_image_name(cell):
        try:
            return base64.b64decode(cell.rpartition("base64,")[2], validate=True)
        except (binascii.Error, ValueError):
            fix = "Give the name of a .png or .jpg file, or the file's bytes in base64."
            raise _unread(row, cell, "It is neither a file name nor base64.", fix) from None
    if folder is None:
        raise _unread(
            row, cell, "File names are not followed here.", "Send the file's bytes in base64, or answer on one machine."
        )
    try:
        check_file(folder / cell)
        with (folder / cell).open("rb") as stream:
            content = stream.read(MOST_IMAGE + 1)
    except BadInput as refused:
        raise _unread(row, cell, refused.what, refused.fix) from None
    except (OSError, ValueError):
        fix = f"Names are read from {plain(folder, 120)}: put the file there, or leave the row out."
        raise _unread(row, cell, "There is no such file.", fix) from None
    if len(content) > MOST_IMAGE:
        raise _unread(row, cell, f"It has more than {MOST_IMAGE:,} bytes.", "Make the image smaller.")
    return content


def _decoded(content: bytes, row: int, cell: Any) -> Any:
    try:
        image: Image.Image = Image.open(io.BytesIO(content), formats=_FORMATS)
        if image.width * image.height > _MOST_PIXELS:
            fix = f"At most {_MOST_PIXELS:,} pixels are read: make it smaller."
            raise _unread(row, cell, f"It has {image.width:,} × {image.height:,} pixels.", fix)
        image = ImageOps.exif_transpose(image)
        if image.mode.startswith("I;16"):  # of sixteen bits the upper eight; a plain conversion would cut at 255
            image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
        return image.convert("RGB")
    except (OSError, ValueError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise _unread(row, cell, f"It is no whole image: {plain(error, 100)}.", "Export it again.") from error


def _unread(row: int, cell: Any, why: str, fix: str) -> BadInput:
    what = f"The image of row {row + 1} cannot be read: {plain(cell, 60)!r}."
    return BadInput(what, where=f"row {row + 1}", why=why, fix=fix, code="unreadable-image")
