"""A yes before rows leave this machine or money is spent, and what ^C keeps; `--yes` where none can be asked."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from advisor.base.errors import BadInput, Interrupted
from advisor.cli.output import Output


def agree_to_send(endpoint: str, sent: str, out: Output, *, yes: bool, free: bool) -> None:
    """Remember the agreement for `endpoint`. Raises `BadInput` when it was not given; then nothing was sent."""
    from advisor.base.keys import agree, on_this_machine

    if yes or (free and on_this_machine(endpoint)):
        agree(endpoint)
        return
    if not out.can_ask:
        raise BadInput(
            f"This sends {sent}, and nobody can be asked here.",
            why="Nothing was sent.",
            fix="Look at it with --dry-run, then add --yes.",
            code="not-confirmed",
        )
    sys.stderr.write(f"Send {sent}? Type yes: ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() != "yes":
        raise BadInput("Not confirmed; nothing was sent.", fix="Type yes, or give --yes.", code="not-confirmed")
    agree(endpoint)


@contextmanager
def paid_answers_kept(folder: Path) -> Iterator[None]:
    """Turn ^C into `Interrupted`, which says that nothing paid for is lost and how to go on."""
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted(
            "Stopped; every answer that was paid for is kept.",
            where=str(folder),
            fix="Run the same command again: it goes on where it stopped.",
            code="interrupted",
        ) from None
