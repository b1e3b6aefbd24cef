"""Keys for model servers: read from the environment when a call is made, never written or shown."""

from __future__ import annotations

import os

from advisor.base.errors import BadInput, EnvironmentMissing

KEY_NAMES = ("TRAIN_OR_NOT_API_KEY", "OPENAI_API_KEY")


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


def without_key(text: str) -> str:
    """The text with every key of the environment struck out."""
    for name in KEY_NAMES:
        if key := os.environ.get(name, ""):
            text = text.replace(key, "***")
    return text
