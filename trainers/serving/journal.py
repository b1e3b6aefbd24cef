"""Rows and answers kept as they go out, so that `monitor` can look at them later. Off unless a file is named."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from advisor.base.errors import EnvironmentMissing
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
        if size and os.pread(self._descriptor, 1, size - 1) != b"\n":
            # A machine that lost its power may leave half a line: end it, so that the next one stands alone.
            os.write(self._descriptor, b"\n")

    def keep(self, rows: list[dict[str, Any]], answers: Answers, seconds: float) -> None:
        """Append these rows with their answers. `seconds` is what answering all of them together took."""
        told: dict[str, Any] = {"answered_seconds": round(seconds, 6)}
        lines = (
            json.dumps(
                {**row, "prediction": answer, **told}
                | ({"answered_usd": answers.usd[at]} if answers.usd is not None else {}),
                ensure_ascii=False,
            )
            for at, (row, answer) in enumerate(zip(rows, answers.predictions, strict=True))
        )
        os.write(self._descriptor, "".join(f"{line}\n" for line in lines).encode())

    def close(self) -> None:
        """Let the file go."""
        os.close(self._descriptor)
