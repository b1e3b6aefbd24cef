"""A trainer's progress for a person: on stderr, live on a terminal, one line a phase elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from advisor.base.safetext import plain
from advisor.cli.output import Output

# Columns that spinner, bar and both times take: what is left beside the phase's text is the note's.
_BESIDE = 48
# Seconds after which a person who reads a log begins to wonder.
_SILENCE = 30.0


class PhaseLines:
    """One line a phase, and one every half a minute of a long one: for logs, pipes and `--plain`."""

    def __init__(self, out: Output) -> None:
        self._out = out
        self._begun = self._told = time.monotonic()

    def phase(self, text: str) -> None:
        """A new phase begins."""
        self._out.note(f"  {plain(text, 160)}")
        self._begun = self._told = time.monotonic()

    def step(self, done: float, total: float, note: str = "") -> None:
        """How far the phase is and how long the rest takes at that pace, if nothing was said for a while."""
        now = time.monotonic()
        if now - self._told < _SILENCE or not 0 < done < total:
            return
        self._told = now
        left = (now - self._begun) * (total - done) / done
        self._out.note(f"    {done:,.0f} of {total:,.0f}, about {left:,.0f} s left  {plain(note, 80)}".rstrip())


class LiveBar:
    """A bar with the time left, drawn by rich; finished phases stay above it with their seconds."""

    def __init__(self, bar: Any) -> None:
        self._bar = bar
        self._task: Any = None
        self._text, self._since = "", time.monotonic()

    def phase(self, text: str) -> None:
        """A new phase begins."""
        self.finish()
        self._text, self._since = plain(text, 160), time.monotonic()
        self._task = self._bar.add_task(self._text, total=None, note="")

    def step(self, done: float, total: float, note: str = "") -> None:
        """`done` of `total` units of this phase are behind us."""
        if self._task is not None:
            room = max(0, self._bar.console.width - len(self._text) - _BESIDE)
            self._bar.update(self._task, completed=done, total=total, note=plain(note, min(room, 60)) if room else "")

    def finish(self) -> None:
        """The phase that runs is over."""
        if self._task is not None:
            self._bar.remove_task(self._task)
            self._bar.console.print(f"  {self._text}  {time.monotonic() - self._since:.1f} s", markup=False)
            self._task = None


@contextmanager
def shown_progress(out: Output) -> Iterator[PhaseLines | LiveBar]:
    """Progress for one training, as the terminal allows; silent with --quiet."""
    if out.quiet or out.bare or out.json_mode or not sys.stderr.isatty():
        yield PhaseLines(out)
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        TimeElapsedColumn(),
        TextColumn("left", markup=False),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", markup=False, style="dim"),
    )
    with Progress(*columns, console=Console(stderr=True, highlight=False, emoji=False), transient=True) as bar:
        live = LiveBar(bar)
        yield live
        live.finish()
