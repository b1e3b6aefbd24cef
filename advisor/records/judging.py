"""What decides whether training earned its place: the stated costs of errors, or the metric."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from advisor.records.plan import Plan, Setting

# The settings in which errors are given a cost: a matrix by class, or one number for each of two kinds of error.
ERROR_COSTS, COST_PAIR = "error_costs", ("cost_missed", "cost_false_alarm")
COST: Final = "cost"
METRIC: Final = "metric"


def costs_stated(settings: Mapping[str, Setting]) -> bool:
    """Whether a plan's settings say what errors cost."""
    return any(name in settings and bool(settings[name].value) for name in (ERROR_COSTS, *COST_PAIR))


def cost_decides(plan: Plan) -> bool:
    """Whether what answers cost decides, rather than the metric.

    A gate that does not say (plans of earlier versions, or edited by hand) is decided by costs where they are stated.
    """
    return plan.gate.by == COST if plan.gate.by else costs_stated(plan.settings)
