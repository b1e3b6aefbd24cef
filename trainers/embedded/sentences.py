"""Sentences as vectors, by the embedded MiniLM: mean pooling over the words, length one."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from advisor.base.errors import BadInput
from trainers.contract import Progress
from trainers.embedded.models import MINILM
from trainers.embedded.store import ensure


class SentenceModel:
    """all-MiniLM-L6-v2, 384 dimensions; texts beyond 256 tokens are cut, as the model was trained."""

    def __init__(self, progress: Progress) -> None:
        from trainers.lora.machine import prepare

        prepare()
        import torch
        from transformers import AutoModel, AutoTokenizer

        folder = ensure(MINILM, progress)
        # One query at a time gains nothing from a second thread; on a busy machine it was 50 times slower.
        torch.set_num_threads(1)
        self._torch = torch
        self._tokenizer: Any = AutoTokenizer.from_pretrained(folder)
        self._model: Any = AutoModel.from_pretrained(folder).eval()

    def vectors(self, texts: Sequence[str], batch: int = 32) -> NDArray[np.float32]:
        """One row a text: [texts, 384], each of length one."""
        # Neighbours in length share a batch, so that little is padding.
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        rows = np.empty((len(texts), 384), dtype=np.float32)
        for start in range(0, len(order), batch):
            chosen = order[start : start + batch]
            rows[chosen] = self._encoded([texts[i] for i in chosen])
        return rows

    def _encoded(self, texts: list[str]) -> NDArray[np.float32]:
        tokens = self._tokenizer(texts, padding=True, truncation=True, max_length=256, return_tensors="pt")
        with self._torch.inference_mode():
            vectors: NDArray[np.float32] = pooled(
                self._model(**tokens).last_hidden_state, tokens["attention_mask"]
            ).numpy()
        return vectors

    def below(self, texts: Sequence[str], layers: int, longest: int) -> list[Any]:
        """What each text is below the last `layers`: [tokens, 384], of its first `longest` tokens."""
        found = []
        for text in texts:
            tokens = self._tokenizer(text, truncation=True, max_length=longest, return_tensors="pt")
            with self._torch.no_grad():
                found.append(self._model(**tokens, output_hidden_states=True).hidden_states[-1 - layers][0])
        return found

    def last_layers(self, count: int) -> Any:
        """A copy of the last `count` layers, to be tuned."""
        return copy.deepcopy(self._model.encoder.layer[-count:])

    def tuned(self, weights: bytes, count: int) -> SentenceModel:
        """The same with its last `count` layers as tuned. All other weights are shared with this one.

        Raises `BadInput` for weights that are none of such layers.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load

        twin, layers = copy.copy(self), self._model.encoder.layer
        shared = [*self._model.embeddings.parameters(), *layers[:-count].parameters()]
        twin._model = copy.deepcopy(self._model, {id(one): one for one in shared})
        try:
            twin._model.encoder.layer[-count:].load_state_dict(load(weights))
        except (SafetensorError, RuntimeError, TypeError) as error:
            raise BadInput(
                "The tuned sentence model of this run cannot be used.",
                where="the run's model",
                why="What should be its weights is damaged, or was put there by somebody else.",
                fix="Train again: train-or-not train CASE --again",
                code="damaged-run",
            ) from error
        return twin


def pooled(states: Any, mask: Any) -> Any:
    """The mean of the states [texts, tokens, 384] where `mask` [texts, tokens] is one, each of length one."""
    import torch

    there = mask.unsqueeze(-1).to(states.dtype)
    return torch.nn.functional.normalize((states * there).sum(1) / there.sum(1).clamp(min=1), dim=1)
