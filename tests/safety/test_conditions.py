"""Conditions are data: weighed by the engine as by a second implementation that shares no code with it."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

import pytest
from promises import Figure

from advisor.reasoning.checks import check
from advisor.reasoning.logic import weigh
from advisor.reasoning.rulebook import load_rulebook
from advisor.reasoning.walk import decide
from tests.reasoning import naive
from tests.reasoning.naive import Small


def weighed(seed: int, situations: int) -> int:
    """How many conditions of a random rulebook were weighed, each true, false or unknown as the oracle says.

    Every other situation leaves facts open; some of the complete ones are decided as well, and end as the oracle's.
    """
    small, draw = Small(seed), random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        rulebook = load_rulebook(small.write(Path(folder)))
    conditions = {rule.id: rule.when for rule in rulebook.rules}
    for number in range(situations):
        facts = small.partial(draw) if number % 2 else {name: draw.choice(small.values[name]) for name in small.names}
        atoms = rulebook.table.weigh(facts)
        for rule in small.rules:
            ours = weigh(conditions[rule["id"]], atoms.true, atoms.false)
            assert ours is naive.weigh(rule["when"], facts, small.derived), (seed, rule["id"], facts)
        if number % 50 == 0:
            ends = naive.decide(small.rules, facts, small.derived)
            assert decide(facts, rulebook).approach == ends, (seed, facts)
    return situations * len(small.rules)


def test_random_conditions_are_weighed_as_the_oracle_weighs_them() -> None:
    assert sum(weighed(seed, 50) for seed in range(10)) > 1_000


@pytest.mark.heavy
def test_a_million_conditions_are_weighed_as_the_oracle_weighs_them(figure: Figure) -> None:
    count = seed = 0
    while count < 1_000_000:
        seed += 1
        count += weighed(seed, 1_000)
    figure(6, "disagreements", f"0 in {count:,} conditions weighed, of {seed} random rulebooks")


def test_the_shipped_rules_stand_the_check_of_their_own_verb(figure: Figure) -> None:
    rulebook = load_rulebook()
    faults = [finding for finding in check(rulebook) if finding.error]
    assert not faults, faults
    figure(7, "rules reached without gap or contradiction", f"{len(rulebook.rules)} of {len(rulebook.rules)}")
