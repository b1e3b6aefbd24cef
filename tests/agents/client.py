"""A session of the `mcp` package's own client with our server, started as an agent's program would start it."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from mcp import Client, StdioServerParameters
from mcp.types import ElicitRequestParams, ElicitResult

Walk = Callable[[Client], Awaitable[Any]]


class Person:
    """Who sits at the client: says yes or no to what is asked of them, and remembers it."""

    def __init__(self, says: str = "yes") -> None:
        self.says = says
        self.asked: list[str] = []

    async def __call__(self, context: Any, asked: ElicitRequestParams) -> ElicitResult:
        self.asked.append(asked.message)
        if self.says == "nothing":
            return ElicitResult(action="decline")
        return ElicitResult(action="accept", content={"approve": self.says == "yes"})


def session(folder: Path, walk: Walk, person: Person | None = None, **environment: str) -> Any:
    """Run `walk` with a client whose server was started for `folder`; what the walk returns."""
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "advisor", "mcp", "--folder", str(folder)],
        env={**os.environ, **environment},
        cwd=str(folder),
    )

    async def hold() -> Any:
        async with Client(server, elicitation_callback=person, read_timeout_seconds=300) as client:
            return await walk(client)

    return asyncio.run(hold())


async def call(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    """The structured answer of one tool."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    return dict(result.structured_content or {})


async def refused(client: Client, tool: str, **arguments: Any) -> str:
    """The words with which a tool refuses."""
    result = await client.call_tool(tool, arguments)
    assert result.is_error, result.structured_content
    return " ".join(part.text for part in result.content)
