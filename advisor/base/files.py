"""Files that are whole or absent: atomic writes, content hashes, paths that stay inside their folder."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

from advisor.base.errors import BadInput, EnvironmentMissing

_NOT_THROUGH_LINKS = getattr(os, "O_NOFOLLOW", 0)  # Windows has no such flag


def write_atomically(path: Path, content: str | bytes) -> None:
    """Replace `path` by `content` so that a reader sees the old file or the new one, never a part.

    Written beside the target, flushed to disk, then renamed over it. A full disk leaves the old file as it was.
    """
    data = content.encode() if isinstance(content, str) else content

    def fill(scratch: Path) -> None:
        descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _NOT_THROUGH_LINKS, 0o644)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())

    fill_atomically(path, fill, size=len(data))


def fill_atomically(path: Path, fill: Callable[[Path], None], *, size: int) -> None:
    """As `write_atomically`, of `size` bytes that `fill` writes and flushes itself into the file it is given.

    Raises `EnvironmentMissing` when `fill` raises an `OSError`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        scratch.unlink(missing_ok=True)  # no link is written through
        fill(scratch)
        scratch.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        scratch.unlink(missing_ok=True)
        raise _write_problem(error, path, size) from error
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise


def append_line(path: Path, line: str) -> None:
    """Append one line with a single write, so that two writers never mix and a torn last line can be told.

    A symbolic link in the file's place is refused: it would carry the line out of the case.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    data = (line.rstrip("\n") + "\n").encode()
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | _NOT_THROUGH_LINKS, 0o644)
        try:
            size = os.fstat(descriptor).st_size
            if size and os.pread(descriptor, 1, size - 1) != b"\n":
                # A kill left half a line: end it, so that only that line is lost and not this one too.
                data = b"\n" + data
            write_whole(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise _write_problem(error, path, len(data)) from error


def write_whole(descriptor: int, data: bytes) -> None:
    """Write all of `data`, or raise `OSError`: on a disk that is nearly full the system writes a part and says so."""
    while data:
        data = data[os.write(descriptor, data) :]


def _sync_folder(folder: Path) -> None:
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:  # some file systems and Windows cannot open a folder
        return
    try:
        os.fsync(descriptor)
    except OSError:
        pass
    finally:
        os.close(descriptor)


def is_disk_full(error: OSError) -> bool:
    """Whether a write failed for want of room: on the disk, in the quota or below the largest size of a file."""
    return error.errno in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)


def _write_problem(error: OSError, path: Path, size: int) -> EnvironmentMissing:
    if is_disk_full(error):
        return EnvironmentMissing(
            f"No room to write {path.name}: it needs {size:,} bytes.",
            where=str(path),
            why="The last good version of the file was kept as it was.",
            fix="Free some space on that disk (df -h), then run the same command again.",
            code="disk-full",
        )
    return EnvironmentMissing(
        f"Cannot write {path.name}: {error.strerror}.",
        where=str(path),
        why="Nothing was changed.",
        fix="Make the folder writable, or choose another one.",
        code="cannot-write",
    )


def check_file(path: Path) -> None:
    """Raise `BadInput` for a folder, a pipe or a device: one that stands in a folder from elsewhere is never opened.

    Reading a pipe waits for ever, and some devices never end. Those that the user names (/dev/stdin, a shell's
    <(command)) are read like any file. Raises `OSError` when there is nothing.
    """
    mode = path.stat().st_mode
    if stat.S_ISREG(mode) or (not stat.S_ISDIR(mode) and path.absolute().parts[1:2] in (("dev",), ("proc",))):
        return
    kind = "a folder" if stat.S_ISDIR(mode) else "a pipe or a device"
    raise BadInput(f"{path} is {kind}, not a file.", where=str(path), fix="Name a file.", code="not-a-file")


def _likely(data: bytes) -> str:
    """The encoding of bytes that are no UTF-8: UTF-16 tells itself by its first two, the rest is most often Windows."""
    return "UTF-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "WINDOWS-1252"


def read_text(path: Path, limit: int = 64 * 2**20) -> str:
    """The text of a UTF-8 file. Raises `BadInput` when it is absent, no file, too large (bytes) or not UTF-8."""
    try:
        check_file(path)
        with path.open("rb") as stream:
            data = stream.read(limit + 1)
        if len(data) > limit:
            size = max(path.stat().st_size, len(data))
            raise BadInput(
                f"{path.name} has {size:,} bytes; at most {limit:,} are read.",
                where=str(path),
                fix="Check that this is the file you meant.",
                code="too-large",
            )
        return data.decode("utf-8-sig")
    except FileNotFoundError as error:
        raise BadInput(
            f"There is no file {path}.",
            where=str(path),
            fix="Check the name; `ls` shows what is there.",
            code="no-file",
        ) from error
    except UnicodeDecodeError as error:
        raise BadInput(
            f"{path.name} is not UTF-8 text (byte {error.start}).",
            where=str(path),
            fix=f"Convert it: iconv -f {_likely(error.object)} -t UTF-8 {path.name}",
            code="not-utf8",
        ) from error
    except OSError as error:
        raise BadInput(
            f"Cannot read {path}: {error.strerror}.", where=str(path), fix="Check its permissions.", code="cannot-read"
        ) from error


def sha256_of_file(path: Path) -> str:
    """Hex SHA-256 of a file's bytes, read in pieces. Raises `BadInput` for what is no file."""
    check_file(path)
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while piece := stream.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def sha256_of_text(text: str) -> str:
    """Hex SHA-256 of a text's UTF-8 bytes."""
    return hashlib.sha256(text.encode()).hexdigest()


def inside(folder: Path, name: str) -> Path:
    """`folder / name`, refused when it would leave the folder (absolute, `..`, or through a symbolic link)."""
    root = folder.resolve()
    candidate = (root / name).resolve()
    if "\0" in name or not candidate.is_relative_to(root):
        raise BadInput(
            f"{name!r} leads outside the folder {folder}.",
            where=name,
            why="Everything a case writes stays inside the case.",
            fix="Use a plain name without '..' or a leading '/'.",
            code="path-escape",
        )
    return candidate


def own_folder(folder: Path) -> Path:
    """`folder`, made when absent. Raises `BadInput` when a symbolic link in its place leads elsewhere."""
    inside(folder.parent, folder.name)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def to_json(value: Any, *, indent: int | None = 2) -> str:
    """Stable JSON: keys in the order they were made, no NaN, a newline at the end."""
    return json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False) + "\n"
