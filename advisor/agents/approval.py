"""Money and data leave only when a person says so: the question is put to the client's user, never to the agent.

A client that cannot ask its user gets the dry run back, with the command that a person can run.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.resolve import Elicit
from mcp_types import ClientCapabilities, ElicitationCapability
from pydantic import BaseModel, Field

from advisor.agents.commands import Said, command
from advisor.agents.told import Climbed, announced
from advisor.base.safetext import plain

LOCAL = "local"


class Approval(BaseModel):
    """What the person at the client answers."""

    approve: bool = Field(description="Send these examples to this address and spend up to this much")


@dataclass(frozen=True)
class Wanted:
    """One climb as the agent asked for it."""

    case: str
    endpoint: str
    model: str
    requirement: float | None
    text_column: str
    examples: int | None
    max_usd: float | None
    max_tokens: int | None
    max_minutes: float
    price: str

    def words(self) -> list[str]:
        """The command without `--dry-run` and `--yes`."""
        options: dict[str, object] = {
            "--endpoint": None if self.endpoint == LOCAL else self.endpoint,
            "--model": self.model or None,
            "--requirement": self.requirement,
            "--text": self.text_column or None,
            "--examples": self.examples,
            "--max-usd": self.max_usd,
            "--max-tokens": self.max_tokens,
            "--max-minutes": self.max_minutes,
            "--price": self.price or None,
        }
        return ["climb", self.case, *(f"{name}={value}" for name, value in options.items() if value is not None)]

    def shown(self) -> str:
        """The command as a person would type it."""
        return f"train-or-not {shlex.join(self.words())}"

    @property
    def leaves_this_machine(self) -> bool:
        return self.endpoint != LOCAL


async def dry_run(wanted: Wanted, folder: Path) -> Climbed:
    """What the climb could see and may cost; nothing is sent. Raises `ToolError` when it cannot be done at all."""
    said = checked(await command(*wanted.words(), "--dry-run", "--json", "--no-input", folder=folder))
    return announced(said.json, wanted.shown())


def checked(said: Said, *also: int) -> Said:
    """The same, or `ToolError` with what, why and the cure; exit codes `also` count as an answer."""
    if said.code != 0 and said.code not in also:
        raise ToolError(said.words())
    return said


def can_ask(context: Context) -> bool:
    """Whether the client says that it can put a question to its user."""
    return bool(context.session.check_client_capability(ClientCapabilities(elicitation=ElicitationCapability())))


async def needed(wanted: Wanted, run: bool, folder: Path, context: Context) -> Approval | Elicit[Approval]:
    """The question for the client's user where examples or money would leave; the plain answer elsewhere."""
    if not run or not wanted.leaves_this_machine:
        return Approval(approve=run)
    expected = await dry_run(wanted, folder)
    if not can_ask(context):
        return Approval(approve=False)
    caps = [f"{wanted.max_usd:.2f} USD"] if wanted.max_usd is not None else []
    caps += [f"{wanted.max_tokens:,} tokens"] if wanted.max_tokens is not None else []
    stated = plain(wanted.price, 40)
    priced = f" (at {stated} USD a million tokens in and out, as the agent says)" if stated else ""
    # What the agent wrote is shown on one line and in quotes, so that it cannot pass for words of this question.
    return Elicit(
        f"Send up to {expected.most_calls:,} questions with examples of the case {wanted.case!r} to "
        f"{plain(wanted.endpoint, 200)!r}, model {plain(wanted.model, 100)!r}? "
        f"At most {expected.most_usd:.2f} USD{priced}, never more than {' or '.join(caps)}.",
        Approval,
    )
