"""A real terminal for a test: a child process, its keys, and what its screen shows."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

import pexpect
import pyte

DOWN, UP, ENTER, CONTROL_C, CONTROL_D, CONTROL_U = "\x1b[B", "\x1b[A", "\r", "\x03", "\x04", "\x15"


class Terminal:
    """`train-or-not WORDS` (or `python WORDS` with `program=True`) in a terminal of `rows` × `columns`."""

    def __init__(
        self,
        *words: str,
        folder: Path,
        rows: int = 24,
        columns: int = 80,
        term: str = "xterm-256color",
        program: bool = False,
    ) -> None:
        self._screen = pyte.HistoryScreen(columns, rows, history=5000, ratio=0.5)
        self._stream = pyte.ByteStream(self._screen)
        self.raw = b""
        environment = {**os.environ, "TERM": term, "PROMPT_TOOLKIT_NO_CPR": "1", "PYTHONUNBUFFERED": "1"}
        environment.pop("COLUMNS", None)
        environment.pop("LINES", None)
        self.child = pexpect.spawn(
            sys.executable,
            [*words] if program else ["-m", "advisor", *words],
            cwd=str(folder),
            dimensions=(rows, columns),
            env=environment,
            timeout=20,
        )
        self.child.delaybeforesend = None  # keys are sent when the screen asks for them; no pause is needed

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if error is not None:
            print(f"--- the screen when it failed ---\n{self.text}\n---")
        self.child.close(force=True)

    def _read(self, patience: float) -> bool:
        try:
            data = self.child.read_nonblocking(65536, timeout=patience)
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        self.raw += data
        self._stream.feed(data)
        return True

    @property
    def text(self) -> str:
        """What the screen shows now, without trailing blanks."""
        return "\n".join(line.rstrip() for line in self._screen.display).rstrip()

    @property
    def everything(self) -> str:
        """All that was shown, the lines that scrolled off included."""
        history = [
            "".join(line[x].data for x in range(self._screen.columns)).rstrip() for line in self._screen.history.top
        ]
        return "\n".join([*history, self.text])

    def wait(self, words: str, seconds: float = 30) -> str:
        """Wait until the screen shows `words` (line breaks count as blanks) and stands still; return the screen."""
        end = time.monotonic() + seconds
        wanted = " ".join(words.split())
        while time.monotonic() < end:
            alive = self._read(0.1)
            if wanted in " ".join(self.text.split()):
                self._read(0.1)
                return self.text
            if not alive:
                break
        raise AssertionError(f"{words!r} did not come; the screen is:\n{self.text}")

    def wait_any(self, words: str, seconds: float = 30) -> None:
        """Wait until `words` were shown, on the screen or above it."""
        end = time.monotonic() + seconds
        wanted = " ".join(words.split())
        while time.monotonic() < end:
            alive = self._read(0.1)
            if wanted in " ".join(self.everything.split()):
                return
            if not alive:
                break
        raise AssertionError(f"{words!r} did not come; all that was shown:\n{self.everything}")

    def wait_until(self, true: Callable[[], bool], seconds: float = 30) -> None:
        """Wait until something outside the terminal is true, for example that an answer is in its file."""
        end = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < end, f"it did not come true; the screen is:\n{self.text}"
            self._read(0.1)

    def wait_quietly(self) -> None:
        """Wait until nothing more comes for a moment."""
        before = -1
        while before != len(self.raw):
            before = len(self.raw)
            if not self._read(0.3):
                break

    def send(self, keys: str) -> None:
        self.child.send(keys)

    def answer(self, keys: str) -> None:
        """Keys, then Enter."""
        self.child.send(keys + ENTER)

    def finish(self, seconds: float = 30) -> int:
        """Wait for the process to end; its exit code."""
        end = time.monotonic() + seconds
        while self._read(0.2) and time.monotonic() < end:
            pass
        with contextlib.suppress(pexpect.ExceptionPexpect):
            self.child.wait()
        self.child.close()
        return int(self.child.exitstatus if self.child.exitstatus is not None else -(self.child.signalstatus or 0))
