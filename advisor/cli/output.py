"""Where words go: answers to stdout, remarks to stderr, one JSON object when asked for."""

from __future__ import annotations

import os
import sys
import textwrap
from typing import TYPE_CHECKING, Any

from advisor.base.errors import Problem
from advisor.base.files import to_json
from advisor.base.safetext import on_screen, plain

if TYPE_CHECKING:
    from rich.console import Console


class Output:
    """The one way a command speaks. With `json_mode`, stdout carries one JSON object and nothing else."""

    def __init__(
        self,
        *,
        json_mode: bool = False,
        no_input: bool = False,
        bare: bool = False,
        quiet: bool = False,
        silent: bool = False,
    ) -> None:
        self.json_mode = json_mode
        self.no_input = no_input
        self.bare = bare or os.environ.get("TERM") == "dumb"
        self.quiet = quiet
        self.silent = silent

    @property
    def can_ask(self) -> bool:
        """Whether a person sits at a terminal: never prompt a pipe, it would answer with its first newline."""
        return not (self.no_input or self.json_mode) and sys.stdin.isatty() and sys.stdout.isatty()

    def line(self, text: str = "") -> None:
        """A line of the answer. Silent with --json."""
        if not (self.json_mode or self.silent):
            sys.stdout.write(on_screen(text) + "\n")

    def told(self, text: str, hang: int = 2) -> None:
        """A line of the answer, broken between words on a terminal and whole in a pipe, for who searches it.

        `hang` is the indentation of what follows the first line, in columns; at most a third of the terminal's.
        """
        if sys.stdout.isatty():
            width = self.console().width
            indent = " " * min(hang, width // 3)
            text = textwrap.fill(text, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
        self.line(text)

    def note(self, text: str) -> None:
        """A remark that is not the answer: to stderr, silent with --quiet."""
        if not self.quiet:
            sys.stderr.write(on_screen(text) + "\n")

    def json(self, value: Any) -> None:
        """The answer as one JSON object, on stdout, whole."""
        if not self.silent:
            sys.stdout.write(to_json(value))

    def console(self, *, width: int | None = None) -> Console:
        """A rich console on stdout, without colour or boxes where that was asked for."""
        from rich.console import Console

        return Console(
            width=width,
            quiet=self.json_mode or self.silent,
            no_color=True if self.bare else None,
            highlight=False,
            emoji=False,
            markup=False,
            soft_wrap=False,
        )

    def problem(self, problem: Problem) -> None:
        """An error: what, where, why, and the cure."""
        if self.json_mode:
            self.json(problem.as_dict())
        parts = [f"error[{problem.code}]: {plain(problem.what, 1000)}"]
        if problem.where:
            parts.append(f"  --> {plain(problem.where, 500)}")
        if problem.line:
            parts.append(f"    | {plain(problem.line, 200)}")
        if problem.why:
            parts.append(f"  why: {plain(problem.why, 1000)}")
        if problem.fix:
            parts.append(f"  fix: {plain(problem.fix, 1000)}")
        sys.stderr.write("\n".join(parts) + "\n")
