"""Folders of documents, and folders of images with a subfolder for each class."""

from __future__ import annotations

import html
import logging
import re
from collections import Counter
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from advisor.base.errors import BadInput
from advisor.base.files import sha256_of_file, sha256_of_text
from advisor.base.safetext import one_of

if TYPE_CHECKING:
    from advisor.evidence.look import Progress

TEXTS = {".md", ".markdown", ".txt", ".rst", ".html", ".htm", ".pdf"}
IMAGES = {".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".tif", ".tiff"}
_MAGIC = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"RIFF", b"II*\0", b"MM\0*")
_UNREAD = "They hold no text: scanned pages need text recognition first, and broken files a new copy."
_MOST_FILES = 200_000
_MOST_TEXT = 2 * 2**20
_TAG = re.compile(r"<(script|style)\b.*?</\1\s*>|<[^>]*>", re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True)
class Documents:
    """The texts of a folder by relative name. `notes` say what was left out."""

    texts: dict[str, str]
    sha256: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Images:
    """Images by relative name: the class (their subfolder) and the hash of the content. `broken` are no images."""

    classes: dict[str, str]
    hashes: dict[str, str]
    broken: tuple[str, ...]
    sha256: str


def read_folder(folder: Path, told: Progress) -> Documents | Images:
    """What the folder holds more of, documents or images. Raises `BadInput` when it holds neither."""
    told.phase("Listing the folder")
    files = _files(folder)
    kinds = Counter("text" if path.suffix.lower() in TEXTS else "image" for path in files)
    if not files:
        raise BadInput(
            f"{folder} holds no documents and no images.",
            where=str(folder),
            why=f"Read are {', '.join(sorted(TEXTS))} and {', '.join(sorted(IMAGES))}.",
            fix="Name the folder that holds them, or one table file inside it.",
            code="empty-folder",
        )
    if kinds["image"] > kinds["text"]:
        return _images(folder, [path for path in files if path.suffix.lower() in IMAGES], told)
    return _documents(folder, [path for path in files if path.suffix.lower() in TEXTS], told)


def _files(folder: Path) -> list[Path]:
    """Regular files of known kinds below the folder, hidden ones and links that lead outside left out."""
    root, found = folder.resolve(), []
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if hidden or path.suffix.lower() not in TEXTS | IMAGES or not path.is_file():
            continue
        if path.resolve().is_relative_to(root):
            found.append(path)
        if len(found) > _MOST_FILES:
            raise BadInput(
                f"{folder} holds more than {_MOST_FILES:,} files.", where=str(folder), fix="Name a smaller folder."
            )
    return found


def _documents(folder: Path, files: list[Path], told: Progress) -> Documents:
    texts: dict[str, str] = {}
    unread: list[str] = []
    cut = 0
    told.phase("Reading the documents")
    for done, path in enumerate(files):
        told.step(done, len(files))
        name = path.relative_to(folder).as_posix()
        text = _pdf(path) if path.suffix.lower() == ".pdf" else _text(path)
        if text is None:
            unread.append(name)
            continue
        cut += len(text) > _MOST_TEXT
        texts[name] = text[:_MOST_TEXT]
    if not texts:
        raise BadInput(
            f"None of the {len(files):,} documents in {folder} could be read.",
            where=str(folder),
            fix=_UNREAD if _reads_pdf() else "For PDF: pip install pypdf.",
            code="no-text",
        )
    notes = []
    if unread:
        notes.append(f"Not read, {len(unread):,} of {len(files):,}: {one_of(unread, 5)}. {_UNREAD}")
        if not _reads_pdf() and any(name.lower().endswith(".pdf") for name in unread):
            notes.append("Reading PDF needs: pip install pypdf")
    if cut:
        notes.append(f"Cut at {_MOST_TEXT:,} characters: {cut:,} of the documents.")
    whole = sha256_of_text("".join(f"{name}\0{sha256_of_text(text)}\n" for name, text in texts.items()))
    return Documents(texts, whole, tuple(notes))


def _text(path: Path) -> str | None:
    data = path.read_bytes()
    if b"\0" in data[:4096]:
        return None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")
    if path.suffix.lower() in (".html", ".htm"):
        text = html.unescape(_TAG.sub(" ", text))
    return text if text.strip() else None


def _reads_pdf() -> bool:
    return find_spec("pypdf") is not None


def _pdf(path: Path) -> str | None:
    if not _reads_pdf():
        return None
    from pypdf import PdfReader

    log = logging.getLogger("pypdf")
    before = log.level
    log.setLevel(logging.CRITICAL + 1)  # what it says of a broken file would stand on the user's screen
    try:
        pages = [page.extract_text() or "" for page in PdfReader(path).pages]
    except Exception:  # broken PDFs raise nearly anything; the file is then listed as not read
        return None
    finally:
        log.setLevel(before)
    text = "\n".join(pages)
    return text if text.strip() else None


def _images(folder: Path, files: list[Path], told: Progress) -> Images:
    classes, hashes, broken = {}, {}, []
    told.phase("Reading the images")
    for done, path in enumerate(files):
        told.step(done, len(files))
        relative = path.relative_to(folder)
        name = relative.as_posix()
        with path.open("rb") as stream:
            start = stream.read(16)
        if not start.startswith(_MAGIC):
            broken.append(name)
            continue
        classes[name] = relative.parts[0] if len(relative.parts) > 1 else ""
        hashes[name] = sha256_of_file(path)
    whole = sha256_of_text("".join(f"{name}\0{digest}\n" for name, digest in hashes.items()))
    return Images(classes, hashes, tuple(broken), whole)
