"""Right, wrong and unreadable answers are told apart."""

from __future__ import annotations

import pytest

from advisor.base.errors import BadInput, EnvironmentMissing
from trainers.climb.metric import metric_for
from trainers.climb.scoring import exact_match, quote_is_found, read_label, token_f1

LABELS = ["billing", "cancellation", "refund", "refund status", "card not working"]


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("billing", "billing"),
        (" Billing. ", "billing"),
        ('{"label": "Refund status"}', "refund status"),
        ("The category is: card not working", "card not working"),
        ("billing or cancellation", None),
        ("I cannot tell", None),
        ("", None),
        ("billings", None),
    ],
)
def test_a_label_is_read_only_when_it_is_plainly_said(text: str, label: str | None) -> None:
    assert read_label(text, LABELS) == label


def test_articles_case_and_punctuation_do_not_make_an_answer_wrong() -> None:
    assert exact_match("The Panthers!", ["panthers"]) == 1.0
    assert exact_match("Panthers and Broncos", ["panthers"]) == 0.0


def test_token_overlap_is_the_f1_of_the_words() -> None:
    assert token_f1("in 1973 October", ["October 1973"]) == pytest.approx(0.8)
    assert token_f1("", ["x"]) == 0.0


def test_a_fabricated_quotation_is_found_out() -> None:
    document = "Returns are free within 30 days.\nAfter that, a fee of 5 EUR applies."
    assert quote_is_found("within 30 days. After that", document)
    assert not quote_is_found("within 60 days", document)
    assert not quote_is_found("", document)
    assert not quote_is_found("fee of 5 EUR appl", document)


def test_bleu_is_sacrebleus() -> None:
    sacrebleu = pytest.importorskip("sacrebleu")
    from trainers.climb.bleu import corpus_bleu, sentence_bleu

    said, right = "the cat sat on the mat", ("the cat sat on a mat", "a cat was on the mat")
    told = sacrebleu.sentence_bleu(said, list(right), use_effective_order=True).score / 100
    assert sentence_bleu(said, right) == pytest.approx(told)
    assert sentence_bleu(right[0], right) == pytest.approx(1.0) and sentence_bleu("xyz", right) == 0.0
    both = corpus_bleu([said, "good morning to you all"], [right, ("good morning to you",)])
    alone = sacrebleu.corpus_bleu(
        [said, "good morning to you all"], [[right[0], "good morning to you"], [right[1], None]]
    )
    assert both == pytest.approx(alone.score / 100)


def test_bleu_measures_free_text_and_names_its_package_where_that_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(EnvironmentMissing, match="sacrebleu"):
        metric_for("generation", [], "bleu")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: True)
    measure = metric_for("generation", [], "bleu")
    assert measure.title == "BLEU" and not measure.right_or_wrong
    with pytest.raises(BadInput, match="does not measure"):
        metric_for("classification", ["a", "b"], "bleu")
