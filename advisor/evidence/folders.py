"""Folders of documents, and folders of images with a subfolder for each class."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from advisor.base.datafolder import TEXTS, kind_of_folder
from advisor.base.documents import files_below, text_of
from advisor.base.errors import BadInput
from advisor.base.files import sha256_of_text
from advisor.base.imagefolder import IMAGES, Images, images_in
from advisor.base.safetext import one_of
from advisor.base.tablefolder import ROWS
from advisor.evidence.pdfs import pdf_texts, reads_pdf

if TYPE_CHECKING:
    from advisor.evidence.look import Progress

_UNREAD = "They hold no text: scanned pages need text recognition first, and broken files a new copy."
_MOST_TEXT = 2 * 2**20


@dataclass(frozen=True)
class Documents:
    """The texts of a folder by relative name. `notes` say what was left out."""

    texts: dict[str, str]
    sha256: str
    notes: tuple[str, ...] = ()


def read_folder(folder: Path, told: Progress) -> Documents | Images:
    """What the folder holds more of, documents or images. Raises `BadInput` when it holds neither."""
    told.phase("Listing the folder")
    kind = kind_of_folder(folder)
    if kind == "images":
        told.phase("Reading the images")
        return images_in(folder, told.step)
    if kind == "documents":
        return _documents(folder, files_below(folder, TEXTS), told)
    raise BadInput(
        f"{folder} holds no tables, no documents and no images.",
        where=str(folder),
        why=f"Read are {', '.join(sorted(ROWS))}, {', '.join(sorted(TEXTS))} and {', '.join(sorted(IMAGES))}.",
        fix="Name the folder that holds them, or one table file inside it.",
        code="empty-folder",
    )


def _documents(folder: Path, files: list[Path], told: Progress) -> Documents:
    texts: dict[str, str] = {}
    unread: list[str] = []
    cut = 0
    told.phase("Reading the documents")
    with pdf_texts(_MOST_TEXT) as text_of_pdf:
        for done, path in enumerate(files):
            told.step(done, len(files))
            name = path.relative_to(folder).as_posix()
            text = text_of_pdf(path) if path.suffix.lower() == ".pdf" else text_of(path)
            if text is None:
                unread.append(name)
                continue
            cut += len(text) > _MOST_TEXT
            texts[name] = text[:_MOST_TEXT]
    if not texts:
        raise BadInput(
            f"None of the {len(files):,} documents in {folder} could be read.",
            where=str(folder),
            fix=_UNREAD if reads_pdf() else "For PDF: pip install pypdf.",
            code="no-text",
        )
    notes = []
    if unread:
        notes.append(f"Not read, {len(unread):,} of {len(files):,}: {one_of(unread, 5)}. {_UNREAD}")
        if not reads_pdf() and any(name.lower().endswith(".pdf") for name in unread):
            notes.append("Reading PDF needs: pip install pypdf")
    if cut:
        notes.append(f"Cut at {_MOST_TEXT:,} characters: {cut:,} of the documents.")
    whole = sha256_of_text("".join(f"{name}\0{sha256_of_text(text)}\n" for name, text in texts.items()))
    return Documents(texts, whole, tuple(notes))
