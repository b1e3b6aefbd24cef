"""Keys and addresses of language models: whether they are there and of use. A key is never shown, nor its length."""

from __future__ import annotations

import http.client
import os
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from urllib.parse import urlsplit

from advisor.base.keys import KEY_NAMES
from advisor.base.llm import OPENAI
from advisor.base.safetext import plain
from advisor.doctor.findings import Finding

_LONGEST = 60.0  # of one wait for the network; the whole is bounded by what the caller allows


def door_findings(*, online: bool, seconds: float) -> Iterator[Finding]:
    """The key and the address; with `online` also whether somebody answers there. No key is sent."""
    yield _key()
    raw = os.environ.get("OPENAI_BASE_URL", "")
    address = shown_address(raw or OPENAI)
    if raw and address is None:
        yield Finding(
            "address",
            "models",
            "warn",
            "OPENAI_BASE_URL is no http or https address.",
            "export OPENAI_BASE_URL=http://localhost:8000/v1",
        )
        return
    if raw and _has_secret(raw):
        yield Finding(
            "address",
            "models",
            "warn",
            f"OPENAI_BASE_URL holds a user name or password ({address}).",
            f"Leave it out of the address, and set {KEY_NAMES[0]} instead.",
        )
        return
    if not online:
        if raw:
            yield Finding("address", "models", "ok", f"Models are asked at {address} (reached only with --online)")
        return
    yield _reached(raw or OPENAI, address or "", seconds)


def _key() -> Finding:
    name = next((name for name in KEY_NAMES if os.environ.get(name)), None)
    if name is None:
        return Finding(
            "key",
            "models",
            "off",
            "No key is set; the embedded models stand in for a hosted one.",
            f"export {KEY_NAMES[0]}=…   (only if you want a hosted model)",
        )
    key = os.environ[name]
    if key != key.strip() or any(character.isspace() or ord(character) < 33 for character in key):
        return Finding(
            "key", "models", "warn", f"{name} holds a space or a line break.", f"Set {name} again, without them."
        )
    return Finding("key", "models", "ok", f"{name} is set")


def shown_address(address: str) -> str | None:
    """Scheme, host, port and path of an address, without user, password and query; None when it is no web address."""
    try:
        parts = urlsplit(address.strip())
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return None
    return plain(f"{parts.scheme}://{parts.hostname}{port}{parts.path}", 200)


def _has_secret(address: str) -> bool:
    parts = urlsplit(address.strip())
    return "@" in parts.netloc or bool(parts.query)


def _reached(address: str, shown: str, seconds: float) -> Finding:
    """Asked in a thread of its own: a server that sends a byte now and then would hold the call for hours."""
    found: list[Finding | None] = []
    asking = threading.Thread(target=lambda: found.append(_asked(address, shown)), daemon=True)
    asking.start()
    asking.join(seconds)
    return next(iter(found), None) or Finding(
        "address",
        "models",
        "warn",
        f"{shown} cannot be reached within {seconds:g} seconds.",
        "Check the address, the network and the proxy; everything else works without it.",
    )


def _asked(address: str, shown: str) -> Finding | None:
    """What the server says to a question without a key; None when it says nothing."""
    request = urllib.request.Request(f"{address.strip().rstrip('/')}/models", method="GET")  # noqa: S310 - checked: http or https
    try:
        with urllib.request.urlopen(request, timeout=_LONGEST):  # noqa: S310
            pass
    except urllib.error.HTTPError as answer:
        if answer.code >= 500:  # "who are you?" is an answer too
            what = f"{shown} answers with error {answer.code}."
            return Finding("address", "models", "warn", what, "Wait, or ask whoever runs it.")
    except (OSError, ValueError, http.client.HTTPException):
        return None
    return Finding("address", "models", "ok", f"{shown} answers")
