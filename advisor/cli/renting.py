"""`plan --rent`: the plan set on rented cards, and the files that start it there."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from advisor.base.errors import BadInput
from advisor.cli.output import Output

if TYPE_CHECKING:
    from advisor.base.case import Case
    from advisor.records.plan import Plan


def rented_plan(case: Case, plan: Plan, text: str, out: Output) -> Plan:
    """The plan for the cards that `text` names; writes CASE/rented. Raises `BadInput` for a plan of no use there."""
    from advisor.base.files import own_folder, write_atomically
    from advisor.cli.chain import own_prices
    from advisor.reasoning.prices import load_prices
    from trainers.lora.renting import FOLDER, read_card, rented
    from trainers.registry import find_trainer

    if plan.trainer != "lora":
        raise BadInput(
            "Only fine-tuning is planned for rented cards.",
            where="--rent",
            why=f"This plan's trainer is {plan.trainer or 'none'}; it takes processors, and minutes of them.",
            fix="Leave --rent out.",
            code="no-cards-needed",
        )
    card, count = read_card(text)
    settings = find_trainer(plan.trainer).settings(plan, case.folder)
    price = (own_prices(case) or load_prices()).on().numbers[card["price"]]
    whole = replace(plan, settings={**plan.settings, **settings})
    made = rented(whole, case.folder, card, count, (price.low, price.high))
    folder = own_folder(case.folder / FOLDER)
    for name, content in made.files.items():
        write_atomically(folder / name, content)
    low, high = made.usd_an_hour
    out.note(f"For {count} × {card['name']}, {low:.2f} to {high:.2f} USD an hour: {', '.join(made.files)} in {folder}.")
    out.note(f"Next: cd {shlex.quote(str(case.folder))} && sky launch -c my-cluster {FOLDER}/sky.yaml")
    return made.plan
