"""Floor 3: from a decision to a plan that a trainer, or a person, can follow."""

from advisor.planner.make import make_plan, planning_rules
from advisor.planner.routes import offers

__all__ = ["make_plan", "offers", "planning_rules"]
