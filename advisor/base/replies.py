"""What a server's answer holds: no more than we take, the JSON in its text, how long its headers ask to wait."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

MAX_BYTES = 16 * 2**20
_PASSES, _TRIES = 8, 1_000


class TooLarge(Exception):
    """An answer that is not taken, in words that follow the server's name."""


def careful(*, here: bool) -> dict[str, Any]:
    """Settings for an httpx client: nobody agreed to where a redirect leads, and what is for here needs no proxy."""
    return {
        "follow_redirects": False,
        "trust_env": not here,
        "headers": {"Accept-Encoding": "identity"},
        "event_hooks": {"response": [_bounded]},
    }


def _bounded(response: Any) -> None:
    """A hook for the client: at most `MAX_BYTES` of an answer are read, and nothing is decompressed.

    A compressed answer of a megabyte can be a gigabyte; none was asked for. Raises `TooLarge`, here or while reading.
    """
    library = sys.modules[type(response).__module__.partition(".")[0]]  # httpx, or httpx2 in newer clients
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise TooLarge("sent a compressed answer, which was not asked for")
    stream = response.stream

    class Bounded(library.SyncByteStream):  # type: ignore[misc, name-defined]  # a class found at run time
        def __iter__(self) -> Iterator[bytes]:
            left = MAX_BYTES
            for piece in stream:
                left -= len(piece)
                if left < 0:
                    raise TooLarge(f"sent more than {MAX_BYTES:,} bytes")
                yield piece

        def close(self) -> None:
            stream.close()

    response.stream = Bounded()


def asked_to_wait(headers: Mapping[str, str]) -> float:
    """Seconds from `retry-after-ms` or `retry-after`; 0 when neither is there or readable."""
    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            return max(0.0, float(headers[name]) * scale)
        except (KeyError, ValueError):
            continue
    return 0.0


def read_json(text: str) -> Any:
    """The JSON value in a model's answer, with or without a code fence or words around it. Raises `ValueError`.

    Trying every bracket of a hostile answer anew would take the square of its length: the work is bounded by a few
    times the length.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except ValueError:
        pass
    decoder, work = json.JSONDecoder(), _PASSES * len(text)
    for bracket in islice(re.finditer(r"[{[]", text), _TRIES):
        try:
            return decoder.raw_decode(text, bracket.start())[0]
        except json.JSONDecodeError as error:
            work -= error.pos - bracket.start()
        except (ValueError, RecursionError):  # a number of thousands of digits, or nested too deeply
            break
        if work < 0:
            break
    raise ValueError("no JSON value in the answer")
