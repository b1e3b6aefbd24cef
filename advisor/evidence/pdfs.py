"""Texts of PDF files, read in a process of its own: a small file can hold hours of drawing, and is given up."""

from __future__ import annotations

import logging
import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

SECONDS = 60.0
MOST_GIVEN_UP = 3  # so many files made to hold it up are no accident: the others are not begun


def reads_pdf() -> bool:
    """Whether the package for it is there."""
    return find_spec("pypdf") is not None


@contextmanager
def pdf_texts(most: int) -> Iterator[Callable[[Path], str | None]]:
    """A function from a PDF to at most about `most` characters of its text; None for one that cannot be read.

    A file that takes more than `SECONDS`, or that brings the reading process down, is one of them.
    """
    worker: tuple[BaseProcess, Connection] | None = None
    given_up = 0

    def stop() -> None:
        nonlocal worker
        if worker is not None:
            worker[0].kill()
            worker[0].join()
            worker[1].close()
            worker = None

    def text(path: Path) -> str | None:
        nonlocal worker, given_up
        if given_up >= MOST_GIVEN_UP or not reads_pdf():
            return None
        if worker is None:
            worker = _started(most)
        try:
            worker[1].send_bytes(str(path).encode("utf-8", "surrogateescape"))
            if worker[1].poll(SECONDS):
                return worker[1].recv_bytes().decode("utf-8", "replace") or None
        except (EOFError, OSError):
            pass
        given_up += 1
        stop()
        return None

    try:
        yield text
    finally:
        stop()


def _started(most: int) -> tuple[BaseProcess, Connection]:
    # A fresh interpreter: a fork would copy this one's threads and memory.
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_work, args=(there, most), daemon=True)
    process.start()
    there.close()
    return process, here


def _work(asked: Connection, most: int) -> None:
    """Answer each path with its text, nothing where there is none. Bytes only: no object crosses over."""
    logging.getLogger("pypdf").setLevel(logging.CRITICAL + 1)  # what it says would stand on the user's screen
    while True:
        try:
            path = asked.recv_bytes().decode("utf-8", "surrogateescape")
        except EOFError:
            return
        asked.send_bytes(_text(path, most).encode("utf-8", "replace"))


def _text(path: str, most: int) -> str:
    from pypdf import PdfReader

    pages: list[str] = []
    try:
        for page in PdfReader(path).pages:
            pages.append(page.extract_text() or "")
            if sum(map(len, pages)) > most:
                break
    except Exception:  # broken PDFs raise nearly anything
        return ""
    text = "\n".join(pages)
    return text if text.strip() else ""
