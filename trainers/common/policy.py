"""The figures a trainer goes by: one file of rules/ for each, read once."""

from __future__ import annotations

import functools
from typing import Any

from advisor.base.files import read_text
from advisor.base.shipped import rules_folder
from advisor.base.strictyaml import parse


@functools.cache
def policy(name: str) -> dict[str, Any]:
    """rules/<name>.yaml as plain data."""
    content: dict[str, Any] = parse(read_text(rules_folder() / f"{name}.yaml"), f"{name}.yaml").data
    return content
