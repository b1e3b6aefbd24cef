"""The tool `climb`: a dry run, unless it may run; and beyond this machine only with the person's approval.

Annotations are evaluated here as they are read: the protocol looks at them, and one names a function of this folder.
"""

from pathlib import Path
from typing import Annotated

from mcp.server.elicitation import AcceptedElicitation, ElicitationResult
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.resolve import Elicit, Resolve
from mcp_types import ToolAnnotations
from pydantic import Field

from advisor.agents import told
from advisor.agents.approval import LOCAL, Approval, Wanted, checked, dry_run, needed
from advisor.agents.commands import command
from advisor.agents.inside import case_name
from advisor.agents.told import Climbed

BUDGET = 6
SENDS = ToolAnnotations(read_only_hint=False, destructive_hint=False, open_world_hint=True)


def offer_climb(server: MCPServer, folder: Path) -> None:
    """Add the tool `climb` to the server."""

    async def approval(
        context: Context,
        case: str,
        endpoint: str,
        model: str,
        requirement: float | None,
        text_column: str,
        examples: int | None,
        max_usd: float | None,
        max_tokens: int | None,
        max_minutes: float,
        price: str,
        run: bool,
    ) -> Approval | Elicit[Approval]:
        wanted = Wanted(
            case_name(folder, case),
            endpoint,
            model,
            requirement,
            text_column,
            examples,
            max_usd,
            max_tokens,
            max_minutes,
            price,
        )
        return await needed(wanted, run, folder, context)

    @server.tool(annotations=SENDS)
    async def climb(
        case: Annotated[str, Field(description="The case; its data holds the examples")],
        approved: Annotated[ElicitationResult[Approval], Resolve(approval)],
        endpoint: Annotated[str, Field(description="local, or the address of a model server")] = LOCAL,
        model: Annotated[str, Field(description="The model's name at that address")] = "",
        requirement: Annotated[float | None, Field(description="The score that is enough, 0 to 1")] = None,
        text_column: Annotated[str, Field(description="The column that is read, where the data is text")] = "",
        examples: Annotated[int | None, Field(description="Ask a language model at most this many a part")] = None,
        max_usd: Annotated[float | None, Field(description="Never spend more, all climbs of the case together")] = None,
        max_tokens: Annotated[int | None, Field(description="Never use more tokens than this")] = None,
        max_minutes: Annotated[float, Field(description="Stop after this many minutes")] = 10,
        price: Annotated[str, Field(description="USD a million tokens IN,OUT, only where nobody knows it")] = "",
        run: Annotated[bool, Field(description="False: say what it would take. True: measure")] = False,
    ) -> Climbed:
        """Measure the rungs on the case's own examples, cheapest first.

        Without `run` nothing is measured, sent or spent: the answer says what it would take. With an `endpoint` other
        than local the person at the client is asked before anything leaves this machine.
        """
        wanted = Wanted(
            case_name(folder, case),
            endpoint,
            model,
            requirement,
            text_column,
            examples,
            max_usd,
            max_tokens,
            max_minutes,
            price,
        )
        if not run:
            return await dry_run(wanted, folder)
        if not (isinstance(approved, AcceptedElicitation) and approved.data.approve):
            return told.not_approved(wanted.shown())
        yes = ["--yes"] if wanted.leaves_this_machine else []
        said = await command(*wanted.words(), *yes, "--json", "--no-input", "--quiet", folder=folder)
        return told.climbed(checked(said, BUDGET).json)
