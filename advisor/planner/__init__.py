"""Floor 3: from a decision to a plan that a trainer, or a person, can follow."""

from advisor.planner.make import make_plan
from advisor.planner.routes import offers
from advisor.planner.rulefiles import planning_rules

__all__ = ["make_plan", "offers", "planning_rules"]
