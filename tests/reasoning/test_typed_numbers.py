"""Numbers as people type them: marks between thousands are read, a comma that may be a decimal point is asked about."""

from __future__ import annotations

import pytest

from advisor.base.errors import BadInput
from advisor.reasoning.rulebook import load_rulebook


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("1500", 1500), ("1,500", 1500), ("1,500,000", 1_500_000), ("1 500 000", 1_500_000), ("1_500", 1500),
        ("1'500", 1500), ("+1,500", 1500), ("1e3", 1000), ("12,345", 12_345), (" 7 ", 7), ("1\u202f500", 1500),
    ],
)  # fmt: skip
def test_marks_between_thousands_are_read(typed: str, value: int) -> None:
    assert load_rulebook().parse_value("n_rows", typed) == value


@pytest.mark.parametrize(
    "typed",
    ["1,5", "0,500", "1,50,000", "1500,000", "1,500,00", "1,500,", ",500", "1.500,5", "1,500 000",
     "1 5", "1__000", "1_5", "1,5e3", "12,5%"],
)  # fmt: skip
def test_what_could_mean_two_numbers_is_refused_with_the_form_to_write(typed: str) -> None:
    with pytest.raises(BadInput) as caught:
        load_rulebook().parse_value("n_rows", typed)
    assert "n_rows must be a number" in caught.value.what
    assert caught.value.fix


def test_a_share_is_read_with_and_without_a_sign_but_not_with_a_comma() -> None:
    rulebook = load_rulebook()
    assert [rulebook.parse_value("label_agreement", text) for text in ("0.85", "85%", "85 %")] == [0.85, 0.85, 0.85]
    with pytest.raises(BadInput) as caught:
        rulebook.parse_value("label_agreement", "0,85")
    assert "0.85" in caught.value.fix
