"""What a fact's value is called, as a person would say it."""

from __future__ import annotations

import pytest

from advisor.reasoning.rulebook import load_rulebook
from advisor.report.words import value_words


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("n_features", 1, "1 column"),
        ("n_features", 2, "2 columns"),
        ("n_classes", 1, "1 category"),
        ("gpu_gb", 1, "1 GB"),
    ],
)
def test_one_of_something_is_said_of_one(name: str, value: int, said: str) -> None:
    assert value_words(name, value, load_rulebook().facts) == said
