"""BLEU by sacrebleu, the only door to it: how many word sequences of an answer stand in a right text.

Papineni et al. 2002; Post 2018, "A call for clarity in reporting BLEU scores" (arXiv:1804.08771), whose tokenisation
sacrebleu fixes, so that figures can be compared.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from typing import Any

from advisor.base.errors import EnvironmentMissing


def require_sacrebleu() -> None:
    """Raise `EnvironmentMissing` with the cure where sacrebleu is not installed; nothing is imported."""
    if importlib.util.find_spec("sacrebleu") is None:
        raise EnvironmentMissing(
            "BLEU needs the package sacrebleu.",
            where="--metric bleu",
            fix="pip install 'train-or-not[bleu]'   (or --metric rouge_l)",
            code="no-extra",
        )


def sentence_bleu(answer: str, accepted: Sequence[str]) -> float:
    """BLEU of one answer in [0, 1], of the sequences that it is long enough to hold, so that items can be compared."""
    import sacrebleu

    return float(sacrebleu.sentence_bleu(answer, list(accepted), use_effective_order=True).score) / 100


def corpus_bleu(answers: Sequence[str], accepted: Sequence[Sequence[str]]) -> float:
    """BLEU of all answers together in [0, 1], as papers print it: it is not the mean over sentences."""
    import sacrebleu

    most = max(map(len, accepted), default=1)
    # Where an item has fewer right texts than another, sacrebleu reads None as "no text here"; its types do not say so.
    references: list[list[Any]] = [[right[at] if at < len(right) else None for right in accepted] for at in range(most)]
    return float(sacrebleu.corpus_bleu(list(answers), references).score) / 100
