"""One command of ours in a process of its own: its JSON, or what went wrong in words an agent can act on.

A process keeps the protocol's stdin and stdout clean whatever a verb prints, and a call that is given up is ended.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SECONDS_TO_LEAVE = 5.0


@dataclass(frozen=True, slots=True)
class Said:
    """How a command ended, what it printed, and its error, if it had one."""

    code: int
    text: str
    remarks: str

    @property
    def json(self) -> dict[str, Any]:
        """What it printed as one JSON object; empty when it printed none."""
        try:
            content = json.loads(self.text)
        except ValueError:
            return {}
        return content if isinstance(content, dict) else {}

    @property
    def problem(self) -> dict[str, Any]:
        """The error that a verb reports with --json; empty when there was none."""
        error = self.json.get("error")
        return error if isinstance(error, dict) else {}

    def words(self) -> str:
        """The error in one paragraph: what, where, why, and the cure."""
        error = self.problem
        if not error:
            return self.remarks.strip()[-2000:] or f"The command ended with {self.code}."
        where = f" ({error['where']})" if error.get("where") else ""
        parts = [f"{error.get('what', '')}{where}", error.get("why", ""), _labelled("Fix", error.get("fix", ""))]
        return " ".join(part for part in parts if part)


def _labelled(label: str, text: str) -> str:
    return f"{label}: {text}" if text else ""


async def command(*words: str, folder: Path) -> Said:
    """Run `train-or-not WORDS` in `folder`, without a terminal and without our stdin; cancelling it ends it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "advisor",
        *words,
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "COLUMNS": "100", "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"},
    )
    try:
        out, err = await process.communicate()
    except BaseException:
        await _end(process)
        raise
    code = process.returncode if process.returncode is not None else 1
    return Said(code, out.decode("utf-8", "replace"), err.decode("utf-8", "replace"))


async def _end(process: asyncio.subprocess.Process) -> None:
    """Ask the process to stop, so that it keeps its work; after some seconds, stop it."""
    with suppress(ProcessLookupError):
        process.terminate()
        try:
            await asyncio.wait_for(asyncio.shield(process.wait()), SECONDS_TO_LEAVE)
        except (TimeoutError, asyncio.CancelledError):
            process.kill()
