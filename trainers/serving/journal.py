"""Rows and answers kept as they go out, so that `monitor` can look at them later. Off unless a file is named."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from advisor.base.errors import EnvironmentMissing
from advisor.base.files import write_whole
from trainers.use.answers import Answers


class Journal:
    """A file of JSON lines: each row with its `prediction`, and what that took, written before the answer is sent.

    Whole batches go out in one write to a file opened for appending, so a kill leaves no half line behind a whole one,
    and several servers may share the file.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        except OSError as error:
            raise EnvironmentMissing(
                f"Cannot write {path.name}: {error.strerror}.",
                where=str(path),
                fix="Choose another file with --keep.",
                code="cannot-write",
            ) from error
        size = os.fstat(self._descriptor).st_size
        # A machine that lost its power, or a full disk, may leave half a line: it is ended before the next one.
        self._torn = bool(size) and os.pread(self._descriptor, 1, size - 1) != b"\n"
        self._path = path

    def keep(self, rows: list[dict[str, Any]], answers: Answers, seconds: float) -> None:
        """Append these rows with their answers. `seconds` is what answering all of them together took.

        Raises `EnvironmentMissing` when they cannot be kept; they must not go out then.
        """
        told: dict[str, Any] = {"answered_seconds": round(seconds, 6)}
        lines = (
            json.dumps(
                {**row, "prediction": answer, **told}
                | ({"answered_usd": answers.usd[at]} if answers.usd is not None else {}),
                ensure_ascii=False,
            )
            for at, (row, answer) in enumerate(zip(rows, answers.predictions, strict=True))
        )
        try:
            write_whole(self._descriptor, ("\n" * self._torn + "".join(f"{line}\n" for line in lines)).encode())
            self._torn = False
        except OSError as error:
            self._torn = True
            raise EnvironmentMissing(
                f"The answers cannot be kept in {self._path.name}: {error.strerror}.",
                where=str(self._path),
                fix="Free some space on that disk (df -h); the server goes on by itself.",
                code="cannot-write",
            ) from error

    def close(self) -> None:
        """Let the file go."""
        os.close(self._descriptor)
