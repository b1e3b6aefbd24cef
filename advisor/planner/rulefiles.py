"""The planner's rules as plain data, read once."""

from __future__ import annotations

import functools
from typing import Any

from advisor.base.files import read_text
from advisor.base.shipped import rules_folder


@functools.cache
def planning_rules(name: str) -> dict[str, Any]:
    """rules/planning.yaml or rules/next_steps.yaml as plain data."""
    from advisor.base.strictyaml import parse

    content: dict[str, Any] = parse(read_text(rules_folder() / f"{name}.yaml"), f"{name}.yaml").data
    return content
