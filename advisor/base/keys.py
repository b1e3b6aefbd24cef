"""Keys for model servers, and who may be sent one: read from the environment at the call, never written or shown."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from advisor.base.errors import BadInput, EnvironmentMissing
from advisor.base.files import append_line
from advisor.base.safetext import plain

KEY_NAMES = ("TRAIN_OR_NOT_API_KEY", "OPENAI_API_KEY")
SEND_TO = "TRAIN_OR_NOT_SEND_TO"  # addresses that this user agrees to, with commas between them


def check_address(base_url: str) -> None:
    """Raise `BadInput` for an address with a password, a query or a key in it, before it is shown or written."""
    bare, _, query = base_url.partition("?")
    host = bare.split("//", 1)[-1].split("/", 1)[0]
    keys = [key for name in KEY_NAMES if (key := os.environ.get(name, ""))]
    if "@" in host or query or "#" in bare or any(key in base_url for key in keys):
        raise BadInput(
            "The address holds a user name or a password, a key or a query.",
            why="Addresses are written into records; secrets must not be.",
            fix=f"Give the plain address, https://host/v1, and set {KEY_NAMES[0]} in the environment.",
            code="secret-in-address",
        )


def on_this_machine(base_url: str) -> bool:
    """Whether the address is this machine's own by its form: http://127.0.0.1.example.com is not."""
    import ipaddress
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(base_url)
        host = parts.hostname or ""
        ended = parts.netloc.lower().removesuffix(f":{parts.port}").strip("[]") == host  # [::1].example.com is not
        return ended and (host == "localhost" or ipaddress.ip_address(host).is_loopback)
    except ValueError:
        return False


def key_for(base_url: str) -> str:
    """The key from the environment; none is needed on this machine. Raises `EnvironmentMissing` without one."""
    for name in KEY_NAMES:
        if key := os.environ.get(name, ""):
            return key
    if on_this_machine(base_url):
        return "none"
    raise EnvironmentMissing(
        "No key is set for the model server.",
        where=base_url,
        fix=f"export {KEY_NAMES[0]}=…   (or use the embedded model: --endpoint local)",
        code="no-key",
    )


def agreed(base_url: str) -> bool:
    """Whether this user said before that something may be sent there; this machine's own addresses need no word."""
    here = base_url.rstrip("/")
    named = os.environ.get(SEND_TO, "").split(",")
    with contextlib.suppress(OSError, ValueError):  # without the file nothing was agreed to yet
        named += _agreed_file().read_text(encoding="utf-8").splitlines()
    return on_this_machine(base_url) or here in {one.strip().rstrip("/") for one in named}


def agree(base_url: str) -> None:
    """Keep that this user said yes to sending to this address: in their own settings, never in a case."""
    if not agreed(base_url):
        append_line(_agreed_file(), base_url.rstrip("/"))


def check_agreed(base_url: str) -> None:
    """Raise `BadInput` for an address that comes from a plan or a run and that this user never agreed to.

    Somebody else may have written that file: it would otherwise choose where the rows and the key go.
    """
    if not agreed(base_url):
        raise BadInput(
            f"This would send rows and your key to {plain(base_url, 120)}, and you never agreed to that address.",
            where=plain(base_url, 120),
            why="A plan or a run can come from somebody else. Nothing was sent.",
            fix=f"If you trust it: export {SEND_TO}={plain(base_url, 120)}",
            code="not-agreed",
        )


def _agreed_file() -> Path:
    base = os.environ.get("XDG_CONFIG_HOME", "")
    folder = Path(base) if base and Path(base).is_absolute() else Path.home() / ".config"
    return folder / "train-or-not" / "addresses"


def without_key(text: str) -> str:
    """The text with every key of the environment struck out."""
    for name in KEY_NAMES:
        if key := os.environ.get(name, ""):
            text = text.replace(key, "***")
    return text
