"""The Model Context Protocol server: ask, look, decide, explain, climb and report as typed tools over stdio.

Each tool runs the verb of the same name and answers in short; the whole records are the files of the case. What an
agent names must lie in the folder that the server was started for.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ToolAnnotations
from pydantic import Field

from advisor.agents import told
from advisor.agents.approval import checked
from advisor.agents.climbing import offer_climb
from advisor.agents.commands import command
from advisor.agents.inside import case_name, file_inside
from advisor.agents.told import Answered, Decided, Explained, Looked, Reported

SKILL = Path(__file__).with_name("SKILL.md")
FACTS_MISSING = 3
QUIET = ("--json", "--no-input", "--quiet")

CaseName = Annotated[str, Field(description="The case: one folder here, made when it is not there")]
Reads = ToolAnnotations(read_only_hint=True, open_world_hint=False)
Writes = ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=True, open_world_hint=False)


def skill() -> str:
    """The page that tells an agent how to use these tools."""
    return SKILL.read_text(encoding="utf-8")


def make_server(folder: Path) -> MCPServer:
    """The server for the cases and files of one folder."""
    from advisor import __version__

    server = MCPServer(
        "train-or-not", version=__version__, instructions=skill().partition("\n---\n")[2].strip(), log_level="WARNING"
    )
    _questionnaire(server, folder)
    _decision(server, folder)
    offer_climb(server, folder)
    return server


def _questionnaire(server: MCPServer, folder: Path) -> None:
    @server.tool(annotations=Writes)
    async def ask(
        case: CaseName,
        answers: Annotated[
            dict[str, bool | int | float | str],
            Field(description='Answers by fact, as in {"task_type": "classify", "n_labeled": "?"}; "?" is don\'t know'),
        ] = {},  # noqa: B006  the protocol shows it as the default; nothing changes it
    ) -> Answered:
        """Keep answers and list what can still change the decision, the next question first.

        Put the questions to the person you work for, one at a time; never answer one from your own guess.
        """
        settings = [f"--set={name}={_typed(value)}" for name, value in answers.items()]
        said = checked(await command("ask", case_name(folder, case), *settings, *QUIET, folder=folder), FACTS_MISSING)
        found = said.problem or said.json
        return told.answered(found, found.get("missing", []), case)

    @server.tool(annotations=Writes)
    async def look(
        case: CaseName,
        data: Annotated[str, Field(description="The file with the examples, inside the folder; empty: as before")] = "",
        target: Annotated[str, Field(description="The column with the right answers, where there is one")] = "",
    ) -> Looked:
        """Profile the case's data on this machine: facts that need no question, pitfalls with their cure, a split."""
        words = ["look", case_name(folder, case, other_data=bool(data))]
        words += [f"--data={file_inside(folder, data)}"] if data else []
        words += [f"--target={target}"] if target else []
        return told.looked(checked(await command(*words, *QUIET, folder=folder)).json)


def _decision(server: MCPServer, folder: Path) -> None:
    @server.tool(annotations=Writes)
    async def decide(case: CaseName) -> Decided:
        """Walk the ladder on everything known about the case; decision.json in the case holds the whole record."""
        return told.decided(checked(await command("decide", case_name(folder, case), *QUIET, folder=folder)).json)

    @server.tool(annotations=Reads)
    async def explain(
        case: CaseName,
        topic: Annotated[str, Field(description="A rung, approach, rule (R10), fact or pitfall (P402); or empty")] = "",
        what_if: Annotated[
            dict[str, bool | int | float | str], Field(description="Facts as if they were so; nothing is kept")
        ] = {},  # noqa: B006  as above
    ) -> Explained:
        """Why, why not, and what would change it: the decision, or one topic of it."""
        if topic.startswith("-"):
            raise ToolError("A topic is a word, such as fine_tune or R10.")
        words = ["explain", case_name(folder, case), *([topic] if topic else [])]
        words += [f"--what-if={name}={_typed(value)}" for name, value in what_if.items()]
        return Explained(checked(await command(*words, "--no-input", "--quiet", folder=folder)).text.strip())

    @server.tool(annotations=Writes)
    async def report(case: CaseName) -> Reported:
        """Write report.md and report.html into the case, and answer with the first page."""
        said = checked(
            await command("report", case_name(folder, case), "--plain", "--no-input", "--quiet", folder=folder)
        )
        return Reported(said.text.strip(), f"{case}/report.html", f"{case}/report.md")


def _typed(value: Any) -> str:
    """An answer as `--set` takes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def serve(folder: Path) -> None:
    """Speak the protocol on stdin and stdout until the client leaves."""
    make_server(folder).run("stdio")
