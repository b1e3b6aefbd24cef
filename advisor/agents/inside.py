"""What an agent may name: cases and files inside the one folder the server was started for."""

from __future__ import annotations

import re
from pathlib import Path

from mcp.server.mcpserver.exceptions import ToolError

from advisor.base.safetext import plain

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")


def case_name(name: str) -> str:
    """The name of a case directly inside the folder. Raises `ToolError` for a path or an odd name."""
    if not _NAME.fullmatch(name):
        raise ToolError(
            f"{plain(name, 60)!r} cannot be the name of a case. A case is one folder here: letters, digits, dots, "
            "dashes and underscores."
        )
    return name


def file_inside(folder: Path, name: str) -> str:
    """A path as seen from `folder`, links followed. Raises `ToolError` when it leads out of it or to nothing."""
    root = folder.resolve()
    found = (root / name).resolve()
    if not found.is_relative_to(root):
        raise ToolError(
            f"{plain(name, 120)} is not inside {plain(folder, 200)}, and this server reads only what its folder holds. "
            "Put the file there, or start the server for another folder: train-or-not mcp --folder FOLDER"
        )
    if not found.exists():
        raise ToolError(f"There is no {plain(name, 120)} in {plain(folder, 200)}.")
    return str(found)
