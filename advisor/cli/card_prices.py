"""Money into what a plan would take on rented cards: a trainer knows hours, the price list knows what an hour costs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from advisor.base.case import Case
    from advisor.records.plan import CardEstimate, Estimate


def with_card_prices(estimate: Estimate, case: Case, as_of: str = "") -> Estimate:
    """The estimate with USD for each card, by the case's own prices where it has any; none where a price is unknown."""
    from advisor.cli.chain import own_prices
    from advisor.reasoning.prices import load_prices

    if not estimate.cards:
        return estimate
    known = (own_prices(case) or load_prices()).on(as_of).numbers

    def priced(card: CardEstimate) -> CardEstimate:
        price = known.get(card.price)
        if price is None or card.hours is None:
            return card
        return replace(card, usd=(round(card.hours[0] * price.low, 2), round(card.hours[1] * price.high, 2)))

    return replace(estimate, cards=tuple(map(priced, estimate.cards)))
