"""What a server's answer holds: the JSON in its text, and how long its headers ask to wait."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def asked_to_wait(headers: Mapping[str, str]) -> float:
    """Seconds from `retry-after-ms` or `retry-after`; 0 when neither is there or readable."""
    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            return max(0.0, float(headers[name]) * scale)
        except (KeyError, ValueError):
            continue
    return 0.0


def read_json(text: str) -> Any:
    """The JSON value in a model's answer, with or without a code fence or words around it. Raises `ValueError`."""
    try:
        return json.loads(text)
    except ValueError:
        pass
    decoder = json.JSONDecoder()
    for start, character in enumerate(text):
        if character in "{[":
            try:
                return decoder.raw_decode(text, start)[0]
            except ValueError:
                continue
    raise ValueError("no JSON value in the answer")
