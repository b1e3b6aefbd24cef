"""A measured rung as it goes into the record: score with interval, cost, latency, and the figures beside them."""

from __future__ import annotations

import numpy as np

from advisor.records.climb import RungMeasure, RungStatus
from advisor.records.run import Score
from trainers.climb.bleu import corpus_bleu
from trainers.climb.hybrid import recall
from trainers.climb.measure import ERROR, Measured
from trainers.climb.rungs import Said
from trainers.climb.scoring import exact_match, normalized, quote_is_found, token_f1


def as_record(measured: Measured, status: RungStatus, text: str) -> RungMeasure:
    """A measured rung as a record, with its interval, its cost per thousand answers and its latency."""
    rung, task = measured.rung, measured.task
    if not measured.scores:
        return RungMeasure(rung.name, rung.rung, status, text)
    count = len(measured.scores)
    value, low, high, method = measured.interval()
    if measured.stopped_early:
        method += f"; stopped after {count}"
    seconds = [said.seconds for said in measured.said]
    return RungMeasure(
        name=rung.name,
        rung=rung.rung,
        status=status,
        text=text,
        score=Score(task.metric.name, value, low, high, count, 1 - ERROR, method),
        usd=float(measured.usd),
        usd_per_thousand=float(measured.usd / count * 1000),
        latency_p50=float(np.percentile(seconds, 50)),
        latency_p95=float(np.percentile(seconds, 95)),
        invalid_share=sum(read is None for read in measured.read) / count,
        items=count,
        stopped_early=measured.stopped_early,
        extra=_extra(measured),
    )


def _extra(measured: Measured) -> dict[str, float]:
    """Figures beside the one that decides: other measures, retrieval, and whether answers stand in what was given."""
    task, extra = measured.task, dict[str, float]()
    if task.kind == "classification":
        truth = np.array([item.accepted[0] for item in measured.items])
        said = np.array([read or "" for read in measured.read])
        right = truth == said
        recalls = [right[truth == label].mean() for label in sorted(set(truth))]
        f1 = [2 * (right & (truth == one)).sum() / ((truth == one).sum() + (said == one).sum()) for one in set(truth)]
        extra |= {"accuracy": float(right.mean()), "balanced_accuracy": float(np.mean(recalls))}
        extra["macro_f1"] = float(np.mean(f1))
    else:
        pairs = list(zip(measured.items, measured.read, strict=True))
        extra["token_f1"] = float(np.mean([token_f1(read or "", item.accepted) for item, read in pairs]))
        if task.metric.name == "bleu":
            extra["corpus_bleu"] = corpus_bleu([read or "" for _, read in pairs], [item.accepted for item, _ in pairs])
        if task.kind == "question_answering":
            extra["exact_match"] = float(np.mean([exact_match(read or "", item.accepted) for item, read in pairs]))
            # Tells a model that knows the answer and says too much from one that does not know it.
            inside = [any(quote_is_found(right, read or "") for right in item.accepted) for item, read in pairs]
            extra["answer_inside"] = float(np.mean(inside))
    if tokens := sum(said.tokens for said in measured.said):
        extra["tokens_per_answer"] = tokens / len(measured.said)
    found = getattr(measured.rung, "choice", None)
    if found is not None and found.ndcg:
        extra |= {"ndcg_words": found.ndcg[0], "ndcg_with_embeddings": found.ndcg[1]}
    return extra | _retrieved(measured)


def _retrieved(measured: Measured) -> dict[str, float]:
    where = [(item, said) for item, said in zip(measured.items, measured.said, strict=True) if said.passages]
    if not where:
        return {}
    extra = {}
    if all(item.document for item, _ in where):
        extra["right_document_found"] = float(np.mean([recall(said.passages, item.document) for item, said in where]))
    answers = [said for said, read in zip(measured.said, measured.read, strict=True) if read and said.passages]
    given = [said for said in answers if normalized(said.text) != "unknown"]
    if given:
        # An answer copied from its passages can be checked by eye; one whose words stand nowhere was made up.
        extra["stands_in_passages"] = float(np.mean([is_grounded(said) for said in given]))
    return extra


def is_grounded(said: Said) -> bool:
    """Whether the words of an answer stand in one of the passages that it was given."""
    return any(quote_is_found(said.text, passage.text) for passage in said.passages)
