"""Texts sorted into classes by a head on a pretrained model, encoder or decoder, with the losses the loop asks for.

The transformers model for sequence classification is used as it stands, so that what a run leaves loads anywhere. One
row carries one loss, on its label; everything else of a run (steps, looks, checkpoints, resume) is shared with
fine-tuning on words.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from trainers.lora.examples import Example, Message
from trainers.lora.forward import KeysValues, Tally
from trainers.lora.tokens import Encoded, checked_rows

UNKNOWN = -1
_AT_ONCE = 64


class LabelEncoder:
    """Turns the question of an example into tokens and its answer into the number of a class.

    An instruction says nothing to a head that learns its classes from examples, so system messages are left out. A
    label that was not among `labels` is `UNKNOWN`: such a row is never right.
    """

    end_ids: frozenset[int] = frozenset()

    def __init__(self, tokenizer: Any, labels: Sequence[str]) -> None:
        self.tokenizer = tokenizer
        self.labels = tuple(labels)
        self._codes = {label: code for code, label in enumerate(self.labels)}
        self._control = [token for token in tokenizer.all_special_tokens if len(token) > 2]

    def prompt(self, messages: Sequence[Message]) -> list[int]:
        """The tokens of what is asked, with those that the model's own tokenizer puts around a text."""
        text = "\n".join(message.content for message in messages if message.role != "system")
        return list(self.tokenizer(text, verbose=False)["input_ids"])

    def encode(self, example: Example) -> Encoded:
        """One row: nothing of the text is learned but the label, which counts as one token."""
        ids = tuple(self.prompt(example.question))
        code = self._codes.get(example.answer.strip(), UNKNOWN)
        return Encoded(example.row, ids, (False,) * (len(ids) - 1) + (True,), code)

    def encode_all(self, examples: Sequence[Example], path: Path, longest: int) -> list[Encoded]:
        """Every example, or `BadInput` with all rows that hold control tokens or are longer than `longest` tokens."""
        return checked_rows(self.encode, self._control, examples, path, longest)


class ClassLoss:
    """Losses of rows under a model with a classification head, as the training loop and its probe ask for them."""

    can_share: bool = False

    def __init__(self, model: Any, padding: int) -> None:
        self.model = model
        self.padding = padding
        self.device = next(model.parameters()).device

    def run_prefix(self, ids: Sequence[int]) -> KeysValues:
        """Never asked for: a head reads each text whole."""
        raise NotImplementedError("a classification head shares no prefix")

    def __call__(self, rows: Sequence[Encoded], prefix: KeysValues | None = None) -> tuple[Tensor, int]:
        """The summed loss of the rows' labels, and how many they are."""
        codes = self._codes(rows)
        return functional.cross_entropy(self._logits(rows), codes, reduction="sum", ignore_index=UNKNOWN), len(rows)

    @torch.no_grad()
    def tally(self, rows: Sequence[Encoded], prefix: KeysValues | None = None) -> Tally:
        """Loss and right rows; a label counts as one token."""
        logits, codes = self._logits(rows), self._codes(rows)
        loss = float(functional.cross_entropy(logits, codes, reduction="sum", ignore_index=UNKNOWN))
        right = int((logits.argmax(-1) == codes).sum())
        return Tally(loss, len(rows), right, right, len(rows))

    @torch.no_grad()
    def probabilities(self, texts: Sequence[Sequence[int]]) -> Tensor:
        """The probability of each class for each text: (texts, classes), float32, on the processor."""
        order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        found = torch.empty((len(texts), self.model.config.num_labels))
        for start in range(0, len(order), _AT_ONCE):
            part = order[start : start + _AT_ONCE]
            rows = [Encoded(0, tuple(texts[index]), (False,) * len(texts[index])) for index in part]
            found[part] = self._logits(rows).softmax(-1).cpu()
        return found

    def _codes(self, rows: Sequence[Encoded]) -> Tensor:
        return torch.tensor([row.label for row in rows], device=self.device)

    def _logits(self, rows: Sequence[Encoded]) -> Tensor:
        width = max(len(row.ids) for row in rows)
        ids = torch.full((len(rows), width), self.padding, dtype=torch.long)
        mask = torch.zeros_like(ids)
        for place, row in enumerate(rows):
            ids[place, : len(row.ids)] = torch.tensor(row.ids)
            mask[place, : len(row.ids)] = 1
        logits: Tensor = self.model(input_ids=ids.to(self.device), attention_mask=mask.to(self.device)).logits
        return logits.float()


def padding_of(tokenizer: Any) -> int:
    """The token that fills up short texts: the tokenizer's own, else the one that ends a text."""
    own = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id
    return int(own or 0)


def label_options(labels: Sequence[str], tokenizer: Any) -> dict[str, Any]:
    """What `from_pretrained` is told of the classes; kept in the model's own configuration."""
    return {
        "num_labels": len(labels),
        "id2label": dict(enumerate(labels)),
        "label2id": {label: code for code, label in enumerate(labels)},
        "problem_type": "single_label_classification",
        "pad_token_id": padding_of(tokenizer),
    }
