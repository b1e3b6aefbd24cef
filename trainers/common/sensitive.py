"""Which columns tell groups of people apart: by the names in rules/pitfalls.yaml, and those that the plan names."""

from __future__ import annotations

import functools
import re

from advisor.records.plan import Plan
from trainers.common.policy import policy

AUDIT = "audit"


@functools.cache
def _words() -> frozenset[str]:
    return frozenset(str(word).lower() for word in policy("pitfalls")["words"]["sensitive"])


def is_sensitive(name: str) -> bool:
    """Whether a column is named like a sensitive attribute of people."""
    return bool(_words() & set(re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower())))


def named_for_audit(plan: Plan) -> tuple[str, ...]:
    """The columns that the plan names, beside those whose names tell."""
    setting = plan.settings.get(AUDIT)
    listed = setting.value if setting else ()
    return tuple(map(str, listed)) if isinstance(listed, list | tuple) else (str(listed),) if listed else ()


def is_audited(plan: Plan, name: str) -> bool:
    """Whether errors are told by the groups of this column, be it a feature or not."""
    return is_sensitive(name) or name in named_for_audit(plan)
