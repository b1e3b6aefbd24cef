"""rules/costs.yaml is whole, agrees with the public price list, and refuses what does not fit, with the line."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor.base.errors import BadInput
from advisor.reasoning.prices import load_prices
from trainers.lora.policy import presets

RULES = Path(__file__).resolve().parents[2] / "rules"
PUBLIC = {
    "gpt-6-luna": ("gpt-6-luna", "openai"),
    "gpt-6.1-terra": ("gpt-6.1-terra", "openai"),
    "gpt-6-sol": ("gpt-6-sol", "openai"),
    "claude-haiku-4-5": ("claude-haiku-4-5", "anthropic"),
    "mistral-small": ("mistral-small-latest", "mistral"),
    "gpt-oss-20b": ("openai/gpt-oss-20b", "groq"),
}


def test_every_number_source_and_item_is_used() -> None:
    tables = load_prices(RULES).tables
    items, numbers = tables["items"], tables["numbers"]
    named = {value for item in items.values() for value in item.values()}
    named |= {value for own in tables["break_even"].values() for value in own.values()}
    by_code = {
        "horizon_months", "output_share", "tokens_per_second", "utilisation", "peak_factor", "person_month",
        "work_days_month", "retrainings_year", "label_minutes", "review_minutes", "platform_fee_first",
        "platform_fee_next", "platform_fee_rest", "crowd_rate", "crowd_workers", "expert_annotators",
    }  # fmt: skip
    hours = {card["price"] for card in presets()["cards"]}  # what an hour of a rented card is
    assert set(numbers) == (named & set(numbers)) | by_code | hours
    assert set(items) == {item for names in tables["approaches"].values() for item in names}
    rows = [row for n in numbers.values() for row in n["rows"]] + [
        r for m in tables["models"].values() for r in m["prices"]
    ]
    assert {row["source"] for row in rows} == set(tables["sources"])


@pytest.mark.parametrize("name", list(PUBLIC))
def test_our_model_prices_agree_with_the_public_price_list(name: str) -> None:
    genai = pytest.importorskip("genai_prices")
    model, provider = PUBLIC[name]

    def million(**used: int) -> float:
        usage = genai.Usage(**used)
        return float(genai.calc_price(usage, model, provider_id=provider).total_price) * 10

    ours = next(price for price in load_prices(RULES).on("2026-11-22").models if price.name == name)
    theirs = (
        million(input_tokens=100_000),
        million(input_tokens=100_000, cache_read_tokens=100_000),
        million(output_tokens=100_000),
    )
    assert (ours.input, ours.cached, ours.output) == pytest.approx(theirs)


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("nombers: {}\n", "1:1", "Did you mean 'numbers'?"),
        ("currency: EUR\n", "1:11", "US dollars"),
        ("numbers:\n  server_month:\n    rows: []\n", "3:11", "at least one dated row"),
        (
            "numbers:\n  server_month:\n    rows: [{as_of: today, value: 1, source: bls}]\n",
            "3:20",
            "as_of is a date",
        ),
        (
            "numbers:\n  server_month:\n    rows: [{as_of: 2026-01-01, value: -1, source: bls}]\n",
            "3:39",
            "zero or more",
        ),
        (
            "numbers:\n  server_month:\n    rows: [{as_of: 2026-01-01, low: 3, high: 1, source: bls}]\n",
            "3:37",
            "above high",
        ),
        (
            "numbers:\n  server_month:\n    rows: [{as_of: 2026-01-01, value: 1, source: blz}]\n",
            "3:50",
            "Did you mean 'bls'?",
        ),
        ("numbers:\n  server_month:\n    rows: [{as_of: 2026-01-01, value: true, source: bls}]\n", "3:39", "a number"),
        ("numbers:\n  mine:\n    rows: [{as_of: 2026-01-01, value: 1, source: bls}]\n", "3:5", "lacks label"),
        ("approaches:\n  prompt: [calls, tset_set]\n", "2:19", "Did you mean 'test_set'?"),
        ("items:\n  calls: {sum: flat}\n", "2:10", "needs price"),
        ("break_even:\n  small_card: {price: nothing}\n", "2:23", "There is no 'nothing' here."),
        ("models: 3\n", "1:9", "a block of names and values"),
    ],
)
def test_a_wrong_price_file_is_refused_with_its_line_and_the_cure(
    text: str, place: str, words: str, tmp_path: Path
) -> None:
    own = tmp_path / "costs.yaml"
    own.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        load_prices(RULES, own)
    said = caught.value
    assert said.where == f"costs.yaml:{place}", said.where
    assert words in f"{said.what} {said.fix}"
    assert said.line == text.splitlines()[int(place.split(":")[0]) - 1]
