"""Preference tuning: the answer that people chose is made likelier against the one they did not (DPO).

Rafailov et al. 2023, arXiv 2305.18290, equation 7: loss = -log sigmoid(beta × (margin of the model - margin of the
base)), where a margin is log p(preferred) - log p(other), summed over the answer's tokens. The base is the same model
with its adapters off, so nothing is held twice; its margins are taken once for each pair.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from trainers.lora.examples import Example, Message
from trainers.lora.forward import AnswerLoss, KeysValues, Tally, measuring
from trainers.lora.tokens import Encoded, Encoder, checked_rows

PREFERRED, OTHER = "preferred", "other"


class PairEncoder:
    """Turns an example with two answers into one row that holds both as tokens; a pair counts as one learned token."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder

    def encode(self, example: Example) -> Encoded:
        """One pair. Its `ids` are those of both answers, so that rows are sorted and cut by what they cost."""
        chosen = self.encoder.encode(_last_only(example))
        other = self.encoder.encode(_last_only(example, example.rejected))
        ids = (*chosen.ids, *other.ids)
        return Encoded(example.row, ids, (False,) * (len(ids) - 1) + (True,), pair=(chosen, other))

    def encode_all(self, examples: Sequence[Example], path: Path, longest: int) -> list[Encoded]:
        """Every pair, or `BadInput` with all rows either of whose answers does not fit `longest` tokens."""
        for answer in (lambda one: one, lambda one: _last_only(one, one.rejected)):
            checked_rows(self.encoder.encode, self.encoder.control, [answer(one) for one in examples], path, longest)
        return [self.encode(example) for example in examples]


def _last_only(example: Example, answer: str | None = None) -> Example:
    """The example with only its last answer learned, or with another in its place; earlier turns stay."""
    earlier = [replace(message, learn=False) for message in example.question]
    last = example.messages[-1] if answer is None else Message("assistant", answer)
    return replace(example, messages=(*earlier, last))


class PairLoss:
    """Losses of pairs, as the training loop and its probe ask for them. `as_base` turns the adapters off."""

    can_share: bool = False

    def __init__(self, words: AnswerLoss, as_base: Callable[[], AbstractContextManager[None]], beta: float) -> None:
        self.words = words
        self.beta = beta
        self.model = words.model
        self.device = words.device
        self._as_base = as_base
        self._margins_of_base: dict[int, float] = {}

    def run_prefix(self, ids: Sequence[int]) -> KeysValues:
        """Never asked for: pairs are read whole."""
        raise NotImplementedError("pairs share no prefix")

    def __call__(self, rows: Sequence[Encoded], prefix: KeysValues | None = None) -> tuple[Tensor, int]:
        """The summed loss of the pairs, and how many they are."""
        moved = self._margins(rows) - self._base(rows)
        return -functional.logsigmoid(self.beta * moved).sum(), len(rows)

    @torch.no_grad()
    def tally(self, rows: Sequence[Encoded], prefix: KeysValues | None = None) -> Tally:
        """Loss, and the pairs whose preferred answer gained on the other since the base."""
        moved = self._margins(rows) - self._base(rows)
        right = int((moved > 0).sum())
        loss = float(-functional.logsigmoid(self.beta * moved).sum())
        return Tally(loss, len(rows), right, right, len(rows))

    @torch.no_grad()
    def prefers(self, rows: Sequence[Encoded], at_once: int = 4) -> list[str]:
        """Which answer of each pair the model finds likelier, a token: `preferred` or `other`."""
        said = []
        for start in range(0, len(rows), at_once):
            chosen, other = self._log_likelihoods(rows[start : start + at_once])
            part = rows[start : start + at_once]
            counts = torch.tensor([[one.learned for one in row.pair or ()] for row in part], device=self.device)
            better = chosen / counts[:, 0] > other / counts[:, 1]
            said += [PREFERRED if one else OTHER for one in better.tolist()]
        return said

    def _margins(self, rows: Sequence[Encoded]) -> Tensor:
        chosen, other = self._log_likelihoods(rows)
        return chosen - other

    def _log_likelihoods(self, rows: Sequence[Encoded]) -> tuple[Tensor, Tensor]:
        answers = [one for row in rows for one in row.pair or ()]
        hidden, targets, owner = self.words.learned_states(answers)
        each = -self.words.losses(hidden, targets)
        sums = torch.zeros(len(answers), device=self.device).index_add(0, owner, each)
        return sums[0::2], sums[1::2]

    def _base(self, rows: Sequence[Encoded]) -> Tensor:
        new = [row for row in rows if row.row not in self._margins_of_base]
        if new:
            with torch.no_grad(), self._as_base(), measuring(self.model):
                found = self._margins(new).tolist()
            self._margins_of_base |= dict(zip([row.row for row in new], found, strict=True))
        return torch.tensor([self._margins_of_base[row.row] for row in rows], device=self.device)
