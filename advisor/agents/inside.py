"""What an agent may name: cases and files inside the one folder the server was started for."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from mcp.server.mcpserver.exceptions import ToolError

from advisor.base.errors import BadInput
from advisor.base.files import read_text
from advisor.base.safetext import plain
from advisor.base.strictyaml import parse

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")


def case_name(folder: Path, name: str, *, other_data: bool = False) -> str:
    """The name of a case directly inside the folder. Raises `ToolError` for a path, an odd name, or one that leads out.

    A case may have come from somebody else: neither a link in it nor the data that its answers name may lie elsewhere.
    With `other_data` the call names the data itself.
    """
    if not _NAME.fullmatch(name):
        raise ToolError(
            f"{plain(name, 60)!r} cannot be the name of a case. A case is one folder here: letters, digits, dots, "
            "dashes and underscores."
        )
    case = folder / name
    named = [case, *_links_in(case)]
    if not other_data and (data := _data_of(case)):
        named.append(case / data)
    if outside := [one for one in named if not _is_inside(folder, one)]:
        raise ToolError(
            f"The case {name} leads out of {plain(folder, 200)}: {plain(outside[0].name, 60)} is elsewhere, and this "
            "server reads only what its folder holds. Copy the file there and name it again with `look`."
        )
    return name


def _links_in(case: Path) -> Iterator[Path]:
    """Every link in the case, its runs and all else below it."""
    for place, folders, files in os.walk(case):
        yield from (path for name in (*folders, *files) if (path := Path(place, name)).is_symlink())


def _data_of(case: Path) -> str:
    """The data that the answers name; empty where they name none or cannot be read, which the verb itself tells."""
    try:
        answers = parse(read_text(case / "answers.yaml", 1 << 20), "answers.yaml").data
    except BadInput:
        return ""
    data = answers.get("data") if isinstance(answers, dict) else None
    return data if isinstance(data, str) else ""


def _is_inside(folder: Path, path: Path) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))


def file_inside(folder: Path, name: str) -> str:
    """A path as seen from `folder`, links followed. Raises `ToolError` when it leads out of it or to nothing."""
    if "\0" in name:
        raise ToolError("A name cannot hold a NUL byte.")
    found = Path(os.path.realpath(folder / name))
    if not _is_inside(folder, found):
        raise ToolError(
            f"{plain(name, 120)} is not inside {plain(folder, 200)}, and this server reads only what its folder holds. "
            "Put the file there, or start the server for another folder: train-or-not mcp --folder FOLDER"
        )
    if not found.exists():
        raise ToolError(f"There is no {plain(name, 120)} in {plain(folder, 200)}.")
    return str(found)
