"""Against a second opinion that looks at every complete answer set: nothing lost, superfluous or settled wrongly."""

from __future__ import annotations

import itertools
import random
from pathlib import Path
from typing import Any

import pytest

from advisor.reasoning import flips as flips_module
from advisor.reasoning.diagram import Diagram
from advisor.reasoning.relevance import open_questions, possible_approaches
from advisor.reasoning.rulebook import Rulebook, load_rulebook
from advisor.reasoning.walk import decide
from tests.reasoning import naive

RULEBOOKS = range(120)
PARTIALS = 90


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[naive.Small, Rulebook]]:
    books = []
    for seed in RULEBOOKS:
        drawn = naive.Small(seed)
        books.append((drawn, load_rulebook(drawn.write(tmp_path_factory.mktemp("rules")))))
    return books


@pytest.mark.heavy
def test_every_decision_question_and_remaining_outcome_agrees_with_looking_at_all_completions(
    small: list[tuple[naive.Small, Rulebook]], capsys: pytest.CaptureFixture[str]
) -> None:
    checked = superfluous = lost = settled = 0
    for seed, (drawn, rulebook) in enumerate(small):
        draw = random.Random(1000 + seed)
        for _ in range(PARTIALS):
            known = drawn.partial(draw)
            outcomes = drawn.open_outcomes(known)
            open_names = [name for name in drawn.names if name not in known]
            truly = {
                name
                for axis, name in enumerate(open_names)
                if (outcomes.min(axis=axis) != outcomes.max(axis=axis)).any()
            }
            asked = set(open_questions(known, rulebook))
            superfluous += len(asked - truly)
            lost += len(truly - asked)
            possible = {naive.APPROACHES[code] for code in set(outcomes.flat) if code >= 0}
            assert set(possible_approaches(known, rulebook)) == possible
            decision = decide(known, rulebook, with_flips=False, with_cost=False)
            assert decision.approach == _pointed_at(drawn, known, possible, len(set(outcomes.flat)) == 1)
            assert decision.settled == (len(set(outcomes.flat)) == 1 and decision.approach is not None)
            assert set(decision.also_possible) == possible - {decision.approach}
            assert decision.approach is None or decision.approach in possible
            settled += decision.settled
            checked += 1
    with capsys.disabled():
        print(
            f"\n{checked:,} partial answer sets: {superfluous} superfluous questions, {lost} lost, {settled:,} settled"
        )
    assert checked >= 10_000
    assert superfluous == lost == 0
    assert settled > 1000


def _pointed_at(drawn: naive.Small, known: dict[str, Any], possible: set[str], one: bool) -> str | None:
    """The first true rule whose approach is still possible; the only outcome left, if there is one."""
    if one and possible:
        return next(iter(possible))
    return naive.decide(drawn.rules, known, drawn.derived, possible)


def test_questions_come_in_the_authors_order_and_a_declined_fact_is_never_asked_again(
    small: list[tuple[naive.Small, Rulebook]],
) -> None:
    for drawn, rulebook in small[:30]:
        questions = open_questions({}, rulebook)
        assert list(questions) == [name for name in drawn.names if name in questions]
        if questions:
            assert questions[0] not in open_questions({}, rulebook, [questions[0]])
            decision = decide({questions[0]: None}, rulebook, with_cost=False)
            assert questions[0] in decision.unknown
            assert decision.next_question != questions[0]


def test_after_a_dont_know_only_what_can_still_change_the_answer_is_asked(
    small: list[tuple[naive.Small, Rulebook]],
) -> None:
    superfluous = lost = checked = 0
    for seed, (drawn, rulebook) in enumerate(small):
        draw = random.Random(seed)
        for _ in range(4):
            known = {name: draw.choice(drawn.values[name]) for name in drawn.names if draw.random() < 0.5}
            left = [name for name in drawn.names if name not in known]
            declined = draw.sample(left, min(len(left), draw.randint(1, 2)))
            # It must matter both ways: to what is presented now, and to what may be true.
            truly = drawn.relevant_despite(known, declined) & set(open_questions(known, rulebook))
            asked = set(open_questions(known, rulebook, declined))
            superfluous += len(asked - truly)
            lost += len(truly - asked)
            checked += 1
    assert superfluous == lost == 0
    assert checked > 400


def test_a_diagram_that_was_narrowed_equals_one_built_anew(small: list[tuple[naive.Small, Rulebook]]) -> None:
    for seed, (drawn, rulebook) in enumerate(small[:60]):
        draw = random.Random(seed)
        for _ in range(10):
            table = rulebook.table
            known = {name: slot for name, slot in table.slots(drawn.partial(draw)).items() if table.constrained[name]}
            assert rulebook.diagram is not None
            narrowed, anew = rulebook.diagram.restricted(known), Diagram(table, known)
            assert narrowed.outcomes() == anew.outcomes()
            assert narrowed.relevant() == anew.relevant()
            assert len(narrowed.reachable()) == len(anew.reachable())


def test_every_flip_leads_where_it_says_and_no_smaller_change_does(small: list[tuple[naive.Small, Rulebook]]) -> None:
    shown = complete = 0
    for seed, (drawn, rulebook) in enumerate(small[:60]):
        draw = random.Random(seed)
        for _ in range(6):
            share = draw.choice([0.85, 1.0, 1.0])
            known = {name: draw.choice(values) for name, values in drawn.values.items() if draw.random() < share}
            before = _end(drawn, known)
            found = flips_module.flips(known, rulebook, at_most=None)
            truly: dict[frozenset[str], set[str]] = {}
            for size in (1, 2):
                for names in itertools.combinations(known, size):
                    for values in itertools.product(*(drawn.values[name] for name in names)):
                        if any(known[name] == value for name, value in zip(names, values, strict=True)):
                            continue
                        changed = {**known, **dict(zip(names, values, strict=True))}
                        after = _end(drawn, changed)
                        if after is None or after == before:
                            continue
                        if any(after in truly.get(frozenset([name]), ()) for name in names if size == 2):
                            continue
                        truly.setdefault(frozenset(names), set()).add(after)
            told: dict[frozenset[str], set[str]] = {}
            for flip in found:
                assert _end(drawn, {**known, **flip.change}) == flip.approach != before
                told.setdefault(frozenset(flip.change), set()).add(flip.approach)
                shown += 1
            if len(known) == len(drawn.names):
                assert told == truly, (seed, known)
                complete += 1
    assert shown > 400
    assert complete > 200


def _end(drawn: naive.Small, known: dict[str, Any]) -> str | None:
    outcomes = set(drawn.open_outcomes(known).flat)
    possible = {naive.APPROACHES[code] for code in outcomes if code >= 0}
    return _pointed_at(drawn, known, possible, len(outcomes) == 1)


def test_a_rulebook_read_from_the_cache_decides_as_one_read_from_yaml(tmp_path: Path) -> None:
    from advisor.reasoning import rulebook as module

    drawn = naive.Small(7)
    folder = drawn.write(tmp_path / "rules")
    first = load_rulebook(folder)
    module._load.cache_clear()
    second = load_rulebook(folder)
    assert first is not second
    draw = random.Random(3)
    for _ in range(100):
        known = drawn.partial(draw)
        assert decide(known, first, with_cost=False) == decide(known, second, with_cost=False)
