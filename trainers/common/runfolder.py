"""A run's folder: artefacts whole or absent, a marker written last, resume where it stopped.

`COMPLETE` lists every file with its size and SHA-256 and is written last. A folder without it was cut short: what it
finished is kept under `work/` and taken up again by the same plan.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

from advisor.base.case import now
from advisor.base.errors import BadInput
from advisor.base.files import inside, own_folder, read_text, sha256_of_file, to_json, write_atomically

MARKER = "COMPLETE"
WORK = "work"
_NAME = re.compile(r"[a-z0-9-]{1,40}")


def start_run(runs: Path, trainer: str, key: str, *, again: bool = False) -> tuple[Path, str]:
    """The folder to train in, and `complete`, `resumed` or `new`.

    `key` names the plan and the code: a folder cut short under the same key is taken up, and a complete one is
    returned as it stands unless `again` asks for a fresh one.
    """
    own_folder(runs)
    mine = [run for run in sorted(runs.iterdir(), key=_number) if run.is_dir() and _key_of(run) == key]
    unfinished = [run for run in mine if not is_complete(run)]
    if unfinished:
        return unfinished[-1], "resumed"
    for run in mine:
        shutil.rmtree(run / WORK, ignore_errors=True)  # a kill came right after its marker
    if mine and not again:
        return mine[-1], "complete"
    number = max((_number(run) for run in runs.iterdir()), default=0) + 1
    while True:
        folder = runs / f"{trainer}-{number}"
        try:
            folder.mkdir()
        except FileExistsError:
            number += 1
            continue
        write_atomically(folder / "key.json", to_json({"key": key}))
        return folder, "new"


def drop_unstarted(runs: Path) -> None:
    """Remove folders that a kill left before their key stood in them. Only for who holds the lock of `runs`."""
    for run in runs.iterdir() if runs.is_dir() else ():
        if run.is_dir() and not run.is_symlink() and all(file.suffix == ".part" for file in run.iterdir()):
            shutil.rmtree(run)


def keep(run: Path, name: str, content: str | bytes) -> None:
    """Write one artefact of a run, whole or not at all."""
    write_atomically(inside(run, name), content)


def work_file(run: Path, name: str) -> Path:
    """Where a finished piece of unfinished work stands."""
    return inside(run, f"{WORK}/{name}")


def complete(run: Path) -> dict[str, str]:
    """Write the marker, then drop what was only for resuming. Returns file names with their SHA-256.

    In that order: a kill or a full disk between the two must not cost the work that the marker would have vouched for.
    """
    for scratch in list(run.rglob(".*.part")):
        _remove(scratch)
    listed = files_of(run)
    sizes = {name: (run / name).stat().st_size for name in listed}
    files = [{"name": name, "bytes": sizes[name], "sha256": digest} for name, digest in listed.items()]
    write_atomically(run / MARKER, to_json({"schema": 1, "finished": now(), "files": files}))
    shutil.rmtree(run / WORK, ignore_errors=True)
    return listed


def _remove(path: Path) -> None:
    """Remove a file or a folder; a kill during the saving of several files leaves a folder."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def files_of(run: Path) -> dict[str, str]:
    """Each artefact's name and SHA-256; what is only for resuming is left out."""
    return {
        path.relative_to(run).as_posix(): sha256_of_file(path)
        for path in sorted(run.rglob("*"))
        if path.is_file() and path.name != MARKER and path.relative_to(run).parts[0] != WORK
    }


def is_complete(run: Path) -> bool:
    """Whether the run ended; says nothing about damage since."""
    return (run / MARKER).is_file()


def verify(run: Path) -> None:
    """Raise `BadInput` unless the run is complete and every file is as it was written."""
    if not run.is_dir():
        raise BadInput(f"There is no run {run}.", where=str(run), fix=_known_runs(run.parent), code="no-run")
    if not is_complete(run):
        raise BadInput(
            f"The run {run.name} was cut short.",
            where=str(run),
            fix=f"Finish it: train-or-not train {run.parent.parent}",
            code="unfinished-run",
        )
    try:
        listed = json.loads(read_text(run / MARKER))["files"]
        changed = [
            str(entry["name"])
            for entry in listed
            if not (path := inside(run, str(entry["name"]))).is_file()
            or path.stat().st_size != entry["bytes"]
            or sha256_of_file(path) != entry["sha256"]
        ]
    except (ValueError, KeyError, TypeError):
        changed = [MARKER]
    if changed:
        raise BadInput(
            f"The run {run.name} is damaged: {', '.join(changed)} changed since it was written.",
            where=str(run),
            why="A model that is not what was measured must not answer.",
            fix=f"Train it again: train-or-not train {run.parent.parent} --again",
            code="damaged-run",
        )


def _known_runs(runs: Path) -> str:
    known = sorted((run.name for run in runs.iterdir() if is_complete(run)), reverse=True) if runs.is_dir() else []
    return f"Runs there: {', '.join(known[:5])}." if known else "Train first: train-or-not train CASE"


def _number(run: Path) -> int:
    tail = run.name.rpartition("-")[2]
    return int(tail) if _NAME.fullmatch(run.name) and tail.isdecimal() else 0


def _key_of(run: Path) -> str:
    try:
        return str(json.loads(read_text(run / "key.json"))["key"])
    except (BadInput, ValueError, KeyError, TypeError):
        return ""
