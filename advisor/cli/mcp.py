"""`train-or-not mcp`: the same verbs for agents, over the Model Context Protocol on stdin and stdout."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from advisor.base.errors import BadInput, EnvironmentMissing
from advisor.cli.output import Output

SUMMARY = "Serves ask, look, decide, explain, climb and report to an agent, for the cases of one folder."
EXAMPLES = (
    "train-or-not mcp --folder projects     started by the agent's program, which speaks on stdin and stdout",
    "train-or-not mcp --skill               the page that teaches an agent when and how to use it",
)


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of `mcp`."""
    parser.add_argument("--folder", default=".", help="where cases and data are; nothing outside is read (default: .)")
    parser.add_argument("--skill", action="store_true", help="print SKILL.md and end")


def run(arguments: argparse.Namespace, out: Output) -> int:
    """Serve until the client leaves."""
    if arguments.skill:
        skill = (Path(__file__).parent.parent / "agents" / "SKILL.md").read_text(encoding="utf-8")
        if out.json_mode:
            out.json({"skill": skill})
        out.line(skill.rstrip("\n"))
        return 0
    folder = Path(arguments.folder)
    if not folder.is_dir():
        raise BadInput(f"There is no folder {folder}.", where="--folder", fix="Name the folder that holds the cases.")
    try:
        from advisor.agents.server import serve
    except ModuleNotFoundError as error:
        raise EnvironmentMissing(
            f"Serving agents needs a package that is not installed: {error.name}.",
            fix="pip install 'train-or-not[mcp]'",
            code="no-extra",
        ) from None
    if sys.stdin.isatty():
        out.note("Waiting for an agent's program on stdin; ^C ends it. Its settings name this command.")
    serve(folder.resolve())
    return 0
